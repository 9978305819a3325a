r"""Normalised SAM with constant radius has no linear rate, not even on $f = \tfrac12\lambda x^2$.

The climb has length $\rho$ however small the gradient, so one step from $x > 0$ lands on $x -
\eta\lambda(x + \rho)$: as $x \to 0$ it ends at distance $\eta\lambda\rho$ whatever $x$ was, and
$\|x_1\|/\|x_0\| \to \infty$. Theorem 7 for the optimizer people run is therefore false, with any
rate below one. What the iteration does instead is settle into a two-cycle.
"""

from theory.atoms import at_most, below, equal
from theory.core import Claim, Conventions, Kind, Source
from theory.domains import Scalars


def given(m):
    """One sample: kappa = 1/2, alpha = beta = lambda."""
    return (
        below(0, m.lam),
        below(0, m.rho),
        below(m.lam * m.rho, 1),
        below(0, m.x),
        equal(m.eta * m.lam * (1 + m.lam * m.rho) ** 2, 1 - m.lam * m.rho),
    )


def then(m):
    after = m.x - m.eta * m.lam * (m.x + m.rho)
    return (at_most(after**2, (1 - m.eta * m.lam * (1 - m.lam * m.rho)) * m.x**2),)


CLAIM = Claim(
    title="Theorem 7's rate holds for normalised SAM",
    statement=r"On $f(x) = \frac12\lambda x^2$ normalised SAM with $\lambda\rho < 1$ and theorem "
    r"7's step "
    r"$\eta = \frac{1 - \lambda\rho}{\lambda(1 + \lambda\rho)^2}$ satisfies "
    r"$f(x_1) \le (1 - \lambda\eta(1 - \lambda\rho))f(x_0)$.",
    source=Source("P1", "Shin et al. 2023, theorem 7, read for normalised SAM", "reconstructed"),
    kind=Kind.UPPER_BOUND,
    conventions=Conventions(normalised=True, ascent="shared", sampler="full batch"),
    domain=Scalars(
        names=("lam", "rho", "x", "eta"),
        start={"lam": (0.1, 2.0), "rho": (0.01, 0.4), "x": (0.01, 2.0)},
        complete={"eta": lambda m: (1 - m.lam * m.rho) / (m.lam * (1 + m.lam * m.rho) ** 2)},
    ),
    given=given,
    then=then,
    tightest={"lam": 1, "rho": "1/2", "x": 1, "eta": "2/9"},
    repaired_by="sam_reaches_two_cycle",
)

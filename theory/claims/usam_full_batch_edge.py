r"""Full-batch USAM on a quadratic is stable exactly up to a(1 + rho a) = 2/eta.

Its step is $x^+ = x - \eta(H + \rho H^2)x$: gradient descent with $A = H + \rho H^2$, whose largest
eigenvalue is $a(1 + \rho a)$ with $a = \lambda_{\max}(H)$, $\rho \ge 0$. One step changes $\|x\|^2$ by
exactly $-\eta\,x'(2A - \eta A^2)x$, written out here in $H$ and $\rho$.
"""

from theory.atoms import equal
from theory.claims._quadratics import simulated_distance, squared_distance
from theory.core import Claim, Conventions, Kind, Notion, Source, Tolerance
from theory.domains import Operators


def given(m):
    return ()


def then(m):
    after = m.x - m.eta * (m.H @ (m.x + m.rho * (m.H @ m.x)))
    return (equal(m.inner(after, after), formula(m)),)


def formula(m):
    """The squared distance after one step, from the identity."""
    A = m.H + m.rho * (m.H @ m.H)
    return m.inner(m.x, m.x) - m.eta * m.inner(m.x, (2 * A - m.eta * (A @ A)) @ m.x)


def exact(m):
    """The squared distance after one step, in the eigenbasis."""
    return squared_distance(m.H, m.x, m.eta, m.rho)


def observe(lab, m):
    """The same from one simulated step."""
    return simulated_distance(lab, m.H, m.x, "usam", lr=m.eta, rho=m.rho)


CLAIM = Claim(
    title="Full-batch USAM is stable exactly up to a(1 + ρa) = 2/η",
    statement=r"For symmetric $H$ and $A = H + \rho H^2$ one step of full-batch USAM gives "
    r"$\|x^+\|^2 = \|x\|^2 - \eta\,x'(2A - \eta A^2)x$; so for $H \succeq 0$, $\rho \ge 0$ it keeps "
    r"$\|x\|$ bounded from every start exactly when $a(1 + \rho a) \le 2/\eta$.",
    source=Source("P1", "Shin et al. 2023, stability at full batch", "reconstructed"),
    kind=Kind.EXACT,
    conventions=Conventions(
        notion=Notion.ONE_STEP, normalised=False, ascent="shared", sampler="full batch"
    ),
    domain=Operators(symmetric=("H",), vectors=("x",), scalars=("eta", "rho")),
    given=given,
    then=then,
    control={"H": [[0, 1], [0, 0]], "x": [1, 2], "eta": 1, "rho": 1},
    formula=formula,
    exact=exact,
    observe=observe,
    tolerance=Tolerance(1e-10, "a few dozen rounded products, with cancellation of up to 1e4"),
    trusted=(
        "An eigenvector of the largest eigenvalue attains the worst case of a quadratic form.",
    ),
)

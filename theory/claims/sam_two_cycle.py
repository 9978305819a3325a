r"""SAM has a two-cycle at the bottom of a valley: it bounces at a fixed width.

On $f(x) = \tfrac12 x'Hx$ with $Hq_1 = \lambda q_1$, SAM at $x = wq_1$, $w > 0$, climbs by $\rho q_1$
and steps to $w - \eta\lambda(w + \rho)$. That is $-w$ exactly when $(2 - \eta\lambda)w =
\eta\lambda\rho$. A small displacement along another eigenvector $q_j$ with eigenvalue $\mu$ leaves
$\|Hx\| = \lambda w$ unchanged to first order and is multiplied by
$m = 1 - \eta\mu(1 + \rho\mu/(\lambda w))$. Inserting $w$: $m = 1 - \eta\mu - (\mu/\lambda)^2(2 -
\eta\lambda)$. Denominators are cleared; $m$ is tied to $w$ by its own equation.
"""

from theory.atoms import below, equal
from theory.core import Claim, Conventions, Kind, Source, Tolerance
from theory.domains import Scalars

NUDGE = 1e-6  # of the width: the second-order term it leaves is 1e-12


def given(m):
    return (
        below(0, m.eta),
        below(0, m.rho),
        below(0, m.lam),
        below(0, m.w),
        below(m.eta * m.lam, 2),
        equal((2 - m.eta * m.lam) * m.w, m.eta * m.lam * m.rho),
        equal(m.lam * m.w * m.mult, m.lam * m.w - m.eta * m.mu * (m.lam * m.w + m.rho * m.mu)),
    )


def then(m):
    shrink = m.eta * m.mu * m.lam**2 + m.mu**2 * (2 - m.eta * m.lam)
    return (
        equal(m.eta * m.lam * (m.w + m.rho) - m.w, m.w),
        equal(m.lam**2 * (1 - m.mult), shrink),
    )


def width(m):
    """Half the distance between the two points of the cycle."""
    return m.eta * m.lam * m.rho / (2 - m.eta * m.lam)


def multiplier(m):
    """Factor by which one step scales a small displacement along the other eigenvector."""
    return 1 - m.eta * m.mu - (m.mu / m.lam) ** 2 * (2 - m.eta * m.lam)


def exact(m):
    """The multiplier as the derivative of the SAM map at (w, 0), before inserting the width."""
    w = width(m)
    return 1 - m.eta * m.mu * (1 + m.rho * m.mu / (m.lam * w))


def observe(lab, m):
    """The same from one simulated step started a nudge away from the cycle."""
    import numpy as np

    from theory.problems.quadratic import quadratic

    w = width(m)
    bowl = quadratic(hessians=np.diag([m.lam, m.mu])[None])
    x0 = np.array([w, NUDGE * w])
    run = lab.run(bowl, "sam", x0=x0, steps=1, lr=m.eta, rho=m.rho)
    return float(run.x[0, 1, 1] / x0[1])


CLAIM = Claim(
    title="SAM has a two-cycle on a quadratic, with a known transverse multiplier",
    statement=r"Let $\eta, \rho, \lambda > 0$ and $\eta\lambda < 2$. SAM maps $wq_1$ to $-wq_1$ for "
    r"$w = \frac{\eta\lambda\rho}{2 - \eta\lambda}$, and one step multiplies small displacements along "
    r"an eigenvector with eigenvalue $\mu$ by $1 - \eta\mu - (\mu/\lambda)^2(2 - \eta\lambda)$.",
    source=Source("other", "Bartlett, Long & Bousquet 2023", "reconstructed"),
    kind=Kind.EXACT,
    conventions=Conventions(normalised=True, ascent="shared", sampler="full batch"),
    domain=Scalars(
        names=("eta", "rho", "lam", "mu", "w", "mult"),
        start={"eta": (0.1, 1.0), "rho": (0.01, 1.0), "lam": (0.5, 1.8), "mu": (0.1, 0.5)},
        complete={"w": width, "mult": multiplier},
    ),
    given=given,
    then=then,
    control={"eta": 1, "rho": 1, "lam": 1, "mu": "1/2", "w": 2, "mult": 0},
    formula=multiplier,
    exact=exact,
    observe=observe,
    trusted=(
        (
            "The stated multiplier is the derivative of the step across the cycle: to first order a "
            "displacement across it leaves the norm of the gradient unchanged."
        ),
    ),
    tolerance=Tolerance(1e-9, "the nudge of 1e-6 leaves a relative second-order term of 1e-12"),
)

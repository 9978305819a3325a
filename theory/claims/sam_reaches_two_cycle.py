r"""From almost every start SAM ends in the two-cycle of the largest eigenvalue.

Along $q_1$ the map is $|x^+| = \eta\lambda\rho - (1 - \eta\lambda)|x|$ once the sign flips every
step, a contraction by $|1 - \eta\lambda| < 1$ towards the width $w$. Across, with
$r = \mu/\lambda \in (0, 1)$ and $e = \eta\lambda$, the multiplier $m = 1 - er - r^2(2 - e)$ satisfies
$1 - m = er + r^2(2 - e) > 0$ and $1 + m = (1 - r)(2 + r(2 - e)) > 0$: the cycle attracts. As
$r \to 1$ the multiplier tends to $-1$, so the bound cannot be improved.
"""

from theory.atoms import below
from theory.core import Claim, Conventions, Kind, Source, Tolerance
from theory.domains import Scalars

STEPS = 4000


def given(m):
    return (
        below(0, m.e),
        below(m.e, 2),
        below(0, m.r),
        below(m.r, 1),
        below(0, m.rho),
    )


def then(m):
    return (below(multiplier(m) ** 2, 1),)


def multiplier(m):
    """Factor a step of a small displacement across the cycle, r the ratio of the eigenvalues."""
    return 1 - m.e * m.r - m.r**2 * (2 - m.e)


def width(m):
    """Where SAM stands once it has settled, at lambda = 1."""
    return m.e * m.rho / (2 - m.e)


def exact(m):
    """The fixed point of |x| -> e (|x| + rho) - |x|, found numerically."""
    from scipy.optimize import root_scalar

    far = 2 * m.e * m.rho / (2 - m.e)
    return root_scalar(lambda x: m.e * (x + m.rho) - 2 * x, bracket=(0.0, far), xtol=1e-15).root


def observe(lab, m):
    """Distance from the minimum after STEPS steps from a start with both parts."""
    import numpy as np

    from theory.problems.quadratic import quadratic

    bowl = quadratic(hessians=np.diag([1.0, m.r])[None])
    run = lab.run(bowl, "sam", x0=np.array([0.7, -1.1]), steps=STEPS, lr=m.e, rho=m.rho)
    return float(np.linalg.norm(run.x[0, -1]))


CLAIM = Claim(
    title="SAM settles into the two-cycle of the largest eigenvalue",
    statement=r"Let $H$ be positive definite with simple largest eigenvalue $\lambda$, "
    r"$0 < \eta\lambda < 2$. The two-cycle $\pm wq_1$, $w = \frac{\eta\lambda\rho}{2 - \eta\lambda}$, "
    r"attracts nearby points along every other eigenvector (searched), and SAM ends in it from almost "
    r"every start (simulated from one start a setting).",
    source=Source("other", "Bartlett, Long & Bousquet 2023", "reconstructed"),
    kind=Kind.ASYMPTOTIC,
    conventions=Conventions(normalised=True, ascent="shared", sampler="full batch"),
    domain=Scalars(
        names=("e", "r", "rho"), start={"e": (0.1, 1.9), "r": (0.1, 0.9), "rho": (0.01, 1.0)}
    ),
    given=given,
    then=then,
    tightest={"e": 1, "r": "9999/10000", "rho": 1},
    formula=width,
    exact=exact,
    observe=observe,
    tolerance=Tolerance(
        1e-9, "the slowest multiplier in the start box is 0.971, and 0.971^4000 is 1e-51"
    ),
    repairs="normalised_sam_rate",
)

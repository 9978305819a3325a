r"""The loss where Sassha bounces grows as the square of the curvature, not as its cube.

Without decay and $\varepsilon$ the two-cycle along a coordinate of curvature $\lambda$ has the half
width $s = \eta\rho\sqrt\lambda/(2 - \eta\sqrt\lambda)$, so $\tfrac12\lambda s^2 =
\eta^2\rho^2\lambda^2/(2(2 - \eta\sqrt\lambda)^2)$. SAM has $\eta^2\rho^2\lambda^3/(2(2 -
\eta\lambda)^2)$. Towards the cycle the distance contracts by $|1 - \eta\sqrt\lambda|$ a step. In
the atoms $\lambda = r^2$.
"""

from theory.atoms import below, equal
from theory.claims._sassha import run
from theory.core import Claim, Conventions, Kind, Source, Tolerance
from theory.domains import Scalars

STEPS = 400


def given(m):
    return (
        below(0, m.eta),
        below(0, m.rho),
        below(0, m.r),
        below(m.eta * m.r, 2),
        equal((2 - m.eta * m.r) * m.s, m.eta * m.rho * m.r),
        equal(2 * m.loss, m.r**2 * m.s**2),
    )


def then(m):
    return (equal(2 * m.loss * (2 - m.eta * m.r) ** 2, m.eta**2 * m.rho**2 * m.r**4),)


def formula(m):
    """The loss at either point of the cycle."""
    return m.eta**2 * m.rho**2 * m.r**4 / (2 * (2 - m.eta * m.r) ** 2)


def exact(m):
    """The loss at the fixed point of |x| -> eta sqrt(l) (|x| + rho) - |x|, found numerically."""
    from scipy.optimize import root_scalar

    far = 2 * m.eta * m.rho * m.r / (2 - m.eta * m.r)
    s = root_scalar(lambda x: m.eta * m.r * (x + m.rho) - 2 * x, bracket=(0.0, far), xtol=1e-15)
    return m.r**2 * s.root**2 / 2


def observe(lab, m):
    """The loss after STEPS simulated steps from 0.7."""
    return float(run(lab, (m.r**2,), (0.7,), steps=STEPS, lr=m.eta, rho=m.rho).loss[0, -1])


CLAIM = Claim(
    title="The loss where Sassha bounces is η²ρ²λ²/(2(2 − η√λ)²)",
    statement=r"Let $0 < \eta\sqrt\lambda < 2$. On the two-cycle of Sassha with normalised climb, "
    r"exact diagonal and no averages, without decay and $\varepsilon$, the loss is "
    r"$\frac{\eta^2\rho^2\lambda^2}{2(2 - \eta\sqrt\lambda)^2}$.",
    source=Source("P2", "Shin et al. 2025, Sassha on a quadratic", "our own"),
    kind=Kind.EXACT,
    conventions=Conventions(
        normalised=True,
        ascent="shared",
        sampler="full batch",
        bias_correction="no averages to correct",
    ),
    domain=Scalars(
        names=("eta", "rho", "r", "s", "loss"),
        start={"eta": (0.2, 1.0), "rho": (0.01, 1.0), "r": (0.5, 1.8)},
        complete={
            "s": lambda m: m.eta * m.rho * m.r / (2 - m.eta * m.r),
            "loss": lambda m: m.r**2 * m.s**2 / 2,
        },
    ),
    given=given,
    then=then,
    control={"eta": 1, "rho": 1, "r": 1, "s": 2, "loss": 2},
    formula=formula,
    exact=exact,
    observe=observe,
    tolerance=Tolerance(
        1e-9, "the slowest contraction in the start box is 0.9, and 0.9^400 is 1e-18"
    ),
)

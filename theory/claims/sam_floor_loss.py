r"""Where SAM bounces the loss is eta^2 rho^2 l^3/(2(2 - eta l)^2), above it 2 rho^2 l/(2 - eta l)^2.

On the two-cycle along a direction of curvature $\lambda$ SAM stands at distance $w =
\eta\lambda\rho/(2 - \eta\lambda)$ from the minimum, where the loss is $\tfrac12\lambda w^2$; it
climbs to $w + \rho = 2\rho/(2 - \eta\lambda)$. A step from $x > 0$ lands at $-y$, $y =
\eta\lambda\rho - (1 - \eta\lambda)x$, and as $w = \eta\lambda\rho - (1 - \eta\lambda)w$ the error
$y - w$ is $-(1 - \eta\lambda)(x - w)$: it contracts by $|1 - \eta\lambda|$ a step.
"""

from theory.atoms import below, equal
from theory.core import Claim, Conventions, Kind, Source, Tolerance
from theory.domains import Scalars

STEPS = 400


def given(m):
    return (
        below(0, m.eta),
        below(0, m.rho),
        below(0, m.lam),
        below(m.eta * m.lam, 2),
        equal((2 - m.eta * m.lam) * m.w, m.eta * m.lam * m.rho),
        equal(2 * m.loss, m.lam * m.w**2),
        equal(2 * m.above, m.lam * (m.w + m.rho) ** 2),
    )


def then(m):
    room = (2 - m.eta * m.lam) ** 2
    landed = m.eta * m.lam * (m.x + m.rho) - m.x  # a step from x lands at minus this
    return (
        equal(2 * m.loss * room, m.eta**2 * m.rho**2 * m.lam**3),
        equal(m.above * room, 2 * m.rho**2 * m.lam),
        equal(landed - m.w, (m.eta * m.lam - 1) * (m.x - m.w)),
    )


def width(m):
    """Half the distance between the two points of the cycle."""
    return m.eta * m.lam * m.rho / (2 - m.eta * m.lam)


def formula(m):
    """The loss at either point of the cycle."""
    return m.eta**2 * m.rho**2 * m.lam**3 / (2 * (2 - m.eta * m.lam) ** 2)


def exact(m):
    """The loss at the fixed point of |x| -> eta l (|x| + rho) - |x|, found numerically."""
    from scipy.optimize import root_scalar

    far = 2 * m.eta * m.rho * m.lam / (2 - m.eta * m.lam)
    step = m.eta * m.lam
    w = root_scalar(lambda x: step * (x + m.rho) - 2 * x, bracket=(0.0, far), xtol=1e-15).root
    return m.lam * w**2 / 2


def observe(lab, m):
    """The loss after STEPS simulated steps from 0.7."""
    import numpy as np

    from theory.problems.quadratic import quadratic

    bowl = quadratic(hessians=np.array([[[m.lam]]]))
    how = {"batch": None, "lr": m.eta, "rho": m.rho}
    return float(lab.run(bowl, "sam", x0=np.array([0.7]), steps=STEPS, **how).loss[0, -1])


CLAIM = Claim(
    title="The loss where SAM bounces is η²ρ²λ³/(2(2 − ηλ)²)",
    statement=r"Let $0 < \eta\lambda < 2$. On the two-cycle of SAM along a direction of curvature "
    r"$\lambda$ the loss is $\frac{\eta^2\rho^2\lambda^3}{2(2 - \eta\lambda)^2}$, at the "
    r"points it climbs to $\frac{2\rho^2\lambda}{(2 - \eta\lambda)^2}$, and on a line "
    r"its error contracts by $|1 - \eta\lambda|$ a step once the sign flips every step.",
    source=Source("other", "Bartlett, Long & Bousquet 2023", "reconstructed"),
    kind=Kind.EXACT,
    conventions=Conventions(normalised=True, ascent="shared", sampler="full batch"),
    domain=Scalars(
        names=("eta", "rho", "lam", "x", "w", "loss", "above"),
        start={"eta": (0.2, 1.0), "rho": (0.01, 1.0), "lam": (0.5, 1.8), "x": (0.1, 1.0)},
        complete={
            "w": width,
            "loss": lambda m: m.lam * m.w**2 / 2,
            "above": lambda m: m.lam * (m.w + m.rho) ** 2 / 2,
        },
    ),
    given=given,
    then=then,
    control={"eta": 1, "rho": 1, "lam": 1, "x": 1, "w": 2, "loss": 2, "above": "9/2"},
    formula=formula,
    exact=exact,
    observe=observe,
    tolerance=Tolerance(
        1e-9, "the slowest contraction in the start box is 0.9, and 0.9^400 is 1e-18"
    ),
)

r"""Sassha bounces at the bottom of a valley too, at a width its preconditioner and decay set.

On $f(x) = \tfrac12\lambda x^2$ the climb from $s > 0$ ends at $s + \rho$ and the step at $s - \eta
b(s + \rho) - \eta ws$, $b = \lambda/(\sqrt\lambda + \varepsilon)$. That is $-s$ exactly when $(2 -
\eta w - \eta b)s = \eta b\rho$. A small displacement along a coordinate of curvature $\mu$, $c =
\mu/(\sqrt\mu + \varepsilon)$, leaves the gradient's norm $\lambda s$ unchanged to first order and
is multiplied by $m = 1 - \eta w - \eta c(1 + \rho\mu/(\lambda s))$. With $s$ inserted $1 - m =
\eta(w + c) + \frac{c\mu}{b\lambda}(2 - \eta w - \eta b) > 0$. For $\mu < \lambda$ also $1 + m > 0$:
with $k = c\mu/(b\lambda) < 1$ it is $(1 - k)(2 - \eta w) - \eta(c - kb)$, and $c - kb = c(1 -
\mu/\lambda) \le b(1 - k)$. So the cycle of the sharpest coordinate attracts. Along itself the error
is multiplied by $1 - \eta w - \eta b$ up to sign.
"""

from theory.atoms import below, equal
from theory.claims._sassha import preconditioned, run
from theory.core import Claim, Conventions, Kind, Source, Tolerance
from theory.domains import Scalars

NUDGE = 1e-6  # of the width: the second-order term it leaves is 1e-12


def given(m):
    root, other = m.r + m.eps, m.t + m.eps
    return (
        below(0, m.r),
        below(0, root),
        below(0, other),
        below(0, m.s),
        below(m.eta * (m.w + m.b), 2),
        equal(root * m.b, m.r**2),
        equal(other * m.c, m.t**2),
        equal((2 - m.eta * m.w - m.eta * m.b) * m.s, m.eta * m.rho * m.b),
        equal(root * m.step, m.r**2 * (m.s + m.rho)),
        equal(
            m.r**2 * m.s * m.mult,
            m.r**2 * m.s * (1 - m.eta * m.w) - m.eta * m.c * (m.r**2 * m.s + m.rho * m.t**2),
        ),
    )


def then(m):
    across = m.eta * (m.w + m.c) * m.b * m.r**2 + m.c * m.t**2 * (2 - m.eta * m.w - m.eta * m.b)
    return (
        equal(m.eta * m.step + m.eta * m.w * m.s - m.s, m.s),
        equal(m.b * m.r**2 * (1 - m.mult), across),
    )


def width(m):
    """Half the distance between the two points of the cycle."""
    return m.eta * m.rho * m.b / (2 - m.eta * m.w - m.eta * m.b)


def multiplier(m):
    """Factor by which one step scales a small displacement along the other coordinate."""
    k = m.c * m.t**2 / (m.b * m.r**2)
    return 1 - m.eta * (m.w + m.c) - k * (2 - m.eta * m.w - m.eta * m.b)


def exact(m):
    """The multiplier as the derivative of the step across the cycle, at a width found by a root."""
    from scipy.optimize import root_scalar

    b, c = m.r**2 / (m.r + m.eps), m.t**2 / (m.t + m.eps)

    def after(x):
        return m.eta * b * (x + m.rho) + m.eta * m.w * x - x

    s = root_scalar(lambda x: after(x) - x, bracket=(0.0, 2 * width(m)), xtol=1e-15).root
    return 1 - m.eta * m.w - m.eta * c * (1 + m.rho * m.t**2 / (m.r**2 * s))


def observe(lab, m):
    """The same from one simulated step started a nudge away from the cycle."""
    s = width(m)
    how = {"lr": m.eta, "rho": m.rho, "eps": m.eps, "weight_decay": m.w}
    seen = run(lab, (m.r**2, m.t**2), (s, NUDGE * s), **how)
    return float(seen.x[0, 1, 1] / seen.x[0, 0, 1])


CLAIM = Claim(
    title="Sassha has a two-cycle on a quadratic, with a known transverse multiplier",
    statement=r"Let $b = \frac{\lambda}{\sqrt\lambda + \varepsilon}$, $\eta(w + b) < 2$. Sassha "
    r"with normalised climb, exact diagonal and no averages maps $s$ to $-s$ along a coordinate "
    r"of curvature $\lambda$ for $s = \frac{\eta\rho b}{2 - \eta w - \eta b}$, and one step "
    r"multiplies small displacements along a coordinate of curvature $\mu$, $c = "
    r"\frac{\mu}{\sqrt\mu + \varepsilon}$, by $1 - \eta(w + c) - \frac{c\mu}{b\lambda}(2 - \eta w "
    r"- \eta b)$.",
    source=Source("P2", "Shin et al. 2025, Sassha on a quadratic", "our own"),
    kind=Kind.EXACT,
    conventions=Conventions(
        normalised=True,
        ascent="shared",
        sampler="full batch",
        bias_correction="no averages to correct",
    ),
    domain=Scalars(
        names=("eta", "rho", "w", "eps", "r", "t", "b", "c", "s", "step", "mult"),
        start={
            "eta": (0.1, 0.8),
            "rho": (0.01, 1.0),
            "w": (0.0, 0.5),
            "eps": (0.0, 0.5),
            "r": (0.7, 1.8),
            "t": (0.2, 0.6),
        },
        complete={
            "b": lambda m: preconditioned(m.r, m.eps),
            "c": lambda m: preconditioned(m.t, m.eps),
            "s": width,
            "step": lambda m: m.b * (m.s + m.rho),
            "mult": multiplier,
        },
    ),
    given=given,
    then=then,
    control={
        "eta": 1,
        "rho": 1,
        "w": 0,
        "eps": 0,
        "r": 1,
        "t": 1,
        "b": 1,
        "c": 1,
        "s": 2,
        "step": 3,
        "mult": 0,
    },
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

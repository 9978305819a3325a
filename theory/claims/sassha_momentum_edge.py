r"""With an average of gradients Sassha is stable up to eta q = (2 - eta w)(1 + beta)/(1 - beta).

Once the bias correction is over, one coordinate follows $m^+ = \beta m + (1 - \beta)qx$, $x^+ = x -
\eta m^+ - \eta wx$ with $q = \lambda(1 + \rho\lambda)/(\sqrt\lambda + \varepsilon)$, $m$ the
average gradient over $\sqrt\lambda + \varepsilon$. Eliminating $m$: $x^{++} - Tx^+ + Dx = 0$ with
$T = 1 - \eta w + \beta - \eta(1 - \beta)q$, $D = \beta(1 - \eta w)$. By Jury's criterion both roots
of $z^2 - Tz + D$ lie inside the unit circle exactly when $|D| < 1$ and $1 \pm T + D > 0$. For $0
\le \eta w < 2$, $0 \le \beta < 1$ the first is free, $1 - T + D = \eta(1 - \beta)(w + q)$ is
positive with $q$, and $1 + T + D = (2 - \eta w)(1 + \beta) - \eta(1 - \beta)q$ decides. The root
that leaves does so through $-1$. Cohen et al. 2022 call it the adaptive edge of stability.
"""

from fractions import Fraction

from theory.atoms import below, equal
from theory.claims._sassha import run
from theory.core import Claim, Conventions, Kind, Notion, Source, Tolerance
from theory.domains import Scalars

DEFAULT = Fraction(9, 10)  # beta_1 as published
EDGE = 2 * (1 + DEFAULT) / (1 - DEFAULT)  # of eta q, without decay
STEPS = 900


def given(m):
    root, pull = m.r + m.eps, curvature(m)
    average = m.beta * m.m + (1 - m.beta) * pull * m.x
    return (
        below(0, m.r),
        below(0, root),
        equal(root * m.q, pull),
        equal(root * m.first, average),
        equal(root * m.second, m.beta * average + (1 - m.beta) * pull * once(m)),
    )


def then(m):
    twice = once(m) - m.eta * m.second - m.eta * m.w * once(m)
    T = 1 - m.eta * m.w + m.beta - m.eta * (1 - m.beta) * m.q
    D = m.beta * (1 - m.eta * m.w)
    return (
        equal(twice + D * m.x, T * once(m)),
        equal(1 + T + D, (2 - m.eta * m.w) * (1 + m.beta) - m.eta * (1 - m.beta) * m.q),
        equal(1 - T + D, m.eta * (1 - m.beta) * (m.w + m.q)),
    )


def curvature(m):
    """The gradient after the climb, over x."""
    return m.r**2 * (1 + m.rho * m.r**2)


def once(m):
    """x after one step."""
    return m.x - m.eta * m.first - m.eta * m.w * m.x


def formula(m):
    """The critical step."""
    return 2 * (1 + m.beta) / ((1 - m.beta) * m.q + (1 + m.beta) * m.w)


def exact(m):
    """The same by bisection on the spectral radius of the map of (x, m)."""
    import numpy as np
    from scipy.optimize import root_scalar

    def growth(eta):
        average = np.array([(1 - m.beta) * m.q, m.beta])
        step = np.array([1 - eta * m.w, 0.0]) - eta * average
        return np.abs(np.linalg.eigvals(np.array([step, average]))).max() - 1

    edge = formula(m)
    return root_scalar(growth, bracket=(0.7 * edge, 1.3 * edge), xtol=1e-15, rtol=1e-14).root


def observe(lab, m):
    """The step at which the simulated iterate, late in a run, flips its sign and keeps its size."""
    from scipy.optimize import root_scalar

    how = {"rho": m.rho, "eps": m.eps, "weight_decay": m.w, "beta1": m.beta, "normalised": False}

    def growth(eta):
        x = run(lab, (m.r**2,), (1.0,), steps=STEPS, lr=eta, **how).x[0, :, 0]
        return float(-x[-1] / x[-2]) - 1

    edge = formula(m)
    return root_scalar(growth, bracket=(0.98 * edge, 1.02 * edge), rtol=1e-13).root


CLAIM = Claim(
    title="With momentum Sassha is stable up to ηq = (2 − ηw)(1 + β₁)/(1 − β₁)",
    statement=r"With an average of gradients, its bias correction over, Sassha with climb "
    r"$\rho\nabla f$ and exact diagonal moves a coordinate of a diagonal quadratic by the roots "
    r"of $z^2 - (1 - \eta w + \beta_1 - \eta(1 - \beta_1)q)z + \beta_1(1 - \eta w)$, $q = "
    r"\frac{\lambda(1 + \rho\lambda)}{\sqrt\lambda + \varepsilon}$; for $0 \le \eta w < 2$ both "
    r"lie inside the unit circle exactly when $\eta q < (2 - \eta w)\frac{1 + \beta_1}{1 - "
    r"\beta_1}$. "
    rf"For $w = 0$, $\beta_1 = {DEFAULT}$ that is $q < {EDGE}/\eta$.",
    source=Source(
        "P2", "Shin et al. 2025, Sassha's momentum; Cohen et al. 2022 for the edge", "reconstructed"
    ),
    kind=Kind.EXACT,
    conventions=Conventions(
        notion=Notion.MEAN,
        normalised=False,
        ascent="shared",
        sampler="full batch",
        bias_correction="bias correction over",
    ),
    domain=Scalars(
        names=("eta", "rho", "w", "eps", "r", "beta", "x", "m", "q", "first", "second"),
        start={
            "eta": (0.1, 1.0),
            "rho": (0.01, 0.5),
            "w": (0.0, 0.1),
            "eps": (0.0, 0.5),
            "r": (0.5, 2.0),
            "beta": (0.1, 0.9),
            "x": (-1.0, 1.0),
            "m": (-1.0, 1.0),
        },
        complete={
            "q": lambda m: curvature(m) / (m.r + m.eps),
            "first": lambda m: m.beta * m.m / (m.r + m.eps) + (1 - m.beta) * m.q * m.x,
            "second": lambda m: m.beta * m.first + (1 - m.beta) * m.q * once(m),
        },
    ),
    given=given,
    then=then,
    control={
        "eta": 1,
        "rho": 1,
        "w": 1,
        "eps": 0,
        "r": 1,
        "beta": "1/2",
        "x": 1,
        "m": 1,
        "q": 2,
        "first": 0,
        "second": 1,
    },
    formula=formula,
    exact=exact,
    observe=observe,
    tolerance=Tolerance(1e-9, "the other root is at most 0.9 in size, and 0.9^900 is 1e-41"),
    trusted=(
        (
            "Jury's criterion: z^2 - Tz + D has both roots inside the unit circle exactly when "
            "|D| < 1, 1 - T + D > 0 and 1 + T + D > 0."
        ),
    ),
)

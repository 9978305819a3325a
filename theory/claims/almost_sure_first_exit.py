r"""With two curvatures the almost-sure stable set has a gap as soon as (g + h)^2 > 8gh.

$|P(\eta)| < 1$, $P(\eta) = (1 - \eta g)(1 - \eta h)$, decides. $1 + P = gh(\eta - r)(\eta - s)$, $r
< s$ the roots of $gh\eta^2 - (g + h)\eta + 2$ where they are real, and $1 - P = \eta gh(r + s -
\eta)$ is positive for $0 < \eta < r + s = 1/g + 1/h$. So the stable steps are those up to $r$, the
first exit, and those from $s$ to $1/g + 1/h$; if $(g + h)^2 \le 8gh$ there is no gap (at equality,
a point at which $|P| = 1$).
"""

from theory.atoms import below, equal
from theory.core import Claim, Conventions, Kind, Notion, Source, Tolerance
from theory.domains import Scalars


def given(m):
    return (
        below(0, m.g),
        below(0, m.h),
        equal(m.g * m.h * m.r * m.s, 2),
        equal(m.g * m.h * (m.r + m.s), m.g + m.h),
    )


def then(m):
    """1 + P, and 1 - P = eta gh(r + s - eta) with nothing subtracted from what is nearly equal."""
    P, product = (1 - m.eta * m.g) * (1 - m.eta * m.h), m.g * m.h
    return (
        equal(1 + P, product * (m.eta - m.r) * (m.eta - m.s)),
        equal(P + m.eta * product * (m.r + m.s), 1 + m.eta**2 * product),
    )


def sharp(m):
    """The curvature h at which the first exit is r."""
    return (2 - m.r * m.g) / (m.r * (1 - m.r * m.g))


def formula(m):
    """The first exit from the curvatures."""
    total, product = m.g + m.h, m.g * m.h
    return (total - (total**2 - 8 * product) ** 0.5) / (2 * product)


def exact(m):
    """The first step at which the mean of log|1 - eta curvature| is 0, going up from 0."""
    import numpy as np
    from scipy.optimize import root_scalar

    curvatures = np.array([m.g, m.h])

    def mean(eta):
        return float(np.log(np.abs(1 - eta * curvatures)).mean())

    grid = np.linspace(1 / m.h, 1 / m.g, 4000)[1:-1]  # at the ends the mean is minus infinity
    out = next(i for i, eta in enumerate(grid) if mean(eta) > 0)
    return root_scalar(mean, bracket=(grid[out - 1], grid[out]), rtol=1e-14).root


def observe(lab, m):
    """The step at which one simulated step on each sample returns x to its size, turned round."""
    import numpy as np
    from scipy.optimize import root_scalar

    from theory.problems.quadratic import quadratic

    pair = quadratic(hessians=np.array([[[m.g]], [[m.h]]]))

    def growth(eta):
        run = lab.run(pair, "sgd", x0=np.ones(1), indices=np.array([[[0], [1]]]), lr=eta)
        return -float(run.x[0, -1, 0]) - 1

    return root_scalar(growth, bracket=(1 / m.h, (m.r + m.s) / 2), rtol=1e-13).root


CLAIM = Claim(
    title="Two curvatures: stable almost surely up to a first exit, and again beyond a second root",
    statement=r"For curvatures $g, h > 0$ drawn with probability one half and $(g + h)^2 > 8gh$ "
    r"let $r < s$ solve $gh\eta^2 - (g + h)\eta + 2 = 0$. With $P = (1 - \eta g)(1 - "
    r"\eta h)$, $1 + P = gh(\eta - r)(\eta - s)$ and $1 - P = \eta gh(r + s - \eta)$: "
    r"$x_t \to 0$ almost surely for $0 < \eta < r$ and for $s < \eta < r + s = \frac1g + "
    r"\frac1h$, and not for $r < \eta < s$.",
    source=Source("other", "the Lyapunov exponent of commuting factors", "our own"),
    kind=Kind.EXACT,
    conventions=Conventions(notion=Notion.ALMOST_SURE),
    domain=Scalars(
        names=("g", "r", "h", "s", "eta"),
        start={"g": (0.5, 1.5), "r": (0.1, 0.2), "eta": (0.1, 1.0)},
        complete={"h": sharp, "s": lambda m: (m.g + m.h) / (m.g * m.h) - m.r},
    ),
    given=given,
    then=then,
    control={"g": 1, "h": 10, "r": "1/5", "s": "9/10", "eta": "1/2"},
    formula=formula,
    exact=exact,
    observe=observe,
    tolerance=Tolerance(1e-10, "a root known to 1e-14, with a slope of the mean of at least 1"),
    trusted=(
        "The law of large numbers: log|x_t|/t tends to the mean of log|1 - eta curvature|.",
        "The sign of a product is that of its factors.",
    ),
    repairs="almost_sure_set_is_an_interval",
)

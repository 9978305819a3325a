r"""Theorem 7's rate fails for per-sample ascent: averaging over a batch does not average the climbs.

With per-sample ascent each sample climbs along its own gradient, so a batch mean of gradients is taken
at points that move apart, and the condition on $\rho$ must not improve with $B$. Let
$f_{1,2} = \tfrac12x^2 \pm h$ with $h'(0) = 0$ and $h'' = -1$ up to $s$, $\beta - 1$ up to $t$,
$1 - \beta$ until $h'$ is back at zero at $r$, then zero. The mean is $f = \tfrac12x^2$ with
$\alpha = \lambda = 1$; both are $\beta$-smooth. They are not negative: $f_1' \ge 0$, and $f_2$ has its
least value where $x = h'(x)$, at $y$ between $t$ and $r$. At $x_0 = 1$ inside $(t, r)$ the climbs go to
$1 + \rho(1 \pm p)$, $p = h'(1)$, still inside; the gradients there, $G_1$ and $G_2$, nearly cancel, and
a batch of $B = 100$ makes almost no progress where theorem 7 promises a quarter.
"""

from fractions import Fraction

from theory.atoms import at_most, below, equal
from theory.core import Claim, Conventions, Kind, Source
from theory.domains import Scalars

BATCH = 100


def slope(m, x):
    """h' on [t, r], where it falls with slope 1 - beta."""
    return -m.s + (m.beta - 1) * (m.t - m.s) - (m.beta - 1) * (x - m.t)


def height(m, x):
    """h on [t, r]."""
    at_t = -(m.s**2) / 2 - m.s * (m.t - m.s) + (m.beta - 1) * (m.t - m.s) ** 2 / 2
    return at_t + slope(m, m.t) * (x - m.t) - (m.beta - 1) * (x - m.t) ** 2 / 2


def kappa(m):
    """kappa_B with alpha = 1."""
    return (Fraction(BATCH - 1, BATCH) + m.beta / BATCH) / 2


def margin(m):
    """1 - (kappa_B + 1/2) beta rho."""
    return 1 - (kappa(m) + Fraction(1, 2)) * m.beta * m.rho


def given(m):
    p = slope(m, 1)
    return (
        below(2, m.beta),
        below(0, m.rho),
        below(0, margin(m)),
        below(0, m.s),
        below(m.s, m.t),
        below(m.t, 1),
        below(m.t, slope(m, m.t)),  # f_2 turns downwards before t ...
        equal(slope(m, m.y), m.y),  # ... and has its least value at y, inside (t, r)
        at_most(m.t, m.y),
        at_most(height(m, m.y), m.y**2 / 2),
        at_most(m.t, 1 + m.rho * (1 - p)),
        at_most(0, slope(m, 1 + m.rho * (1 + p))),  # the climbs end left of r
        equal(2 * m.eta * kappa(m) * (1 + m.beta * m.rho) ** 2, margin(m)),
    )


def then(m):
    """E f(x_1) <= (1 - eta margin) f(1), for the batch mean of BATCH draws of G_1 or G_2."""
    p = slope(m, 1)
    up, down = 1 + m.rho * (1 + p), 1 + m.rho * (1 - p)
    G1, G2 = up + slope(m, up), down - slope(m, down)
    mean, variance = (G1 + G2) / 2, (G1 - G2) ** 2 / (4 * BATCH)
    return (at_most((1 - m.eta * mean) ** 2 + m.eta**2 * variance, 1 - m.eta * margin(m)),)


CLAIM = Claim(
    title="Theorem 7's rate holds for per-sample ascent",
    statement=r"Let $f_i \ge 0$ be $\beta$-smooth with $f_i(0) = 0$, $f$ be $\lambda$-smooth and "
    r"$\alpha$-PL, $\kappa_B = \frac12(\frac{B-1}{B} + \frac{\beta}{\alpha B})$, "
    r"$c = 1 - (\kappa_B + \frac12)\beta\rho > 0$ and $\eta = "
    r"\frac{c}{2\lambda\kappa_B(1+\beta\rho)^2}$. "
    r"Then $E f(x_1) \le (1 - \alpha\eta c)f(x_0)$ for USAM with per-sample ascent. Audited at $B "
    r"= 100$ on "
    r"pairs of piecewise quadratics.",
    source=Source("P1", "Shin et al. 2023, theorem 7, read for per-sample ascent", "reconstructed"),
    kind=Kind.UPPER_BOUND,
    conventions=Conventions(
        normalised=False, ascent="per-sample", sampler="100 samples a step, with replacement"
    ),
    domain=Scalars(
        names=("beta", "rho", "s", "t", "y", "eta"),
        start={"beta": (15.0, 30.0), "rho": (0.005, 0.02), "s": (0.5, 0.85), "t": (0.88, 0.99)},
        complete={
            "y": lambda m: 2 * (m.beta - 1) * m.t / m.beta - m.s,
            "eta": lambda m: margin(m) / (2 * kappa(m) * (1 + m.beta * m.rho) ** 2),
        },
    ),
    given=given,
    then=then,
    tightest={
        "beta": 25,
        "rho": "1/100",
        "s": "464/625",
        "t": "97/100",
        "y": "28/25",
        "eta": "288/775",
    },
    trusted=(
        (
            "Where all hypotheses hold, f_1 and f_2 are beta-smooth and not negative, and the "
            "formulas are their gradients at the points named."
        ),
    ),
    repaired_by="usam_sharper_rate",
)

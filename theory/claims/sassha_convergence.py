r"""With a shrinking climb Sassha converges: its squared gradients sum to a known bound.

Let $f$ be $L$-smooth, $g = \nabla f(x)$, and $g + \delta$ the gradient after a climb of length
$\rho$, so $\|\delta\| \le L\rho$. Without decay or average of gradients $x^+ = x - \eta P(g +
\delta)$, $P$ diagonal, its entries $q$ between $p = 1/(\sqrt{L\sqrt d} + \varepsilon)$ and
$1/\varepsilon$: the estimates averaged are at most $\|Hz\| \le L\sqrt d$. Smoothness promises a
decrease of $\eta q\,g(g + \delta) - \tfrac L2\eta^2q^2(g + \delta)^2$ from each coordinate. For
$4L\eta \le \varepsilon$, $v = 1 - 4L\eta q \ge 0$ and it equals $\eta q$ times $\tfrac14g^2 -
\tfrac34\delta^2 + \tfrac{3 + v}8(g + \delta)^2 + \tfrac14(g^2 + \delta^2)$, whose last two terms
are not negative. So $f(x^+) \le f(x) - \tfrac p4\eta\|g\|^2 +
\tfrac34\frac{L^2}\varepsilon\eta\rho^2$; add up. Here with one coordinate of curvature $L = r^2$,
where the promise is kept exactly.
"""

from fractions import Fraction

from theory.atoms import at_most, below, equal
from theory.claims._sassha import run
from theory.core import Claim, Conventions, Kind, Source, Tolerance
from theory.domains import Scalars

QUARTER, EIGHTH = Fraction(1, 4), Fraction(1, 8)


def given(m):
    return (
        below(0, m.eta),
        below(0, m.rho),
        below(0, m.eps),
        below(0, m.r),
        below(0, m.x),
        at_most(4 * m.r**2 * m.eta, m.eps),
        equal((m.r + m.eps) * m.q, 1),
        equal((m.r + m.eps) * m.step, m.r**2 * (m.x + m.rho)),
    )


def then(m):
    after = m.x - m.eta * m.step
    return (equal(m.r**2 * (m.x**2 - after**2), 2 * promised(m)),)


def promised(m):
    """The decrease of the loss, by the identity."""
    g, delta = m.r**2 * m.x, m.r**2 * m.rho
    v = 1 - 4 * m.r**2 * m.eta * m.q
    rest = EIGHTH * (3 + v) * (g + delta) ** 2 + QUARTER * (g**2 + delta**2)
    return m.eta * m.q * (QUARTER * g**2 - 3 * QUARTER * delta**2 + rest)


def formula(m):
    """The decrease, its constants as floats."""
    return float(promised(m))


def exact(m):
    """The decrease as a difference of two losses."""
    after = m.x - m.eta * m.r**2 * (m.x + m.rho) / (m.r + m.eps)
    return m.r**2 * (m.x - after) * (m.x + after) / 2


def observe(lab, m):
    """The same from one simulated step."""
    loss = run(lab, (m.r**2,), (m.x,), lr=m.eta, rho=m.rho, eps=m.eps).loss[0]
    return float(loss[0] - loss[1])


CLAIM = Claim(
    title="With a climb that shrinks Sassha's gradients vanish",
    statement=r"Let $f$ be $L$-smooth and bounded below by $f_*$, $\|\nabla^2f\| \le L$, "
    r"$\varepsilon > 0$ and $\eta_t \le \frac{\varepsilon}{4L}$. Sassha with the full gradient, "
    r"$\beta_1 = w = 0$ and random signs as probes satisfies $\sum_t\eta_t\|g_t\|^2 \le "
    r"\frac4p\big(f_0 - f_* + \tfrac34\frac{L^2}{\varepsilon}\sum_t\eta_t\rho_t^2\big)$, $p = "
    r"\frac{1}{\sqrt{L\sqrt d} + \varepsilon}$; so $\liminf\|g_t\| = 0$ if $\sum\eta_t = \infty$ "
    r"and $\sum\eta_t\rho_t^2 < \infty$.",
    source=Source("P2", "Shin et al. 2025, convergence", "reconstructed"),
    kind=Kind.EXACT,
    conventions=Conventions(
        normalised=True,
        ascent="shared",
        sampler="full batch",
        bias_correction="any bias correction",
    ),
    domain=Scalars(
        names=("eta", "rho", "eps", "r", "x", "q", "step"),
        start={
            "eta": (0.01, 0.1),
            "rho": (0.01, 0.5),
            "eps": (0.5, 2.0),
            "r": (0.5, 1.1),
            "x": (0.1, 2.0),
        },
        complete={
            "q": lambda m: 1 / (m.r + m.eps),
            "step": lambda m: m.r**2 * (m.x + m.rho) / (m.r + m.eps),
        },
    ),
    given=given,
    then=then,
    control={"eta": "1/8", "rho": 1, "eps": 1, "r": 1, "x": 1, "q": 1, "step": 1},
    formula=formula,
    exact=exact,
    observe=observe,
    tolerance=Tolerance(1e-9, "the decrease is at least 1e-4 of the loss it is the difference of"),
    trusted=(
        "An L-smooth loss falls at least as far as a quadratic of curvature L with the same gradients.",
        "Coordinates add up, and so do steps; p <= q <= 1/eps and |delta| <= L rho as argued.",
    ),
    repairs="sassha_converges_with_constant_climb",
)

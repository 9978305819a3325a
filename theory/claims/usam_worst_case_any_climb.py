r"""The worst case of full-batch USAM is no quadratic once the climb is longer than 1/(L - mu).

Up to $\rho(L - \mu) = 1$ it is (`usam_worst_case_contraction`). Beyond, a function may bend between x
and the climbed point $y = x + \rho g$ so that its gradient k there points too far off x. A witness is
three points with gradients: the minimiser 0, x and y. An L-smooth $\mu$-strongly convex function
passes through them exactly when the interpolation inequalities hold at all pairs for some values of f,
that is, when their sums around all five cycles of three points are not negative. With $\mu = 0$,
$L = 1$, $\rho = 2$ and $\eta = 2/3$ quadratics never grow, but $x = (1, 0)$, $g = (1, -1)/2$,
$k = (2, -3)/2$ with values 1/4 and 15/8 are possible, and $\|x - \eta k\|^2 = 10/9$.
"""

from theory.atoms import at_most, below
from theory.claims._smooth_convex import cycle, secant, sector
from theory.core import Claim, Conventions, Kind, Notion, Source
from theory.domains import Operators


def given(m):
    y = m.x + m.rho * m.g
    low, high = sector(m)
    return (
        at_most(0, m.mu),
        below(m.mu, m.L),
        at_most(0, m.rho),
        at_most(0, m.eta),
        at_most(1 - m.eta * low, m.r),
        at_most(m.eta * high - 1, m.r),
        at_most(0, secant(m, m.x, m.g)),
        at_most(0, secant(m, y, m.k)),
        at_most(0, secant(m, y - m.x, m.k - m.g)),
        at_most(0, cycle(m, m.x, m.g, y, m.k)),
        at_most(0, cycle(m, y, m.k, m.x, m.g)),
    )


def then(m):
    after = m.x - m.eta * m.k
    return (at_most(m.inner(after, after), m.r**2 * m.inner(m.x, m.x)),)


CLAIM = Claim(
    title="USAM's worst case is a quadratic however far it climbs",
    statement=r"Let f be L-smooth and $\mu$-strongly convex with minimiser $x_*$, $0 \le \mu < L$ and "
    r"$\rho, \eta \ge 0$. Then $\|x - \eta\nabla f(x + \rho\nabla f(x)) - x_*\| \le "
    r"\max(1 - \eta\mu(1 + \rho\mu),\ \eta L(1 + \rho L) - 1)\,\|x - x_*\|$.",
    source=Source("other", "the worst case of full-batch USAM, one step", "our own"),
    kind=Kind.UPPER_BOUND,
    conventions=Conventions(
        notion=Notion.ONE_STEP, normalised=False, ascent="any", sampler="full batch"
    ),
    domain=Operators(vectors=("x", "g", "k"), scalars=("eta", "rho", "mu", "L", "r")),
    given=given,
    then=then,
    tightest={
        "x": [1],
        "g": [1],
        "k": [2],
        "eta": "4/5",
        "rho": 1,
        "mu": "1/2",
        "L": 1,
        "r": "3/5",
    },
    trusted=(
        "A function passes through such points (Taylor, Hendrickx & Glineur 2017, theorem 4).",
    ),
    repaired_by="usam_worst_case_contraction",
)

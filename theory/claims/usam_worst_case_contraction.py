r"""Full-batch USAM contracts on smooth strongly convex functions as on their extreme quadratics.

Write $D = L - \mu$, $y = x + \rho g$ for the climbed point, g and k for the gradients at x and y, and
$m_1 = \mu(1 + \rho\mu)$, $m_2 = L(1 + \rho L)$ for what replaces the extreme curvatures. The step is
gradient descent with k in place of a gradient at x, and k obeys the secant inequality of the interval
$[m_1, m_2]$ as long as $\rho D \le 1$: with $u = g - \mu x$, $v = k - \mu y$
$$2(1 + \rho\mu)\langle k - m_1x, m_2x - k\rangle = 2\rho L\|(1 + \rho L)u - v\|^2
+ (1 + \rho(L + \mu))\big[2\rho\mu(1 + \rho L)\langle u, Dx - u\rangle
+ 2(1 - \rho D)\langle v, Dy - v\rangle + \rho D\,C\big],$$
where $C = 2D(\langle v, y\rangle - \langle u, y - x\rangle) - \|u\|^2 - \|v\|^2 - \|u - v\|^2$ comes
from the interpolation inequalities around the cycle 0, y, x. The rest is gradient descent's proof
(`gd_worst_case_rate`) for $m_1 < m_2$. The multipliers were found by a performance-estimation program.
Beyond $\rho D = 1$ it fails (`usam_worst_case_any_climb`).
"""

from theory.atoms import at_most, below
from theory.claims._smooth_convex import TRUSTED, cycle, secant, sector, worst_quadratic
from theory.core import Claim, Conventions, Kind, Notion, Source, Tolerance
from theory.domains import Operators


def given(m):
    y = m.x + m.rho * m.g
    low, high = sector(m)
    return (
        at_most(0, m.mu),
        below(m.mu, m.L),
        at_most(0, m.rho),
        at_most(m.rho * (m.L - m.mu), 1),
        at_most(0, m.eta),
        at_most(1 - m.eta * low, m.r),
        at_most(m.eta * high - 1, m.r),
        at_most(0, secant(m, m.x, m.g)),
        at_most(0, secant(m, y, m.k)),
        at_most(0, cycle(m, m.x, m.g, y, m.k)),
    )


def then(m):
    after = m.x - m.eta * m.k
    return (at_most(m.inner(after, after), m.r**2 * m.inner(m.x, m.x)),)


def lemmas(m):
    """The interval is not empty; the climbed gradient obeys its secant inequality."""
    low, high = sector(m)
    return (
        below(0, high - low),
        at_most(0, m.inner(m.k - low * m.x, high * m.x - m.k)),
    )


def squares(m):
    low, high = sector(m)
    u = m.g - m.mu * m.x
    v = m.k - m.mu * (m.x + m.rho * m.g)
    return u + m.rho * m.L * u - v, m.x, m.k - low * m.x, high * m.x - m.k


def formula(m):
    """The claimed bound of ||x^+||^2."""
    return m.r**2 * m.inner(m.x, m.x)


def exact(m):
    """The larger ||x^+||^2 of the two extreme quadratics."""
    return max((1 - m.eta * curvature) ** 2 for curvature in sector(m)) * m.inner(m.x, m.x)


def observe(lab, m):
    """The same from simulated steps."""
    return worst_quadratic(lab, m, "usam", lr=m.eta, rho=m.rho)


CLAIM = Claim(
    title="USAM's worst case on smooth strongly convex functions is a quadratic",
    statement=r"Let f be L-smooth and $\mu$-strongly convex with minimiser $x_*$, $0 \le \mu < L$, "
    r"$0 \le \rho \le 1/(L - \mu)$ and $\eta \ge 0$. Then $\|x - \eta\nabla f(x + \rho\nabla f(x)) - "
    r"x_*\| \le \max(1 - \eta\mu(1 + \rho\mu),\ \eta L(1 + \rho L) - 1)\,\|x - x_*\|$.",
    source=Source("other", "the worst case of full-batch USAM, one step", "our own"),
    kind=Kind.UPPER_BOUND,
    conventions=Conventions(
        notion=Notion.ONE_STEP, normalised=False, ascent="any", sampler="full batch"
    ),
    domain=Operators(vectors=("x", "g", "k"), scalars=("eta", "rho", "mu", "L", "r")),
    given=given,
    then=then,
    lemmas=lemmas,
    squares=squares,
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
    formula=formula,
    exact=exact,
    observe=observe,
    tolerance=Tolerance(1e-12, "one step in double precision"),
    trusted=TRUSTED,
    repairs="usam_worst_case_any_climb",
)

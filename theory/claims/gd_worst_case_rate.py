r"""Gradient descent contracts by max(1 - gamma mu, gamma L - 1) on smooth strongly convex functions.

Let $g = \nabla f(x)$, $\nabla f(0) = 0$ and $D = L - \mu$. All that is used of f is the secant
inequality $\langle p, q\rangle \ge 0$ with $p = g - \mu x$ and $q = Lx - g$. Let
$a = r - (1 - \gamma\mu) \ge 0$ and $b = r - (\gamma L - 1) \ge 0$. Then
$rx - (x - \gamma g) = ax + \gamma p$ and $rx + (x - \gamma g) = bx + \gamma q$, and their product is
$r^2\|x\|^2 - \|x - \gamma g\|^2$. Since $p + q = Dx$, $D\langle x, p\rangle = \|p\|^2 +
\langle p, q\rangle$, and likewise for q:
$D(r^2\|x\|^2 - \|x - \gamma g\|^2) = Dab\|x\|^2 + b\gamma\|p\|^2 + a\gamma\|q\|^2 + \gamma(a + b +
\gamma D)\langle p, q\rangle$. Nothing on the right is negative. Quadratics with curvature mu or L
attain it.
"""

from theory.atoms import at_most, below
from theory.claims._smooth_convex import TRUSTED, secant, worst_quadratic
from theory.core import Claim, Conventions, Kind, Notion, Source, Tolerance
from theory.domains import Operators


def given(m):
    return (
        below(m.mu, m.L),
        at_most(0, m.gamma),
        at_most(1 - m.gamma * m.mu, m.r),
        at_most(m.gamma * m.L - 1, m.r),
        at_most(0, secant(m, m.x, m.g)),
    )


def then(m):
    after = m.x - m.gamma * m.g
    return (at_most(m.inner(after, after), m.r**2 * m.inner(m.x, m.x)),)


def squares(m):
    return m.x, m.g - m.mu * m.x, m.L * m.x - m.g


def formula(m):
    """The claimed bound of ||x^+||^2."""
    return m.r**2 * m.inner(m.x, m.x)


def exact(m):
    """The larger ||x^+||^2 of the two extreme quadratics."""
    return max((1 - m.gamma * curvature) ** 2 for curvature in (m.mu, m.L)) * m.inner(m.x, m.x)


def observe(lab, m):
    """The same from simulated steps."""
    return worst_quadratic(lab, m, "sgd", lr=m.gamma)


CLAIM = Claim(
    title="Gradient descent's worst case on smooth strongly convex functions is a quadratic",
    statement=r"Let f be L-smooth and $\mu$-strongly convex with minimiser $x_*$, $\mu < L$ and "
    r"$\gamma \ge 0$. Then $\|x - \gamma\nabla f(x) - x_*\| \le "
    r"\max(1 - \gamma\mu,\ \gamma L - 1)\,\|x - x_*\|$.",
    source=Source("other", "folklore; Taylor, Hendrickx & Glineur 2018", "reconstructed"),
    kind=Kind.UPPER_BOUND,
    conventions=Conventions(notion=Notion.ONE_STEP, sampler="full batch"),
    domain=Operators(vectors=("x", "g"), scalars=("gamma", "mu", "L", "r")),
    given=given,
    then=then,
    squares=squares,
    tightest={"x": [1], "g": [1], "gamma": "4/3", "mu": "1/2", "L": 1, "r": "1/3"},
    formula=formula,
    exact=exact,
    observe=observe,
    tolerance=Tolerance(1e-12, "one step in double precision"),
    trusted=TRUSTED,
)

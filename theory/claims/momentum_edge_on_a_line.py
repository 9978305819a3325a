r"""On a line momentum moves the mean-square edge to 2(1 + b)mu/((1 + b)V + (1 - b)mu^2).

$m^+ = bm + (1 - b)qx$, $x^+ = x - \eta m^+$, with a curvature $q$ of mean $\mu$ and variance $V$
drawn anew each step. The second moments $(E x^2, E xm, E m^2)$ obey a linear recursion $R$. At the
step of the title it keeps $((1 + b)^2, -(1 - b^2)\mu, (1 - b)W)$, $W = (1 + b)V + (1 - b)\mu^2$, of
determinant $(1 - b)(1 + b)^3V > 0$; a positive definite matrix kept means $r(T) = 1$. At any step
$s$, $\det(I - R) = (1 - b)^2Ws(\eta - s)$: positive below, where no eigenvalue has yet reached one,
negative beyond, where a real one has passed it. PyTorch's heavy ball $v^+ = bv + qx$, $x^+ = x -
\eta v^+$ is the same with $\eta/(1 - b)$ for $\eta$, so its edge is $1 - b$ times that; for $V = 0$
it is $2(1 + b)/\mu$.
"""

from theory.atoms import below, equal
from theory.core import Claim, Conventions, Kind, Notion, Source, Tolerance
from theory.domains import Scalars

STEPS = 6  # of the simulation: the moments of six steps give the recursion's three coefficients


def given(m):
    """W is the noise the edge divides by, eta the critical step and `step` any."""
    return (
        below(0, m.mu),
        below(0, m.b),
        below(m.b, 1),
        below(0, m.V),
        equal(m.W, spread(m)),
        equal(m.eta * m.W, 2 * (1 + m.b) * m.mu),
    )


def then(m):
    xx, xm, mm = (1 + m.b) ** 2, -(1 - m.b**2) * m.mu, (1 - m.b) * m.W
    left = (1 - m.b) ** 2 * m.W * (m.eta - m.step)
    return (
        *(equal(taken, added) for taken, added in balance(m, m.eta, xx, xm, mm)),
        equal(xx * mm, xm**2 + (1 - m.b) * (1 + m.b) ** 3 * m.V),
        equal(determinant(m, m.step), m.step * left),
    )


def spread(m):
    """(1 + b)V + (1 - b)mu^2."""
    return (1 + m.b) * m.V + (1 - m.b) * m.mu**2


def balance(m, eta, xx, xm, mm):
    """What one step takes from E x^2, E xm, E m^2 and what it adds, E m+^2 read as E m^2.

    Where the last is in balance the two are the same; elsewhere that adds multiples of the last
    difference to the others, which changes no determinant.
    """
    a, pull = 1 - m.b, m.V + m.mu**2
    return (
        (2 * eta * (m.b * xm + a * m.mu * xx), eta**2 * mm),
        (a * xm + eta * mm, a * m.mu * xx),
        ((1 - m.b**2) * mm, a * (2 * m.b * m.mu * xm + a * pull * xx)),
    )


def determinant(m, eta):
    """det(I - R) of the recursion of the three moments."""
    columns = [balance(m, eta, *(int(i == j) for i in range(3))) for j in range(3)]
    rows = [[taken - added for taken, added in (column[i] for column in columns)] for i in range(3)]
    (a, b, c), (d, e, f), (g, h, i) = rows
    return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)


def formula(m):
    """The critical step of PyTorch's heavy ball."""
    return 2 * (1 - m.b**2) * m.mu / spread(m)


def exact(m):
    """The same by bisection on the spectral radius of E Phi x Phi, Phi the map of (x, v)."""
    import numpy as np
    from scipy.optimize import root_scalar

    def growth(eta):
        q = m.mu + m.V**0.5 * np.array([1, -1])
        steps = [np.array([[1 - eta * k, -eta * m.b], [k, m.b]]) for k in q]
        return np.abs(np.linalg.eigvals(sum(np.kron(S, S) for S in steps) / 2)).max() - 1

    edge = formula(m)
    return root_scalar(growth, bracket=(0.5 * edge, 1.5 * edge), xtol=1e-15, rtol=1e-14).root


def observe(lab, m):
    """The step at which E x_t^2, over all sequences of samples, has a constant among its modes."""
    import numpy as np
    from scipy.optimize import root_scalar

    from theory.problems.quadratic import quadratic

    pair = quadratic(hessians=m.mu + m.V**0.5 * np.array([[[1.0]], [[-1.0]]]))

    def missing(eta):
        how = {"steps": STEPS, "lr": eta, "momentum": m.b}
        s = lab.enumerate(pair, "sgd", x0=np.ones(1), **how).second_moment
        order = np.linalg.solve([s[i : i + 3] for i in range(3)], s[3:6])
        return 1 - order.sum()

    edge = formula(m)
    return root_scalar(missing, bracket=(0.9 * edge, 1.1 * edge), rtol=1e-12).root


CLAIM = Claim(
    title="On a line the mean-square edge with momentum b is 2(1 + b)μ/((1 + b)V + (1 − b)μ²)",
    statement=r"Let $q$ be drawn anew each step with mean $\mu > 0$ and variance $V$. $m^+ = bm + "
    r"(1 - b)qx$, $x^+ = x - \eta m^+$ keeps $E x_t^2$ bounded up to $\eta_2 = \frac{2(1 "
    r"+ b)\mu}{(1 + b)V + (1 - b)\mu^2}$, where $r(T) = 1$, and no further; PyTorch's "
    r"heavy ball $v^+ = bv + qx$, $x^+ = x - \eta v^+$ up to $(1 - b)\eta_2$.",
    source=Source("other", "heavy ball with random curvature, on a line", "our own"),
    kind=Kind.EXACT,
    conventions=Conventions(notion=Notion.MEAN_SQUARE, normalised=False, ascent="any"),
    domain=Scalars(
        names=("mu", "V", "b", "W", "step", "eta"),
        start={"mu": (1.0, 2.0), "V": (0.1, 0.9), "b": (0.1, 0.9), "step": (0.1, 1.0)},
        complete={"W": spread, "eta": lambda m: 2 * (1 + m.b) * m.mu / m.W},
    ),
    given=given,
    then=then,
    control={"mu": 1, "V": 1, "b": "1/2", "W": 2, "step": 1, "eta": 1},
    formula=formula,
    exact=exact,
    observe=observe,
    tolerance=Tolerance(
        1e-9,
        "the recursion is solved for from moments of three modes: some digits of sixteen are lost",
    ),
    trusted=(
        (
            "T preserves the PSD order, so r(T) is one of its eigenvalues (Krein & Rutman); a "
            "positive definite matrix that it keeps shows r(T) = 1 and bounded powers."
        ),
        (
            "Eigenvalues depend continuously on the step, and for small steps all are inside the unit "
            "circle: the one that is 1 at step 0 falls like 1 - 2 mu eta."
        ),
        "PyTorch's buffer is the average divided by 1 - b.",
    ),
)

r"""On fresh Gaussian rows SGD's edge solves sum_j (eta/B) l_j/(2 - eta l_j (1 + 1/B)) = 1.

Rows have covariance $\Sigma$ with eigenvalues $l_j$. For a Gaussian row $E\,xx'Xxx' = 2\Sigma
X\Sigma + \mathrm{tr}(\Sigma X)\Sigma$, so for diagonal $X$ with entries $v_j$, $T(X) = X$ reads
$2l_jv_j = \eta\big( (1 + \tfrac1B)l_j^2v_j + \tfrac1Bl_j\sum_kl_kv_k\big)$: with $\sum_kl_kv_k =
1$, $v_j = \frac{\eta/B}{2 - \eta l_j(1 + 1/B)}$, and the sum is the equation. Below the pole of the
largest $l_j$ the $v_j$ are positive: a positive definite fixed point, so $r(T) = 1$. Here with two
eigenvalues, moments of rows as sums over pairings.
"""

from theory.atoms import below, equal
from theory.claims._pairings import moment
from theory.core import Claim, Conventions, Kind, Notion, Source, Tolerance
from theory.domains import Scalars


def given(m):
    """v, w are the fixed point for eigenvalues l, k, at the critical step eta; all are positive."""
    return (
        below(0, m.eta),
        below(0, m.l),
        below(0, m.k),
        below(0, m.B),
        below(m.eta * m.l * (m.B + 1), 2 * m.B),
        below(m.eta * m.k * (m.B + 1), 2 * m.B),
        equal(m.v * (2 * m.B - m.eta * m.l * (m.B + 1)), m.eta),
        equal(m.w * (2 * m.B - m.eta * m.k * (m.B + 1)), m.eta),
        equal(m.l * m.v + m.k * m.w, 1),
    )


def then(m):
    """On the diagonal, B times what a step takes from E xx' and what it adds, over eta."""
    eigenvalues, X = (m.l, m.k), (m.v, m.w)
    atoms = []
    for j in range(2):
        one_row = sum(X[a] * moment(eigenvalues, j, a, a, j) for a in range(2))
        added = m.eta * (one_row + (m.B - 1) * eigenvalues[j] ** 2 * X[j])
        atoms.append(equal(2 * m.B * eigenvalues[j] * X[j], added))
    return tuple(atoms)


def other(m):
    """The eigenvalue k with which eta is critical."""
    rest = 1 - m.eta * m.l / (2 * m.B - m.eta * m.l * (m.B + 1))
    return 2 * m.B * rest / (1 + rest * (m.B + 1)) / m.eta


def formula(m):
    """The smaller root of the equation with its denominators cleared."""
    total, product, b = m.l + m.k, m.l * m.k, m.B + 1
    half = m.B * total * (1 + b)
    root = (half**2 - 4 * m.B**2 * product * b * (b + 2)) ** 0.5
    return 4 * m.B**2 / (half + root)


def exact(m):
    """The same by bisection on r(T), T from rows at the nodes of a quadrature, exact to degree 4."""
    from itertools import product

    import numpy as np
    from scipy.optimize import root_scalar

    nodes, chances = (np.sqrt(3) * np.array([-1, 0, 1]), np.array([1, 4, 1]) / 6)
    rows = np.array(list(product(nodes, repeat=2))) * np.sqrt([m.l, m.k])
    weights = np.outer(chances, chances).ravel()
    H = rows[:, :, None] * rows[:, None]
    mean, one = np.diag([m.l, m.k]), np.eye(2)
    single = sum(w * np.kron(h, h) for w, h in zip(weights, H, strict=True))
    noise = single / m.B + (1 - 1 / m.B) * np.kron(mean, mean)
    drift = np.kron(mean, one) + np.kron(one, mean)

    def growth(eta):
        return float(np.linalg.eigvalsh(np.eye(4) - eta * drift + eta**2 * noise)[-1]) - 1

    edge = formula(m)
    return root_scalar(growth, bracket=(edge / 2, 2 * edge), rtol=1e-14).root


CLAIM = Claim(
    title="On fresh Gaussian rows SGD's edge solves Σⱼ (η/B)lⱼ/(2 − ηlⱼ(1 + 1/B)) = 1",
    statement=r"On $B$ fresh rows from $N(0, \Sigma)$ a step, $l_j$ the eigenvalues of $\Sigma$, "
    r"SGD is stable in mean square exactly up to the root $\eta_2 < \frac{2}{l_1(1 + "
    r"1/B)}$ of $\sum_j\frac{(\eta/B)l_j}{2 - \eta l_j(1 + 1/B)} = 1$. Certified for two "
    r"eigenvalues.",
    source=Source("other", "Wick's formula", "our own"),
    kind=Kind.EXACT,
    conventions=Conventions(
        notion=Notion.MEAN_SQUARE, sampler="a batch of B fresh Gaussian rows a step"
    ),
    domain=Scalars(
        names=("eta", "l", "B", "k", "v", "w"),
        start={"eta": (0.5, 1.0), "l": (0.1, 0.6), "B": (1.0, 5.0)},
        complete={
            "k": other,
            "v": lambda m: m.eta / (2 * m.B - m.eta * m.l * (m.B + 1)),
            "w": lambda m: m.eta / (2 * m.B - m.eta * m.k * (m.B + 1)),
        },
    ),
    given=given,
    then=then,
    control={"eta": 1, "l": 1, "B": 1, "k": 1, "v": 1, "w": 2},
    formula=formula,
    exact=exact,
    tolerance=Tolerance(1e-10, "an eigenvalue known to 1e-15, with a slope of about its size"),
    trusted=(
        "Off the diagonal T keeps zero: odd moments of a Gaussian vanish.",
        "A positive map that keeps a positive definite matrix has spectral radius one.",
        "More eigenvalues enter as these two do; r(T) - 1 = eta(eta q - 2c) grows past the root.",
    ),
)

r"""On fresh isotropic Gaussian rows USAM's edge is 2(1 + rho w2)/(w2 + 2 rho w3 + rho^2 w4).

$H_S = G'G/B$ with $B$ rows of $d$ standard normal entries, drawn anew each step. $T$ commutes with
rotations, so $E\,\Phi^2 = E(I - \eta A_S)^2$ is a multiple of $I$, a positive definite eigenvector:
$r(T) = 1 - 2\eta(1 + \rho w_2) + \eta^2(w_2 + 2\rho w_3 + \rho^2w_4)$, $w_k =
E\,\mathrm{tr}H_S^k/d$, exactly. By Wick's formula $B^kd\,w_k$ is a sum over the $(2k - 1)!!$
pairings of the $2k$ factors, each counting $B$ to the number of its row cycles and $d$ to that of
its column cycles; here all 3, 15 and 105 are listed.
"""

from theory.atoms import below, equal
from theory.claims._pairings import wishart
from theory.core import Claim, Conventions, Kind, Notion, Source, Tolerance
from theory.domains import Scalars

DIMENSION = 3  # of the exact route


def given(m):
    """The moments, and the critical step in terms of them; `second` is B^3 E A_S^2."""
    square, cube, fourth = scaled(m)
    second = m.B**2 * square + 2 * m.rho * m.B * cube + m.rho**2 * fourth
    return (
        below(0, m.d),
        below(0, m.B),
        equal(m.B * m.w2, square),
        equal(m.B**2 * m.w3, cube),
        equal(m.B**3 * m.w4, fourth),
        equal(m.eta * second, 2 * m.B**2 * (m.B + m.rho * square)),
    )


def then(m):
    w = {k: wishart(k, m.d, m.B) for k in (2, 3, 4)}
    curvature = m.B**2 * w[2] + 2 * m.rho * m.B * w[3] + m.rho**2 * w[4]  # B^4 E A_S^2
    return (
        *(equal(w[k], m.B**k * x) for k, x in ((2, m.w2), (3, m.w3), (4, m.w4))),
        equal(m.eta * curvature, 2 * m.B**2 * (m.B**2 + m.rho * w[2])),
    )


def scaled(m):
    """B w2, B^2 w3, B^3 w4."""
    d, B = m.d, m.B
    return (
        B + d + 1,
        B**2 + 3 * (d + 1) * B + d**2 + 3 * d + 4,
        B**3 + 6 * (d + 1) * B**2 + (6 * d**2 + 17 * d + 21) * B + (d**3 + 6 * d**2 + 21 * d + 20),
    )


def formula(m):
    """The critical step."""
    return 2 * (1 + m.rho * m.w2) / (m.w2 + 2 * m.rho * m.w3 + m.rho**2 * m.w4)


def exact(m):
    """The same by quadrature over Bartlett's factor of a Wishart matrix, at d = 3 and any B > 2.

    H = LL'/B with normals below the diagonal of L and roots of chi squares on it. Entries of H^4
    have degree 8 in a normal and 4 in a chi square: five nodes are exact.
    """
    from itertools import product

    import numpy as np
    from scipy.special import roots_genlaguerre, roots_hermitenorm

    normal, chances = roots_hermitenorm(5)
    axes = [(normal, chances / chances.sum())] * 3
    for i in range(DIMENSION):
        nodes, weights = roots_genlaguerre(5, (m.B - i) / 2 - 1)
        axes.append((np.sqrt(2 * nodes), weights / weights.sum()))
    points = np.array(list(product(*(nodes for nodes, _ in axes))))
    weights = np.array(list(product(*(w for _, w in axes)))).prod(1)
    L = np.zeros((len(points), DIMENSION, DIMENSION))
    L[:, [1, 2, 2], [0, 0, 1]], L[:, range(3), range(3)] = points[:, :3], points[:, 3:]
    H = L @ L.swapaxes(1, 2) / m.B
    A = H + m.rho * H @ H
    return float(2 * (weights @ np.trace(A, 0, 1, 2)) / (weights @ (A * A).sum((1, 2))))


CLAIM = Claim(
    title="On fresh isotropic Gaussian rows USAM's edge is 2(1 + ρw₂)/(w₂ + 2ρw₃ + ρ²w₄)",
    statement=r"On $B$ fresh rows from $N(0, I_d)$ a step, USAM with shared ascent is stable in "
    r"mean square exactly up to $\eta_2 = \frac{2(1 + \rho w_2)}{w_2 + 2\rho w_3 + "
    r"\rho^2w_4}$, $w_2 = 1 + \frac{d + 1}{B}$, $w_3 = 1 + \frac{3(d + 1)}{B} + "
    r"\frac{d^2 + 3d + 4}{B^2}$, $w_4 = 1 + \frac{6(d + 1)}{B} + \frac{6d^2 + 17d + "
    r"21}{B^2} + \frac{d^3 + 6d^2 + 21d + 20}{B^3}$.",
    source=Source("other", "moments of the Wishart law", "our own"),
    kind=Kind.EXACT,
    conventions=Conventions(
        notion=Notion.MEAN_SQUARE,
        normalised=False,
        ascent="shared",
        sampler="a batch of B fresh Gaussian rows a step",
    ),
    domain=Scalars(
        names=("w4", "w3", "w2", "eta", "rho", "B", "d"),
        start={"d": (3.0, 3.0), "B": (3.0, 8.0), "rho": (0.0, 1.0)},
        complete={
            "w2": lambda m: scaled(m)[0] / m.B,
            "w3": lambda m: scaled(m)[1] / m.B**2,
            "w4": lambda m: scaled(m)[2] / m.B**3,
            "eta": formula,
        },
    ),
    given=given,
    then=then,
    control={"d": 1, "B": 1, "rho": 0, "w2": 2, "w3": 15, "w4": 105, "eta": 1},
    formula=formula,
    exact=exact,
    tolerance=Tolerance(1e-10, "a weighted sum of 15,625 terms, not negative"),
    trusted=(
        "Wick's formula; and T commutes with rotations, so that T(I) is a multiple of I.",
        "A positive definite eigenvector of a positive map has the spectral radius as its value.",
    ),
)

r"""The heavy ball's mean-square edge is 2(1 - m)/lambda_max(C^-1 (D + 2m/(1-m) A.A - 4m/(1-m^2) C^2)).

$v^+ = mv + A_Sx$, $x^+ = x - \eta v^+$; $A$ is the mean of $A_S$, $C(S) = \tfrac12(AS + SA)$, $D(S)
= E A_SSA_S$. At stationary second moments $X = E xx'$, $Y = E xv'$, $Z = E vv'$, the first gives $U
+ U' = \eta Z$ for $U = E xv^{+\prime} = mY + XA$, the second $Y = U - \eta Z$. Hence $(1 + m)\eta Z
= 2C(X)$ and $(1 - m)Y = XA - \eta Z$: both follow from $X$. What is left of the third, $(1 - m^2)Z
= m(Y'A + AY) + D(X)$, is $2(1 - m)C(X) = \eta\big(D + \frac{2m}{1 - m}A\cdot A - \frac{4m}{1 -
m^2}C^2\big)(X)$. In the atoms $k = m/(1 - m)$, $X = (1 + 2k)\eta S$, the rest is scaled to match,
and $D(S) = ASA + RSR$: the noise enters linearly, so one term stands for any number.
"""

from theory.atoms import equal
from theory.core import Claim, Conventions, Kind, Notion, Source, Tolerance
from theory.domains import Operators


def given(m):
    return ()


def then(m):
    k, one, two = m.k, 1 + m.k, 1 + 2 * m.k
    A, S, eta = m.A, m.S, m.eta
    X, Z = two * eta * S, one * (S @ A + A @ S)
    Y = eta * one * (k * (S @ A) - one * (A @ S))
    U = k * Y + one * (X @ A)  # 1 + k times E x v+'
    third = two * Z - k * one * (Y.T @ A + A @ Y) - one**2 * (A @ X @ A + m.R @ X @ m.R)
    square = A @ A @ S + 2 * (A @ S @ A) + S @ A @ A  # 4 C^2(S)
    noise = two * (A @ S @ A + m.R @ S @ m.R + 2 * k * (A @ S @ A)) - k * one * square
    return (
        equal(U + U.T, one * eta * Z),
        equal(U, one * (Y + eta * Z)),
        equal(third, one * two * (S @ A + A @ S) - one**2 * eta * noise),
    )


def formula(m):
    """The critical step, by its formula on symmetric matrices."""
    import numpy as np
    from scipy.linalg import eigh

    k, A = m.k, mean(m)
    basis = [np.outer(a, b) + np.outer(b, a) for a, b in pairs(np.eye(len(A)))]

    def form(image):
        return np.array([[np.trace(X @ image(Y)) for Y in basis] for X in basis])

    def drift(X):
        return (A @ X + X @ A) / 2

    def noise(X):
        mixed = (1 + 2 * k) * (A @ X @ A) + m.R @ X @ m.R
        return mixed - 4 * k * (1 + k) / (1 + 2 * k) * drift(drift(X))

    return float(2 / (1 + k) / eigh(form(noise), form(drift), eigvals_only=True)[-1])


def mean(m):
    """The mean the two routes are compared at: A + I, whose inverse keeps the digits."""
    import numpy as np

    return m.A + np.eye(len(m.A))


def pairs(rows):
    """Two rows, either of them first, the same one twice included."""
    return [(rows[i], rows[j]) for i in range(len(rows)) for j in range(i + 1)]


def exact(m):
    """The same by bisection on the spectral radius of E Phi x Phi, Phi the map of (x, v)."""
    import numpy as np
    from scipy.optimize import root_scalar

    A, momentum = mean(m), m.k / (1 + m.k)
    one = np.eye(len(A))

    def growth(eta):
        steps = [
            np.block([[one - eta * Q, -eta * momentum * one], [Q, momentum * one]])
            for Q in (A + m.R, A - m.R)
        ]
        return np.abs(np.linalg.eigvals(sum(np.kron(S, S) for S in steps) / 2)).max() - 1

    edge = formula(m)
    return root_scalar(growth, bracket=(0.6 * edge, 1.5 * edge), rtol=1e-12).root


CLAIM = Claim(
    title="The heavy ball's mean-square edge is 2(1 − m)/λmax(C⁻¹(D + 2m/(1−m) A·A − 4m/(1−m²) C²))",
    statement=r"Let $x$ move by $v^+ = mv + A_Sx$, $x^+ = x - \eta v^+$, $A = E A_S \succ 0$, $0 "
    r"\le m < 1$, $C(X) = \frac12(AX + XA)$, $D(X) = E A_SXA_S$. Second moments are "
    r"stationary exactly if $Y = E xv'$ and $Z = E vv'$ have the stated values and $X = "
    r"E xx'$ solves $2(1 - m)C(X) = \eta\big(D + \frac{2m}{1 - m}A\cdot A - \frac{4m}{1 "
    r"- m^2}C^2\big)(X)$; the critical step is $2(1 - m)$ over the largest eigenvalue of "
    r"$C^{-1}$ times the bracket.",
    source=Source("other", "Mulayoff & Michaeli 2024 for m = 0", "our own"),
    kind=Kind.EXACT,
    conventions=Conventions(
        notion=Notion.MEAN_SQUARE, normalised=False, ascent="any", sampler="any batch"
    ),
    domain=Operators(symmetric=("A", "R", "S"), scalars=("k", "eta")),
    given=given,
    then=then,
    control={
        "A": [[1, 1], [0, 2]],
        "R": [[1, 0], [0, 1]],
        "S": [[1, 0], [0, 2]],
        "k": 1,
        "eta": 1,
    },
    formula=formula,
    exact=exact,
    tolerance=Tolerance(
        1e-9, "an eigenvalue of a (64, 64) matrix known to 1e-12, with a slope below one"
    ),
    trusted=(
        (
            "T preserves the PSD order, so r(T) is an eigenvalue with a PSD eigenvector (Krein & "
            "Rutman): r(T) = 1 at a step exactly if second moments with a PSD X are stationary there, "
            "and none other is."
        ),
        (
            "The bracket has its largest eigenvalue relative to C at a PSD X, and r(T) < 1 below that "
            "step, > 1 beyond: the stable set is an interval."
        ),
    ),
)

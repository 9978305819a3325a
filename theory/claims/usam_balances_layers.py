r"""In a two-layer linear network gradient descent keeps W1 W1' - W2'W2 to first order, USAM does not.

The loss depends on $W_2W_1$ alone; $G$ is its gradient in that product, so the parameters'
gradients are $W_2'G$ and $GW_1'$. The climb ends at $V_1 = W_1 + \rho W_2'G$, $V_2 = W_2 + \rho
GW_1'$, where the product gradient is $\hat G$, and the step subtracts $\eta V_2'\hat G$ and
$\eta\hat GV_1'$. In $\Delta = W_1W_1' - W_2'W_2$ the terms $W_2'\hat GW_1'$ of order $\eta$ cancel,
and with them all that gradient descent would leave there; what remains has a factor $\rho$. Nothing
is used of $\hat G$, so the law holds for every loss of the product and, batch by batch, for every
batch.
"""

from theory.atoms import equal
from theory.core import Claim, Conventions, Kind, Source, Tolerance
from theory.domains import Operators


def given(m):
    return ()


def then(m):
    """W1, W2 of any shapes; G, Gh any two product gradients."""
    V1, V2 = climbed(m)
    first, second = m.W1 - m.eta * (V2.T @ m.Gh), m.W2 - m.eta * (m.Gh @ V1.T)
    return (equal(imbalance(first, second), law(m, m.Gh)),)


def climbed(m):
    """(V1, V2), where the climb ends."""
    return m.W1 + m.rho * (m.W2.T @ m.G), m.W2 + m.rho * (m.G @ m.W1.T)


def imbalance(first, second):
    """W1 W1' - W2'W2."""
    return first @ first.T - second.T @ second


def law(m, Gh):
    """The imbalance after one step."""
    V1, V2 = climbed(m)
    left, right = m.G.T @ Gh + Gh.T @ m.G, Gh @ m.G.T + m.G @ Gh.T
    drift = m.W1 @ left @ m.W1.T - m.W2.T @ right @ m.W2
    square = V2.T @ Gh @ Gh.T @ V2 - V1 @ Gh.T @ Gh @ V1.T
    return imbalance(m.W1, m.W2) - m.eta * m.rho * drift + m.eta**2 * square


def gradients(m):
    """The target M of a least-squares loss |W2 W1 - M|^2/(2d) that has G, and its gradient at V."""
    V1, V2 = climbed(m)
    M = m.W2 @ m.W1 - len(m.G) * m.G
    return M, (V2 @ V1 - M) / len(m.G)


def formula(m):
    """The norm of the imbalance after one step on that loss, by the law."""
    import numpy as np

    return float(np.linalg.norm(law(m, gradients(m)[1])))


def exact(m):
    """The same from the Kronecker form of the step: vec W moves by kron products of vec G."""
    import numpy as np

    one, M, d = np.eye(len(m.G)), gradients(m)[0], len(m.G)

    def slopes(W1, W2):
        residual = (np.kron(one, W1.T) @ W2.ravel() - M.ravel()) / d  # of W2 W1, row by row
        first, second = np.kron(W2.T, one) @ residual, np.kron(one, W1) @ residual
        return first.reshape(d, d), second.reshape(d, d)

    A, B = slopes(m.W1, m.W2)
    A, B = slopes(m.W1 + m.rho * A, m.W2 + m.rho * B)
    return float(np.linalg.norm(imbalance(m.W1 - m.eta * A, m.W2 - m.eta * B)))


def observe(lab, m):
    """The same from one simulated step."""
    import numpy as np

    from theory.problems.matrix_factorization import matrix_factorization

    M, d = gradients(m)[0], len(m.G)
    problem = matrix_factorization(np.eye(d), M.T, d)
    x0 = np.concatenate([m.W1.ravel(), m.W2.ravel()])
    run = lab.run(problem, "usam", x0=x0, steps=1, batch=None, lr=m.eta, rho=m.rho)
    return float(np.linalg.norm(imbalance(*problem.factors(run.x[0, 1]))))


CLAIM = Claim(
    title="How one USAM step changes the imbalance W₁W₁′ − W₂′W₂ of a two-layer linear network",
    statement=r"For a loss of $W_2W_1$ with product gradient $G$ at $(W_1, W_2)$ and $\hat G$ at "
    r"$V_1 = W_1 + \rho W_2'G$, $V_2 = W_2 + \rho GW_1'$, one step of USAM moves $\Delta "
    r"= W_1W_1' - W_2'W_2$ to $\Delta - \eta\rho\big[W_1(G'\hat G + \hat G'G)W_1' - "
    r"W_2'(\hat GG' + G\hat G')W_2\big] + \eta^2\big[V_2'\hat G\hat G'V_2 - V_1\hat "
    r"G'\hat GV_1'\big]$.",
    source=Source("other", "balancedness, for gradient flow Arora, Cohen & Hazan 2018", "our own"),
    kind=Kind.EXACT,
    conventions=Conventions(normalised=False, ascent="shared", sampler="any batch"),
    domain=Operators(general=("W1", "W2", "G", "Gh"), scalars=("eta", "rho")),
    given=given,
    then=then,
    control={
        "W1": [[1, 2], [0, 1]],
        "W2": [[1, 0], [3, 1]],
        "G": [[1, 1], [0, 2]],
        "Gh": [[0, 1], [1, 1]],
        "eta": "1/2",
        "rho": "1/3",
    },
    formula=formula,
    exact=exact,
    observe=observe,
    tolerance=Tolerance(1e-9, "a few dozen rounded products, with cancellation of up to 1e5"),
    trusted=("The gradients of a loss of W2 W1 are W2'G and G W1', by the chain rule.",),
)

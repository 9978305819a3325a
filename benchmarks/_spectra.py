"""Ways to the largest mean-square stable step of SGD: eta_2 = 2/lambda_max(C^+ D), from J.

C(X) = (A X + X A)/2, D(X) = mean_i a_i a_i' X a_i a_i', A = J'J/n, a_i the rows of J. The peers work
in the eigenbasis of A, where C is diagonal, and divide it out on both sides, so that solvers of
symmetric problems serve.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse.linalg import LinearOperator, eigsh, lobpcg

from benchmarks._entrant import Entrant
from benchmarks._rows import Rows
from theory.stability.mean_square import Edge, critical
from theory.stability.minimum import minimum
from theory.stability.steps import reduced
from theory.stability.threshold import mean_square_critical_step

ACCURACY = 1e-9  # relative, of a critical step: asked of everyone, and what results must agree to
POWERS = 10_000  # steps of power iteration, then it gives up


class Route(Entrant):
    """Finds the critical step of a `Rows`, from its raw Jacobian; nothing is prepared."""

    tolerance = ACCURACY

    def prepare(self, workload: Rows) -> None:
        self.jacobian = workload.jacobian

    def run(self) -> dict[str, np.ndarray]:
        return {"step": np.array([self.step(self.jacobian)])}

    def step(self, J: np.ndarray) -> float:
        raise NotImplementedError


class Flatproof(Route):
    """The check of the input and the enclosure included; `edge` is what the last run found."""

    name = "flatproof, enclosed"
    edge: Edge

    def step(self, J: np.ndarray) -> float:
        self.edge = critical(reduced(minimum(jacobian=J), batch=1), tolerance=ACCURACY)
        return self.edge.value


class Dense(Route):
    """All eigenvalues of the d^2 x d^2 matrix, made symmetric."""

    name = "NumPy, eigvalsh of d^2 x d^2"

    def step(self, J: np.ndarray) -> float:
        D, root = _dense(J)
        return 2 / float(np.linalg.eigvalsh(D / np.outer(root, root))[-1])


class General(Route):
    """The same without the symmetry: C^{-1} D as it is written."""

    name = "NumPy, eigvals of d^2 x d^2"
    once = True  # it takes four times as long as all other rows of its table

    def step(self, J: np.ndarray) -> float:
        D, root = _dense(J)
        return 2 / float(np.linalg.eigvals(D / root[:, None] ** 2).real.max())


class Symmetric(Route):
    """On symmetric matrices alone, d(d+1)/2 of them."""

    name = "NumPy, eigvalsh of d(d+1)/2"

    def step(self, J: np.ndarray) -> float:
        n = len(J)
        return mean_square_critical_step(np.full(n, 1 / n), J[:, :, None] * J[:, None, :])


class Matrices(Route):
    """ARPACK on X -> C^{-1/2} D C^{-1/2}, d x d matrices, from the identity."""

    name = "ARPACK on d x d matrices"

    def step(self, J: np.ndarray) -> float:
        R, lam = _turned(J)
        n, r = R.shape
        root = np.sqrt((lam[:, None] + lam) / 2)

        def apply(x: np.ndarray) -> np.ndarray:
            X = x.reshape(r, r) / root
            return ((R.T * np.einsum("ia,ia->i", R @ X, R)) @ R / n / root).ravel()

        return 2 / _arpack(apply, np.eye(r).ravel())


class Samples(Route):
    """ARPACK on vectors with an entry a sample; its products are plain dgemm."""

    name = "ARPACK on n-vectors"

    def step(self, J: np.ndarray) -> float:
        return 1 / _arpack(_kernel(J), np.ones(len(J)))


class Block(Route):
    """LOBPCG on the same, without a preconditioner, for there is none that is known."""

    name = "LOBPCG on n-vectors"

    def step(self, J: np.ndarray) -> float:
        apply, n = _kernel(J), len(J)
        start = np.random.default_rng(0).standard_normal((n, 3))
        start[:, 0] = 1
        operator = LinearOperator(
            (n, n), matvec=apply, matmat=lambda V: np.stack([apply(v) for v in V.T], 1), dtype=float
        )
        values, _, residuals = lobpcg(
            operator, start, tol=1e-7, maxiter=200, retResidualNormsHistory=True
        )
        size = float(values.max())
        self.note = f"{len(residuals)} rounds"
        return 1 / size


class Power(Route):
    """Power iteration from ones, stopped by Collatz-Wielandt at the accuracy that is asked."""

    name = "power iteration on n-vectors"

    def step(self, J: np.ndarray) -> float:
        apply, v = _kernel(J), np.ones(len(J))
        for count in range(1, POWERS + 1):
            w = apply(v)
            low, high = (w / v).min(), (w / v).max()
            self.note = f"{count:,} applications"
            if high - low <= ACCURACY * high:
                return 2 / float(low + high)
            v = w / np.linalg.norm(w)
        return float("nan")


def _turned(J: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows in the eigenbasis of A, and its eigenvalues; from J J' where J is wide."""
    n, d = J.shape
    if n < d:
        lam, U = np.linalg.eigh(J @ J.T / n)
        return U * np.sqrt(n * lam), lam
    lam, Q = np.linalg.eigh(J.T @ J / n)
    return J @ Q, lam


def _dense(J: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """D (d^2, d^2) and the root of C's diagonal (d^2,)."""
    R, lam = _turned(J)
    pairs = (R[:, :, None] * R[:, None, :]).reshape(len(R), -1)
    return pairs.T @ pairs / len(R), np.sqrt((lam[:, None] + lam) / 2).ravel()


def _kernel(J: np.ndarray):
    """v -> G v (n,), lambda_max(G) = 1/eta_2: the map of theory section 2, by its definition."""
    R, lam = _turned(J)
    n = len(R)
    response = 1 / (lam[:, None] + lam)

    def apply(v: np.ndarray) -> np.ndarray:
        Y = response * ((R.T * v.ravel()) @ R)
        return np.einsum("ia,ia->i", R @ Y, R) / n

    return apply


def _arpack(apply, start: np.ndarray) -> float:
    operator = LinearOperator((start.size, start.size), matvec=apply, dtype=float)
    (value,) = eigsh(operator, k=1, which="LA", v0=start, tol=ACCURACY, return_eigenvectors=False)
    return float(value)

"""The noise of one step as a positive map whose largest eigenvalue says how fast E||x||^2 grows.

Second moments X = E x x' of x+ = (I - eta A_S) x obey a Lyapunov equation: the mean step damps them,
the noise feeds them. In the eigenbasis of A = E A_S = diag(l) the damped response to a source Y is
entrywise, K o Y, and K is positive semidefinite (see `theory.stability.response`), so source, response
and noise close into a positive map. It is kept in one of two forms, scaled by A^{-1/2} on both sides,
which leaves no small denominators:

- `Kernel`, one PSD block V_i (k, k) a sample: (G V)_i = U_i [K o sum_j U_j' V_j U_j] U_i' with
  U_i = sqrt(w_i) F_i A^{-1/2} and sum_i U_i'U_i = I; 1/sqrt(w_i) multiplies on both sides. For k = 1 it
  is an n x n matrix with entries >= 0, and only the Gram matrix of the rows enters.
- `Space`, one PSD matrix (r, r): X -> K o D(X), D the second moment of the scaled step matrices.

At p = 1 both have the same eigenvalues, except 0; below it `Space` holds all of D in place of its
noise alone, and they agree on whether the loop gain is above 1. Source: Mulayoff & Michaeli 2024 for
T; the forms are ours.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from scipy.linalg import get_blas_funcs
from scipy.sparse.linalg import LinearOperator

(dtrmm,) = get_blas_funcs(("trmm",), dtype=np.float64)

CHUNK_BYTES = 16 * 10**6  # of rows worked on at a time: few enough sums, and small temporaries
SMALL = 16_000  # entries of rows: below, halving a product costs more calls than it saves
NARROW = 48  # below this rank it saves nothing either


class Gain(Protocol):
    """A positive map on stacks of symmetric matrices, and the symmetric operator similar to it.

    The map is linear in the response K (r, r) as well, and positive for positive semidefinite K.
    """

    @property
    def shape(self) -> tuple[int, int, int]:
        """(m, k, k), that of its arguments."""
        ...

    def positive(self, V: np.ndarray, K: np.ndarray) -> np.ndarray:
        """The map itself: PSD stacks to PSD stacks."""
        ...

    def symmetric(self, Z: np.ndarray, K: np.ndarray) -> np.ndarray:
        """The similar operator, self-adjoint for the entrywise inner product."""
        ...

    def cone(self, Z: np.ndarray, K: np.ndarray) -> np.ndarray:
        """An argument of `symmetric` as one of `positive`."""
        ...

    def gradient(self, Z: np.ndarray, K: np.ndarray) -> np.ndarray:
        """d lambda/dK (r, r) at the unit eigenvector Z of `symmetric`."""
        ...

    @property
    def terms(self) -> int:
        """How many products the longest sum has."""
        ...

    def room(self, V: np.ndarray, W: np.ndarray, K: np.ndarray) -> np.ndarray:
        """(m,): how far block i of W = `positive(V, K)` may be off, in the PSD order, over tau.

        tau is the relative error of the arithmetic, and of A in the norm.
        """
        ...

    def quadratic_room(self, V: np.ndarray, K: np.ndarray, value: float) -> float:
        """The same for value = <Z, symmetric(Z)>, Z a unit vector and V = cone(Z)."""
        ...


@dataclass(frozen=True)
class Kernel:
    """One PSD block a sample; `rows` (n, k, r) the U_i, orthonormal as (n k, r), `scale` 1/sqrt w."""

    rows: np.ndarray
    scale: np.ndarray

    @property
    def shape(self) -> tuple[int, int, int]:
        n, k, _ = self.rows.shape
        return n, k, k

    @cached_property
    def _chunks(self) -> list[slice]:
        n, k, r = self.rows.shape
        size = max(64, CHUNK_BYTES // (8 * k * r))
        return [slice(i, i + size) for i in range(0, n, size)]

    @cached_property
    def _frame(self) -> np.ndarray:
        """sum U_i'U_i: I, but for the rounding of flat directions."""
        flat = self.rows.reshape(-1, self.rows.shape[-1])
        return flat.T @ flat

    @property
    def _plain(self) -> bool:
        """Whether products are as cheap as they come."""
        return self.rows.size < SMALL or self.rows.shape[-1] < NARROW

    def gather(self, blocks: np.ndarray) -> np.ndarray:
        """sum_i U_i' B_i U_i, by symmetric products of half the cost where that pays.

        A multiple of I may be added to every block if as much of sum U_i'U_i is taken off the sum; that
        makes the blocks positive and gives them roots.
        """
        r = self.rows.shape[-1]
        total = np.zeros((r, r))
        if self._plain:
            for part in self._chunks:
                U = self.rows[part]
                total += _left(blocks[part], U).reshape(-1, r).T @ U.reshape(-1, r)
            return total if blocks.shape[-1] == 1 else _mirrored(total)
        shift, roots = _roots(blocks)
        for part in self._chunks:
            X = _left(roots[part], self.rows[part]).reshape(-1, r)
            total += X.T @ X
        return total - shift * self._frame if shift else total

    def read(self, Y: np.ndarray) -> np.ndarray:
        """U_i Y U_i' (n, k, k) for symmetric Y (r, r)."""
        n, k, r = self.rows.shape
        out = np.empty((n, k, k))
        if self._plain:
            for part in self._chunks:
                U = self.rows[part]
                out[part] = _right((U.reshape(-1, r) @ Y).reshape(U.shape), U)
            return out
        half = np.tril(Y)
        half.flat[:: r + 1] *= 0.5
        for part in self._chunks:
            U = self.rows[part]
            # U Y U' = B + B' with B = U tril(Y) U', the diagonal halved
            product = dtrmm(1.0, half, U.reshape(-1, r).T, lower=1)
            B = _right(product.T.reshape(U.shape), U)
            out[part] = B + np.swapaxes(B, 1, 2)
        return out

    def positive(self, V: np.ndarray, K: np.ndarray) -> np.ndarray:
        return self.read(K * self.gather(V)) * self.scale[:, None, None] ** 2

    def symmetric(self, Z: np.ndarray, K: np.ndarray) -> np.ndarray:
        return self.spread(K * self.gather(self.cone(Z, K)))

    def cone(self, Z: np.ndarray, K: np.ndarray) -> np.ndarray:
        return Z * self.scale[:, None, None]

    def spread(self, X: np.ndarray) -> np.ndarray:
        """X (r, r) as an argument of `symmetric`."""
        return self.read(X) * self.scale[:, None, None]

    def gradient(self, Z: np.ndarray, K: np.ndarray) -> np.ndarray:
        """Y^2, as <Z, symmetric(Z)> = sum K Y^2 with Y what the rows gather."""
        return self.gather(self.cone(Z, K)) ** 2

    @cached_property
    def _leverage(self) -> np.ndarray:
        return np.einsum("ika,ika->i", self.rows, self.rows) * self.scale**2

    @property
    def terms(self) -> int:
        return len(self.rows) * self.rows.shape[1]

    def room(self, V: np.ndarray, W: np.ndarray, K: np.ndarray) -> np.ndarray:
        """With ||V|| <= 1 the response X to sum U_i'V_iU_i is at most max(K)/l_1 in the norm, over all
        of A^{1/2} X A^{1/2}; an error E of A moves it by C^{-1}(EX + XE), read at F_i.
        """
        return self._leverage * float(K.max()) * float(_norms(V).max())

    def quadratic_room(self, V: np.ndarray, K: np.ndarray, value: float) -> float:
        sizes = _norms(V)  # tr |V_i| is at most sqrt k times them
        traces = math.sqrt(V.shape[1]) * sizes / self.scale**2
        return float(K.max() * sizes.max() * (traces @ self._leverage))


@dataclass(frozen=True)
class Space:
    """One PSD matrix; `noise` maps X (r, r) to D(X), completely positive and self-adjoint.

    `lam` (r,) are the eigenvalues of A, `terms` the number of samples' rows, `second` bounds the norm
    of E A_S^2 and of the words it is computed from, `bend` the second derivative of the damping.
    """

    lam: np.ndarray
    noise: Callable[[np.ndarray], np.ndarray]
    terms: int
    second: float
    bend: float

    @property
    def rank(self) -> int:
        return len(self.lam)

    @property
    def shape(self) -> tuple[int, int, int]:
        return 1, self.rank, self.rank

    def positive(self, V: np.ndarray, K: np.ndarray) -> np.ndarray:
        return (K * self.noise(_mirrored(V[0])))[None]

    def symmetric(self, Z: np.ndarray, K: np.ndarray) -> np.ndarray:
        root = np.sqrt(K)
        return (root * self.noise(root * _mirrored(Z[0])))[None]

    def cone(self, Z: np.ndarray, K: np.ndarray) -> np.ndarray:
        return np.sqrt(K) * Z

    def gradient(self, Z: np.ndarray, K: np.ndarray) -> np.ndarray:
        X = np.sqrt(K) * _mirrored(Z[0])
        return X * self.noise(X) / K

    def room(self, V: np.ndarray, W: np.ndarray, K: np.ndarray) -> np.ndarray:
        """Off the scaled coordinates, D errs by tau ||E A_S^2|| ||V||, and an error tau l_1 of A moves
        the damping of W by tau `bend` ||W||; the response to I is A^{-1} times K_aa/l_a, which in
        scaled coordinates is as much of I.
        """
        inside = self.second * self._size(V[0]) + self._bend(K) * self._size(W[0])
        return np.array([inside * float((np.diag(K) / self.lam).max())])

    def quadratic_room(self, V: np.ndarray, K: np.ndarray, value: float) -> float:
        X = self._plain(V[0])
        values = np.abs(np.linalg.eigvalsh(X))
        drift = value * self._bend(K) * float(np.linalg.norm(X)) ** 2
        return self.second * float(values.max() * values.sum()) + drift

    def _bend(self, K: np.ndarray) -> float:
        return float(self.lam[-1] ** 2 / K[-1, -1]) + self.bend

    def _plain(self, X: np.ndarray) -> np.ndarray:
        """A^{-1/2} X A^{-1/2}."""
        root = np.sqrt(self.lam)
        return X / root / root[:, None]

    def _size(self, X: np.ndarray) -> float:
        return float(np.abs(np.linalg.eigvalsh(self._plain(X))).max())


def _norms(V: np.ndarray) -> np.ndarray:
    """Spectral norms (m,) of symmetric blocks, or an upper bound."""
    return np.abs(V[:, 0, 0]) if V.shape[-1] == 1 else np.linalg.norm(V, axis=(1, 2))


def _mirrored(X: np.ndarray) -> np.ndarray:
    """X, symmetric to the last bit: Krylov methods add vectors up and do not know what they are."""
    return (X + X.mT) / 2


def _roots(blocks: np.ndarray) -> tuple[float, np.ndarray]:
    """(shift, C) with C_i C_i' = blocks_i + shift I, for the least shift that leaves room."""
    if blocks.shape[-1] == 1:
        shift = max(0.0, -float(blocks.min()))
        return shift, np.sqrt(blocks + shift)
    blocks = _mirrored(blocks)  # LAPACK reads one half, which is not self-adjoint
    size = float(np.abs(blocks).max())
    shift = max(0.0, -float(np.linalg.eigvalsh(blocks).min())) + 1e-3 * size
    if size == 0:
        return 0.0, blocks
    return shift, np.linalg.cholesky(blocks + shift * np.eye(blocks.shape[-1]))


def _left(C: np.ndarray, U: np.ndarray) -> np.ndarray:
    """C_i' U_i."""
    return C * U if C.shape[-1] == 1 else np.swapaxes(C, 1, 2) @ U


def _right(B: np.ndarray, U: np.ndarray) -> np.ndarray:
    """B_i U_i'."""
    if B.shape[1] == 1:
        return np.einsum("ika,ika->i", B, U)[:, None, None]
    return B @ np.swapaxes(U, 1, 2)


def symmetric_operator(size: int, apply: Callable[[np.ndarray], np.ndarray]) -> Any:
    """A `LinearOperator` (size, size) from its product with a vector (size,)."""
    how: dict[str, Any] = {
        "matvec": lambda v: apply(v.ravel()),
        "dtype": float,
    }  # v may be a column
    return LinearOperator((size, size), **how)

"""E[H_i M H_j X H_i M H_j] over independent samples i and j: the one word that does not nest.

It is the word {13|24}, slots 1 and 3 holding one sample and slots 2 and 4 another. Every other word
of at most four slots is a product of means over one sample, linear in n; this one couples all pairs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

APPLICATIONS = 32  # of one map in a Krylov solve: what building the tensor is shared among
TENSOR_ENTRIES = 2**25  # 256 MiB for each of the two tensors
CHUNK_ENTRIES = 2**20  # 8 MiB for each array over pairs or over a stack of matrices


@dataclass(frozen=True, eq=False)
class Crossing:
    """X -> the mean of H_i M H_j X H_i M H_j (r, r), symmetric X and M = `metric` (r, r).

    H_i = F_i'F_i with F_i = `blocks[i]`, (n, k, r); `weights` (n,) sum to one. Takes the route with
    fewer operations: over pairs of samples in chunks, or through the tensor E H (x) H.
    """

    blocks: np.ndarray
    weights: np.ndarray
    metric: np.ndarray

    def __call__(self, X: np.ndarray) -> np.ndarray:
        pairs, tensor = operations(*self.blocks.shape)
        return self.by_tensor(X) if tensor < pairs else self.by_pairs(X)

    def by_pairs(self, X: np.ndarray) -> np.ndarray:
        """The sum of w_i w_j F_i'K_ij (F_j X F_i')K_ij F_j, K_ij = F_i M F_j', in chunks over i.

        Axes are (row of F_i, i, row of F_j, j): the longest is last, so that it is the inner loop.
        """
        n, k, r = self.blocks.shape
        F = np.ascontiguousarray(self.blocks.transpose(1, 0, 2))
        weighted = F * self.weights[:, None]
        flat = F.reshape(k * n, r).T
        right, KX = weighted.reshape(k * n, r), (self.metric @ flat, X @ flat)
        total = np.zeros((r, r))
        step = max(1, CHUNK_ENTRIES // (n * k * k))
        for start in range(0, n, step):
            part = F[:, start : start + step].reshape(-1, r)
            K, Z = ((part @ side).reshape(k, -1, k, n) for side in KX)  # Z_ij = F_i X F_j'
            core = np.einsum("pisj,tisj->pitj", K, Z)
            core = np.einsum("pitj,tiqj->piqj", core, K).reshape(-1, k * n)
            total += weighted[:, start : start + step].reshape(-1, r).T @ (core @ right)
        return total

    def by_tensor(self, X: np.ndarray) -> np.ndarray:
        """The sum over b, e, f of E[H_ab H_ef] and of E[(MH)_bd (MH)_fh] X_de, entry (a, h)."""
        single, raised = self._tensors
        return np.tensordot(single, np.tensordot(raised, X, 1), ((1, 2, 3), (0, 1, 3)))

    @cached_property
    def _tensors(self) -> tuple[np.ndarray, np.ndarray]:
        """E[H_ab H_fe] as [a, b, f, e] and E[(MH)_bd (MH)_fh] as [b, f, h, d], r^4 numbers each."""
        n, _, r = self.blocks.shape
        square = np.zeros((r * r, r * r))
        step = max(1, CHUNK_ENTRIES // max(1, r * r))
        for start in range(0, n, step):
            part = self.blocks[start : start + step]
            stack = (part.mT @ part).reshape(-1, r * r)
            square += (stack.T * self.weights[start : start + step]) @ stack
        single = square.reshape(r, r, r, r)
        raised = np.tensordot(self.metric, np.tensordot(self.metric, single, 1), (1, 2))
        return single, np.ascontiguousarray(raised.transpose(1, 0, 3, 2))  # from [f, b, d, h]


def operations(n: int, k: int, r: int) -> tuple[float, float]:
    """Multiplications and additions an application: (over pairs of samples, through the tensor).

    Building the tensor, 2 n r^2 (k + r^2) + 4 r^5, is shared among the applications of one solve; it
    is no option (infinite) where it would not fit.
    """
    pairs = (n * k) ** 2 * (6.0 * r + 4 * k)
    tensor = 4.0 * r**5 + (2.0 * n * r**2 * (k + r**2) + 4.0 * r**5) / APPLICATIONS
    return pairs, tensor if r**4 <= TENSOR_ENTRIES else math.inf

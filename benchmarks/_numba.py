"""The Gram-space algorithm of the engine as compiled loops.

A step on sample i changes the residuals by a multiple of row i of K = X X'. Two steps share one
pass over the residuals: the second reads its residual with the first still pending. Runs go in
groups, so that square roots and divisions of different runs overlap. The forms tried and slower:
one run at a time (half), one step a pass (two thirds).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from benchmarks._entrant import Entrant
from benchmarks._workload import TINY, LeastSquares

# The results agree to rounding with the strict kernels', which are up to a third slower.
compiled = numba.njit(fastmath=True, error_model="numpy")


@compiled
def pull(r: float, squared: float, lr: float, rho: float) -> float:
    """eta times the residual seen from above: r climbs by rho g . a_i / ||g||, g = r a_i."""
    return lr * (r + rho * r * squared / (math.sqrt(r * r * squared) + TINY))


def own_streams(n: int, group: int) -> Callable[..., np.ndarray]:
    """A kernel for n samples and groups of `group` runs: loops of known length are unrolled."""

    @compiled
    def kernel(K: Any, residuals: Any, lr: Any, rho: Any, indices: Any) -> Any:
        """(R, n) after all steps, from (R, n) and `indices` (R/group, steps, group)."""
        out = residuals.copy()
        first, second = np.empty(group), np.empty(group)
        for b in range(len(out) // group):
            for t in range(0, indices.shape[1], 2):
                for g in range(group):
                    k, i, j = b * group + g, indices[b, t, g], indices[b, t + 1, g]
                    first[g] = pull(out[k, i], K[i, i], lr[k], rho[k])
                    pending = out[k, j] - first[g] * K[i, j]
                    second[g] = pull(pending, K[j, j], lr[k], rho[k])
                for g in range(group):
                    k, i, j = b * group + g, indices[b, t, g], indices[b, t + 1, g]
                    for m in range(n):
                        out[k, m] -= first[g] * K[i, m] + second[g] * K[j, m]
        return out

    return kernel


def shared_stream(n: int, group: int) -> Callable[..., np.ndarray]:
    """The same where one stream serves all runs: residuals (n, group), runs in the last axis."""

    @compiled
    def kernel(K: Any, residuals: Any, lr: Any, rho: Any, indices: Any) -> Any:
        """(R, n) after all steps, from (R, n) and `indices` (steps,)."""
        out = np.empty_like(residuals)
        first, second = np.empty(group), np.empty(group)
        for b in range(0, len(out), group):
            r = residuals[b : b + group].T.copy()
            for t in range(0, len(indices), 2):
                i, j = indices[t], indices[t + 1]
                for g in range(group):
                    first[g] = pull(r[i, g], K[i, i], lr[b + g], rho[b + g])
                    pending = r[j, g] - first[g] * K[i, j]
                    second[g] = pull(pending, K[j, j], lr[b + g], rho[b + g])
                for m in range(n):
                    for g in range(group):
                        r[m, g] -= first[g] * K[i, m] + second[g] * K[j, m]
            out[b : b + group] = r.T
        return out

    return kernel


class Kernel(Entrant):
    """Groups of 32 runs with streams of their own, of 4096/n runs with one."""

    name = "numba, Gram kernel"

    def prepare(self, workload: LeastSquares) -> None:
        w = self.workload = workload
        n = len(w.inputs)
        if w.shared:
            group = min(w.runs, 4096 // n)  # its residuals fill 32 KB, the L1 cache
            self.kernel, self.indices = shared_stream(n, group), w.indices[0, :, 0].copy()
        else:
            group = min(w.runs, 32)
            grouped = w.indices[:, :, 0].reshape(-1, group, w.steps).transpose(0, 2, 1)
            self.kernel, self.indices = own_streams(n, group), np.ascontiguousarray(grouped)

    def run(self) -> dict[str, np.ndarray]:
        w = self.workload
        last = self.kernel(w.gram, w.residuals(), w.lr, w.rho, self.indices)
        return {"loss": (last**2).mean(1) / 2}

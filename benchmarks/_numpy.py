"""NumPy as a reader would write it: one run at a time, and all runs side by side."""

from __future__ import annotations

import numpy as np

from benchmarks._entrant import Entrant
from benchmarks._workload import TINY, LeastSquares


class Loop(Entrant):
    """The readable loop: one run at a time, one sample a step."""

    name = "NumPy, one run at a time"
    most = (64, 1000)

    def prepare(self, workload: LeastSquares) -> None:
        self.workload, self.indices = workload, workload.stream()[:, :, 0]

    def run(self) -> dict[str, np.ndarray]:
        w = self.workload
        X, y, last = w.inputs, w.targets, np.empty_like(w.starts)
        for k in range(w.runs):
            x, lr, rho = w.starts[k].copy(), w.lr[k], w.rho[k]
            for i in self.indices[k]:
                row = X[i]
                gradient = (row @ x - y[i]) * row
                above = x + rho * gradient / (np.sqrt(gradient @ gradient) + TINY)
                x -= lr * ((row @ above - y[i]) * row)
            last[k] = x
        return {"loss": w.losses(last)}


class OverRuns(Entrant):
    """One array operation serves all runs, or a block of them that stays in cache."""

    most = (4096, 250)

    def __init__(self, name: str = "NumPy, over runs", block: int | None = None) -> None:
        self.name, self.block = name, block

    def prepare(self, workload: LeastSquares) -> None:
        self.workload = workload
        self.indices = np.ascontiguousarray(workload.stream()[:, :, 0].T)  # (T, R)

    def run(self) -> dict[str, np.ndarray]:
        w, last = self.workload, []
        block = self.block or w.runs
        for k in range(0, w.runs, block):
            part = slice(k, k + block)
            last.append(self._block(part, w.lr[part, None], w.rho[part, None]))
        return {"loss": w.losses(np.concatenate(last))}

    def _block(self, part: slice, lr: np.ndarray, rho: np.ndarray) -> np.ndarray:
        X, y, x = self.workload.inputs, self.workload.targets, self.workload.starts[part].copy()
        for i in self.indices[:, part]:
            rows, targets = X[i], y[i]
            gradient = (np.einsum("rd,rd->r", rows, x) - targets)[:, None] * rows
            norms = np.sqrt(np.einsum("rd,rd->r", gradient, gradient))[:, None]
            above = x + rho * gradient / (norms + TINY)
            x -= lr * ((np.einsum("rd,rd->r", rows, above) - targets)[:, None] * rows)
        return x

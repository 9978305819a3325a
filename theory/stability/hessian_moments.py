"""Hessian moments of a minimum from its factors: M_k = mean F_i'(F_i F_i')^{k-1} F_i, on its range.

Nothing of size n d^2 is formed: all M_k live in the eigenbasis of H = M_1, r x r. Small minima go
through `theory.moments.nonuniformity`, which loses no digits where all Hessians nearly agree; beyond
that s_k^k = lambda_max(M_k - H^k) is a difference, and what rounding explains of it counts as zero.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from theory.moments import nonuniformity
from theory.stability.minimum import Minimum
from theory.stability.perron import ROUNDING
from theory.stability.steps import Steps, reduced

DENSE = 2 * 10**6  # entries of all H_i on their range: 16 MB, a few times over
ORDERS = (1, 2, 3, 4)


def moment(steps: Steps, k: int) -> np.ndarray:
    """M_k (r, r) in the eigenbasis of H, from the law of SGD (`reduced` with rho = 0)."""
    F = steps.blocks
    n, width, r = F.shape
    if width == 1:
        norms = np.einsum("ika,ika->i", F, F)
        rows = F[:, 0] * np.sqrt(steps.weights * norms ** (k - 1))[:, None]
        return rows.T @ rows
    powers = np.linalg.matrix_power(F @ np.swapaxes(F, 1, 2), k - 1)
    left = (powers * steps.weights[:, None, None]) @ F
    return left.reshape(n * width, r).T @ F.reshape(n * width, r)


def summary(minimum: Minimum, steps: Steps | None = None) -> dict[str, float]:
    """a = lambda_max(H), s_2, s_3, s_4 as `theory.moments` defines them, and lambda_max(M_k), k = 2..4.

    They are those of the Hessians themselves: no ascent, preconditioner, momentum or decay. `steps`
    is the law of SGD without any of them, if it is there already.
    """
    steps = steps or reduced(replace(minimum, preconditioner=None, gradients=None))
    if steps.rank == 0:
        return {"a": 0.0} | {f"s{k}": 0.0 for k in (2, 3, 4)} | {f"M{k}": 0.0 for k in (2, 3, 4)}
    moments = {k: moment(steps, k) for k in ORDERS}
    n, _, r = steps.blocks.shape
    if n * r * r <= DENSE:
        H = np.swapaxes(steps.blocks, 1, 2) @ steps.blocks
        s = {k: nonuniformity(H, steps.weights, k) for k in (2, 3, 4)}
    else:
        s = {k: _excess(steps, moments[k], k) for k in (2, 3, 4)}
    return (
        {"a": float(steps.lam[-1])}
        | {f"s{k}": s[k] for k in (2, 3, 4)}
        | {f"M{k}": float(np.linalg.eigvalsh(moments[k])[-1]) for k in (2, 3, 4)}
    )


def _excess(steps: Steps, M: np.ndarray, k: int) -> float:
    value = float(np.linalg.eigvalsh(M - np.diag(steps.lam**k))[-1])
    size = float(np.linalg.eigvalsh(M)[-1])
    tau = ROUNDING * 2 * math.sqrt(steps.blocks.size / steps.rank) + k * steps.noise
    return value ** (1 / k) if value > tau * size else 0.0

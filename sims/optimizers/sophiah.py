"""Sophia-H takes clipped Newton steps by a diagonal that may be negative (Liu et al. 2024).

m+ = beta1 m + (1 - beta1) g_S(x); every k steps, from the first on, D+ = beta2 D + (1 - beta2) h
with h the mean of z * (H_S z) over probes; x+ = (1 - lr w) x - lr clip(m/max(gamma D, eps), -1, 1).
No bias corrections: both averages start at zero and their weights cancel over time. Where D <= 0
the step is lr, against the sign of m.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import jax

from sims.optimizers._averages import averaged, decayed, preconditioned
from sims.optimizers._curvature import Curvature
from sims.optimizers._fields import SHARE
from theory.core import Oracle
from theory.problems._oracle import namespace


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class SophiaH(Curvature):
    """The state is (steps taken, m, D); k is `lazy_hessian`, gamma `clip_threshold`."""

    lr: Any = 0.03
    beta1: Any = field(default=0.965, metadata=SHARE | {"reference": "betas[0]"})
    beta2: Any = field(default=0.99, metadata=SHARE | {"reference": "betas[1]"})
    eps: Any = 1e-15
    weight_decay: Any = None
    clip_threshold: Any = 0.04

    def init(self, x: Any) -> Any:
        return 0, 0.0 * x, 0.0 * x

    def step(self, oracle: Oracle, x: Any, state: Any) -> tuple[Any, Any]:
        t, average, diagonals = state
        average = averaged(average, oracle.grad(x), self.beta1)
        curvature = self.refreshed(
            t, lambda: averaged(diagonals, self.estimate(oracle, x, t), self.beta2), diagonals
        )
        xp = namespace(average)
        floor = xp.maximum(self.clip_threshold * curvature, self.eps)
        direction = xp.clip(preconditioned(average, floor), -1.0, 1.0)
        x = decayed(x, self.lr, self.weight_decay) - self.lr * direction
        return x, (t + 1, average, curvature)

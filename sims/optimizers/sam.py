"""SAM descends with the gradient found a climb of fixed length rho away (Foret et al. 2021).

x+ = x - eta g_S(x + rho g_S(x)/||g_S(x)||), both gradients on the same batch. Weight decay acts on
x, not on the climbed point, and does not steer the climb, as in the released implementations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax

from sims.optimizers._ascent import normalised_ascent
from sims.optimizers._descent import descend, empty_buffer
from theory.core import Oracle


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class SAM:
    """Normalised sharpness-aware minimization on top of SGD; the state is the momentum buffer."""

    lr: Any = 0.1
    rho: Any = 0.05
    momentum: Any = None
    weight_decay: Any = None

    def init(self, x: Any) -> Any:
        return empty_buffer(x, self.momentum)

    def step(self, oracle: Oracle, x: Any, state: Any) -> tuple[Any, Any]:
        above = normalised_ascent(oracle, x, oracle.grad(x), self.rho)
        return descend(
            x,
            oracle.grad(above),
            state,
            lr=self.lr,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
        )

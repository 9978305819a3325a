"""SGD steps down the batch gradient: x+ = x - eta g_S(x), with momentum and decay as PyTorch's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax

from sims.optimizers._descent import descend, empty_buffer
from theory.core import Oracle


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class SGD:
    """b+ = momentum b + g_S(x) + weight_decay x, x+ = x - lr b+; the state is b."""

    lr: Any = 0.1
    momentum: Any = None
    weight_decay: Any = None

    def init(self, x: Any) -> Any:
        return empty_buffer(x, self.momentum)

    def step(self, oracle: Oracle, x: Any, state: Any) -> tuple[Any, Any]:
        return descend(
            x,
            oracle.grad(x),
            state,
            lr=self.lr,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
        )

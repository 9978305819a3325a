"""AdamW divides the average gradient by the root of its average square (Loshchilov & Hutter 2019).

m+ = beta1 m + (1 - beta1) g_S(x), v+ = beta2 v + (1 - beta2) g_S(x)^2,
x+ = (1 - lr w) x - lr m^/(sqrt(v^) + eps), both averages corrected by 1 - beta^steps: PyTorch's
AdamW, whose w is 0.01 unless it is told otherwise; here decay is left out unless asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import jax

from sims.optimizers._averages import averaged, corrected, decayed, preconditioned
from sims.optimizers._fields import SHARE, check
from theory.core import Oracle
from theory.problems._oracle import namespace


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class AdamW:
    """The state is (steps taken, m, v); w is `weight_decay`."""

    needs_coordinates: ClassVar[bool] = True

    lr: Any = 0.03
    beta1: Any = field(default=0.9, metadata=SHARE | {"reference": "betas[0]"})
    beta2: Any = field(default=0.999, metadata=SHARE | {"reference": "betas[1]"})
    eps: Any = 1e-8
    weight_decay: Any = None

    def __post_init__(self) -> None:
        check(self)

    def init(self, x: Any) -> Any:
        return 0, 0.0 * x, 0.0 * x

    def step(self, oracle: Oracle, x: Any, state: Any) -> tuple[Any, Any]:
        t, average, squares = state
        gradient = oracle.grad(x)
        average = averaged(average, gradient, self.beta1)
        squares = averaged(squares, gradient * gradient, self.beta2)
        root = namespace(squares).sqrt(corrected(squares, self.beta2, t + 1))
        direction = preconditioned(corrected(average, self.beta1, t + 1), root + self.eps)
        x = decayed(x, self.lr, self.weight_decay) - self.lr * direction
        return x, (t + 1, average, squares)

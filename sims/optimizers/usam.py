"""USAM climbs by rho g instead of a fixed length, which makes it linear on a quadratic.

x+ = x - eta g_S(x + rho g_S(x)) with shared ascent; with per-sample ascent every sample climbs
along its own gradient, x+ = x - eta mean_{i in S} g_i(x + rho g_i(x)) (m-SAM with m = 1). On a
quadratic the step matrices are I - eta(H_S + rho H_S^2) and I - eta mean(H_i + rho H_i^2)
(Andriushchenko & Flammarion 2022).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax

from sims.optimizers._ascent import unnormalised_ascent
from sims.optimizers._descent import descend, empty_buffer
from sims.optimizers._fields import check, choice
from theory.core import Oracle


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class USAM:
    """Unnormalised sharpness-aware minimization on top of SGD; the state is the momentum buffer."""

    lr: Any = 0.1
    rho: Any = 0.05
    momentum: Any = None
    weight_decay: Any = None
    ascent: str = choice("shared", "per-sample")

    def __post_init__(self) -> None:
        check(self)

    def init(self, x: Any) -> Any:
        return empty_buffer(x, self.momentum)

    def step(self, oracle: Oracle, x: Any, state: Any) -> tuple[Any, Any]:
        def above(one: Oracle) -> Any:
            return one.grad(unnormalised_ascent(x, one.grad(x), self.rho))

        return descend(
            x,
            above(oracle) if self.ascent == "shared" else oracle.each(above),
            state,
            lr=self.lr,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
        )

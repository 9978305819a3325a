"""m-SAM climbs for each group of m samples apart, along the group's own mean gradient.

x+ = x - eta mean over groups G of g_G(x + rho g_G(x)/||g_G(x)||): the batch, in the order drawn, is
cut into groups of m consecutive samples (Foret et al. 2021; m = 1: Andriushchenko & Flammarion
2022). With m = B it is SAM. Momentum and decay act as SAM's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import jax

from sims.optimizers._ascent import normalised_ascent, unnormalised_ascent
from sims.optimizers._descent import descend, empty_buffer
from sims.optimizers._fields import check, choice
from theory.core import Oracle
from theory.doors import whole


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class MSAM:
    """The state is the momentum buffer. Raises `InputError` on batches m does not divide.

    Without `normalised` each group climbs by rho g_G(x); m = 1 is then per-sample USAM.
    """

    lr: Any = 0.1
    rho: Any = 0.05
    momentum: Any = None
    weight_decay: Any = None
    m: int = field(default=1, metadata={"static": True})  # a shape: the groups are an axis
    normalised: bool = choice(True, False)

    def __post_init__(self) -> None:
        whole(self.m, "m")
        check(self)

    def init(self, x: Any) -> Any:
        return empty_buffer(x, self.momentum)

    def step(self, oracle: Oracle, x: Any, state: Any) -> tuple[Any, Any]:
        def above(group: Oracle) -> Any:
            gradient = group.grad(x)
            if self.normalised:
                return group.grad(normalised_ascent(group, x, gradient, self.rho))
            return group.grad(unnormalised_ascent(x, gradient, self.rho))

        return descend(
            x,
            oracle.each(above, self.m),
            state,
            lr=self.lr,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
        )

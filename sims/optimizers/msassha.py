"""M-Sassha climbs along the gradients of the past, which saves Sassha's second gradient.

It is Sassha with v = x + rho m/(||m|| + 1e-12), m the average of gradients before this step, so the
first step does not climb; everything else is as `sims.optimizers.sassha` says (Shin, Lee, Chung &
Lee 2025). This is the climb the paper describes: the released msassha.py moves to
x - rho m/||m||, the descent side, and its constructor fails.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax

from sims.optimizers._ascent import normalised_ascent
from sims.optimizers._sharpness import SharpnessAware
from theory.core import Oracle


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class MSassha(SharpnessAware):
    """The state is (steps taken, m, D), as Sassha's."""

    def climbed(self, oracle: Oracle, x: Any, average: Any) -> Any:
        return normalised_ascent(oracle, x, average, self.rho)

"""What Sassha and M-Sassha share: everything but where the climb goes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sims.optimizers._averages import averaged, corrected, decayed, preconditioned
from sims.optimizers._curvature import Curvature
from sims.optimizers._fields import SHARE, choice
from theory.core import Oracle
from theory.problems._oracle import namespace


@dataclass(frozen=True)
class SharpnessAware(Curvature):
    """Gradient and Hessian diagonal are taken where a climb ends; see `sims.optimizers.sassha`.

    The state is (t, average of gradients, average of diagonals), both averages (d,).
    """

    lr: Any = 0.03
    rho: Any = 0.05
    beta1: Any = field(default=0.9, metadata=SHARE | {"reference": "betas[0]"})
    beta2: Any = field(default=0.999, metadata=SHARE | {"reference": "betas[1]"})
    eps: Any = 1e-4
    weight_decay: Any = None
    power: Any = None
    absolute: bool = choice(True, False)
    guard: str = choice("damping", "clipping")
    bias_correction: str = choice("step", "refresh", "none")

    def climbed(self, oracle: Oracle, x: Any, average: Any) -> Any:
        """Where the climb from x ends; `average` is that of the gradients before this step."""
        raise NotImplementedError

    def init(self, x: Any) -> Any:
        return 0, 0.0 * x, 0.0 * x

    def step(self, oracle: Oracle, x: Any, state: Any) -> tuple[Any, Any]:
        t, average, diagonals = state
        above = self.climbed(oracle, x, average)
        average = averaged(average, oracle.grad(above), self.beta1)
        curvature = self.refreshed(
            t, lambda: averaged(diagonals, self._curvature(oracle, above, t), self.beta2), diagonals
        )
        direction = preconditioned(
            corrected(average, self.beta1, t + 1), self._preconditioner(curvature, t)
        )
        x = decayed(x, self.lr, self.weight_decay) - self.lr * direction
        return x, (t + 1, average, curvature)

    def _curvature(self, oracle: Oracle, above: Any, t: Any) -> Any:
        found = self.estimate(oracle, above, t)
        return abs(found) if self.absolute else found

    def _preconditioner(self, average: Any, t: Any) -> Any:
        """(d,) from the average of the diagonals."""
        if self.bias_correction != "none":
            k = self.lazy_hessian
            steps, refreshes = t - t % k + 1, t // k + 1
            seen = steps if self.bias_correction == "step" else refreshes
            average = corrected(average, self.beta2, seen)
        xp = namespace(average)
        root = xp.sqrt(abs(average)) if self.power is None else abs(average) ** self.power
        if not self.absolute:
            root = xp.sign(average) * root
        return root + self.eps if self.guard == "damping" else xp.maximum(root, self.eps)

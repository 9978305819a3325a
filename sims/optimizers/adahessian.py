"""AdaHessian is Adam with the Hessian's diagonal in place of the gradient (Yao et al. 2021).

m+ = beta1 m + (1 - beta1) g_S(x), D+ = beta2 D + (1 - beta2) h^2 with h the mean of z * (H_S z)
over probes, x+ = (1 - lr w) x - lr m^/(sqrt(D^) + eps), both averages corrected by 1 - beta^steps.
With `lazy_hessian` = k > 1, h is found every k steps and averaged in again at each step between, as
public implementations do. Hessian power 1; nothing is averaged over neighbouring parameters, which
the paper does for convolutions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import jax

from sims.optimizers._averages import averaged, corrected, decayed, preconditioned
from sims.optimizers._curvature import Curvature
from sims.optimizers._fields import COUNT, SHARE
from theory.core import Oracle
from theory.problems._oracle import namespace


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class AdaHessian(Curvature):
    """The state is (steps taken, m, D, the last h^2); w is `weight_decay`."""

    lazy_hessian: Any = field(default=1, metadata=COUNT)
    lr: Any = 0.05
    beta1: Any = field(default=0.9, metadata=SHARE | {"reference": "betas[0]"})
    beta2: Any = field(default=0.999, metadata=SHARE | {"reference": "betas[1]"})
    eps: Any = 1e-4
    weight_decay: Any = None

    def init(self, x: Any) -> Any:
        return 0, 0.0 * x, 0.0 * x, 0.0 * x

    def step(self, oracle: Oracle, x: Any, state: Any) -> tuple[Any, Any]:
        t, average, squares, last = state
        last = self.refreshed(t, lambda: self.estimate(oracle, x, t) ** 2, last)
        average = averaged(average, oracle.grad(x), self.beta1)
        squares = averaged(squares, last, self.beta2)
        root = namespace(squares).sqrt(corrected(squares, self.beta2, t + 1))
        direction = preconditioned(corrected(average, self.beta1, t + 1), root + self.eps)
        x = decayed(x, self.lr, self.weight_decay) - self.lr * direction
        return x, (t + 1, average, squares, last)

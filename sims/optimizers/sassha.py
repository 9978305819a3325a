"""Sassha divides SAM's gradient by the root of the curvature found at the same climbed point.

With v = x + rho g_S(x)/(||g_S(x)|| + 1e-12): m+ = beta1 m + (1 - beta1) g_S(v); every k steps, from
the first on, D+ = beta2 D + (1 - beta2) |diagonal of H_S(v)|, estimated by probes;
x+ = (1 - lr w) x - lr m^/(sqrt(D^) + eps), hats for bias corrections (Shin, Lee, Chung & Lee 2025).
The absolute value is taken of the mean over the probes of one refresh.

Where paper, released code and ablations differ, a field decides:
- `bias_correction`: m is divided by 1 - beta1^steps in any case. D is divided by 1 - beta2^steps,
  steps as counted at the last refresh ("step", the released code), by 1 - beta2^refreshes
  ("refresh") or by nothing ("none", the released language-model loop).
- `power`: D^power in place of the root; None is 1/2.
- `absolute`: without it D keeps the diagonal's sign, and so does its root: sign(D) |D|^power.
- `guard`: "damping" adds eps, "clipping" makes it the least value allowed. With power = 1 these are
  what the paper compares the root with.
- `normalised`: otherwise the climb is rho g_S(x).
- `diagonal`, `probe`, `n_samples`: "exact", or the mean over "rademacher" or "gaussian" probes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax

from sims.optimizers._ascent import normalised_ascent, unnormalised_ascent
from sims.optimizers._fields import choice
from sims.optimizers._sharpness import SharpnessAware
from theory.core import Oracle


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Sassha(SharpnessAware):
    """The state is (steps taken, m, D); k is `lazy_hessian`, w `weight_decay`."""

    normalised: bool = choice(True, False)

    def climbed(self, oracle: Oracle, x: Any, average: Any) -> Any:
        gradient = oracle.grad(x)
        if self.normalised:
            return normalised_ascent(oracle, x, gradient, self.rho)
        return unnormalised_ascent(x, gradient, self.rho)

r"""A number is written as a product: $f(u, v) = (u v - 1)^2 / 2$, the smallest curved valley.

The minima are a curve. Where they lie on it, measured by $Q = u^2 - v^2$, decides how sharp they
are: the Hessian's largest eigenvalue there is $u^2 + v^2 = \sqrt{Q^2 + 4}$.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from theory.core import Probes
from theory.doors import normalised, number, real, whole
from theory.problems import _data
from theory.problems._oracle import Minibatch, minibatch, namespace


@dataclass(frozen=True)
class Factorization:
    """f_i(u, v) = (u v - t_i)^2 / 2 with `targets` (n,), drawn by `weights` (n,); x = (u, v).

    `scale` is the standard deviation of a random start. Nothing is checked here, because JAX
    rebuilds this class from tracers; people come in through `factorization`.
    """

    targets: Any
    weights: Any
    scale: Any = 1.0

    @property
    def dimension(self) -> int:
        """2."""
        return 2

    @property
    def samples(self) -> tuple[Any, ...]:
        """A target is all a sample is."""
        return (self.targets,)

    def losses(self, x: Any, targets: Any) -> Any:
        """(B,), (u v - t)^2 / 2."""
        return (x[0] * x[1] - targets) ** 2 / 2

    def gradient(self, x: Any, shares: Any, targets: Any) -> Any:
        """r (v, u) with r the mean residual."""
        return shares @ (x[0] * x[1] - targets) * namespace(x).stack([x[1], x[0]])

    def oracle(self, batch: Any = None, probes: Probes | None = None) -> Minibatch:
        """The mean loss over the indices `batch` (B,); None: the weighted mean."""
        return minibatch(self, batch, probes)

    def start(self, rng: np.random.Generator) -> np.ndarray:
        """u and v from N(0, scale^2)."""
        return self.scale * rng.normal(size=2)


def factorization(targets: Any = (1.0,), weights: Any = None, scale: Any = 1.0) -> Factorization:
    """A checked `Factorization` of `targets` (n,), by default of the number 1.

    `weights` (n,) are positive, need not sum to one and default to equal ones. Raises `InputError`.
    """
    t = real(targets, "targets", "a real array (n,), not empty", 1)
    return Factorization(t, normalised(weights, len(t)), number(scale, "scale"))


def generate(
    *, seed: int = 0, n: int = 1, noise: float = 0.0, scale: float = 1.0, weights: Any = None
) -> Factorization:
    """n samples with targets 1 + noise N(0, 1); without noise they are all alike.

    Raises `InputError` naming the setting.
    """
    ones = np.ones(whole(n, "n"))
    targets = _data.blurred(ones, noise, 0, _data.stream(seed, "noise"))
    return factorization(targets, weights, scale)

r"""A two-layer network fits targets with $f(x) = a \cdot \tanh(W x)$, the smallest deep problem.

The loss is the mean of $(f - y)^2 / 2$. Its gradients are written out: with $h = \tanh(W x)$ and
$r = a \cdot h - y$ they are $r h$ for $a$ and $r\,(a \circ (1 - h^2))\, x'$ for $W$. Unlike near a
minimum, the Hessians of the samples change along the way.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from theory.core import InputError, Probes
from theory.problems._doors import normalised, real, whole
from theory.problems._oracle import Minibatch, minibatch, namespace


@dataclass(frozen=True)
class TwoLayer:
    """f(x) = a . tanh(W x) on `inputs` (n, d_in) and `targets` (n,), drawn by `weights` (n,).

    The parameters are one vector: W (width, d_in) row by row, then a (width,). Nothing is checked
    here, because JAX rebuilds this class from tracers; people come in through `two_layer`.
    """

    inputs: Any
    targets: Any
    weights: Any
    width: int = field(metadata={"static": True})  # a shape: no array of the data knows it

    @property
    def dimension(self) -> int:
        """width (d_in + 1), the length of the parameter vector."""
        return self.width * (self.inputs.shape[-1] + 1)

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """W, then a."""
        return [(self.width, self.inputs.shape[-1]), (self.width,)]

    @property
    def samples(self) -> tuple[Any, ...]:
        return self.inputs, self.targets

    def losses(self, x: Any, inputs: Any, targets: Any) -> Any:
        """(B,), (f - y)^2 / 2."""
        return self._forward(x, inputs, targets)[2] ** 2 / 2

    def gradient(self, x: Any, shares: Any, inputs: Any, targets: Any) -> Any:
        a, hidden, residuals = self._forward(x, inputs, targets)
        pulls = shares * residuals
        into_hidden = pulls[:, None] * (1 - hidden**2) * a  # (B, width)
        xp = namespace(into_hidden)
        return xp.concatenate([(into_hidden.T @ inputs).ravel(), pulls @ hidden])

    def oracle(self, batch: Any = None, probes: Probes | None = None) -> Minibatch:
        """The mean loss over the indices `batch` (B,); None: the weighted mean."""
        return minibatch(self, batch, probes)

    def _forward(self, x: Any, inputs: Any, targets: Any) -> tuple[Any, Any, Any]:
        """a (width,), what the hidden units say (B, width), and the residuals f - y (B,)."""
        xp = namespace(x, inputs, targets)
        W, a = x[: -self.width].reshape(self.width, -1), x[-self.width :]
        hidden = xp.tanh(inputs @ W.T)
        return a, hidden, hidden @ a - targets


def two_layer(inputs: Any, targets: Any, width: int, weights: Any = None) -> TwoLayer:
    """A checked `TwoLayer` with `width` hidden units on `inputs` (n, d_in) and `targets` (n,).

    `weights` (n,) are positive, need not sum to one and default to equal ones. Raises `InputError`.
    """
    X = real(inputs, "inputs", "a real array (n, d_in), no axis empty", 2)
    y = real(targets, "targets", "a real array (n,), not empty", 1)
    if len(y) != len(X):
        raise InputError("targets", f"shape {y.shape}", f"({len(X)},), one target per input")
    return TwoLayer(X, y, normalised(weights, len(X)), whole(width, "width"))

r"""A two-layer network fits targets with $f(x) = a \cdot \tanh(W x)$, the smallest deep problem.

The loss is the mean of $(f - y)^2 / 2$. Its gradients are written out: with $h = \tanh(W x)$ and
$r = a \cdot h - y$ they are $r h$ for $a$ and $r\,(a \circ (1 - h^2))\, x'$ for $W$. Unlike near a
minimum, the Hessians of the samples change along the way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from theory.core import InputError
from theory.problems.quadratic import _namespace, _normalised, _real


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

    def oracle(self, batch: Any = None) -> TwoLayerOracle:
        """The plain mean loss over the indices `batch` (B,), repeats counted; None: weighted mean.

        Inside a batch all samples count alike, because weights act by how often one is drawn.
        """
        if batch is None:
            return TwoLayerOracle(self.inputs, self.targets, self.weights, self.width)
        xp = _namespace(self.inputs, self.targets, batch)
        rows = xp.asarray(batch)
        inputs, targets = xp.asarray(self.inputs)[rows], xp.asarray(self.targets)[rows]
        return TwoLayerOracle(inputs, targets, xp.full(len(rows), 1 / len(rows)), self.width)


@dataclass(frozen=True)
class TwoLayerOracle:
    """One minibatch: `inputs` (B, d_in), `targets` (B,), and `shares` (B,) that sum to one."""

    inputs: Any
    targets: Any
    shares: Any
    width: int

    def loss(self, x: Any) -> Any:
        _, _, residuals = self._forward(x)
        return self.shares @ residuals**2 / 2

    def grad(self, x: Any) -> Any:
        a, hidden, residuals = self._forward(x)
        pulls = self.shares * residuals
        into_hidden = pulls[:, None] * (1 - hidden**2) * a  # (B, width)
        xp = _namespace(into_hidden)
        return xp.concatenate([(into_hidden.T @ self.inputs).ravel(), pulls @ hidden])

    def norm(self, v: Any) -> Any:
        return (v @ v) ** 0.5

    def each(self, f: Callable[[TwoLayerOracle], Any]) -> Any:
        """The mean of f, an array-valued function, over the one-sample oracles of this batch."""
        xp = _namespace(self.inputs, self.targets)

        def one(row: Any, target: Any) -> Any:
            return f(TwoLayerOracle(row[None], target[None], xp.ones(1), self.width))

        if xp is np:  # f may still return tracers, where only the data are numpy's
            triples = zip(self.shares, self.inputs, self.targets, strict=True)
            return sum((share * one(row, target) for share, row, target in triples), 0.0)
        import jax  # one traced body whatever the batch size: a Python loop would be unrolled

        return xp.tensordot(self.shares, jax.vmap(one)(self.inputs, self.targets), 1)

    def _forward(self, x: Any) -> tuple[Any, Any, Any]:
        """a (width,), what the hidden units say (B, width), and the residuals f - y (B,)."""
        xp = _namespace(x, self.inputs, self.targets)
        W, a = x[: -self.width].reshape(self.width, -1), x[-self.width :]
        hidden = xp.tanh(self.inputs @ W.T)
        return a, hidden, hidden @ a - self.targets


def two_layer(inputs: Any, targets: Any, width: int, weights: Any = None) -> TwoLayer:
    """A checked `TwoLayer` with `width` hidden units on `inputs` (n, d_in) and `targets` (n,).

    `weights` (n,) are positive, need not sum to one and default to equal ones. Raises `InputError`.
    """
    X = _real(inputs, "inputs", "a real array (n, d_in), no axis empty", 2)
    y = _real(targets, "targets", "a real array (n,), not empty", 1)
    if len(y) != len(X):
        raise InputError("targets", f"shape {y.shape}", f"({len(X)},), one target per input")
    if not isinstance(width, int | np.integer) or isinstance(width, bool) or width < 1:
        raise InputError("width", repr(width), "an integer, at least 1")
    return TwoLayer(X, y, _normalised(weights, len(X)), int(width))

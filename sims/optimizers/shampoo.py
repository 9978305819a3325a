"""Shampoo has a matrix preconditioner for each axis of each tensor (Gupta, Koren & Singer 2018).

For a matrix with gradient G: L+ = L + G G', R+ = R + G'G, starting from eps I, and
W+ = W - lr L^{-1/4} G R^{-1/4}. A tensor with k axes has k such matrices, each to the power -1/(2k):
that of a vector is g g' summed up, to the power -1/2 (full-matrix AdaGrad), as the paper's general
form has it. With momentum, b+ = momentum b + G is preconditioned in place of G, as the authors'
TensorFlow code does; L and R see G. Decay is decoupled, x <- (1 - lr w) x.

`power` is 1/2 above: each matrix is taken to -power/k. The code P2 compares against is another
algorithm: it takes power = 1, and its momentum averages gradients with steps already taken.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import jax
import numpy as np

from sims.optimizers._averages import decayed
from sims.optimizers._descent import empty_buffer
from theory.core import InputError, Oracle
from theory.problems._oracle import namespace


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Shampoo:
    """The state is (momentum buffer, one list a tensor with the summed (n, n) matrix of each axis).

    `shapes` are those of the parameter tensors, which `sims.optimizers._tensors.fitted` fills in;
    None: x is one vector. The step raises `InputError` where the problem has other tensors.
    """

    needs_coordinates: ClassVar[bool] = True

    lr: Any = 0.2
    momentum: Any = None
    eps: Any = 1e-4
    power: Any = 0.5
    weight_decay: Any = None
    shapes: Any = field(default=None, metadata={"static": True})

    def init(self, x: Any) -> Any:
        shapes = ((len(x),),) if self.shapes is None else self.shapes
        xp = namespace(x)
        return empty_buffer(x, self.momentum), [[xp.zeros((n, n)) for n in s] for s in shapes]

    def step(self, oracle: Oracle, x: Any, state: Any) -> tuple[Any, Any]:
        buffer, sums = state
        gradient = oracle.grad(x)
        tensors = oracle.tensors(gradient)
        _check_shapes(tensors, sums)
        sums = [
            [old + _gram(G, axis) for axis, old in enumerate(olds)]
            for G, olds in zip(tensors, sums, strict=True)
        ]
        if self.momentum is not None:
            buffer = self.momentum * buffer + gradient
            tensors = oracle.tensors(buffer)
        steps = [self._preconditioned(G, own) for G, own in zip(tensors, sums, strict=True)]
        x = decayed(x, self.lr, self.weight_decay) - self.lr * oracle.ravel(steps)
        return x, (buffer, sums)

    def _preconditioned(self, G: Any, sums: list[Any]) -> Any:
        xp = namespace(G)
        for axis, total in enumerate(sums):
            root = _power(total, self.eps, -self.power / len(sums))
            G = xp.moveaxis(xp.tensordot(root, G, axes=(1, axis)), 0, axis)
        return G


def _gram(G: Any, axis: int) -> Any:
    """(n, n), the products of the slices of G along an axis of length n."""
    rows = namespace(G).moveaxis(G, axis, 0).reshape(G.shape[axis], -1)
    return rows @ rows.T


def _power(total: Any, eps: Any, power: Any) -> Any:
    """(total + eps I)^power of a PSD matrix; with eps = 0, zero where no gradient has been."""
    xp = namespace(total)
    values, vectors = xp.linalg.eigh(total)
    values = values + eps
    positive = values > 0  # what rounding alone has made negative is zero as well
    powers = xp.where(positive, xp.where(positive, values, 1.0) ** power, 0.0)
    return (vectors * powers) @ vectors.T


def _check_shapes(tensors: list[Any], sums: list[Any]) -> None:
    found, kept = [np.shape(G) for G in tensors], [tuple(map(len, own)) for own in sums]
    if found != kept:
        raise InputError("shapes", kept, f"the problem's: {found}")

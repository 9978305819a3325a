"""optax: `update` twice a step (alternating), or once with grad_fn (closure).

Those are the two modes of optax.contrib.sam. jax is whatever the user's module has loaded.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from proofs_check.conform.gradients import Minibatch
from proofs_check.conform.load import guarded, make
from proofs_check.conform.tensors import Shapes, join, split
from theory.core import InputError


@dataclass(frozen=True)
class Optax:
    """A factory of optax transformations."""

    factory: Callable[[Any, float], Any]
    protocol: str
    library: str = "optax"

    def start(self, lr: Any, rho: float, x: np.ndarray, shapes: Shapes) -> Run:
        """A run from x (d,)."""
        return Run(make(self.factory, lr, rho), self.protocol, x, shapes)

    def doubling(self, lr: float, rho: float, x: np.ndarray, shapes: Shapes) -> Run:
        """lr as an optax schedule, a function of the step count."""
        return self.start(lambda count: lr * 2.0**count, rho, x, shapes)


class Run:
    """One run of a transformation; the tensors are a dictionary's, named a, b, ..."""

    def __init__(self, made: Any, protocol: str, x: np.ndarray, shapes: Shapes) -> None:
        self.jax = sys.modules["jax"]
        if protocol == "closure" and not _takes_grad_fn(made):
            raise InputError("--protocol", protocol, "alternating: its update takes no grad_fn")
        self.made, self.protocol, self.shapes, self.x = made, protocol, shapes, x.astype(np.float64)
        with guarded("init"):
            self.state = made.init(self._tree(self.x))

    def step(self, batch: Minibatch) -> None:
        """One call of `update`, or two, each with the gradient where the parameters stand."""
        self.batch = batch
        how = {"grad_fn": self._answer} if self.protocol == "closure" else {}
        for _ in range(1 if how else 2):
            params, told = self._tree(self.x), self._tree(batch(self.x))
            with guarded("update"):
                updates, self.state = self.made.update(told, self.state, params, **how)
                moved = self.jax.tree.map(lambda p, u: p + u, params, updates)
            self.x = join(list(moved.values()))

    def counters(self) -> list[int]:
        """Whole numbers anywhere in the state."""
        jnp = self.jax.numpy
        leaves = [jnp.asarray(leaf) for leaf in self.jax.tree.leaves(self.state)]
        whole = [jnp.issubdtype(leaf.dtype, jnp.integer) for leaf in leaves]
        return [int(n) for n, ok in zip(leaves, whole, strict=True) if ok and n.shape == ()]

    def _tree(self, x: np.ndarray) -> Any:
        asarray = self.jax.numpy.asarray
        return {chr(97 + i): asarray(part) for i, part in enumerate(split(x, self.shapes))}

    def _answer(self, tree: Any, *_: Any, **__: Any) -> Any:
        """grad_fn; it may be compiled, and is one object for a whole run, so it is compiled once."""

        def host(tree: Any) -> Any:
            found = split(self.batch(join(list(tree.values()))), self.shapes)
            return dict(zip(tree, found, strict=True))

        if any(isinstance(leaf, self.jax.core.Tracer) for leaf in self.jax.tree.leaves(tree)):
            return self.jax.pure_callback(host, tree, tree)
        return self.jax.tree.map(self.jax.numpy.asarray, host(tree))


def offered(made: Any) -> str:
    """closure if `update` takes grad_fn and calls it, otherwise alternating."""
    if not _takes_grad_fn(made):
        return "alternating"
    run, batch = Run(made, "closure", np.ones(2), [(2,)]), Minibatch([lambda x: x])
    run.step(batch)
    return "closure" if len(batch.points) > 1 else "alternating"


def _takes_grad_fn(made: Any) -> bool:
    with guarded("update"):
        parameters = inspect.signature(made.update).parameters.values()
    return any(p.name == "grad_fn" or p.kind is p.VAR_KEYWORD for p in parameters)

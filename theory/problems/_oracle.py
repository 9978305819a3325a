"""What the oracles of all problems share: one minibatch, seen through the samples in it.

A problem that derives from nothing offers `samples`, a tuple of arrays whose first axis counts the
samples, and `losses(x, *samples)`, the loss of each. The rest follows: gradients and Hessian
products by automatic differentiation unless the problem writes its own `gradient`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import numpy as np

from theory.core import InputError, Probes


@dataclass(frozen=True)
class Minibatch:
    """`samples`, arrays (B, ...), with `shares` (B,) that sum to one; implements `core.Oracle`."""

    problem: Any
    samples: tuple[Any, ...]
    shares: Any
    probes: Probes | None = None

    def loss(self, x: Any) -> Any:
        return self.shares @ self.problem.losses(x, *self.samples)

    def grad(self, x: Any) -> Any:
        own = getattr(self.problem, "gradient", None)
        if own is not None:
            return own(x, self.shares, *self.samples)
        import jax

        return _like(x, jax.grad(self.loss)(x))

    def hvp(self, x: Any, v: Any) -> Any:
        import jax
        import jax.numpy as jnp

        # Differentiate the traced gradient, whatever kind of arrays were handed in.
        return _like(x, jax.jvp(self.grad, (jnp.asarray(x),), (jnp.asarray(v),))[1])

    def norm(self, v: Any) -> Any:
        return (v @ v) ** 0.5

    def each(self, f: Callable[[Any], Any], size: int = 1) -> Any:
        """The mean of f, an array-valued function, over groups of `size` consecutive samples."""
        groups = _groups(len(self.shares), size)
        xp = namespace(*self.samples)
        parts = tuple(a.reshape(groups, size, *a.shape[1:]) for a in self.samples)
        shares = self.shares.reshape(groups, size)
        heights = shares.sum(1)

        def one(share: Any, part: tuple[Any, ...]) -> Any:
            return f(replace(self, samples=part, shares=share / share.sum()))

        if xp is np:  # f may still return tracers, where only the data are numpy's
            return sum(
                (h * one(shares[g], tuple(a[g] for a in parts)) for g, h in enumerate(heights)), 0.0
            )
        import jax  # one traced body whatever the batch size: a Python loop would be unrolled

        shares, heights = xp.asarray(shares), xp.asarray(heights)
        return xp.tensordot(heights, jax.vmap(one)(shares, parts), 1)

    def probe(self, t: Any, j: Any, kind: str = "rademacher") -> Any:
        if self.probes is None:
            raise InputError("probes", "none", "a source of random probes for this oracle")
        return self.probes(t, j, kind)

    def tensors(self, x: Any) -> list[Any]:
        shapes = getattr(self.problem, "shapes", None) or [x.shape]
        ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
        starts = [0, *ends[:-1]]
        return [x[a:b].reshape(s) for a, b, s in zip(starts, ends, shapes, strict=True)]

    def ravel(self, tensors: list[Any]) -> Any:
        x = namespace(*tensors).concatenate([tensor.reshape(-1) for tensor in tensors])
        # An optimizer that mixes the entries of a tensor (Shampoo) would wake masked weights.
        free = getattr(self.problem, "free", None)
        return x if free is None else x * free


def minibatch(problem: Any, batch: Any, probes: Probes | None) -> Minibatch:
    """The plain mean loss over the indices `batch` (B,), repeats counted; None: the problem's mean.

    Sampling weights act by how often an index is drawn, so inside a batch all samples count alike;
    the full batch (None) is drawn with certainty and carries the weights.
    """
    if batch is None:
        return Minibatch(problem, problem.samples, problem.weights, probes)
    xp = namespace(*problem.samples, batch)
    rows = xp.asarray(batch)
    samples = tuple(xp.asarray(a)[rows] for a in problem.samples)
    return Minibatch(problem, samples, xp.full(len(rows), 1 / len(rows)), probes)


def _groups(count: int, size: int) -> int:
    if size < 1 or count % size:
        raise InputError("size", size, f"a divisor of the batch size {count}")
    return count // size


def namespace(*arrays: Any) -> ModuleType:
    """jax.numpy as soon as one array is JAX's (a tracer included), otherwise numpy."""
    for array in arrays:
        if not isinstance(array, np.ndarray) and hasattr(array, "__array_namespace__"):
            return array.__array_namespace__()
    return np


def _like(x: Any, found: Any) -> Any:
    """NumPy in, NumPy out, unless something else is being traced."""
    from jax.core import Tracer

    plain = isinstance(x, np.ndarray) and not isinstance(found, Tracer)
    return np.asarray(found) if plain else found

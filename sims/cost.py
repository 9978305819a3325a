"""What a run costs, counted by letting the optimizer's own step ask a stand-in.

The units do not depend on the machine: one gradient of one sample, and one product of one sample's
Hessian with a vector. Losses are not counted, nor is arithmetic on vectors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np
from jax.core import Tracer

from sims._draw import whole
from sims.optimizers._tensors import fitted
from theory.core import InputError, Optimizer, Problem


@dataclass(frozen=True)
class Cost:
    """Gradients and Hessian-vector products, of single samples."""

    gradients: int
    hessian_products: int


def cost(optimizer: Optimizer, problem: Problem, steps: int, batch: int | None = 1) -> Cost:
    """The cost of `steps` steps with `batch` samples each; None is the full batch of `problem`.

    Exact, lazy refreshes included: every step is taken. Where samples are grouped, each still
    counts once, so per-sample ascent costs what shared ascent does. Raises `InputError` on a batch
    that the optimizer cannot group, `TypeError` where it traces its questions (inside `vmap`, say),
    which could not be counted.
    """
    whole("steps", steps, 0)
    size = whole("batch", len(problem.weights) if batch is None else batch, 1)
    oracle = _Counting(size, getattr(problem, "shapes", None) or [(problem.dimension,)])
    x, optimizer = np.ones(problem.dimension), fitted(optimizer, problem)
    state = optimizer.init(x)
    # Without compilation a branch or a loop of jax.lax runs as Python does: what is not taken is
    # not counted. The stand-in's numbers mean nothing, so they may overflow.
    with jax.disable_jit(), np.errstate(all="ignore"):
        for _ in range(steps):
            x, state = optimizer.step(oracle, x, state)
    return Cost(oracle.asked["grad"], oracle.asked["hvp"])


@dataclass
class _Counting:
    """A `theory.core.Oracle` of a linear loss on `batch` samples, which counts what it is asked.

    Its gradient is constant, so that no learning rate makes it overflow. Parameters have the
    problem's `shapes`: an exact diagonal, say, costs a product for each of them.
    """

    batch: int
    shapes: list[tuple[int, ...]]
    asked: dict[str, int] = field(default_factory=lambda: {"grad": 0, "hvp": 0})

    def loss(self, x: Any) -> Any:
        return x.sum()

    def grad(self, x: Any) -> Any:
        self._count("grad", x)
        return np.ones(x.shape)

    def hvp(self, x: Any, v: Any) -> Any:
        self._count("hvp", x, v)
        return 1.0 * v

    def norm(self, v: Any) -> Any:
        return (v @ v) ** 0.5

    def each(self, f: Callable[[Any], Any], size: int = 1) -> Any:
        """One call stands for all groups: together they hold every sample of the batch once."""
        if size < 1 or self.batch % size:
            raise InputError("size", size, f"a divisor of the batch size {self.batch}")
        return f(self)

    def probe(self, t: Any, j: Any, kind: str = "rademacher") -> Any:
        return np.ones(sum(int(np.prod(shape)) for shape in self.shapes))

    def tensors(self, x: Any) -> list[Any]:
        ends = np.cumsum([int(np.prod(shape)) for shape in self.shapes])[:-1]
        return [a.reshape(s) for a, s in zip(np.split(x, ends), self.shapes, strict=True)]

    def ravel(self, tensors: list[Any]) -> Any:
        return np.concatenate([np.asarray(tensor).reshape(-1) for tensor in tensors])

    def _count(self, what: str, *vectors: Any) -> None:
        if any(isinstance(v, Tracer) for v in vectors):
            raise TypeError(f"{what}: asked with a traced vector; allowed: plain arrays")
        self.asked[what] += self.batch

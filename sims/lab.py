"""Runs a named optimizer on a problem: many seeds at once, or every index sequence there is.

Runs go through one compiled program in blocks of 64. A block's arithmetic does not depend on how
many blocks there are, so a run's numbers depend on its own seed and index alone (on one machine and
one jaxlib). Data, start, hyperparameters and indices are traced: a grid compiles once.
"""

from __future__ import annotations

import difflib
import itertools
import math
from dataclasses import MISSING, dataclass, fields
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from sims._draw import checked_indices, drawn_indices, whole
from sims.optimizers._tensors import fitted
from theory import catalogue
from theory.core import InputError, Optimizer, Problem

OPTIMIZERS = "sims.optimizers"
BLOCK = 64  # a vmap of 256 or more changes the last bits of trajectories with a norm in them
MOST_SEQUENCES = 200_000


@dataclass(frozen=True)
class Run:
    """What happened: iterates, the full weighted mean loss at each, and the samples drawn.

    `x` (runs, steps+1, d), `loss` (runs, steps+1), `indices` (runs, steps, B) or None where every
    step saw the full batch.
    """

    x: np.ndarray
    loss: np.ndarray
    indices: np.ndarray | None


@dataclass(frozen=True)
class Enumerated:
    """E||x_t||^2 and E f(x_t), both (steps+1,), over all index sequences: exact up to rounding."""

    second_moment: np.ndarray
    loss: np.ndarray
    sequences: int


class Lab:
    """Implements `theory.core.Lab`; optimizers are named by their key, or passed as objects.

    A problem is a `theory.core.Problem`, a dataclass, that also knows its sampling `weights` (n,)
    and its `dimension`, and whose `oracle(None)` is the weighted mean loss.
    """

    def run(
        self,
        problem: Any,
        optimizer: str | Optimizer,
        /,
        *,
        x0: Any,
        steps: int | None = None,
        indices: Any = None,
        seed: int = 0,
        runs: int = 1,
        batch: int | None = 1,
        sampling: str = "with",
        **hyper: Any,
    ) -> Run:
        """`runs` trajectories from `x0` (d,), or (runs, d) for a start each.

        Batches of `batch` samples are drawn by the problem's weights, with or without replacement;
        run r draws from fold_in(key(seed), r). `indices` (runs, steps, B) replaces the drawing.
        batch=None feeds the full weighted mean loss at every step. Raises `InputError`.
        """
        chosen = fitted(build(optimizer, **hyper), problem)
        weights = np.asarray(problem.weights)
        if indices is not None:
            indices = checked_indices(indices, steps, len(weights))
            runs, steps = indices.shape[:2]
        length = whole("steps", steps, 0)
        whole("runs", runs, 1)
        if indices is None and batch is not None:
            indices = drawn_indices(weights, length, seed, runs, batch, sampling)
        starts = _starts(x0, runs, problem.dimension)
        x, loss = _in_blocks(problem, chosen, starts, indices, length)
        return Run(x, loss, indices)

    def enumerate(
        self, problem: Any, optimizer: str | Optimizer, /, *, x0: Any, steps: int, **hyper: Any
    ) -> Enumerated:
        """Means over all n^steps one-sample index sequences, each run with the real optimizer.

        This replaces means over random runs, which near an edge miss the rare paths that carry
        E||x_t||^2. Raises `InputError` above 2e5 sequences.
        """
        weights = np.asarray(problem.weights)
        whole("steps", steps, 0)
        if len(weights) > 1 and steps * math.log(len(weights)) > math.log(MOST_SEQUENCES):
            found = f"{len(weights)}^{steps} sequences"
            raise InputError("steps", found, f"at most {MOST_SEQUENCES} sequences")
        words = np.array(list(itertools.product(range(len(weights)), repeat=steps)), dtype=np.int64)
        run = self.run(problem, optimizer, x0=x0, indices=words[:, :, None], **hyper)
        chances = weights[words].prod(axis=1)
        squares = (run.x**2).sum(axis=2)
        return Enumerated(chances @ squares, chances @ run.loss, len(words))


def build(optimizer: str | Optimizer, **hyper: Any) -> Optimizer:
    """The optimizer of that key with those hyperparameters; an object passes through unchanged.

    Numbers become 64-bit scalars of the default's type, so that 1 and 1.0 share one program.
    Raises `InputError` on unknown keys and names, and on values that are negative or not finite.
    """
    if not isinstance(optimizer, str):
        if hyper:
            raise InputError(min(hyper), hyper[min(hyper)], "fields set on the optimizer object")
        return optimizer
    kind = _kind(optimizer)
    known = {field.name: field for field in fields(kind)}
    for name, value in hyper.items():
        if name not in known:
            raise InputError(name, value, f"{optimizer} has {', '.join(known)}")
    values = {name: field.default for name, field in known.items() if field.default is not MISSING}
    values |= hyper
    for name, value in values.items():
        if value is not None and not known[name].metadata.get("static"):
            values[name] = _number(name, value, whole=isinstance(known[name].default, int))
    return kind(**values)


def _kind(key: str) -> Any:
    """The class of an optimizer file: the one whose name is the key, letter case apart."""
    known = catalogue.keys(OPTIMIZERS)
    if key not in known:
        near = difflib.get_close_matches(key.lower(), known, n=1, cutoff=0.0)
        hint = f"; nearest: {near[0]}" if near else ""
        raise InputError("optimizer", repr(key), f"{', '.join(known)}{hint}")
    module = catalogue.load(OPTIMIZERS, key)
    for name, value in vars(module).items():
        if name.lower() == key.replace("_", "") and isinstance(value, type):
            return value
    raise ImportError(f"{module.__name__} defines no class named {key!r}, letter case apart")


def _number(name: str, value: Any, *, whole: bool) -> Any:
    allowed = "a finite whole number, at least 0" if whole else "a finite number, at least 0"
    array = np.asarray(value)
    if array.shape != () or array.dtype.kind not in ("iu" if whole else "iuf"):
        raise InputError(name, repr(value), allowed)
    if not (np.isfinite(array) and array >= 0):
        raise InputError(name, value, allowed)
    return array.astype(np.int64 if whole else np.float64)


def _starts(x0: Any, runs: int, dimension: int) -> np.ndarray:
    """`x0` as (runs, d)."""
    allowed = f"a finite real vector of length {dimension}, or one for each of {runs} runs"
    try:
        array = np.asarray(x0)
    except ValueError:
        raise InputError("x0", "rows of different lengths", allowed) from None
    if array.dtype.kind not in "iuf" or array.shape not in ((dimension,), (runs, dimension)):
        raise InputError("x0", f"dtype {array.dtype}, shape {array.shape}", allowed)
    if not np.isfinite(array).all():
        raise InputError("x0", "an entry that is not finite", allowed)
    return np.broadcast_to(array.astype(np.float64), (runs, dimension))


def _in_blocks(
    problem: Problem, optimizer: Optimizer, starts: np.ndarray, indices: Any, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """x (runs, steps+1, d) and loss (runs, steps+1), the last block padded with its last run."""
    _register(problem)
    runs = len(starts)
    padded = np.minimum(np.arange(-(-runs // BLOCK) * BLOCK), runs - 1).reshape(-1, BLOCK)
    batches = None if indices is None else indices[padded]
    x, loss = _simulate(problem, optimizer, starts[padded], batches, steps)
    x, loss = (np.asarray(a).reshape(padded.size, *a.shape[2:])[:runs] for a in (x, loss))
    return x, loss


@partial(jax.jit, static_argnames="steps")
def _simulate(
    problem: Problem, optimizer: Optimizer, starts: jax.Array, indices: Any, steps: int
) -> tuple[jax.Array, jax.Array]:
    """(blocks, 64, steps+1, d) and (blocks, 64, steps+1) from (blocks, 64, d) and indices."""
    full = problem.oracle(None)

    def one(start: Any, batches: Any) -> tuple[Any, Any]:
        def step(carry: Any, batch: Any) -> tuple[Any, Any]:
            x, state = optimizer.step(problem.oracle(batch), *carry)
            return (x, state), (x, full.loss(x))

        first = (start, optimizer.init(start))
        _, (xs, losses) = jax.lax.scan(step, first, batches, length=steps)
        losses = jnp.concatenate([full.loss(start)[None], losses])
        return jnp.concatenate([start[None], xs]), losses

    return jax.lax.map(lambda block: jax.vmap(one)(*block), (starts, indices))


def _register(problem: Any) -> None:
    """Teach JAX to trace through a problem dataclass; the theory layer does not know JAX."""
    leaves = jax.tree_util.tree_leaves(problem)
    if len(leaves) == 1 and leaves[0] is problem:  # an unknown class is its own only leaf
        jax.tree_util.register_dataclass(type(problem))

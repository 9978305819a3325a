"""Runs a named optimizer on a problem: many seeds at once, or every index sequence there is.

Every iterate is kept, in plain coordinates: for looking closely. `sims.engine` is for many runs.
"""

from __future__ import annotations

import difflib
import itertools
import math
from dataclasses import MISSING, dataclass, fields
from typing import Any

import jax
import numpy as np

from sims import _draw
from sims._draw import checked_indices, whole
from sims.engine import Runs, Setting, Simulation
from sims.optimizers._tensors import fitted
from theory import catalogue
from theory.core import InputError, Optimizer

OPTIMIZERS = "sims.optimizers"
BLOCK = 64  # the same for one run and for thousands, so that a run's last bits are its own
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
        run r draws by (seed, r). `indices` (runs, steps, B) replaces the drawing.
        batch=None feeds the full weighted mean loss at every step. Raises `InputError`.
        """
        chosen = fitted(build(optimizer, **hyper), problem)
        if indices is not None:
            indices = checked_indices(indices, steps, len(problem.weights))
            runs, steps = indices.shape[:2]
        length, runs = whole("steps", steps, 0), whole("runs", runs, 1)
        whole("seed", seed, 0)
        record = ("x", "loss")
        setting = Setting(problem, chosen, length, 1, batch, sampling, record, "plain", BLOCK)
        simulation = Simulation(setting)
        keys = _draw.keys(seed, np.arange(runs))
        drawn = indices
        if indices is None and batch is not None:
            drawn = simulation.common.sampler.draw(np, keys[:, None], np.arange(length))
        batched = (False,) * len(jax.tree.leaves(chosen))
        starts = _starts(x0, runs, problem.dimension)
        found = simulation.run(Runs(chosen, batched, starts, keys, drawn))
        return Run(found["x"], found["loss"], drawn)

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

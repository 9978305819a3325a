"""Which samples each step of each run sees: a stream of its own for every run.

Run r draws from fold_in(key(seed), r), so its indices depend on neither the number of runs nor
their grouping.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import numpy as np

from theory.core import InputError


def checked_indices(indices: Any, steps: int | None, n: int) -> np.ndarray:
    """Given indices (runs, steps, B), each in 0..n-1: JAX would clamp others without a word."""
    allowed = f"integers (runs, steps, B) from 0 to {n - 1}"
    try:
        array = np.asarray(indices)
    except ValueError:
        raise InputError("indices", "rows of different lengths", allowed) from None
    if array.dtype.kind not in "iu" or array.ndim != 3 or 0 in (array.shape[0], array.shape[2]):
        raise InputError("indices", f"dtype {array.dtype}, shape {array.shape}", allowed)
    if array.size and not (array.min() >= 0 and array.max() < n):
        raise InputError("indices", f"values {array.min()} to {array.max()}", allowed)
    if steps not in (None, array.shape[1]):
        raise InputError("steps", steps, f"the {array.shape[1]} steps of indices, or None")
    return array.astype(np.int64)


def drawn_indices(
    weights: np.ndarray, steps: int, seed: int, runs: int, batch: int, sampling: str
) -> np.ndarray:
    """(runs, steps, batch) samples drawn by their weights."""
    whole("seed", seed, 0)
    whole("batch", batch, 1)
    if sampling not in ("with", "without"):
        raise InputError("sampling", repr(sampling), "'with' or 'without' (replacement)")
    if sampling == "without":
        if batch > len(weights):
            raise InputError("batch", batch, f"at most n = {len(weights)} without replacement")
        if not np.allclose(weights, weights[0], rtol=1e-14, atol=0):  # they round when normalised
            raise InputError("weights", "unequal", "equal ones when sampling without replacement")
    return np.asarray(_draw(weights, np.arange(runs), seed, steps, batch, sampling))


@partial(jax.jit, static_argnames=("steps", "batch", "sampling"))
def _draw(weights: Any, runs: Any, seed: Any, steps: int, batch: int, sampling: str) -> Any:
    root, n = jax.random.key(seed), weights.shape[0]

    def one(run: Any) -> Any:
        key = jax.random.fold_in(root, run)
        if sampling == "with":
            return jax.random.choice(key, n, (steps, batch), p=weights)
        keys = jax.random.split(key, steps)
        return jax.vmap(lambda k: jax.random.choice(k, n, (batch,), replace=False))(keys)

    return jax.lax.map(one, runs)


def whole(field: str, value: Any, least: int) -> int:
    """`value` as an int; raises `InputError` unless it is an integer of at least `least`."""
    integer = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not (integer and least <= value < 2**63):
        raise InputError(field, repr(value), f"an integer, at least {least}")
    return int(value)

"""Random numbers by counting: each is a hash of (root, seed, step, place), asked for in any order.

The same integer code runs in NumPy and in a compiled loop. A run's numbers depend on its root and
seed alone, so two runs that share a seed see the same samples whatever their optimizer or step
size (common random numbers), and nothing depends on grouping, order or the number of workers.

One number is one round of a 32-bit mixer (multiply and xor-shift, the constants of C. Wellons'
`lowbias32`) over the first word of a key ^ a hash of the step ^ the place, with the key's second word
let in half way. The key's 64 bits are made from (root, seed) by SplitMix64 (Steele, Lea & Flood 2014).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtri

from theory.core import InputError, Probes

STEPS, PROBES = 0x9E3779B9, 0x85EBCA6B  # odd: streams of their own for samples and probes
PLACES = 0xC2B2AE35


def keys(root: int, seeds: Any) -> np.ndarray:
    """(runs, 2) 32-bit words from a root and the runs' seeds; different seeds, different keys."""
    with np.errstate(over="ignore"):
        h = _split_mix(np.array([root], dtype=np.uint64))
        h = _split_mix(h ^ np.asarray(seeds, dtype=np.uint64))
    return np.stack([h >> np.uint64(32), h & np.uint64(0xFFFFFFFF)], axis=-1).astype(np.uint32)


def _split_mix(h: np.ndarray) -> np.ndarray:
    h = h + np.uint64(0x9E3779B97F4A7C15)
    h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return h ^ (h >> np.uint64(31))


def bits(xp: Any, key: Any, stream: int, counter: Any, places: Any) -> Any:
    """32 random bits for each of `places`: key (..., 2) and counter (...) broadcast.

    What does not depend on the run is mixed apart, so a run pays for one round.
    """
    count = xp.asarray(counter).astype(xp.uint32)[..., None] * xp.uint32(stream)
    place = xp.asarray(places).astype(xp.uint32) * xp.uint32(PLACES)
    shared = _mix(xp, count, xp.uint32(0)) ^ place
    return _mix(xp, key[..., 0, None] ^ shared, key[..., 1, None])


def _mix(xp: Any, h: Any, word: Any) -> Any:
    h = (h ^ (h >> xp.uint32(16))) * xp.uint32(0x7FEB352D) ^ word
    h = (h ^ (h >> xp.uint32(15))) * xp.uint32(0x846CA68B)
    return h ^ (h >> xp.uint32(16))


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Sampler:
    """Draws batches of `size` out of `n` samples; people come in through `sampler`.

    With unequal weights `tables` are Walker's, both (n,): place j of n equal ones keeps the share
    `kept[j]` / 2^32 for sample j and leaves the rest to sample `other[j]`. Otherwise None.
    """

    tables: Any
    n: int = field(metadata={"static": True})
    size: int = field(metadata={"static": True})
    sampling: str = field(metadata={"static": True})

    def draw(self, xp: Any, key: Any, step: Any) -> Any:
        """Indices (..., size), int32, for keys (..., 2) and steps (...)."""
        h = bits(xp, key, STEPS, step, xp.arange(self.size)).astype(xp.uint64)
        if self.sampling == "without":
            return self._apart(xp, h)
        scaled = h * xp.uint64(self.n)
        place = (scaled >> xp.uint64(32)).astype(xp.int32)
        if self.tables is None:
            return place
        kept, other = map(xp.asarray, self.tables)
        return xp.where((scaled & xp.uint64(0xFFFFFFFF)) < kept[place], place, other[place])

    def _apart(self, xp: Any, h: Any) -> Any:
        """The first places of Fisher and Yates' shuffle, which swaps k with k + (a rank below n-k).

        What ends in place k is found by following it back through the swaps before its own.
        """
        k = xp.arange(self.size, dtype=xp.uint64)
        swapped = k + ((h * (xp.uint64(self.n) - k)) >> xp.uint64(32))
        drawn = swapped
        for j in reversed(range(self.size - 1)):
            drawn = xp.where((drawn == swapped[..., j : j + 1]) & (k > j), xp.uint64(j), drawn)
        return drawn.astype(xp.int32)


def sampler(weights: Any, size: int, sampling: str) -> Sampler:
    """How batches are drawn; a batch is a function of key and step.

    With replacement by the weights, each chance off by at most (n + 1) / 2^32; without, every ordered
    batch equally likely but for that. Raises `InputError`.
    """
    w = np.asarray(weights, dtype=np.float64)
    whole("batch", size, 1)
    if sampling not in ("with", "without"):
        raise InputError("sampling", repr(sampling), "'with' or 'without' (replacement)")
    equal = np.allclose(w, w[0], rtol=1e-14, atol=0)  # they round when normalised
    if sampling == "without":
        if size > len(w):
            raise InputError("batch", size, f"at most n = {len(w)} without replacement")
        if not equal:
            raise InputError("weights", "unequal", "equal ones when sampling without replacement")
    return Sampler(None if equal else _walker(w), len(w), size, sampling)


def _walker(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Tables (n,) by which one number draws a sample in two reads, however many there are.

    Samples whose share is below one of n places fill theirs up with one that has more (Walker 1977;
    Vose 1991).
    """
    left = weights * (len(weights) / weights.sum())
    kept, other = np.ones(len(weights)), np.arange(len(weights), dtype=np.int32)
    small, large = (list(np.flatnonzero(which)) for which in (left < 1, left >= 1))
    while small and large:
        j, giver = small.pop(), large[-1]
        kept[j], other[j] = left[j], giver
        left[giver] -= 1 - left[j]
        if left[giver] < 1:
            small.append(large.pop())
    return np.round(kept * 2.0**32).astype(np.uint64), other


def probes(key: Any, dimension: int) -> Probes:
    """The random vectors of one run, by (step, index, kind): what `Oracle.probe` hands out.

    Its key is turned around: a first step (0 times any stream) would repeat the samples' numbers.
    """
    key = key[..., ::-1]

    def probe(t: Any, j: Any, kind: str) -> Any:
        h = bits(jnp, key, PROBES, t, j * dimension + jnp.arange(dimension))
        if kind == "rademacher":
            return 1.0 - 2.0 * (h >> jnp.uint32(31)).astype(jnp.float64)
        if kind == "gaussian":
            return ndtri((h.astype(jnp.float64) + 0.5) / 2.0**32)
        raise InputError("probe", repr(kind), "'rademacher' or 'gaussian'")

    return probe


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
    return array.astype(np.int32)


def whole(field: str, value: Any, least: int) -> int:
    """`value` as an int; raises `InputError` unless it is an integer of at least `least`."""
    integer = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not (integer and least <= value < 2**63):
        raise InputError(field, repr(value), f"an integer, at least {least}")
    return int(value)

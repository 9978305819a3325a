r"""How fast an optimizer's runs grow where its step is linear, direction and length kept apart.

On f_i(x) = x'H_i x / 2 a step of SGD or USAM is z+ = Phi_S z, with z = (x, memory) laid end to end
and S the batch. Long products leave the range of numbers in either direction, so a run carries the
direction u = z/||z|| and the logarithm of the length. Two laws for the batches:

- as the optimizer draws them: log||z_t||/t tends to the top Lyapunov exponent;
- tilted: with y_S = Phi_S u and a positive definite P, batch S is drawn with probability
  q_S = p_S y_S'P y_S / sum_R p_R y_R'P y_R, and the run carries the weight prod p_S/q_S ||y_S||^2.
  Its mean is E||z_t||^2 / ||z_0||^2 under the optimizer's own law, whatever P (change of measure).
  `proofs_check.boundaries._h_transform` says which P to take and why.

Every step is the optimizer's own code, on batches of samples.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from scipy.stats import multinomial

from sims import _draw
from sims._draw import whole
from sims.engine import register
from theory.core import InputError
from theory.moments import EPS, door_tolerance

MOST_BATCHES = 4096  # a tilted step takes all of them
LINEAR = "an optimizer whose step is linear on a quadratic: sgd, usam"


@dataclass(frozen=True)
class Law:
    """Every batch (m, B), repeats counted, and its probability (m,); None is the full batch."""

    batches: np.ndarray | None
    chances: np.ndarray


@dataclass(frozen=True)
class Growth:
    """`logs` (runs, windows), log||z_{t+every}|| - log||z_t||, and how far they can be trusted.

    `rounding` (runs,) is what a run's growth per step may be off by. A step that leaves less than
    rounding of z counts as one that leaves as much as rounding: where one has, `vanished` (runs,),
    the growth is a bound from above, and nothing is known from below.
    """

    logs: np.ndarray
    rounding: np.ndarray
    vanished: np.ndarray


@dataclass(frozen=True)
class Tilted:
    """Logarithms of weights (runs, records), and the least and largest total weight met (runs,).

    The total weight at u is sum_S p_S y_S'P y_S / u'Pu. Records are `every` steps apart.
    """

    log_weights: np.ndarray
    least: np.ndarray
    largest: np.ndarray


def law(weights: Any, batch: int | None, sampling: str) -> Law:
    """The batches that `sims._draw.sampler` draws; raises `InputError` where they are too many."""
    w = np.asarray(weights, dtype=np.float64)
    if batch is None:
        return Law(None, np.ones(1))
    _draw.sampler(w, batch, sampling)  # refuses what cannot be drawn
    n, without = len(w), sampling == "without"
    count = math.comb(n, batch) if without else math.comb(n + batch - 1, batch)
    if count > MOST_BATCHES:
        allowed = f"at most {MOST_BATCHES} batches to take in every step"
        raise InputError("batch", f"{batch} ({count} batches of n = {n} samples)", allowed)
    choose = itertools.combinations if without else itertools.combinations_with_replacement
    batches = np.array(list(choose(range(n), batch)))
    if without:
        return Law(batches, np.full(count, 1 / count))
    counts = (batches[:, :, None] == np.arange(n)).sum(1)
    return Law(batches, np.asarray(multinomial.pmf(counts, batch, w)))


def matrices(problem: Any, optimizer: Any, batches: Any) -> np.ndarray:
    """Phi_S (m, D, D) for batches (m, B): the step applied to each unit vector.

    Raises `InputError` if a step is not linear, memory included.
    """
    register(problem)
    name = type(optimizer).__name__
    memory = jax.tree.leaves(optimizer.init(np.zeros(problem.dimension)))
    real = all(np.asarray(leaf).dtype.kind == "f" for leaf in memory)
    if not real or getattr(optimizer, "needs_coordinates", False):
        raise InputError("optimizer", name, LINEAR)
    size = _size(problem, optimizer)
    found = np.asarray(_images(problem, optimizer, batches, np.eye(size)))
    probe = np.random.default_rng(0).normal(size=size)
    largest = np.abs(probe).max() * (1 + np.abs(found).max())
    room = 64 * size * EPS * largest  # a step sums a few times D products of that size
    for far in (1e-6, 1e6):  # a climb of fixed length shows near by, a term of higher order far off
        image = np.asarray(_images(problem, optimizer, batches, far * probe[None]))[0] / far
        if not (np.abs(image - np.tensordot(probe, found, 1)) <= room).all():
            raise InputError("optimizer", name, LINEAR)
    return np.moveaxis(found, 0, -1)


def _looked_at(drawn: _draw.Sampler, keys: np.ndarray) -> np.ndarray:
    """Batches (m, B) that tell whether steps are linear: of one sample, repeated, and some drawn."""
    alone = np.arange(min(drawn.n, 64), dtype=np.int32)[:, None]
    return np.concatenate([np.repeat(alone, drawn.size, axis=1), drawn.draw(np, keys, 0)[:8]])


def log_growths(
    problem: Any,
    optimizer: Any,
    *,
    batch: int | None = 1,
    sampling: str = "with",
    seed: int = 0,
    runs: int,
    steps: int,
    every: int,
) -> Growth:
    """Runs as the optimizer draws them, their growth over steps // every windows of `every` steps.

    Run r starts and draws by (seed, r), whatever the hyperparameters; those are traced. Raises
    `InputError`.
    """
    starts, keys = _starts(problem, optimizer, seed, runs)
    drawn = None if batch is None else _draw.sampler(problem.weights, batch, sampling)
    matrices(problem, optimizer, None if drawn is None else _looked_at(drawn, keys))
    args = problem, drawn, optimizer, keys, starts
    logs, lost, least = map(np.asarray, _grow(*args, windows(steps, every), every))
    return Growth(logs, lost / (logs.shape[1] * every), least <= door_tolerance(starts.shape[1]))


def tilted(
    problem: Any,
    optimizer: Any,
    batches: Law,
    P: np.ndarray,
    *,
    seed: int = 0,
    runs: int,
    steps: int,
    every: int,
    start: Any = None,
) -> Tilted:
    """Runs under the tilted law by P (D, D), each from its own direction or all along `start` (D,).

    Records are taken after every, 2 every, ... steps. Raises `InputError`.
    """
    register(problem)
    starts, keys = _starts(problem, optimizer, seed, runs)
    if start is not None:
        starts = np.broadcast_to(np.asarray(start) / np.linalg.norm(start), starts.shape)
    args = problem, optimizer, batches.batches, batches.chances, P, keys, starts
    return Tilted(*map(np.asarray, _tilt(*args, windows(steps, every), every)))


def windows(steps: int, every: int) -> int:
    """How often `every` steps fit into `steps`, at least once; raises `InputError`."""
    if whole("steps", steps, 1) < whole("every", every, 1):
        raise InputError("every", every, f"at most steps = {steps}")
    return steps // every


def _starts(problem: Any, optimizer: Any, seed: int, runs: int) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors z_0 (runs, D) with the memory of an optimizer that has not begun, and keys."""
    register(problem)
    ids = range(whole("runs", runs, 1))
    x = np.array([problem.start(np.random.default_rng([whole("seed", seed, 0), r])) for r in ids])
    z = np.zeros((runs, _size(problem, optimizer)))
    z[:, : x.shape[1]] = x / np.linalg.norm(x, axis=1, keepdims=True)
    return z, _draw.keys(seed, np.arange(runs))


def _size(problem: Any, optimizer: Any) -> int:
    memory = optimizer.init(np.zeros(problem.dimension))
    return problem.dimension + sum(np.size(leaf) for leaf in jax.tree.leaves(memory))


def _step(problem: Any, optimizer: Any, z: Any, batch: Any) -> Any:
    """The optimizer's own step on z = (x, memory) laid end to end, (D,)."""
    x = jnp.zeros(problem.dimension)
    _, apart = ravel_pytree((x, optimizer.init(x)))
    return ravel_pytree(optimizer.step(problem.oracle(batch), *apart(z)))[0]


def _all_steps(problem: Any, optimizer: Any, z: Any, batches: Any) -> Any:
    """Where each of the batches (m, B) would take z: (m, D)."""
    if batches is None:
        return _step(problem, optimizer, z, None)[None]
    return jax.vmap(lambda batch: _step(problem, optimizer, z, batch))(batches)


@jax.jit
def _images(problem: Any, optimizer: Any, batches: Any, vectors: Any) -> Any:
    """(k, m, D), the steps from `vectors` (k, D)."""
    return jax.vmap(lambda z: _all_steps(problem, optimizer, z, batches))(vectors)


def _turned(z: Any, after: Any) -> tuple[Any, Any]:
    """The direction of `after` (..., D), z itself where that is 0, and its length."""
    size = jnp.sqrt((after**2).sum(-1))
    unit = after / jnp.where(size == 0, 1, size)[..., None]
    return jnp.where(size[..., None] == 0, z, unit), size


@partial(jax.jit, static_argnames=("windows", "every"))
def _grow(
    problem: Any, drawn: Any, optimizer: Any, keys: Any, starts: Any, windows: int, every: int
) -> Any:
    one = partial(_step, problem, optimizer)
    floor = door_tolerance(starts.shape[1])  # of what is left of a unit vector

    def advance(held: Any, t: Any) -> Any:
        z, lost, least = held
        batches = None if drawn is None else drawn.draw(jnp, keys, t)
        z, size = _turned(z, jax.vmap(one, (0, None if drawn is None else 0))(z, batches))
        lost = lost + jnp.minimum(1, floor / size)  # the relative error of a size that is left
        return (z, lost, jnp.minimum(least, size)), jnp.log(jnp.maximum(size, floor))

    def window(held: Any, k: Any) -> Any:
        held, logs = jax.lax.scan(advance, held, k * every + jnp.arange(every))
        return held, logs.sum(0)

    zero = jnp.zeros(len(starts))
    (_, *trust), logs = jax.lax.scan(window, (starts, zero, zero + jnp.inf), jnp.arange(windows))
    return logs.T, *trust


@partial(jax.jit, static_argnames=("windows", "every"))
def _tilt(
    problem: Any,
    optimizer: Any,
    batches: Any,
    chances: Any,
    P: Any,
    keys: Any,
    starts: Any,
    windows: int,
    every: int,
) -> Any:
    def one(z: Any, key: Any, t: Any) -> Any:
        y = _all_steps(problem, optimizer, z, batches)
        scores = chances * ((y @ P) * y).sum(-1)
        total = scores.sum()
        chosen = _pick(scores / total, key, t)
        after, size = _turned(z, y[chosen])
        log_weight = jnp.log(chances[chosen] * total / scores[chosen] * size**2)
        return after, jnp.where(total == 0, -jnp.inf, log_weight), total / (z @ P @ z)

    def advance(held: Any, t: Any) -> Any:
        z, weight, least, largest = held
        z, log_weight, met = jax.vmap(one, (0, 0, None))(z, keys, t)
        return (z, weight + log_weight, jnp.minimum(least, met), jnp.maximum(largest, met)), None

    def window(held: Any, k: Any) -> Any:
        held, _ = jax.lax.scan(advance, held, k * every + jnp.arange(every))
        return held, held[1]

    zero = jnp.zeros(len(starts))
    held = starts, zero, zero + jnp.inf, zero
    held, records = jax.lax.scan(window, held, jnp.arange(windows))
    return records.T, held[2], held[3]


def _pick(chances: Any, key: Any, t: Any) -> Any:
    """One index drawn with these chances (m,), from 64 random bits of run and step."""
    high, low = _draw.bits(jnp, key, _draw.STEPS, t, jnp.arange(2)).astype(jnp.float64)
    uniform = (high + (low + 0.5) / 2.0**32) / 2.0**32
    return (jnp.cumsum(chances)[:-1] <= uniform).sum()

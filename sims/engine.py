"""Many runs of one optimizer on one problem, compiled once, measured on the way.

Runs are computed in blocks of a fixed size that depends on the problem and the measurements alone,
never on how many runs there are; every run's samples, probes and start depend on (root, seed)
alone. So its numbers depend on neither order nor grouping nor the number of workers (on one jaxlib
and one instruction set), as long as every group or none has runs enough of each seed to compute them
`together`. Step sizes, radii and data are traced: a grid compiles once.

Optimizers are written once. A space says what their vectors are: arrays (`sims._plain`), or on
least squares combinations of rows (`sims._gram`).
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import jax
import numpy as np

from sims import _draw
from sims._block import Block, Plan, Shared, measurement, run_blocks
from sims._draw import whole
from sims._gram import factor
from sims._setting import Setting, as_array, in_gram, with_hyper
from sims._vectors import NeedsCoefficients
from sims.optimizers._tensors import fitted
from theory.core import InputError

NEVER = -1

# A block's state is read and written once a step: it stays in the first-level cache.
BLOCK_BYTES = 32_768
OWN_RUNS = 128  # but in Gram space, where each run reads one row of its own, so many at least
MOST_IN_BLOCK = 512
LEAST_SHARED = 32  # runs with one seed, from which on they are computed together
LEAST_BLOCKS, BLOCKS_A_CALL = 2, 16
MOST_PROGRAMS = 64  # kept: each takes some 300 memory mappings, of which a process has 65,530
CORES = len(os.sched_getaffinity(0))


def simulate(
    setting: Setting, hyper: dict[str, Any], seeds: Any, *, root: int = 0
) -> dict[str, np.ndarray]:
    """Each record (runs, records) and `diverged_at` (runs,) of runs that differ in `hyper` and seed.

    `hyper` maps an optimizer's fields to (runs,) numbers; whole numbers must be equal in all runs.
    Runs with equal (root, seed) share start, samples and probes. A run that has no finite norm at
    some record has diverged, at its first step without one (-1: never), and from there on all that it
    records is inf. The norm is ||x||, in Gram space ||Xx - y||; a measurement that overflows before it
    is inf as well, and never NaN. Raises `InputError`.
    """
    prepared = simulation(setting)
    runs = prepared.runs(hyper, seeds, root)
    return prepared.run(runs, shared=together(seeds))


def estimate(setting: Setting, runs: int) -> int:
    """The bytes `simulate` will hold at its peak, from shapes alone."""
    prepared = simulation(setting)
    return prepared.bytes(whole("runs", runs, 1))


@lru_cache(maxsize=8)
def simulation(setting: Setting) -> Simulation:
    """The prepared simulation of a setting, remembered by the setting's identity."""
    return Simulation(setting)


@dataclass(frozen=True)
class Runs:
    """Where runs differ. `optimizer` has leaves (runs,) where `batched`, numbers elsewhere.

    `starts` (runs, d), `keys` (runs, 2) or, instead of what they would draw, `given` indices
    (runs, steps, B).
    """

    optimizer: Any
    batched: tuple[bool, ...]
    starts: np.ndarray
    keys: np.ndarray
    given: np.ndarray | None = None

    def hyper(self, which: np.ndarray) -> Any:
        """The optimizer of those runs, its batched leaves in the shape of `which`."""
        leaves, structure = jax.tree.flatten(self.optimizer)
        both = zip(leaves, self.batched, strict=True)
        return jax.tree.unflatten(structure, [leaf[which] if b else leaf for leaf, b in both])

    def take(self, which: np.ndarray) -> Runs:
        """Those runs alone."""
        given = None if self.given is None else self.given[which]
        starts, keys = self.starts[which], self.keys[which]
        return Runs(self.hyper(which), self.batched, starts, keys, given)


class Simulation:
    """A setting, checked, with what its runs share computed once."""

    def __init__(self, setting: Setting) -> None:
        whole("steps", setting.steps, 0)
        whole("every", setting.every, 1)
        size = 1 if setting.block is None else whole("block", setting.block, 1)
        if size & (size - 1):  # runs that do not fill a vector register would round differently
            raise InputError("block", size, "a power of two")
        if setting.steps % setting.every:
            raise InputError("every", setting.every, f"a divisor of steps = {setting.steps}")
        problem: Any = setting.problem
        self.setting, self.problem, self.record = setting, problem, tuple(setting.record)
        if isinstance(setting.record, str):
            raise InputError("record", repr(setting.record), "several names, as in ('loss',)")
        for key in self.record:
            measurement(key)
        register(self.problem)
        weights, size = np.asarray(self.problem.weights), setting.batch
        sampler = None if size is None else _draw.sampler(weights, size, setting.sampling)
        gram = (problem.gram(), factor(problem)) if in_gram(setting) else (None, None)
        self.common = Shared(problem, *gram, sampler)
        self._plans: dict[Any, Plan] = {}

    def runs(self, hyper: dict[str, Any], seeds: Any, root: int) -> Runs:
        """Runs that start and draw by (root, seed)."""
        whole("root", root, 0)
        allowed = "integers (runs,), at least 0"
        seeds = as_array("seeds", seeds, allowed)
        if seeds.ndim != 1 or seeds.dtype.kind not in "iu" or not len(seeds):
            raise InputError("seeds", f"dtype {seeds.dtype}, shape {seeds.shape}", allowed)
        if seeds.min() < 0:
            raise InputError("seeds", seeds.min(), allowed)
        prototype = fitted(self.setting.optimizer, self.problem)
        optimizer, batched = with_hyper(prototype, hyper, len(seeds))
        starts = np.empty((len(seeds), self.problem.dimension))
        unique, first, where = np.unique(seeds, return_index=True, return_inverse=True)
        for seed, run in zip(unique, first, strict=True):  # each start drawn once, and held once
            starts[run] = self.problem.start(np.random.default_rng([root, int(seed)]))
        if len(first) < len(seeds):
            starts[:] = starts[first[where]]
        return Runs(optimizer, batched, starts, _draw.keys(root, seeds))

    def run(self, runs: Runs, *, shared: bool = False) -> dict[str, np.ndarray]:
        """As `simulate`. `shared`: runs with equal keys are computed together, from one start."""
        plan = self._plan(runs, shared)
        found = self._dispatch(plan, runs)
        finite, where = found.pop("finite"), np.full(len(runs.starts), NEVER)
        lost = np.flatnonzero(~finite.all(axis=1))
        if len(lost):  # a second program looks at every step, which would slow the first one down
            every, record = self.setting.every, finite[lost].argmin(axis=1)  # the first lost one
            lost, record = (a[np.argsort(record, kind="stable")] for a in (lost, record))
            locate = replace(plan, locate=True, shared=False, every=1, record=())
            where[lost] = self._dispatch(locate, runs.take(lost))["lost"]
            where[lost] = np.minimum(where[lost], record * every)  # it rounds in its own way
            gone = np.arange(finite.shape[1]) * every >= where[lost, None]
            for values in found.values():
                part = values[lost]
                part[gone] = np.inf
                values[lost] = part
        return found | {"diverged_at": where}

    def bytes(self, count: int) -> int:
        """What `count` runs hold at their peak, from shapes alone: inputs, records, the program."""
        one = self.runs({}, np.zeros(1, dtype=int), 0)
        plan = self._plan(one, shared=False)
        size = max(LEAST_BLOCKS, _blocks_a_call(-(-count // plan.block)))
        call = np.zeros((size, plan.block), dtype=int)
        compiled = run_blocks.lower(*self._arguments(plan, one, call), size).compile()
        analysis: Any = compiled.memory_analysis()
        # Arguments are held twice: as NumPy gathers them, and as XLA takes them. So are records: as
        # they come, and in the order of the runs.
        program = analysis.temp_size_in_bytes + 2 * analysis.argument_size_in_bytes
        a_run = 2 * analysis.output_size_in_bytes / call.size + one.starts.nbytes + one.keys.nbytes
        return int(program * CORES + a_run * count)

    def _plan(self, runs: Runs, shared: bool) -> Plan:
        s, given = self.setting, runs.given is not None
        plan = Plan(s.steps, s.every, self.record, self.common.gram is not None, shared, given)
        if s.block is not None and self.common.gram is None:
            return replace(plan, block=s.block)
        key = plan, jax.tree.structure(runs.optimizer)  # momentum or none: another memory
        if key not in self._plans:
            chosen = plan
            try:
                size = self._held_bytes(plan, runs)
            except NeedsCoefficients:
                chosen = replace(plan, track=True)
                size = self._held_bytes(chosen, runs)
            fit = max(OWN_RUNS if chosen.gram and not shared else 1, BLOCK_BYTES // size)
            block = s.block or min(MOST_IN_BLOCK, 1 << fit.bit_length() - 1)
            self._plans[key] = replace(chosen, block=block)
        return self._plans[key]

    def _held_bytes(self, plan: Plan, runs: Runs) -> int:
        """What one run holds between steps; tracing a step and a record tells what that must be."""
        plan = replace(plan, steps=min(plan.steps, 1), every=1)
        _, batched, _, optimizer, data = self._arguments(plan, runs, np.zeros((1, 1), dtype=int))
        leaves, structure = jax.tree.flatten(optimizer)
        many = [leaf[0] if b else leaf for leaf, b in zip(leaves, batched, strict=True)]

        def trace(leaves: Any, data: Any) -> Any:
            optimizer = jax.tree.unflatten(structure, leaves)
            block = Block(plan, batched, self.common, optimizer, data)
            block.run()
            return block.begin()

        held = jax.eval_shape(trace, many, jax.tree.map(lambda a: a[0], data))
        return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(held))

    def _arguments(self, plan: Plan, runs: Runs, groups: np.ndarray) -> tuple[Any, ...]:
        """What `run_blocks` takes, for groups (blocks, runs) of runs."""
        first = groups[:, 0] if plan.shared else groups
        given = None if runs.given is None else runs.given[groups]
        data = runs.starts[first], runs.keys[first], given
        common = replace(self.common, sampler=None) if plan.given else self.common
        return plan, runs.batched, common, runs.hyper(groups), data

    def _dispatch(self, plan: Plan, runs: Runs) -> dict[str, np.ndarray]:
        """Blocks, a few a call, the calls over the cores; results in the order of the runs."""
        programs: Any = run_blocks
        if programs._cache_size() > MOST_PROGRAMS:
            programs.clear_cache()
        groups = _groups(runs, plan)
        size = _blocks_a_call(len(groups))
        parts = [groups[k : k + size] for k in range(0, len(groups), size)]

        def call(part: np.ndarray) -> Any:
            filled = part[np.minimum(np.arange(max(size, LEAST_BLOCKS)), len(part) - 1)]
            found = run_blocks(*self._arguments(plan, runs, filled), len(part))
            return jax.tree.map(lambda a: np.asarray(a)[: len(part)], found)

        out: dict[str, np.ndarray] = {}
        with ThreadPoolExecutor(CORES) as pool:
            for part, found in zip(parts, pool.map(call, parts), strict=True):
                for key, values in found.items():  # (blocks, records, runs, ...), or no records
                    rows = values if plan.locate else np.moveaxis(values, 2, 1)
                    rows = rows.reshape(part.size, *rows.shape[2:])
                    into = out.setdefault(
                        key, np.empty((len(runs.starts), *rows.shape[1:]), rows.dtype)
                    )
                    into[part.ravel()] = rows
        return out


def together(seeds: Any) -> bool:
    """Whether every seed has runs enough to fill blocks of its own."""
    return bool(np.unique(seeds, return_counts=True)[1].min() >= LEAST_SHARED)


def _groups(runs: Runs, plan: Plan) -> np.ndarray:
    """Runs (blocks, runs a block): in order or, where shared, by their keys; the last repeated."""
    ids = np.arange(len(runs.starts))
    lists = [ids]
    if plan.shared:
        words = runs.keys.astype(np.uint64)
        _, where = np.unique(words[:, 0] << np.uint64(32) | words[:, 1], return_inverse=True)
        lists = [np.flatnonzero(where == k) for k in range(where.max() + 1)]
    blocks = []
    for members in lists:
        count = -(-len(members) // plan.block) * plan.block
        blocks.append(members[np.minimum(np.arange(count), len(members) - 1)])
    return np.concatenate(blocks).reshape(-1, plan.block)


def _blocks_a_call(blocks: int) -> int:
    """A power of two, so that few sizes are compiled; enough calls for all cores."""
    each = max(1, blocks // CORES)
    return min(BLOCKS_A_CALL, 1 << each.bit_length() - 1)


def register(problem: Any) -> None:
    """Teach JAX to trace through a problem dataclass; the theory layer does not know JAX."""
    leaves = jax.tree_util.tree_leaves(problem)
    if len(leaves) == 1 and leaves[0] is problem:  # an unknown class is its own only leaf
        jax.tree_util.register_dataclass(type(problem))

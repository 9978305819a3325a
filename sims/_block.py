"""A block of runs, compiled: scan over records, scan over steps, one optimizer step for all runs.

Only the step itself is vectorised by `vmap`. The index stream, the commit of lazy vectors and the
scans stay outside, so that one stream shared by a block is drawn once and read contiguously, and a
condition on a step count stays a real branch: whole numbers are shared by all runs of a block.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from sims import _draw
from sims._gram import Gram
from sims._plain import Plain
from sims._vectors import Held
from sims.measures._at import At
from theory import catalogue
from theory.core import InputError

MEASURES = "sims.measures"
# XLA's own choice is half as wide; where there are no such registers the option does nothing.
WIDE = {"xla_cpu_prefer_vector_width": 512}
BESIDE = -1  # the step whose probes measurements use: none, so the same at every record
CHUNK = 128  # steps whose batches are drawn at once


@dataclass(frozen=True)
class Plan:
    """What is compiled in: one executable for each plan, structure of the optimizer, and shape."""

    steps: int
    every: int
    record: tuple[str, ...]
    gram: bool
    shared: bool  # the runs of a block have one start and one stream
    given: bool  # indices are handed in
    track: bool = False  # Gram space holds coefficients too
    locate: bool = False  # instead of measuring, find the first step that is not finite
    block: int = 1


@dataclass(frozen=True)
class Shared:
    """What all runs of a simulation read."""

    problem: Any
    gram: Any  # (n, n); None in plain coordinates
    factor: Any  # (k, n), R'R = K
    sampler: Any  # None: the full batch


jax.tree_util.register_dataclass(Shared)


@partial(jax.jit, static_argnames=("plan", "batched"), compiler_options=WIDE)
def run_blocks(
    plan: Plan, batched: tuple[bool, ...], common: Shared, optimizer: Any, runs: Any, count: Any
) -> dict[str, jax.Array]:
    """Each record (blocks, records, runs) of the first `count` blocks of runs; zeros after them.

    `optimizer` has leaves (blocks, runs) where `batched`, numbers elsewhere. `runs` are starts,
    keys and indices or None: (blocks, runs, ...), and (blocks, ...) for starts and keys if shared.

    XLA knows neither `count` nor, with two blocks or more, which of them is at hand: it would fuse
    a single one with what is around it, and round in another way.
    """
    leaves, structure = jax.tree.flatten(optimizer)
    varied = [leaf for leaf, many in zip(leaves, batched, strict=True) if many]

    @jax.jit  # traced once, for its shapes and for the loop
    def one_block(k: Any) -> dict[str, jax.Array]:
        mine, data = jax.tree.map(lambda a: a[k], (varied, runs))
        rest = iter(mine)
        own = [next(rest) if many else leaf for leaf, many in zip(leaves, batched, strict=True)]
        return Block(plan, batched, common, jax.tree.unflatten(structure, own), data).run()

    def fill(k: Any, out: Any) -> Any:
        return jax.tree.map(lambda a, found: a.at[k].set(found), out, one_block(k))

    shapes = jax.eval_shape(one_block, 0)
    empty = jax.tree.map(lambda a: jnp.zeros((len(runs[0]), *a.shape), a.dtype), shapes)
    return jax.lax.fori_loop(0, count, fill, empty)


class Block:
    """One block while it is being traced."""

    def __init__(
        self, plan: Plan, batched: Any, common: Shared, optimizer: Any, data: tuple[Any, Any, Any]
    ) -> None:
        self.plan, self.common, self.optimizer = plan, common, optimizer
        self.starts, self.keys, self.given = data
        self.space: Any = Plain(common.problem)
        if plan.gram:
            own = common.problem, common.gram, common.factor
            self.space = Gram(*own, shared=plan.shared, track=plan.track)
        axes = [0 if many else None for many in batched]
        self.own = jax.tree.unflatten(jax.tree.structure(optimizer), axes)
        self.data = None if plan.shared else 0  # the axis of runs in starts and keys

    def run(self) -> dict[str, jax.Array]:
        """Records (records, runs, ...), the start's first."""
        held = self.begin()
        if self.plan.locate:
            return {"lost": self._first_lost(held)}
        first = self._look(held, held)

        def segment(carry: Any, k: Any) -> Any:
            after = self._steps(carry, (k - 1) * self.plan.every, self.plan.every)
            return after, self._look(after, carry)

        records = self.plan.steps // self.plan.every
        _, rest = jax.lax.scan(segment, held, 1 + jnp.arange(records))
        return jax.tree.map(lambda a, b: jnp.concatenate([a[None], b]), first, rest)

    def begin(self) -> Any:
        """What is held before the first step: x and the optimizer's memory."""
        x = jax.vmap(
            self.space.enter,
            self.data,
            self._out(self.space.enter, (self.data,), self.starts),
            axis_size=self.plan.block,
        )(self.starts)
        lifted = lambda optimizer, x: self.space.finish(optimizer.init(self.space.lift(x)))  # noqa: E731
        state = self._over(lifted, (self.own, self._axes(x)), self.optimizer, x)
        return x, self.space.commit(state, x, [None], fresh=True)

    def _steps(self, held: Any, first: Any, count: int) -> Any:
        """`count` steps from step `first` on, in chunks whose batches are drawn together.

        Drawn inside a step, an index would be computed anew in every loop that reads with it.
        """
        even = [size for size in range(CHUNK, CHUNK // 4, -2) if count % size == 0]
        size = even[0] if even else min(count, CHUNK)  # no rest: half as much to compile

        def chunk(held: Any, first: Any) -> Any:
            return self._windows(held, self._batches(first, size), size), None

        held, _ = jax.lax.scan(chunk, held, first + size * jnp.arange(count // size))
        rest = count % size
        return self._windows(held, self._batches(first + count - rest, rest), rest)

    def _windows(self, held: Any, batches: Any, count: int) -> Any:
        """`count` steps, committed after every window; `batches` (count, ...) or None."""
        width = self.space.window
        whole = count - count % width
        if whole:
            cut = jax.tree.map(lambda a: a[:whole].reshape(-1, width, *a.shape[1:]), batches)
            scan = self._late if self.space.late else self._prompt
            held = scan(held, cut, whole // width)
        for k in range(whole, count):
            last = [None if batches is None else batches[k]]
            held = self.space.commit(self._window(held, last), held, last)
        return held

    def _prompt(self, held: Any, batches: Any, count: int) -> Any:
        """Windows that end with their commit."""

        def advance(held: Any, some: Any) -> Any:
            now = self._apart(some)
            return self.space.commit(self._window(held, now), held, now), None

        return jax.lax.scan(advance, held, batches, length=count)[0]

    def _late(self, held: Any, batches: Any, count: int) -> Any:
        """Windows that begin with the commit of the one before.

        What is carried is computed once, by a loop of its own, and not anew for every row that it
        is added to; and rows read after their commit, not before, need not be copied.
        """

        def advance(carry: Any, some: Any) -> Any:
            before, now = map(self._apart, some)
            held = self.space.commit(*carry, before)
            return (self._window(held, now), held), None

        first, last = (self._apart(jax.tree.map(lambda a, k=k: a[k], batches)) for k in (0, -1))
        pairs = tuple(
            jax.tree.map(lambda a, k=k: a[k], batches) for k in (slice(-1), slice(1, None))
        )
        carry = self._window(held, first), held
        carry, _ = jax.lax.scan(advance, carry, pairs, length=count - 1)
        return self.space.commit(*carry, last)

    def _apart(self, some: Any) -> list[Any]:
        return [None if some is None else some[w] for w in range(self.space.window)]

    def _window(self, held: Any, batches: list[Any]) -> Any:
        """One step for each of the batches, for all runs, not committed."""
        problem, ahead = self.common.problem, self.space.ahead(held, batches)

        def one(optimizer: Any, held: Any, start: Any, key: Any, batches: Any, ahead: Any) -> Any:
            probes, now = _draw.probes(key, problem.dimension), self.space.lift(held)
            for w, batch in enumerate(batches):
                oracle = self.space.oracle(held, start, batch, ahead, probes, w)
                now = optimizer.step(oracle, *now)
            return self.space.finish(now)

        each = None if batches[0] is None or self.plan.shared else 0
        far = None if ahead is None else self.space.ahead_axes
        axes = (self.own, self._axes(held), self.data, self.data, each, far)
        return self._over(one, axes, self.optimizer, held, self.starts, self.keys, batches, ahead)

    def _batches(self, first: Any, count: int) -> Any:
        """Indices (count, runs, B), (count, B) if shared, or None for the full batch."""
        if self.plan.given:
            return jnp.moveaxis(jax.lax.dynamic_slice_in_dim(self.given, first, count, 1), 1, 0)
        if self.common.sampler is None:
            return None
        steps = first + jnp.arange(count)
        if not self.plan.shared:
            steps = steps[:, None]
        return self.common.sampler.draw(jnp, self.keys, steps)

    def _look(self, held: Any, before: Any) -> dict[str, Any]:
        """A record of every run; `before` is what was held at the one before."""
        problem, pair = self.common.problem, (held[0], before[0])
        measures = {key: measurement(key) for key in self.plan.record if key != "x"}

        def one(pair: Any, start: Any, key: Any) -> dict[str, Any]:
            oracle = self.space.oracle(pair, start, None, None, None)
            x, last = self.space.lift(pair)
            probes = _draw.probes(key, problem.dimension)
            at = At(problem, oracle, x, last, lambda j, kind: probes(BESIDE, j, kind))
            found = {key: measure(at) for key, measure in measures.items()}
            if "x" in self.plan.record:
                found["x"] = self.space.leave(pair[0], start)
            found = {key: jnp.where(jnp.isnan(v), jnp.inf, v) for key, v in found.items()}
            return found | {"finite": self._finite(pair[0])}

        axes = (self._axes(pair), self.data, self.data)
        return jax.vmap(one, axes)(pair, self.starts, self.keys)

    def _first_lost(self, held: Any) -> Any:
        """(runs,), the first step whose iterate has no finite norm; `steps` + 1 if there is none."""
        finite = jax.vmap(self._finite, (self._axes(held[0]),))

        def step(carry: Any) -> Any:
            t, held, alive, first = carry
            held = self._steps(held, t, 1)
            alive = alive & finite(held[0])  # a norm may overflow and come back
            return t + 1, held, alive, first + alive

        def going(carry: Any) -> Any:
            return (carry[0] < self.plan.steps) & carry[2].any()

        alive = finite(held[0])
        return jax.lax.while_loop(going, step, (0, held, alive, 1 * alive))[3]

    @staticmethod
    def _finite(x: Any) -> Any:
        v = x.rows if isinstance(x, Held) else x
        return jnp.isfinite(v @ v)

    def _over(self, f: Any, axes: tuple[Any, ...], *args: Any) -> Any:
        return jax.vmap(f, axes, self._out(f, axes, *args), axis_size=self.plan.block)(*args)

    def _out(self, f: Any, axes: tuple[Any, ...], *args: Any) -> Any:
        """Where the runs are in what `f` returns; nowhere in whole numbers, or it is an error."""
        found = jax.eval_shape(jax.vmap(f, axes, axis_size=self.plan.block), *args)
        return self._axes(found)

    def _axes(self, tree: Any) -> Any:
        axis = self.space.run_axis

        def of(leaf: Any) -> Any:
            if isinstance(leaf, Held):
                return jax.tree.map(lambda part: axis if part is not leaf.alpha else 0, leaf)
            return None if jnp.issubdtype(leaf.dtype, jnp.integer) else 0

        return jax.tree.map(of, tree, is_leaf=lambda node: isinstance(node, Held))


def measurement(key: str) -> Any:
    """The function of a measurement; raises `InputError` on an unknown key."""
    known = [*catalogue.keys(MEASURES), "x"]
    if key not in known:
        raise InputError("record", repr(key), ", ".join(known))
    return None if key == "x" else catalogue.load(MEASURES, key).measure

"""Least squares in Gram coordinates: a block of runs that never looks at the rows themselves.

Between commits a vector holds its products with all rows, x its residuals (and, where a norm asks
for them, its coefficients). A window of two steps is lazy (`sims._vectors`); a commit then passes
once over what is held. A step costs O(B n) whatever d, and gives the trajectory of plain
coordinates up to rounding.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from sims._vectors import (
    UNROLLED,
    GramOracle,
    Held,
    Vector,
    coordinates,
    divided,
    over,
    scaled,
    surplus,
    total,
    vectors,
)

WINDOW = 2  # steps a commit: one pass over the rows for two steps; with more, reads cost more
MANY = 1_000  # more vectors than any optimizer holds


class Gram:
    """Least squares in Gram coordinates, for a block of runs.

    With one index stream for all runs of a block (`shared`) their arrays are (n, runs), so that a
    read is contiguous; otherwise (runs, n), so that a row of K is. `track` holds alpha and c too.
    """

    def __init__(self, problem: Any, gram: Any, factor: Any, *, shared: bool, track: bool) -> None:
        self.gram, self.factor = jnp.asarray(gram), jnp.asarray(factor)
        self.rows = jnp.asarray(problem.rows)
        self.targets, self.weights = jnp.asarray(problem.targets), jnp.asarray(problem.weights)
        self.shared, self.track = shared, track
        self.run_axis = -1 if shared else 0
        self.window, self.late = WINDOW, shared

    def enter(self, start: Any) -> Held:
        """The held vector of a start (d,)."""
        rows = self.rows @ start - self.targets
        more = (jnp.zeros_like(rows), jnp.ones(())) if self.track else (None, None)
        return Held(rows, *more, point=True)

    def lift(self, held: Any) -> Any:
        """Held vectors as lazy ones, numbered in the order of the tree; the rest as it is."""
        count = iter(range(MANY))
        return over(held, lambda leaf: Vector({next(count): 1.0}, {}))

    def ahead(self, held: Any, batches: list[Any]) -> Any:
        """What a window reads: the batches' Gram matrices and targets, products of held vectors."""
        if batches[0] is None:
            return None
        own = [_lone(b) for b in batches]
        among = [[self._among(b, c) for c in own[: w + 1]] for w, b in enumerate(own)]
        reads = [[self._read(h.rows, b) for h in vectors(held)] for b in own]
        return among, [_at(self.targets, b) for b in own], reads

    def _among(self, rows: Any, columns: Any) -> Any:
        """Products of the rows of one batch with those of another, (..., B, B)."""
        if rows.ndim == (0 if self.shared else 1):  # one sample each
            if rows is columns:
                return _at(jnp.diagonal(self.gram), rows)
            return _pairs(self.gram, rows, columns)
        return _pairs(self.gram, rows[..., :, None], columns[..., None, :])

    def _read(self, rows: Any, batch: Any) -> Any:
        if self.shared:
            return _at(rows, batch)
        runs = jnp.arange(len(rows), dtype=jnp.int32)
        return _pairs(rows, runs if batch.ndim == 1 else runs[:, None], batch)

    @property
    def ahead_axes(self) -> Any:
        """Where the runs are in what is read ahead."""
        return (None, None, -1) if self.shared else (0, 0, 0)

    def oracle(
        self, held: Any, start: Any, batch: Any, ahead: Any, probes: Any, now: int = 0
    ) -> Any:
        """The window's `now`-th minibatch, with what was read ahead; batch None: everything."""
        known = vectors(held), self.rows, start, self.targets
        if batch is None:
            reads = [[h.rows for h in known[0]]]
            return GramOracle(
                [[self.gram]], [self.targets], self.weights, reads, *known, self.factor
            )
        among, targets, reads = ahead
        shares = 1.0 if len(batch) == 1 else jnp.full(batch.shape, 1 / len(batch))
        return GramOracle(among, targets, shares, reads, *known, now=now)

    def finish(self, found: Any) -> Any:
        """What a run's step returns, in numbers that can be added up for a block."""
        return divided(found)

    def commit(self, found: Any, held: Any, batches: list[Any], *, fresh: bool = False) -> Any:
        """Lazy vectors of a block carried out, for batches (runs, B), (B,) if shared, or None.

        Each takes the form of the held vector in its place; `fresh` ones have none, and hold X v.
        """
        known = vectors(held)
        points = iter([False] * MANY if fresh else [k.point for k in known])
        return over(found, lambda v: self._carried_out(v, known, batches, next(points)))

    def _carried_out(self, v: Vector, known: list[Held], batches: Any, point: bool) -> Held:
        rows = self._sum_of(v, [k.rows for k in known])
        for w, c in v.pending.items():
            rows += self._products(c, batches[w])
        missing = surplus(v, known, float(point))
        if type(missing) is not float or missing != 0:
            targets = self.targets[:, None] if self.shared else self.targets
            rows.append(self._across(missing) * targets)
        nothing = jnp.zeros_like(known[0].rows)
        if not self.track:
            return Held(total(rows, nothing), point=point)
        spread = self._sum_of(v, [k.coefficients for k in known])
        spread += [self._spread(c, batches[w]) for w, c in v.pending.items()]
        alpha = [scaled(s, known[k].alpha) for k, s in v.scales.items()]
        alpha = total(alpha, jnp.zeros_like(known[0].alpha))
        return Held(total(rows, nothing), total(spread, nothing), alpha, point)

    def _across(self, a: Any) -> Any:
        """A number for each run, beside an array over its rows."""
        if type(a) is float:
            return a
        return a[None, :] if self.shared else a[:, None]

    def _sum_of(self, v: Vector, arrays: list[Any]) -> list[Any]:
        return [scaled(self._across(s), arrays[k]) for k, s in v.scales.items()]

    def _products(self, pending: Any, batch: Any) -> list[Any]:
        """Terms of the products of sum_j pending_j a_{S(j)} with all rows."""
        if batch is None or batch.shape[-1] > UNROLLED:
            added = self._spread(pending, batch)
            return [self.gram @ added if self.shared else added @ self.gram]
        found = [(c, _at(self.gram, i)) for c, i in _columns(pending, batch)]
        return [self._across(c) * (row[:, None] if self.shared else row) for c, row in found]

    def _spread(self, pending: Any, batch: Any) -> Any:
        """Coefficients of the batch's rows as coefficients of all n rows."""
        if batch is None:
            return pending.T if self.shared else pending
        places, found = jnp.arange(self.gram.shape[0]), []
        for c, i in _columns(pending, batch):
            where = (i == places)[:, None] if self.shared else i[:, None] == places
            found.append(where * self._across(c))
        return total(found, None)

    def leave(self, held: Held, start: Any) -> Any:
        """The coordinates (d,) of one run's held vector."""
        return coordinates(held, start, self.rows)


def factor(problem: Any) -> np.ndarray:
    """R (min(n, d), n) with R'R = K and ||Rc|| = ||X'c||, from X itself: K would lose digits."""
    R: Any = np.linalg.qr(np.asarray(problem.rows).T, mode="r")
    return R


def _lone(batch: Any) -> Any:
    """The one index of a batch of one sample; a larger batch as it is."""
    return batch[..., 0] if batch.shape[-1] == 1 else batch


def _columns(pending: Any, batch: Any) -> list[tuple[Any, Any]]:
    """Coefficient and index, a number each for every run, of the batch's samples in turn."""
    if batch.shape[-1] == 1:
        return [(pending, batch[..., 0])]
    return [(pending[:, j], batch[..., j]) for j in range(batch.shape[-1])]


def _at(array: Any, places: Any) -> Any:
    """Entries, or rows, known to exist: drawn indices are below n, given ones were checked."""
    return array.at[places].get(mode="promise_in_bounds", wrap_negative_indices=False)


def _pairs(matrix: Any, rows: Any, columns: Any) -> Any:
    """Entries of a matrix through its flat form: two indices would be read in a branching loop."""
    return _at(matrix.reshape(-1), rows * matrix.shape[1] + columns)

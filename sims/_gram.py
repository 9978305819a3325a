r"""Gram coordinates: on least squares every iterate is $\alpha x_0 + X'c$, so only $K = XX'$ is read.

Gradients of $f_i(x) = (\langle a_i, x\rangle - y_i)^2/2$ are multiples of the rows $a_i$ of X, and
an optimizer that only adds, scales and measures vectors never leaves their span. Between steps a
vector holds its products with all rows (and, where a norm asks for them, $\alpha$ and $c$); x holds
its residuals instead, so that a gradient need not look for the target. Within
a window of steps it is lazy: multiples of held vectors plus multiples of the batches' rows. A step
then costs O(B n) whatever d, and gives the trajectory of plain coordinates up to rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from theory.core import InputError

WINDOW = 2  # steps a commit: one pass over the rows for two steps; with more, reads cost more
MANY = 1_000  # more vectors than any optimizer holds
UNROLLED = 8  # rows of a batch added one by one; above it one product is faster


class NeedsCoefficients(Exception):
    """Something asked for the norm of a held vector."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Held:
    """A vector between steps: `rows` = X v (n,), or X v - y if it is a `point`.

    v = alpha x_0 + X' coefficients, where these are held too.
    """

    rows: Any
    coefficients: Any = None
    alpha: Any = None
    point: bool = field(default=False, metadata={"static": True})


@jax.tree_util.register_pytree_node_class
class Vector:
    """sum_k scale_k held_k + sum_{w,j} pending_w[j] a_{S_w(j)}, S_w the window's w-th batch.

    A scale that is a Python float is part of the structure: 1 costs no multiplication.
    """

    __array_priority__ = 1000  # NumPy scalars leave the operation to us

    def __init__(self, scales: dict[int, Any], pending: dict[int, Any]) -> None:
        self.scales, self.pending = scales, pending

    def tree_flatten(self) -> tuple[Any, Any]:
        traced = {k: s for k, s in self.scales.items() if type(s) is not float}
        fixed = tuple((k, s) for k, s in self.scales.items() if type(s) is float)
        return (traced, self.pending), fixed

    @classmethod
    def tree_unflatten(cls, fixed: Any, children: Any) -> Vector:
        return cls(dict(fixed) | children[0], children[1])

    def __add__(self, other: Any) -> Vector:
        if not isinstance(other, Vector):
            return NotImplemented
        return Vector(_plus(self.scales, other.scales), _plus(self.pending, other.pending))

    def __mul__(self, factor: Any) -> Vector:
        return NotImplemented if isinstance(factor, Vector) else self._each(lambda s: s * factor)

    def __truediv__(self, divisor: Any) -> Vector:
        return self._each(lambda s: s / divisor)

    __rmul__ = __mul__

    def __neg__(self) -> Vector:
        return self._each(lambda s: -s)

    def __sub__(self, other: Any) -> Vector:
        return self + (-other) if isinstance(other, Vector) else NotImplemented

    def _each(self, f: Callable[[Any], Any]) -> Vector:
        scales = {k: f(s) for k, s in self.scales.items()}
        return Vector(scales, {w: f(c) for w, c in self.pending.items()})


def _plus(a: dict[int, Any], b: dict[int, Any]) -> dict[int, Any]:
    return a | {k: a[k] + v if k in a else v for k, v in b.items()}


def _total(terms: list[Any], empty: Any) -> Any:
    """The sum, without a first addition to zero."""
    return sum(terms[1:], terms[0]) if terms else empty


@dataclass(frozen=True)
class GramOracle:
    """The `now`-th minibatch of a window in Gram coordinates."""

    among: Any  # among[w][v] (B, B), products of the rows of batch w with those of batch v <= w
    targets: list[Any]  # (B,) for each batch of the window
    shares: Any  # (B,)
    reads: list[list[Any]]  # (B,) for each batch and held vector: what it holds at the batch's rows
    held: list[Held]
    rows: Any  # X (n, d)
    start: Any  # x_0 (d,)
    everything: Any  # the targets (n,) of all rows
    now: int = 0
    factor: Any = None  # (k, n), R'R = K, where the batch is everything

    def loss(self, x: Vector) -> Any:
        return self.shares @ self._read(x, 1.0) ** 2 / 2

    def grad(self, x: Vector) -> Vector:
        return Vector({}, {self.now: self.shares * self._read(x, 1.0)})

    def hvp(self, x: Vector, v: Vector) -> Vector:
        return Vector({}, {self.now: self.shares * self._read(v, 0.0)})

    def norm(self, v: Vector) -> Any:
        if self.factor is not None:
            return self._length(v)
        square = []
        for w, c in v.pending.items():
            square.append((c * _times(self.among[w][w], c)).sum())
            earlier = [u for u in v.pending if u < w]
            square += [2 * (c * _times(self.among[w][u], v.pending[u])).sum() for u in earlier]
            square += [2 * s * (c * self._product_at(w, k)).sum() for k, s in v.scales.items()]
        for k, s in v.scales.items():
            square += [
                s * r * self._product(self.held[k], self.held[m]) for m, r in v.scales.items()
            ]
        # Terms of either sign may cancel down to a rounding error, which has any sign.
        return jnp.sqrt(jnp.maximum(_total(square, jnp.zeros(())), 0.0))

    def _length(self, v: Vector) -> Any:
        """||v|| as exactly as in coordinates: near a minimum c'Kc is a small difference."""
        pending = _total(list(v.pending.values()), jnp.zeros_like(self.everything))
        if v.scales:
            of = [s * _coordinates(self.held[k], self.start, self.rows) for k, s in v.scales.items()]
            found = _total(of, None) + pending @ self.rows
        else:
            found = self.factor @ pending
        return jnp.sqrt(found @ found)

    def each(self, f: Callable[[Any], Any], size: int = 1) -> Any:
        """The mean of f over groups of `size` samples: oracles that share these rows."""
        count = self.shares.shape[0]
        if size < 1 or count % size:
            raise InputError("size", size, f"a divisor of the batch size {count}")
        groups = jnp.repeat(jnp.eye(count // size), size, axis=1) * self.shares
        heights = groups.sum(1)
        found = jax.vmap(lambda s: f(replace(self, shares=s)))(groups / heights[:, None])
        return jax.tree.map(lambda leaf: jnp.tensordot(heights, leaf, 1), found)

    def probe(self, t: Any, j: Any, kind: str = "rademacher") -> Any:
        raise InputError("space", "gram", "plain, for an optimizer that needs coordinates")

    tensors = ravel = probe

    def _read(self, v: Vector, target: float) -> Any:
        """(B,), the products of v with the batch's rows, less `target` times the targets."""
        reads, targets = self.reads[self.now], self.targets[self.now]
        terms = [_times_scale(s, reads[k]) for k, s in v.scales.items()]
        terms += [_times(self.among[self.now][w], c) for w, c in v.pending.items()]
        surplus = _surplus(v, self.held, target)
        if not (type(surplus) is float and surplus == 0):
            terms.append(surplus * targets)
        return _total(terms, jnp.zeros_like(targets))

    def _product_at(self, w: int, k: int) -> Any:
        """(B,), the products of a held vector with the rows of batch w."""
        read = self.reads[w][k]
        return read + self.targets[w] if self.held[k].point else read

    def _product(self, u: Held, v: Held) -> Any:
        """<u, v> of two held vectors."""
        if u.coefficients is None or v.coefficients is None:
            raise NeedsCoefficients
        rows, x = v.rows + self.everything if v.point else v.rows, self.start
        with_start = v.alpha * (x @ x) + v.coefficients @ (self.rows @ x)
        return u.alpha * with_start + u.coefficients @ rows


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
        return _over(held, lambda leaf: Vector({next(count): 1.0}, {}))

    def ahead(self, held: Any, batches: list[Any]) -> Any:
        """What a window reads: the batches' Gram matrices and targets, products of held vectors."""
        if batches[0] is None:
            return None
        among = [
            [_pairs(self.gram, b[..., :, None], c[..., None, :]) for c in batches[: w + 1]]
            for w, b in enumerate(batches)
        ]
        runs = jnp.arange(len(batches[0]), dtype=jnp.int32)[:, None]
        read = (
            (lambda h, b: _at(h.rows, b)) if self.shared else (lambda h, b: _pairs(h.rows, runs, b))
        )
        reads = [[read(h, b) for h in _vectors(held)] for b in batches]
        return among, [_at(self.targets, b) for b in batches], reads

    @property
    def ahead_axes(self) -> Any:
        """Where the runs are in what is read ahead."""
        return (None, None, -1) if self.shared else (0, 0, 0)

    def oracle(
        self, held: Any, start: Any, batch: Any, ahead: Any, probes: Any, now: int = 0
    ) -> Any:
        """The window's `now`-th minibatch, with what was read ahead; batch None: everything."""
        vectors, every = _vectors(held), self.targets
        known = vectors, self.rows, start, every
        if batch is None:
            all_of = [[self.gram]], [every], self.weights, [[h.rows for h in vectors]]
            return GramOracle(*all_of, *known, factor=self.factor)
        among, targets, reads = ahead
        shares = jnp.full(batch.shape, 1 / batch.shape[0])
        return GramOracle(among, targets, shares, reads, *known, now)

    def commit(self, found: Any, held: Any, batches: list[Any], *, fresh: bool = False) -> Any:
        """Lazy vectors of a block carried out, for batches (runs, B), (B,) if shared, or None.

        Each takes the form of the held vector in its place; `fresh` ones have none, and hold X v.
        """
        known = _vectors(held)
        points = iter([False] * MANY if fresh else [k.point for k in known])
        return _over(found, lambda v: self._carried_out(v, known, batches, next(points)))

    def _carried_out(self, v: Vector, known: list[Held], batches: Any, point: bool) -> Held:
        across = (lambda a: a[None, :]) if self.shared else (lambda a: a[:, None])
        rows = _scaled(v.scales, [k.rows for k in known], across)
        for w, c in v.pending.items():
            rows += self._products(c, batches[w], across)
        surplus = _surplus(v, known, float(point))
        if type(surplus) is not float:
            rows.append(across(surplus) * (self.targets[:, None] if self.shared else self.targets))
        elif surplus != 0:
            rows.append(surplus * (self.targets[:, None] if self.shared else self.targets))
        rows = _total(rows, jnp.zeros_like(known[0].rows))
        if not self.track:
            return Held(rows, point=point)
        spread = _scaled(v.scales, [k.coefficients for k in known], across)
        spread += [self._spread(c, batches[w], across) for w, c in v.pending.items()]
        alpha = _scaled(v.scales, [k.alpha for k in known], lambda a: a)
        spread = _total(spread, jnp.zeros_like(known[0].rows))
        return Held(rows, spread, _total(alpha, jnp.zeros_like(known[0].alpha)), point)

    def _products(self, pending: Any, batch: Any, across: Any) -> list[Any]:
        """Terms of the products of sum_j pending_j a_{S(j)} with all rows."""
        if batch is None or pending.shape[-1] > UNROLLED:
            added = self._spread(pending, batch, across)
            return [self.gram @ added if self.shared else added @ self.gram]
        every = range(pending.shape[-1])
        row = (
            (lambda j: _at(self.gram, batch[j])[:, None])
            if self.shared
            else (lambda j: _at(self.gram, batch[:, j]))
        )
        return [across(pending[:, j]) * row(j) for j in every]

    def _spread(self, pending: Any, batch: Any, across: Any) -> Any:
        """Coefficients of the batch's rows as coefficients of all n rows."""
        if batch is None:
            return pending.T if self.shared else pending
        places, total = jnp.arange(self.gram.shape[0]), []
        for j in range(pending.shape[-1]):
            where = (batch[j] == places)[:, None] if self.shared else batch[:, j, None] == places
            total.append(where * across(pending[:, j]))
        return _total(total, None)

    def leave(self, held: Held, start: Any) -> Any:
        """The coordinates (d,) of one run's held vector."""
        return _coordinates(held, start, self.rows)


def factor(problem: Any) -> np.ndarray:
    """R (min(n, d), n) with R'R = K and ||Rc|| = ||X'c||, from X itself: K has lost digits."""
    return np.linalg.qr(np.asarray(problem.rows).T, mode="r")


def _coordinates(held: Held, start: Any, rows: Any) -> Any:
    """(d,); only a tracked vector's are known."""
    if held.coefficients is None:
        raise NeedsCoefficients
    return held.alpha * start + held.coefficients @ rows


def _scaled(scales: dict[int, Any], arrays: list[Any], across: Any) -> list[Any]:
    return [
        _times_scale(s if type(s) is float else across(s), arrays[k]) for k, s in scales.items()
    ]


def _times_scale(scale: Any, array: Any) -> Any:
    return array if type(scale) is float and scale == 1 else scale * array


def _surplus(v: Vector, held: list[Held], target: float) -> Any:
    """How often the targets are missing from a sum of what is held; 0.0 if none are, as a rule."""
    points = [s for k, s in v.scales.items() if held[k].point]
    return sum(points, -target)


def _at(array: Any, places: Any) -> Any:
    """Entries, or rows, known to exist: drawn indices are below n, given ones were checked."""
    return array.at[places].get(mode="promise_in_bounds", wrap_negative_indices=False)


def _pairs(matrix: Any, rows: Any, columns: Any) -> Any:
    """Entries of a matrix through its flat form: two indices would be read in a branching loop."""
    return _at(matrix.reshape(-1), rows * matrix.shape[1] + columns)


def _times(matrix: Any, vector: Any) -> Any:
    """Matrix times vector; small ones without a library call, which would cost more than they do."""
    if vector.shape[-1] > UNROLLED:
        return matrix @ vector
    return (matrix * vector).sum(-1)


def _vectors(tree: Any) -> list[Held]:
    """The held vectors of a tree, in its order."""
    leaves = jax.tree.leaves(tree, is_leaf=lambda node: isinstance(node, Held))
    return [leaf for leaf in leaves if isinstance(leaf, Held)]


def _is_vector(node: Any) -> bool:
    return isinstance(node, Held | Vector)


def _over(tree: Any, f: Callable[[Any], Any]) -> Any:
    """`f` on the vectors of a tree; counts and other numbers pass."""
    change = lambda leaf: f(leaf) if _is_vector(leaf) else leaf  # noqa: E731
    return jax.tree.map(change, tree, is_leaf=_is_vector)

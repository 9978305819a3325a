r"""Vectors in Gram coordinates: what an optimizer computes with on least squares, and its oracle.

Gradients of $f_i(x) = (\langle a_i, x\rangle - y_i)^2/2$ are multiples of the rows $a_i$ of X, and
an optimizer that only adds, scales and measures vectors never leaves the span of the rows and of
its start. A vector is lazy: multiples of vectors held since the last commit, plus multiples of the
rows seen since. Only products of rows with rows are ever read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from theory.core import InputError

UNROLLED = 8  # rows of a batch added one by one; above it one product is faster


class NeedsCoefficients(Exception):
    """Something asked for the norm of a held vector."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Held:
    """A vector between commits: `rows` = X v (n,), or X v - y if it is a `point`.

    v = alpha x_0 + X' coefficients, where these are held too.
    """

    rows: Any
    coefficients: Any = None
    alpha: Any = None
    point: bool = field(default=False, metadata={"static": True})


class Ratio(NamedTuple):
    """top / bottom, divided as late as possible: a multiplication less in every loop after it."""

    top: Any
    bottom: Any


def value(p: Any) -> Any:
    """The number that may be a ratio."""
    return p.top / p.bottom if isinstance(p, Ratio) else p


@jax.tree_util.register_pytree_node_class
class Vector:
    """sum_k scale_k held_k + sum_{w,j} pending_w[j] a_{S_w(j)}, S_w the window's w-th batch.

    A scale that is a Python float is part of the structure: 1 costs no multiplication. A batch of
    one sample has numbers where a larger one has arrays (B,).
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
        if isinstance(factor, Vector):
            return NotImplemented
        _check_number(factor)
        return self._each(lambda s: s * factor, lambda r: Ratio(r.top * factor, r.bottom))

    def __truediv__(self, divisor: Any) -> Vector:
        if isinstance(divisor, Vector):
            return NotImplemented
        _check_number(divisor)
        scales = {k: s / divisor for k, s in self.scales.items()}
        split = {w: _split(c) for w, c in self.pending.items()}
        return Vector(scales, {w: Ratio(r.top, r.bottom * divisor) for w, r in split.items()})

    __rmul__ = __mul__

    def __neg__(self) -> Vector:
        return self._each(lambda s: -s, lambda r: Ratio(-r.top, r.bottom))

    def __sub__(self, other: Any) -> Vector:
        return self + (-other) if isinstance(other, Vector) else NotImplemented

    def divided(self) -> Vector:
        """The same without ratios."""
        return Vector(self.scales, {w: value(c) for w, c in self.pending.items()})

    def _each(self, f: Callable[[Any], Any], on_ratio: Callable[[Ratio], Ratio]) -> Vector:
        scales = {k: f(s) for k, s in self.scales.items()}
        own = self.pending.items()
        return Vector(scales, {w: on_ratio(c) if isinstance(c, Ratio) else f(c) for w, c in own})


def _check_number(factor: Any) -> None:
    """An array as long as a batch would weigh its samples, not the coordinates it is meant for."""
    if jnp.ndim(factor):
        raise InputError("space", "'gram'", "'plain' for an optimizer that needs coordinates")


def _split(c: Any) -> Ratio:
    return c if isinstance(c, Ratio) else Ratio(c, 1.0)


def _plus(a: dict[int, Any], b: dict[int, Any]) -> dict[int, Any]:
    return a | {k: value(a[k]) + value(v) if k in a else v for k, v in b.items()}


@dataclass(frozen=True)
class GramOracle:
    """The `now`-th minibatch of a window in Gram coordinates."""

    among: Any  # among[w][v] (B, B), products of the rows of batch w with those of batch v <= w
    targets: list[Any]  # (B,) for each batch of the window
    shares: Any  # (B,), 1.0 for one sample
    reads: list[list[Any]]  # (B,) for each batch and held vector: what it holds at the batch's rows
    held: list[Held]
    rows: Any  # X (n, d)
    start: Any  # x_0 (d,)
    everything: Any  # the targets (n,) of all rows
    factor: Any = None  # (k, n), R'R = K, where the batch is everything
    now: int = 0

    def loss(self, x: Vector) -> Any:
        return scaled(self.shares, self._read(x, 1.0) ** 2).sum() / 2

    def grad(self, x: Vector) -> Vector:
        return Vector({}, {self.now: scaled(self.shares, self._read(x, 1.0))})

    def hvp(self, x: Vector, v: Vector) -> Vector:
        return Vector({}, {self.now: scaled(self.shares, self._read(v, 0.0))})

    def norm(self, v: Vector) -> Any:
        v, square = v.divided(), []
        if self.factor is not None:
            return self._length(v)
        for w, c in v.pending.items():
            square.append((c * _times(self.among[w][w], c)).sum())
            earlier = [u for u in v.pending if u < w]
            square += [2 * (c * _times(self.among[w][u], v.pending[u])).sum() for u in earlier]
            square += [2 * s * (c * self._product_at(w, k)).sum() for k, s in v.scales.items()]
        for k, s in v.scales.items():
            square += [
                s * r * self._product(self.held[k], self.held[m]) for m, r in v.scales.items()
            ]
        found = total(square, jnp.zeros(()))
        if len(square) > 1 or type(self.shares) is not float:
            # Terms of either sign may cancel down to a rounding error, which has any sign.
            found = jnp.where(found < 0, 0.0, found)
        return jnp.sqrt(found)

    def _length(self, v: Vector) -> Any:
        """||v||, as exact as in coordinates: near a minimum c'Kc is a small difference."""
        pending = list(v.pending.values())
        if not v.scales:
            found = self.factor @ total(pending, jnp.zeros_like(self.everything))
        else:
            own = [
                s * coordinates(self.held[k], self.start, self.rows) for k, s in v.scales.items()
            ]
            found = total(own + [c @ self.rows for c in pending], None)
        return jnp.sqrt(found @ found)

    def each(self, f: Callable[[Any], Any], size: int = 1) -> Any:
        """The mean of f over groups of `size` samples: oracles that share these rows."""
        count = 1 if type(self.shares) is float else len(self.shares)
        if size < 1 or count % size:
            raise InputError("size", size, f"a divisor of the batch size {count}")
        if count == 1:
            return f(self)
        groups = jnp.repeat(jnp.eye(count // size), size, axis=1) * self.shares
        heights = groups.sum(1)
        found = jax.vmap(lambda s: f(replace(self, shares=s)))(groups / heights[:, None])
        return jax.tree.map(lambda leaf: jnp.tensordot(heights, leaf, 1), divided(found))

    def probe(self, t: Any, j: Any, kind: str = "rademacher") -> Any:
        raise InputError("space", "'gram'", "'plain' for an optimizer that needs coordinates")

    tensors = ravel = probe

    def _read(self, v: Vector, target: float) -> Any:
        """(B,), the products of v with the batch's rows, less `target` times the targets."""
        reads, targets = self.reads[self.now], self.targets[self.now]
        terms = [scaled(s, reads[k]) for k, s in v.scales.items()]
        terms += [_times(self.among[self.now][w], c) for w, c in v.pending.items()]
        missing = surplus(v, self.held, target)
        if not (type(missing) is float and missing == 0):
            terms.append(missing * targets)
        return total(terms, jnp.zeros_like(targets))

    def _product_at(self, w: int, k: int) -> Any:
        """(B,), the products of a held vector with the rows of batch w."""
        read = self.reads[w][k]
        return read + self.targets[w] if self.held[k].point else read

    def _product(self, u: Held, v: Held) -> Any:
        """<u, v> of two held vectors."""
        if u.coefficients is None or v.coefficients is None:
            raise NeedsCoefficients
        rows = v.rows + self.everything if v.point else v.rows
        x = self.start
        with_start = v.alpha * (x @ x) + v.coefficients @ (self.rows @ x)
        return u.alpha * with_start + u.coefficients @ rows


def coordinates(held: Held, start: Any, rows: Any) -> Any:
    """(d,); those of a vector whose coefficients are not held are not known."""
    if held.coefficients is None:
        raise NeedsCoefficients
    return held.alpha * start + held.coefficients @ rows


def total(terms: list[Any], empty: Any) -> Any:
    """The sum, without a first addition to zero."""
    return sum(terms[1:], terms[0]) if terms else empty


def scaled(scale: Any, array: Any) -> Any:
    """scale * array, without a multiplication by 1."""
    return array if type(scale) is float and scale == 1 else scale * array


def surplus(v: Vector, held: list[Held], target: float) -> Any:
    """How often the targets are missing from a sum of what is held; 0.0 if none are, as a rule."""
    return sum([s for k, s in v.scales.items() if held[k].point], -target)


def _times(matrix: Any, c: Any) -> Any:
    """Matrix times vector; small ones without a library call, which would cost more than they do."""
    if isinstance(c, Ratio):
        return _times(matrix, c.top) / c.bottom
    if jnp.ndim(matrix) == 0:
        return matrix * c
    return matrix @ c if c.shape[-1] > UNROLLED else (matrix * c).sum(-1)


def divided(tree: Any) -> Any:
    """Every vector of a tree without ratios."""
    return over(tree, lambda leaf: leaf.divided())


def vectors(tree: Any) -> list[Held]:
    """The held vectors of a tree, in its order."""
    leaves = jax.tree.leaves(tree, is_leaf=lambda node: isinstance(node, Held))
    return [leaf for leaf in leaves if isinstance(leaf, Held)]


def over(tree: Any, f: Callable[[Any], Any]) -> Any:
    """`f` on the vectors of a tree; counts and other numbers pass."""

    def is_vector(node: Any) -> bool:
        return isinstance(node, Held | Vector)

    change = lambda leaf: f(leaf) if is_vector(leaf) else leaf  # noqa: E731
    return jax.tree.map(change, tree, is_leaf=is_vector)

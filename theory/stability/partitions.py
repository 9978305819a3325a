"""E[A_S X A_S] for unnormalised SAM with shared ascent, A_S = H_S + rho H_S M H_S, at any batch size.

No batch is enumerated. A word of k factors H_S, H_S = (1/B) sum_{i in S} H_i, is a sum over the B^k
ways to fill its k slots; grouped by which slots hold the same draw, these are the set partitions of
the slots. What remains are at most 2 + 5 + 15 averages over independent samples, each of which is a
few products with the factors F_i of H_i = F_i'F_i.

A partition is written as the labels of its slots in order of appearance: (0, 1, 0) is {13|2}.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from theory.core import InputError
from theory.moments import EPS, door_tolerance
from theory.stability.crossing import Crossing

Labels = tuple[int, ...]


def set_partitions(slots: int) -> list[Labels]:
    """The set partitions of `slots` >= 1 slots: 1, 2, 5, 15, ... of them (Bell numbers)."""
    grown: list[Labels] = [(0,)]
    for _ in range(slots - 1):
        grown = [(*p, label) for p in grown for label in range(max(p) + 2)]
    return grown


def moebius(fine: Labels, coarse: Labels) -> int:
    """mu(fine, coarse) on the partition lattice, 0 unless `fine` refines `coarse`.

    It is the product over blocks of `coarse` of (-1)^(b-1) (b-1)!, b the blocks of `fine` in it
    (Rota 1964).
    """
    held = set(zip(fine, coarse, strict=True))
    if len(held) > len(set(fine)):
        return 0
    merged = Counter(label for _, label in held).values()
    return math.prod((-1) ** (b - 1) * math.factorial(b - 1) for b in merged)


def coefficients(
    slots: int, n: int, batch: int | None, replacement: bool
) -> dict[Labels, Fraction]:
    """E[word in H_S] = sum of coefficient times the word averaged over independent blocks' samples.

    Exact, over all `set_partitions(slots)`, of sum one; n samples. The draws of a batch fall into
    partition pi in (B)_|pi| of B^slots ways. Without replacement its blocks have distinct samples,
    and their average is sum over sigma >= pi of mu(pi, sigma) n^|sigma|/(n)_|pi| times the one over
    independent samples. None is the full weighted batch: one mean matrix in every slot. With fewer
    samples than slots other coefficients would do as well.
    """
    blocks = {p: len(set(p)) for p in set_partitions(slots)}
    # the inversion finds the second case by itself only where there are as many samples as slots
    if batch is None or (batch == n and not replacement):
        return {p: Fraction(size == slots) for p, size in blocks.items()}
    ways = int(batch) ** slots  # a numpy integer would overflow
    drawn = {p: Fraction(math.perm(batch, size), ways) for p, size in blocks.items()}
    if replacement:
        return drawn
    # where (n)_|pi| is zero there was nothing to draw: batch <= n
    distinct = {p: share / math.perm(n, blocks[p]) for p, share in drawn.items() if share}
    return {
        sigma: sum((moebius(p, sigma) * c for p, c in distinct.items()), Fraction(0)) * n**size
        for sigma, size in blocks.items()
    }


def mean_square(
    blocks: np.ndarray,
    weights: np.ndarray,
    metric: np.ndarray,
    batch: int | None,
    replacement: bool,
) -> np.ndarray:
    """E[H_S M H_S] (r, r), arguments as for `Noise`: E A_S = H + rho times it."""
    return Noise(blocks, weights, metric, 0.0, batch, replacement)._mean_square


@dataclass(frozen=True, eq=False)
class Noise:
    """X -> E[A_S X A_S] (r, r) for symmetric X (r, r), A_S = H_S + rho H_S M H_S.

    H_i = F_i'F_i with F_i = `blocks[i]`, (n, k, r); `weights` (n,) are relative; M = `metric` is
    symmetric. `batch` samples a step, with `replacement` or without; None is the full weighted
    batch. The map is self-adjoint for tr XY and completely positive. For PSD M it errs by a few EPS
    of E||A_S||^2 ||X||; for others, of the same with |M|. Time is O(n k (k + r) r) an application
    and what `Crossing` takes; nothing of n^2 or n r^2 numbers is held. Raises `InputError` on shapes
    that disagree, an asymmetric M or X, a batch that cannot be drawn, and unequal weights without
    replacement. Source: the partition expansion of moments of sample means (k-statistics).
    """

    blocks: np.ndarray
    weights: np.ndarray
    metric: np.ndarray
    rho: float
    batch: int | None
    replacement: bool

    def __post_init__(self) -> None:
        _check(self.blocks, self.weights, self.metric, self.batch, self.replacement)
        if not (self.rho >= 0 and math.isfinite(self.rho)):
            raise InputError("rho", self.rho, "a finite number, at least 0")
        object.__setattr__(self, "weights", self.weights / self.weights.sum())

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """E[A_S X A_S], symmetric to the last bit.

        A word and its mirror image are transposes of each other, so half of the sum is evaluated:
        one of every pair, and half of those that are their own. Each X H M is (M H X)'.
        """
        _check_symmetric("X", X, self.metric.shape)
        if not self._random:
            return _doubled(self.mean @ X @ self.mean / 2)
        c, H, M, Q, kappa = self._scaled, self._H, self.metric, self._Q, self._kappa
        HM, HXH, QXH = H @ M, H @ X @ H, Q @ X @ H
        x, y = self._inner(X), self._inner(M @ H @ X)
        phi = self._outer(x)  # the mean of H_i X H_i
        tail = QXH * c[0, 0, 1, 2] + self._outer(c[0, 1, 0, 2] * y + c[0, 0, 0, 1] * (kappa @ x))
        half = c[0, 1] / 2 * HXH
        half += HM @ (c[0, 1, 2] * HXH + c[0, 1, 1] * phi) + c[0, 0, 1] * QXH
        half += HM @ (c[0, 1, 2, 3] / 2 * HXH + c[0, 1, 1, 2] / 2 * phi) @ HM.T
        half += tail @ HM.T + c[0, 0, 1, 1] / 2 * (Q @ X @ Q)
        core = c[0, 0] / 2 * x + c[0, 1, 0] * y + c[0, 0, 0] * (kappa @ x)
        core += kappa @ (c[0, 0, 1, 0] * y.mT + c[0, 0, 0, 0] / 2 * (x @ kappa))
        core += self._inner(M @ (c[0, 1, 2, 0] / 2 * HXH + c[0, 1, 1, 0] / 2 * phi) @ M)
        half += self._outer(core)
        if c[0, 1, 0, 1]:
            half += c[0, 1, 0, 1] / 2 * self._crossing(X)
        return _doubled(half)

    def one_step(self) -> np.ndarray:
        """E[A_S A_S] (r, r)."""
        return self(np.eye(len(self.metric)))

    @cached_property
    def mean(self) -> np.ndarray:
        """E A_S (r, r)."""
        return self._H + self.rho * self._mean_square

    @cached_property
    def _mean_square(self) -> np.ndarray:
        c = coefficients(2, len(self.blocks), self.batch, self.replacement)
        HMH = self._H @ self.metric @ self._H
        return _doubled((float(c[0, 0]) * self._Q + float(c[0, 1]) * HMH) / 2)

    @cached_property
    def _scaled(self) -> dict[Labels, float]:
        """The coefficients of all three orders, each times its power of rho."""
        n = len(self.blocks)
        return {
            labels: float(c) * self.rho ** (slots - 2)
            for slots in (2, 3, 4)
            for labels, c in coefficients(slots, n, self.batch, self.replacement).items()
        }

    @cached_property
    def _random(self) -> bool:
        """Whether two slots of a word ever count as sharing a sample: not if A_S is always A."""
        return any(c for labels, c in self._scaled.items() if len(set(labels)) < len(labels))

    @cached_property
    def _H(self) -> np.ndarray:
        n, k, _ = self.blocks.shape
        return _doubled(self._outer(np.broadcast_to(np.eye(k) / 2, (n, k, k))))

    @cached_property
    def _kappa(self) -> np.ndarray:
        return self._inner(self.metric)

    @cached_property
    def _Q(self) -> np.ndarray:
        """The weighted mean of H_i M H_i."""
        return self._outer(self._kappa)

    @cached_property
    def _crossing(self) -> Crossing:
        return Crossing(self.blocks, self.weights, self.metric)

    def _inner(self, Z: np.ndarray) -> np.ndarray:
        """F_i Z F_i' (n, k, k)."""
        n, k, r = self.blocks.shape
        return (self.blocks.reshape(n * k, r) @ Z).reshape(n, k, r) @ self.blocks.mT

    def _outer(self, Y: np.ndarray) -> np.ndarray:
        """The weighted mean of F_i'Y_i F_i (r, r), from Y (n, k, k)."""
        n, k, r = self.blocks.shape
        right = (self.weights[:, None, None] * Y) @ self.blocks
        return self.blocks.reshape(n * k, r).T @ right.reshape(n * k, r)


def _doubled(half: np.ndarray) -> np.ndarray:
    return half + half.T


def _check_symmetric(field: str, matrix: np.ndarray, shape: tuple[int, ...]) -> None:
    if matrix.shape != shape:
        raise InputError(field, f"shape {matrix.shape}", f"shape {shape}")
    off = np.abs(matrix - matrix.T).max(initial=0.0)
    if not off <= door_tolerance(max(shape)) * np.abs(matrix).max(initial=0.0):  # NaN: no
        raise InputError(field, f"asymmetric by {off:g}", "a finite symmetric matrix")


def _check(
    blocks: np.ndarray,
    weights: np.ndarray,
    metric: np.ndarray,
    batch: int | None,
    replacement: bool,
) -> None:
    if blocks.ndim != 3 or not len(blocks) or not np.isfinite(blocks).all():
        raise InputError("blocks", f"shape {blocks.shape}", "finite factors (n, k, r), n >= 1")
    n, _, r = blocks.shape
    if weights.shape != (n,) or not (weights >= 0).all() or not 0 < weights.sum() < math.inf:
        raise InputError("weights", weights, f"one per sample, {n}, none negative, not all zero")
    _check_symmetric("metric", metric, (r, r))
    if batch is None:
        return
    if isinstance(batch, bool) or not isinstance(batch, int | np.integer) or batch < 1:
        raise InputError("batch", batch, "an integer, at least 1, or None for the full batch")
    if not replacement and batch > n:
        raise InputError("batch", batch, f"at most n = {n} without replacement")
    # normalisation rounds by an EPS or two
    if not replacement and np.ptp(weights) > 4 * EPS * weights.mean():
        raise InputError("weights", "unequal", "equal ones when sampling without replacement")

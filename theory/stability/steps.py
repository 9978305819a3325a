"""The law of one step, x+ = x - eta A_S x, reduced to where the samples live.

A_S is the batch mean of A_i = H_i (SGD) or H_i + rho H_i^2 (USAM, per-sample ascent or B = 1), or
H_S + rho H_S^2 (shared ascent, B > 1). A frozen preconditioner p is a change of coordinates, x ->
p^{1/2} x: A_i becomes P^{-1/2} A_i P^{-1/2}, and the climb, which happens in the old coordinates,
H_S + rho H_S P H_S. Directions that no sample moves are divided out: n rows in d dimensions need an
n x n or a d x d eigenproblem, whichever is smaller.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from theory.core import InputError
from theory.moments import EPS, door_tolerance
from theory.stability.minimum import Minimum, minimum
from theory.stability.partitions import mean_square

FARTHEST = 1e20  # eta or rho times curvature: products of twelve steps stay in double range
RARE = 1e-9  # of the largest sample: far above what rounding drops, far below what matters
SIGMAS = 6.0  # of the probabilistic model of rounding errors: it fails with probability 3e-8


@dataclass(frozen=True)
class Climb:
    """Shared ascent: A_S = H_S + rho H_S M H_S, `metric` M (r, r); I without a preconditioner."""

    rho: float
    metric: np.ndarray


@dataclass(frozen=True)
class Steps:
    """The law of one step in the eigenbasis of A = E A_S = diag(lam), on its range.

    `blocks` (n, k, r) are F_i with A_i = F_i'F_i, or H_i = F_i'F_i under a `climb`; `weights` (n,) sum
    to one; `lam` (r,) ascending and positive. `batch` samples a step, None for all of them. With
    `momentum` m and `decay` w (PyTorch's): v+ = m v + (A_S + w I) x, x+ = x - eta v+. `ceiling` is no
    less than the largest eigenvalue of any A_S. `noise` is the relative error, in the norm, that input
    and reduction may carry (why no more than the norm matters: `theory.stability.perron`); infinite
    where a rare sample curves what counts as rounding in the mean.
    """

    blocks: np.ndarray
    weights: np.ndarray
    lam: np.ndarray
    batch: int | None
    replacement: bool
    climb: Climb | None
    momentum: float = 0.0
    decay: float = 0.0
    noise: float = 0.0
    ceiling: float = math.inf

    @property
    def rank(self) -> int:
        """r, the number of directions that some sample moves."""
        return len(self.lam)

    @property
    def share(self) -> float:
        """p of D(X) = (1 - p) A X A + p mean A_i X A_i: how much of the noise a batch leaves."""
        n = len(self.weights)
        if self.batch is None or n == 1:
            return 0.0
        if self.replacement:
            return 1 / self.batch
        return (n - self.batch) / (self.batch * (n - 1))

    @property
    def deterministic(self) -> bool:
        """Whether every step is the same: full batch, or B = n without replacement."""
        return self.share == 0


def reduced(
    minimum: Minimum,
    *,
    rho: float = 0.0,
    batch: int | None = 1,
    sampling: Literal["with", "without"] = "with",
    ascent: Literal["shared", "per-sample"] = "shared",
    momentum: float = 0.0,
    weight_decay: float = 0.0,
) -> Steps:
    """The law of SGD (rho = 0) or unnormalised SAM near `minimum`.

    `batch` samples are drawn `with` or `without` replacement; None is the full weighted batch.
    Raises `InputError` naming the setting.
    """
    _check(minimum, rho, batch, sampling, ascent, momentum, weight_decay)
    n, w = minimum.samples, minimum.weights
    if sampling == "without" and batch == n:
        batch = None  # every batch is the whole set
    shared = rho > 0 and ascent == "shared" and batch != 1
    scale, p = 0.0 if shared else rho, minimum.preconditioner
    if minimum.factors is None:
        blocks, lam, error = _from_gram(minimum, scale)
        sizes = minimum.sizes * (1 + scale * minimum.sizes)
        metric = np.eye(len(lam))
    else:
        own = minimum.factors if p is None else minimum.factors / np.sqrt(p)
        F = _raised(minimum.factors, own, scale)
        sizes = np.einsum("ika,ika->i", F, F)
        span = Span.of(F, w)
        blocks, lam, error = span.blocks, span.lam, span.error
        metric = np.eye(len(lam)) if p is None or not shared else span.metric(p)
    if minimum.form == "hessians":
        error += 2 * door_tolerance(minimum.dimension or 1)
    if batch is not None:  # the full batch never meets a sample alone
        error += _lost(sizes, blocks)
    law = Steps(
        blocks, w, lam, batch, sampling == "with", None, momentum, weight_decay, error,
        ceiling=float(sizes.max()),
    )  # fmt: skip
    return _climbed(law, Climb(rho, metric)) if shared and len(lam) else law


def _lost(sizes: np.ndarray, blocks: np.ndarray) -> float:
    """The largest share of curvature that a sample has outside the range kept; infinite above RARE.

    Directions whose *mean* curvature is rounding are dropped. A heavy sample of tiny weight may
    still curve them, and then only bounds that look at single samples hold.
    """
    kept = np.einsum("ika,ika->i", blocks, blocks)
    share = float((sizes - kept).max()) / float(sizes.max() or 1.0)
    return max(share, 0.0) if share <= RARE else math.inf


@dataclass(frozen=True)
class Span:
    """The range of A = sum_i w_i F_i'F_i in its eigenbasis: `blocks` (n, k, r) are the F_i there.

    `vectors` are eigenvectors of the smaller of A (d, d) and its Gram matrix (n k, n k), the latter
    over sqrt(n) and beside `rows` (n k, d); `error` is the relative error of what they decompose.
    """

    blocks: np.ndarray
    lam: np.ndarray
    error: float
    vectors: np.ndarray
    rows: np.ndarray | None

    @staticmethod
    def of(F: np.ndarray, w: np.ndarray) -> Span:
        """From F (n, k, d) and weights (n,)."""
        n, k, d = F.shape
        flat = F.reshape(n * k, d)
        equal = bool(np.ptp(w) <= EPS / n)  # then the weight is taken out, and no root rounds
        root = np.ones(n * k) if equal else np.repeat(np.sqrt(n * w), k)
        rows = flat if equal else root[:, None] * flat
        if n * k < d:
            U, lam, error = _spectrum(rows @ rows.T / n, d)
            blocks = (U * np.sqrt(n * lam) / root[:, None]).reshape(n, k, len(lam))
            return Span(blocks, lam, error, U / math.sqrt(n), rows)
        Q, lam, error = _spectrum(rows.T @ rows / n, n * k)
        return Span((flat @ Q).reshape(n, k, len(lam)), lam, error, Q, None)

    def coordinates(self, vectors: np.ndarray) -> np.ndarray:
        """Vectors (m, d) in the eigenbasis (m, r)."""
        if self.rows is None:
            return vectors @ self.vectors
        return (vectors @ self.rows.T) @ (self.vectors / np.sqrt(self.lam))

    def metric(self, p: np.ndarray) -> np.ndarray:
        """diag(p) there (r, r)."""
        if self.rows is None:
            return (self.vectors.T * p) @ self.vectors
        half = self.vectors / np.sqrt(self.lam)
        return half.T @ ((self.rows * p) @ self.rows.T) @ half


def _raised(F: np.ndarray, own: np.ndarray, rho: float) -> np.ndarray:
    """(I + rho F_i F_i')^{1/2} G_i: then sum of squares is G_i'G_i + rho G_i'F_i F_i'G_i."""
    if rho == 0:
        return own
    if F.shape[1] == 1:
        norms = np.einsum("ika,ika->i", F, F)
        return np.sqrt(1 + rho * norms)[:, None, None] * own
    values, vectors = np.linalg.eigh(F @ np.swapaxes(F, 1, 2))
    roots = np.sqrt(1 + rho * np.maximum(values, 0))
    return (vectors * roots[:, None, :]) @ (np.swapaxes(vectors, 1, 2) @ own)


def _from_gram(minimum: Minimum, rho: float) -> tuple[np.ndarray, np.ndarray, float]:
    K, w = minimum.gram, minimum.weights
    assert K is not None
    root = np.sqrt(w * (1 + rho * np.diag(K)))
    scaled = root[:, None] * K * root
    values = np.linalg.eigvalsh(scaled)
    size = np.abs(values).max(initial=0.0)
    if values[0] < -door_tolerance(len(K)) * size:
        raise InputError(
            "gram", f"smallest eigenvalue {values[0]}", "a positive semidefinite matrix"
        )
    U, lam, error = _spectrum(scaled, len(K))
    return (U * np.sqrt(lam) / np.sqrt(w)[:, None])[:, None, :], lam, error


def _spectrum(matrix: np.ndarray, inner: int) -> tuple[np.ndarray, np.ndarray, float]:
    """(vectors, values > 0, relative error) of a PSD matrix that is a sum over `inner` products.

    Values below 8 max(sizes) EPS of the largest are rounding: NumPy's rule for the rank, with room
    for the sums. The error is what the decomposition leaves, measured, and what the sums may carry.
    """
    values, vectors = np.linalg.eigh(matrix)
    size = values[-1]
    kept = values > 8 * max(len(values), inner) * EPS * size
    if size <= 0 or not kept.any():
        return vectors[:, :0], values[:0], 0.0
    left = np.linalg.norm(matrix @ vectors - vectors * values) / size
    crooked = np.linalg.norm(vectors.T @ vectors - np.eye(len(values)))
    dropped = float(np.abs(values[~kept]).max(initial=0.0)) / size
    error = float(left + crooked) + dropped + SIGMAS * math.sqrt(inner) * EPS / 2
    return vectors[:, kept], values[kept], error


def _climbed(law: Steps, climb: Climb) -> Steps:
    """The law of shared ascent, turned into the eigenbasis of A = H + rho E[H_S M H_S]."""
    n = len(law.weights)
    second = mean_square(law.blocks, law.weights, climb.metric, law.batch, law.replacement)
    lam, Q = np.linalg.eigh(np.diag(law.lam) + climb.rho * (second + second.T) / 2)
    return replace(
        law,
        blocks=law.blocks @ Q,
        lam=lam,
        climb=Climb(climb.rho, Q.T @ climb.metric @ Q),
        noise=law.noise + SIGMAS * math.sqrt(n) * EPS,
        ceiling=law.ceiling
        * (1 + climb.rho * law.ceiling * float(np.linalg.norm(climb.metric, 2))),
    )


def _check(
    minimum: Minimum,
    rho: float,
    batch: int | None,
    sampling: str,
    ascent: str,
    momentum: float,
    weight_decay: float,
) -> None:
    n = minimum.samples
    if sampling not in ("with", "without"):
        raise InputError("sampling", sampling, "'with' or 'without' (replacement)")
    if ascent not in ("shared", "per-sample"):
        raise InputError("ascent", ascent, "'shared' or 'per-sample'")
    whole = isinstance(batch, int | np.integer) and not isinstance(batch, bool)
    if batch is not None and not (whole and batch >= 1):
        raise InputError("batch", batch, "an integer, at least 1, or None for the full batch")
    if batch is not None and sampling == "without":
        if batch > n:
            raise InputError("batch", batch, f"from 1 to n = {n} without replacement")
        if not minimum.equal:
            raise InputError("weights", "unequal", "equal ones when sampling without replacement")
    if not 0 <= momentum < 1:
        raise InputError("momentum", momentum, "a number from 0 up to, not including, 1")
    if not (weight_decay >= 0 and math.isfinite(weight_decay)):
        raise InputError("weight-decay", weight_decay, "a finite number, at least 0")
    if not (rho >= 0 and math.isfinite(rho)):
        raise InputError("rho", rho, "a finite number, at least 0")
    largest = float(minimum.sizes.max())
    if rho * largest > FARTHEST:
        raise InputError("rho", rho, f"at most {FARTHEST / largest:.3g} for these Hessians")


def listed(weights: np.ndarray, A: np.ndarray) -> Steps:
    """The law that draws A_i (n, d, d), PSD, with probability `weights` (n,), one a step."""
    return reduced(minimum(hessians=A, weights=weights))

"""One linear operator, T(X) = E[Phi X Phi'], holds every second moment of x+ = (I - eta A_S) x.

With Phi = I - eta A_S symmetric, T is self-adjoint for <X, Y> = tr XY on symmetric matrices and
maps PSD matrices to PSD ones, so its spectral radius is its largest eigenvalue and T is a symmetric
matrix in an orthonormal basis of the d(d+1)/2-dimensional space they form (Mulayoff & Michaeli
2024 for SGD). Directions that no A_S moves are divided out first: they say nothing about stability.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations, combinations_with_replacement
from typing import Any, Literal

import numpy as np

from theory.core import InputError
from theory.exact import Matrix
from theory.moments import EPS, rank_tolerance

MOST_BATCHES = 100_000


def step_matrices(
    hessians: Any,
    weights: Any,
    *,
    rho: Any = 0,
    batch: int | None = 1,
    sampling: Literal["with", "without"] = "with",
    ascent: Literal["shared", "per-sample"] = "shared",
) -> tuple[Any, Any]:
    """Every batch S with its probability: (probabilities (m,), A (m, d, d)); the step is I - eta A.

    SGD (rho = 0) and unnormalised SAM: A_S = H_S + rho H_S^2 with `shared` ascent, and the mean of
    H_i + rho H_i^2 over S with `per-sample`. `batch` samples are drawn with or without replacement;
    None is the full weighted batch. Numpy stacks (n, d, d) give arrays; lists of exact `Matrix`
    with rational weights and rho give lists of `Fraction` and `Matrix`. Raises `InputError`.
    """
    exact = isinstance(hessians[0], Matrix)
    _check(len(hessians), len(weights), rho, batch, sampling, ascent)
    shares = _shares(weights, exact)
    raised = [H + rho * (H @ H) for H in hessians] if ascent == "per-sample" else hessians
    probabilities, A = [], []
    for probability, part in _batches(shares, batch, sampling):
        mean = _combine(part, raised)
        A.append(mean if ascent == "per-sample" else mean + rho * (mean @ mean))
        probabilities.append(probability)
    return (probabilities, A) if exact else (np.array(probabilities), np.array(A))


def _shares(weights: Any, exact: bool) -> list[Any]:
    values = [Fraction(w) if exact else float(w) for w in weights]
    total = sum(values)
    return [w / total for w in values]


def _combine(part: dict[int, Any], matrices: Any) -> Any:
    terms = [share * matrices[i] for i, share in part.items()]
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def _batches(
    shares: list[Any], batch: int | None, sampling: str
) -> Iterator[tuple[Any, dict[int, Any]]]:
    """(probability, {sample: its share of the batch}), one entry per multiset."""
    n, one = len(shares), sum(shares) / sum(shares)  # one: exact where the shares are
    if batch is None:
        yield one, dict(enumerate(shares))
    elif sampling == "without":
        if max(shares) - min(shares) > 4 * EPS / n:  # normalisation rounds by an EPS or two
            raise InputError("weights", "unequal", "equal ones when sampling without replacement")
        _check_count(math.comb(n, batch))
        for chosen in combinations(range(n), batch):
            yield one / math.comb(n, batch), dict.fromkeys(chosen, one / batch)
    else:
        _check_count(math.comb(n + batch - 1, batch))
        for chosen in combinations_with_replacement(range(n), batch):
            counts = Counter(chosen)
            chance = _multinomial([shares[i] for i in counts], list(counts.values()))
            yield chance, {i: c * one / batch for i, c in counts.items()}


def _multinomial(shares: list[Any], counts: list[int]) -> Any:
    """The probability of drawing each sample that many times, in any order."""
    batch = sum(counts)
    if batch > 170 and isinstance(shares[0], float):  # 171! overflows a float
        logs = (c * math.log(p) - math.lgamma(c + 1) for p, c in zip(shares, counts, strict=True))
        return math.exp(math.lgamma(batch + 1) + sum(logs))
    orders = math.factorial(batch) // math.prod(math.factorial(c) for c in counts)
    return orders * math.prod(p**c for p, c in zip(shares, counts, strict=True))


def _check(n: int, weights: int, rho: Any, batch: int | None, sampling: str, ascent: str) -> None:
    if weights != n:
        raise InputError("weights", f"{weights} of them", f"one per sample, {n}")
    if not (rho >= 0 and math.isfinite(rho)):
        raise InputError("rho", rho, "a finite number, at least 0")
    if sampling not in ("with", "without"):
        raise InputError("sampling", sampling, "'with' or 'without' (replacement)")
    if ascent not in ("shared", "per-sample"):
        raise InputError("ascent", ascent, "'shared' or 'per-sample'")
    whole = isinstance(batch, int | np.integer) and not isinstance(batch, bool)
    if batch is not None and not (whole and batch >= 1):
        raise InputError("batch", batch, "an integer, at least 1, or None for the full batch")
    if batch is not None and sampling == "without" and batch > n:
        raise InputError("batch", batch, f"at most n = {n} without replacement")


def _check_count(count: int) -> None:
    if count > MOST_BATCHES:
        raise InputError("batch", f"{count} batches", f"at most {MOST_BATCHES} to enumerate")


def mean(probabilities: np.ndarray, matrices: np.ndarray) -> np.ndarray:
    """The expectation of matrices (m, d, d)."""
    return np.tensordot(probabilities, matrices, 1)


def quotient(probabilities: np.ndarray, A: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The A_S off their common null space: (Q (d, r), lam (r,), Q'AQ (m, r, r)).

    The A_S are PSD, so their common null space is the null space of their mean. Q are the mean's
    other eigenvectors and `lam` its positive eigenvalues, ascending; what `rank_tolerance` takes
    for rounding is dropped.
    """
    values, vectors = np.linalg.eigh(mean(probabilities, A))
    kept = values > rank_tolerance(len(values)) * np.abs(values).max()
    Q = vectors[:, kept]
    return Q, values[kept], Q.T @ A @ Q


def symmetric_square(probabilities: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """The matrix (N, N), N = d(d+1)/2, of X -> E[Phi X Phi'] on symmetric matrices.

    The basis is orthonormal for tr XY: E_aa = e_a e_a' and (e_a e_b' + e_b e_a')/sqrt 2, in the
    order of `np.tril_indices(d)`. For symmetric `steps` (m, d, d) the matrix is symmetric.
    """
    m, d, _ = steps.shape
    flat = steps.reshape(m, d * d)
    paired = (flat.T * probabilities) @ flat  # [ik, jl] = E Phi_ik Phi_jl
    kron = paired.reshape(d, d, d, d).transpose(0, 2, 1, 3)  # [i, j, k, l]
    a, b = np.tril_indices(d)
    scale = np.where(a == b, 0.5, math.sqrt(0.5))
    columns = (kron[:, :, a, b] + kron[:, :, b, a]) * scale
    return (columns[a, b] + columns[b, a]) * scale[:, None]


def second_moment_matrix(probabilities: np.ndarray, A: np.ndarray, eta: float) -> np.ndarray:
    """T at step eta on the quotient by the common null space: symmetric (N, N), N = r(r+1)/2."""
    _, _, reduced = quotient(probabilities, A)
    return symmetric_square(probabilities, np.eye(reduced.shape[-1]) - eta * reduced)


def spectral_radius(T: np.ndarray) -> float:
    """The largest |eigenvalue| of a symmetric matrix (N, N); 0 where N = 0."""
    return float(np.abs(np.linalg.eigvalsh(T)).max(initial=0.0))

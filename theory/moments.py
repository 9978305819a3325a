"""Two numbers summarise a minimum: its sharpness a and how unlike its per-sample Hessians are, s_k.

a = lambda_max(H) and s_k^k = lambda_max(M_k - H^k), with M_k the weighted mean of H_i^k and H = M_1
(s_2: Wu, Ma & E 2018; s_3 and s_4: Shin, Lee, Andriushchenko & Lee 2023).

`largest` and `smallest_positive` also read exact matrices. Eigenvalues are rarely rational, so
there they return a nearby fraction on the safe side, and the side is verified exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any, overload

import numpy as np

from theory.core import InputError
from theory.exact import Matrix, negative_direction
from theory.exact.matrix import column_basis

EPS = float(np.finfo(np.float64).eps)


def door_tolerance(d: int) -> float:
    """Relative size below which an asymmetry or a negative eigenvalue is put down to rounding.

    Entries that are sums of d products, and LAPACK's eigenvalues, carry errors of about d EPS times
    the norm; 16 leaves room for how the caller summed.
    """
    return 16 * d * EPS


def rank_tolerance(d: int) -> float:
    """Eigenvalues of a mean of PSD matrices below this, relative to the largest, count as zero.

    Each summand may be indefinite by `door_tolerance(d)` times its largest eigenvalue; the mean of
    those is at most trace(mean) <= d lambda_max(mean). Twice that covers LAPACK's own error.
    """
    return 2 * d * door_tolerance(d)


def hessian_moments(hessians: np.ndarray, weights: np.ndarray, k: int) -> np.ndarray:
    """M_k (d, d), the mean of H_i^k, from `hessians` (n, d, d) and `weights` (n,) of sum one."""
    return np.tensordot(weights, np.linalg.matrix_power(hessians, k), 1)


def sharpness(hessians: np.ndarray, weights: np.ndarray) -> float:
    """a = lambda_max(H)."""
    return largest(hessian_moments(hessians, weights, 1))


def nonuniformity(hessians: np.ndarray, weights: np.ndarray, k: int) -> float:
    """s_k = lambda_max(M_k - H^k)^(1/k), k >= 2, without cancellation; 0 where all Hessians agree.

    M_k - H^k need not be PSD for k >= 3, yet its largest eigenvalue is never negative: for a unit
    eigenvector v of H, Jensen's inequality on the spectral measures of the H_i and then on their
    mean gives v'M_k v >= mean (v'H_i v)^k >= (v'Hv)^k = v'H^k v. With D_i = H_i - H the terms linear
    in D_i average to zero; what remains of (H + D_i)^k - H^k is built up power by power. Each D_i
    errs by (16 d + n) EPS of the largest norm; an excess that the square of this explains is zero.
    """
    H = hessian_moments(hessians, weights, 1)
    delta = hessians - H
    power, linear, rest = H, delta, np.zeros_like(delta)
    for _ in range(k - 1):
        linear, rest = H @ linear + delta @ power, H @ rest + delta @ (linear + rest)
        power = power @ H
    excess = hessian_moments(rest, weights, 1)
    value = float(np.linalg.eigvalsh((excess + excess.T) / 2)[-1])
    norm = float(np.linalg.norm(hessians, axis=(1, 2)).max())
    noise = k * (door_tolerance(len(H)) + len(delta) * EPS)
    return value ** (1 / k) if value > noise**2 * norm**k else 0.0


@overload
def largest(matrix: np.ndarray) -> float: ...
@overload
def largest(matrix: Matrix) -> Fraction: ...
def largest(matrix: np.ndarray | Matrix) -> float | Fraction:
    """The largest eigenvalue of a symmetric matrix (d, d), or a fraction certainly not below it.

    The fraction exceeds the eigenvalue by about 1e-6 of it at most. Raises `ValueError` on an exact
    matrix that is not symmetric.
    """
    if not isinstance(matrix, Matrix):
        return float(np.linalg.eigvalsh(matrix)[-1])
    values = _eigenvalues(matrix)
    value, noise = values[-1], 1e-12 * np.abs(values).max()
    room = 1e-6 * abs(value) + 4 * noise
    identity = Matrix.identity(matrix.shape[0])
    starts = (value - noise, value, value + noise, value + room / 16, value + room / 2)
    return _first(
        (simplest(start, value + room) for start in starts),
        lambda c: negative_direction(c * identity - matrix) is None,
    )


@overload
def smallest_positive(matrix: np.ndarray) -> float: ...
@overload
def smallest_positive(matrix: Matrix) -> Fraction: ...
def smallest_positive(matrix: np.ndarray | Matrix) -> float | Fraction:
    """The smallest positive eigenvalue of a PSD matrix, or a positive fraction not above it.

    In floats, eigenvalues below `rank_tolerance` of the largest count as zero. Exactly, for PSD M,
    M^2 - cM is PSD exactly when every eigenvalue is 0 or at least c; the fraction falls short by
    about 1e-6 of the eigenvalue unless it is under 1e-9 of the largest. Raises `InputError` on a
    zero matrix and, exactly, on one that is not PSD.
    """
    exact = isinstance(matrix, Matrix)
    if exact and negative_direction(matrix) is not None:
        raise InputError("matrix", matrix, "a positive semidefinite matrix")
    values = _eigenvalues(matrix) if exact else np.linalg.eigvalsh(matrix)
    if exact:
        rank = len(column_basis(matrix.rows))
    else:
        rank = int((values > rank_tolerance(len(values)) * np.abs(values).max()).sum())
    if rank == 0:
        raise InputError("matrix", "no positive eigenvalue", "a nonzero PSD matrix")
    if not exact:
        return float(values[-rank])
    square = matrix @ matrix
    return _first(
        _downwards(values[-rank], 1e-12 * values[-1]),
        lambda c: negative_direction(square - c * matrix) is None,
    )


def _downwards(value: float, noise: float) -> Iterable[Fraction]:
    """Positive fractions from just above `value` down: near it first, then by halves."""
    value = max(value, noise)  # rounding may have lost a tiny eigenvalue altogether
    for end in (min(noise / value, 1e-7), 0.0, -1e-8, -1e-7, -5e-7):
        yield simplest(value * (1 - 1e-6), value * (1 + end))
    for halvings in range(1, 2000):
        yield Fraction(value) / 2**halvings


def _eigenvalues(matrix: Matrix) -> np.ndarray:
    return np.linalg.eigvalsh(np.array([[float(v) for v in row] for row in matrix.rows]))


def _first(candidates: Iterable[Fraction], verified: Callable[[Fraction], bool]) -> Fraction:
    for candidate in candidates:
        if verified(candidate):
            return candidate
    raise ArithmeticError("no candidate near the floating eigenvalue could be verified")


def simplest(low: Any, high: Any) -> Fraction:
    """The fraction of smallest denominator in [low, high], low <= high (Stern-Brocot)."""
    low, high = Fraction(low), Fraction(high)
    if low <= 0 <= high:
        return Fraction(0)
    if high < 0:
        return -simplest(-high, -low)
    whole = -(-low.numerator // low.denominator)
    if whole <= high:
        return Fraction(whole)
    rest = simplest(1 / (high - whole + 1), 1 / (low - whole + 1))
    return whole - 1 + 1 / rest

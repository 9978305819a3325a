"""Four notions of stability of x+ = (I - eta A_S) x, four edges: eta_1 <= eta_2 <= eta_3, eta_4.

- one-step: E||x||^2 never grows, lambda_max(E Phi'Phi) <= 1;
- mean-square: E||x_t||^2 stays bounded, r(T) <= 1 (Mulayoff & Michaeli 2024);
- almost-sure: the top Lyapunov exponent is at most 0 (its stable set need not be an interval);
- mean: E x_t stays bounded, the spectral radius of E Phi is at most 1.

Everywhere `probabilities` (m,) sum to one and `A` (m, d, d) are symmetric PSD, as from
`step_matrices`; directions no A_S moves are divided out. Rates carry a relative error of about
d EPS. One-step and mean-square edges divide by the eigenvalues of E A_S: theirs is up to d EPS
times its condition number on its range (1e-5 was seen at 1e13, next to the rank tolerance).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from theory.stability.operator import (
    mean,
    quotient,
    second_moment_matrix,
    spectral_radius,
    symmetric_square,
)


@dataclass(frozen=True)
class CriticalSteps:
    """The largest stable step size by notion; infinite where no A_S moves anything."""

    one_step: float
    mean_square: float
    mean: float


def critical_steps(probabilities: np.ndarray, A: np.ndarray) -> CriticalSteps:
    """All critical steps that have a closed form (the almost-sure one has none)."""
    return CriticalSteps(
        one_step_critical_step(probabilities, A),
        mean_square_critical_step(probabilities, A),
        mean_critical_step(probabilities, A),
    )


def one_step_critical_step(probabilities: np.ndarray, A: np.ndarray) -> float:
    """eta_1 = 2/lambda_max(A^{-1/2} E[A_S^2] A^{-1/2}), A = E A_S, on the range of A.

    E Phi'Phi <= I reads eta E[A_S^2] <= 2 A.
    """
    _, lam, reduced = quotient(probabilities, A)
    return _edge(mean(probabilities, reduced @ reduced) / np.sqrt(np.outer(lam, lam)))


def mean_square_critical_step(probabilities: np.ndarray, A: np.ndarray) -> float:
    """eta_2 = 2/lambda_max(C^+ D), C(X) = (AX + XA)/2, D(X) = E[A_S X A_S] (Mulayoff & Michaeli).

    T = I - 2 eta C + eta^2 D. In the eigenbasis of A, C is diagonal with entries (l_a + l_b)/2, so
    the generalised problem D X = mu C X turns into a symmetric one by scaling.
    """
    _, lam, reduced = quotient(probabilities, A)
    a, b = np.tril_indices(len(lam))
    root = np.sqrt((lam[a] + lam[b]) / 2)
    return _edge(symmetric_square(probabilities, reduced) / np.outer(root, root))


def mean_critical_step(probabilities: np.ndarray, A: np.ndarray) -> float:
    """eta_4 = 2/lambda_max(E A_S)."""
    _, lam, _ = quotient(probabilities, A)
    return _edge(np.diag(lam))


def _edge(matrix: np.ndarray) -> float:
    """2 over the spectral radius of a symmetric PSD matrix; infinite where it is empty."""
    return 2 / spectral_radius(matrix) if matrix.size else math.inf


def one_step_rate(probabilities: np.ndarray, A: np.ndarray, eta: float) -> float:
    """lambda_max(E Phi'Phi), the largest one-step growth of E||x||^2."""
    steps = _steps(probabilities, A, eta)
    return spectral_radius(mean(probabilities, steps @ steps))


def mean_square_rate(probabilities: np.ndarray, A: np.ndarray, eta: float) -> float:
    """r(T), the growth of E||x_t||^2 per step as t goes to infinity."""
    return spectral_radius(second_moment_matrix(probabilities, A, eta))


def mean_rate(probabilities: np.ndarray, A: np.ndarray, eta: float) -> float:
    """The spectral radius of E Phi, the growth of |E x_t| per step as t goes to infinity."""
    return spectral_radius(mean(probabilities, _steps(probabilities, A, eta)))


def almost_sure_rate(
    probabilities: np.ndarray, A: np.ndarray, eta: float, *, words: int = 4096
) -> tuple[float, float]:
    """(lower, upper) around the top Lyapunov exponent, lim log||x_t||/t; exact in one dimension.

    Lower: the r exponents sum to E log|det Phi|, so the top one is at least its r-th part. Upper:
    the least of log r(T)/2 (Jensen) and E log||Phi_t ... Phi_1||_2 / t over the lengths t <= 12
    with at most `words` products (subadditivity). Rounding apart, both are rigorous; -inf where
    the product vanishes.
    """
    steps = _steps(probabilities, A, eta)
    size = steps.shape[-1]
    if size == 0:
        return -math.inf, -math.inf
    lower = float(np.dot(probabilities, np.linalg.slogdet(steps)[1])) / size
    upper = _mean_log(np.ones(1), np.array([mean_square_rate(probabilities, A, eta)])) / 2
    chance, product = np.asarray(probabilities, float), steps
    for length in range(1, 13):
        norms = np.linalg.norm(product, 2, axis=(1, 2))
        upper = min(upper, _mean_log(chance, norms) / length)
        if len(chance) * len(steps) > words:
            break
        chance = np.outer(chance, probabilities).ravel()
        product = np.einsum("aij,bjk->abik", product, steps).reshape(-1, size, size)
    return min(lower, upper), upper  # equal but for rounding where all |eigenvalues| agree


def _mean_log(chances: np.ndarray, values: np.ndarray) -> float:
    """E log; the logarithm of zero is -inf, without numpy's warning."""
    if (values == 0).any():
        return -math.inf
    return float(np.dot(chances, np.log(values)))


def _steps(probabilities: np.ndarray, A: np.ndarray, eta: float) -> np.ndarray:
    """Phi = I - eta A_S (m, r, r) on the quotient."""
    _, _, reduced = quotient(probabilities, A)
    return np.eye(reduced.shape[-1]) - eta * reduced

"""Four notions of stability, four critical steps: eta_1 <= eta_2 <= eta_3 and eta_2 <= eta_4.

- one-step: E||x||^2 never grows, lambda_max(E Phi'Phi) <= 1; not defined with momentum, whose state is
  more than x;
- mean-square: E||x_t||^2 stays bounded, r(T) <= 1 (`theory.stability.mean_square`);
- almost-sure: the top Lyapunov exponent is at most 0 (`theory.stability.almost_sure`);
- mean: E x_t stays bounded.
"""

from __future__ import annotations

import math

import numpy as np

from theory.stability.mean_square import noise_of
from theory.stability.steps import Steps


def one_step_edge(steps: Steps) -> float | None:
    """eta_1 = 2/lambda_max(B^{-1/2} E[(A_S + w)^2] B^{-1/2}), B = A + w; None with momentum.

    E Phi'Phi <= I reads eta E[(A_S + w)^2] <= 2 (A + w). Infinite where nothing moves.
    """
    if steps.momentum:
        return None
    if steps.rank == 0:
        return math.inf
    root = np.sqrt(steps.lam + steps.decay)
    return 2 / _largest(_second(steps) / np.outer(root, root))


def one_step_rate(steps: Steps, eta: float) -> float | None:
    """lambda_max(E Phi'Phi), the largest one-step growth of E||x||^2; None with momentum."""
    if steps.momentum:
        return None
    if steps.rank == 0:
        return 0.0
    return _largest(np.diag(1 - 2 * eta * (steps.lam + steps.decay)) + eta**2 * _second(steps))


def one_step_room(steps: Steps) -> float:
    """How far rounding may move eta_1, relatively: flat directions divide by their curvature."""
    if steps.rank == 0:
        return 0.0
    condition = (steps.lam[-1] + steps.decay) / (steps.lam[0] + steps.decay)
    return float(4 * steps.noise * condition)


def _second(steps: Steps) -> np.ndarray:
    """E[(A_S + w)^2] (r, r)."""
    root = np.sqrt(steps.lam)
    own = noise_of(steps)(np.diag(steps.lam)) * np.outer(root, root)
    w = steps.decay
    return own + np.diag(2 * w * steps.lam + w * w)


def _largest(matrix: np.ndarray) -> float:
    return float(np.linalg.eigvalsh((matrix + matrix.T) / 2)[-1])

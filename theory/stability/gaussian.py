"""Two mean-square critical steps in closed form, for Gaussian rows drawn afresh at every step.

The loss of a row x is (x'w)^2/2, so H_S = mean xx' over the B rows of a step. Rows are never drawn
twice; what the edges below say is the limit n -> infinity of a finite sample, for every B.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import root_scalar

from theory.core import InputError
from theory.moments import EPS


def gaussian_sgd_critical_step(eigenvalues: np.ndarray, batch: int) -> float:
    """SGD on fresh rows N(0, Sigma), B a step: eta_2 is the root of
    sum_j (eta/B) l_j/(2 - eta l_j (1 + 1/B)) = 1 below 2/(l_1 (1 + 1/B)); l_1 is the largest.

    `eigenvalues` (d,) are those of Sigma, finite and at least 0; the step is in the inverse of their
    units, infinite where all are 0. Raises `InputError`. Source: our own, from Wick's formula.

    Derivation: E[xx'Xxx'] = 2 Sigma X Sigma + tr(Sigma X) Sigma, so that in the eigenbasis
    D(X) = (1 + 1/B) Sigma X Sigma + tr(Sigma X) Sigma/B. T(X) = X with X = diag(v) reads
    v_j = (eta/B) t/(2 - eta l_j (1 + 1/B)), t = sum l_j v_j; times l_j and summed it is the
    equation. Off the diagonal 2 C > eta D below the pole, so T = 1 has no other solution there.
    """
    lam = np.asarray(eigenvalues, float)
    if lam.ndim != 1 or not len(lam) or not (np.isfinite(lam).all() and (lam >= 0).all()):
        raise InputError("eigenvalues", eigenvalues, "(d,) finite numbers, at least 0")
    _check_whole("batch", batch)
    top, d = lam.max(), len(lam)
    if top == 0:
        return math.inf
    r = lam / top
    # With 1 - s = eta l_1 (1 + 1/B)/2 the equation is sum r (1 - s)/(1 - r (1 - s)) = B + 1, and s
    # keeps its digits next to the pole. The left side decreases in s; it is between the term of
    # l_1, (1 - s)/s, and d times that, so it is above B + 1 at the lower end and below at the upper.
    ends = 1 / (2 * batch + 4), min(1.0, 2 * d / (batch + 1 + d))

    def excess(s: float) -> float:
        return float(np.sum(r * (1 - s) / ((1 - r) + r * s))) - (batch + 1)

    s = root_scalar(excess, bracket=ends, method="brentq", xtol=EPS * ends[0]).root
    return float(2 * (1 - s) / (top * (1 + 1 / batch)))


def gaussian_usam_critical_step(
    dimension: int, batch: int, rho: float, variance: float = 1
) -> float:
    """Unnormalised SAM with shared ascent on fresh rows N(0, c I_d), B a step:
    eta_2 = 2 (c + rho w_2)/(w_2 + 2 rho w_3 + rho^2 w_4), w_k = E tr(H_S^k)/d.

    `dimension` d and `batch` B are whole, `rho` and `variance` c finite, at least 0; the step, and
    rho, are in units of 1/c; infinite at c = 0. Raises `InputError`. Source: our own, from the
    moments of the Wishart law.

    Derivation: T commutes with rotations and maps PSD matrices to PSD ones; its PSD eigenvector,
    averaged over rotations, is a multiple of I, so r(T) I = T(I) = I - 2 eta E A_S + eta^2 E A_S^2
    with A_S = H_S + rho H_S^2.
    """
    _check_whole("dimension", dimension)
    _check_whole("batch", batch)
    for field, value in (("rho", rho), ("variance", variance)):
        if not (math.isfinite(value) and value >= 0):
            raise InputError(field, value, "a finite number, at least 0")
    if variance == 0:
        return math.inf
    w2, w3, w4 = wishart_moments(dimension, batch)
    climb = rho * variance
    return 2 * (1 + climb * w2) / (w2 + 2 * climb * w3 + climb**2 * w4) / variance


def wishart_moments(dimension: int, batch: int) -> tuple[float, float, float]:
    """(w_2, w_3, w_4), w_k = E tr(H^k)/d for H = G'G/B, G (B, d) standard normal.

    Wick's formula: B^k d w_k is the sum over the (2k - 1)!! pairings of the 2k factors G of
    B to the number of cycles in the rows times d to that in the columns.
    """
    d, B = dimension, batch
    w2 = 1 + (d + 1) / B
    w3 = 1 + 3 * (d + 1) / B + (d**2 + 3 * d + 4) / B**2
    w4 = 1 + 6 * (d + 1) / B + (6 * d**2 + 17 * d + 21) / B**2
    return w2, w3, w4 + (d**3 + 6 * d**2 + 21 * d + 20) / B**3


def _check_whole(field: str, value: int) -> None:
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not (whole and value >= 1):
        raise InputError(field, value, "an integer, at least 1")

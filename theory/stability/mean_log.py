"""E log|1 - eta q| is the exponent of one scalar mode, and its crossings of zero can all be found.

Between neighbouring singularities 1/q it is a sum of concave functions that falls to -inf at both
ends, and beyond the last one it increases. So each stretch has one maximum, and the function first
turns positive left of the first maximum above zero: nothing can hide between grid points.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import brentq

from theory.moments import EPS

CHUNK = 1_000_000  # entries of a (stretches, values) array worked on at once


def mean_log(p: np.ndarray, q: np.ndarray, eta: float) -> np.ndarray:
    """E log|1 - eta q| (...) for values q (m, ...) with probabilities p (m,); -inf at 1 = eta q."""
    factors = np.abs(1 - eta * q)
    with np.errstate(divide="ignore"):  # log 0 = -inf is the answer
        logs = np.log(factors)
    return np.tensordot(p, logs, 1) if (factors > 0).all() else _sum_to_minus_inf(p, logs)


def _sum_to_minus_inf(p: np.ndarray, logs: np.ndarray) -> np.ndarray:
    """The same sum where 0 times -inf must be 0."""
    shaped = p.reshape(-1, *[1] * (logs.ndim - 1))
    return np.where(shaped > 0, shaped * np.where(shaped > 0, logs, 0), 0).sum(0)


def first_crossing(
    p: np.ndarray, q: np.ndarray, lower: float = 0.0, upper: float = math.inf
) -> float:
    """The first eta > 0 where E log|1 - eta q| turns positive, for q >= 0 (m,) and masses p (m,).

    It is known to be at most 0 up to `lower`, which saves work and changes no answer. Infinite if
    there is none below `upper`. Rounding of some EPS apart, exact.
    """
    q, which = np.unique(q, return_inverse=True)
    p = np.bincount(which.ravel(), weights=p)
    p, q = p[(q > 0) & (p > 0)][::-1], q[(q > 0) & (p > 0)][::-1]
    if not len(q) or lower >= upper:
        return math.inf
    poles = 1 / q  # ascending
    rows = max(1, CHUNK // len(q))
    first = max(0, int(np.searchsorted(poles, lower)) - 1)
    for start in range(first, len(q) - 1, rows):
        left, right = poles[start : start + rows + 1][:-1], poles[start + 1 : start + rows + 1]
        for a, b in _candidates(p, q, left, right):
            root = _first_root(p, q, a, b) if a < upper else math.inf
            if root < math.inf:
                return root if root < upper else math.inf
        if poles[start] >= upper:
            return math.inf
    root = _last_root(p, q, poles[-1])
    return root if root < upper else math.inf


def _candidates(p: np.ndarray, q: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The stretches (c, 2) whose tangent at the middle does not keep the function below zero."""
    middle, half = (left + right) / 2, (right - left) / 2
    factors = 1 - middle[:, None] * q
    with np.errstate(divide="ignore", invalid="ignore"):
        top = np.log(np.abs(factors)) @ p + np.abs((q / factors) @ p) * half
    kept = ~(top <= 0)  # NaN, where neighbours nearly coincide, is looked at
    return np.stack([left, right], 1)[kept]


def _first_root(p: np.ndarray, q: np.ndarray, a: float, b: float) -> float:
    """Where the function turns positive between the poles a < b; infinite if it does not."""

    def value(eta: float) -> float:
        return float(mean_log(p, q, eta))

    def slope(eta: float) -> float:
        return -float(np.dot(p, q / (1 - eta * q)))

    low, high = a * (1 + 8 * EPS), b * (1 - 8 * EPS)  # nearer to a pole rounding decides the sign
    if low >= high:
        return math.inf
    if slope(low) <= 0:
        top = low
    elif slope(high) >= 0:
        top = high
    else:
        top = _root(slope, low, high)
    if value(top) <= 0:
        return math.inf
    return a if value(low) >= 0 else _root(value, low, top)


def _last_root(p: np.ndarray, q: np.ndarray, pole: float) -> float:
    """Where the function, increasing from -inf to inf beyond the last pole, is zero."""

    def value(eta: float) -> float:
        return float(mean_log(p, q, eta))

    low, high = pole * (1 + 8 * EPS), 2 * pole
    if value(low) >= 0:
        return pole
    while value(high) <= 0:
        low, high = high, 2 * high
    return _root(value, low, high)


def _root(f: Callable[[float], float], low: float, high: float) -> float:
    """Brent's root of f, relative to its size alone: steps come in any unit."""
    found: Any = brentq(f, low, high, xtol=1e-300, rtol=np.float64(8 * EPS), maxiter=5000)
    return float(found)

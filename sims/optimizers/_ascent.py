"""Where the climb of sharpness-aware minimization ends."""

from __future__ import annotations

from typing import Any

from theory.core import Oracle

TINY = 1e-12  # the released implementations add it to the norm; it also makes 0/0 a zero


def normalised_ascent(oracle: Oracle, x: Any, gradient: Any, rho: Any) -> Any:
    """x + rho g/(||g|| + 1e-12): a climb of length rho (Foret et al. 2021); x where g = 0."""
    return x + rho * gradient / (oracle.norm(gradient) + TINY)


def unnormalised_ascent(x: Any, gradient: Any, rho: Any) -> Any:
    """x + rho g: a climb that shrinks with the gradient (Andriushchenko & Flammarion 2022)."""
    return x + rho * gradient

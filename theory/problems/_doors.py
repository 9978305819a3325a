"""What people may bring to a problem, checked once at the door; errors name the entry."""

from __future__ import annotations

from typing import Any

import numpy as np

from theory.core import InputError


def real(value: Any, field: str, allowed: str, axes: int) -> np.ndarray:
    """A finite float64 array with the given number of non-empty axes."""
    try:
        array = np.asarray(value)
    except ValueError:  # ragged nesting
        raise InputError(field, "rows of different lengths", allowed) from None
    if array.dtype.kind not in "iuf":
        raise InputError(field, f"dtype {array.dtype}", allowed)
    if array.ndim != axes or 0 in array.shape:
        raise InputError(field, f"shape {array.shape}", allowed)
    array = array.astype(np.float64)
    finite(array, field)
    return array


def finite(array: np.ndarray, field: str) -> None:
    """Raises `InputError` naming the first entry that is not finite."""
    wrong = np.argwhere(~np.isfinite(array))
    if len(wrong):
        where = tuple(map(int, wrong[0]))
        raise InputError(entry(field, *where), array[where], "finite numbers")


def entry(field: str, sample: int, *place: int) -> str:
    """`field[i]`, or `field[i][a,b]`, as error messages write it."""
    return f"{field}[{sample}]" + (f"[{','.join(map(str, place))}]" if place else "")


def whole(value: Any, field: str, least: int = 1) -> int:
    """`value` as an int; raises `InputError` unless it is an integer of at least `least`."""
    integer = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not (integer and least <= value < 2**63):
        raise InputError(field, repr(value), f"an integer, at least {least}")
    return int(value)


def normalised(weights: Any, n: int) -> np.ndarray:
    """Sampling weights (n,) that sum to one; None means equal ones."""
    if weights is None:
        return np.full(n, 1 / n)
    allowed = f"{n} positive finite numbers, one per sample"
    w = real(weights, "weights", allowed, 1)
    if len(w) != n:
        raise InputError("weights", f"shape {w.shape}", allowed)
    if (w <= 0).any():
        i = int(np.flatnonzero(w <= 0)[0])
        raise InputError(entry("weights", i), w[i], allowed)
    w = w / w.max()  # first, so that the sum cannot overflow
    return w / w.sum()

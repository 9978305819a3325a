"""What people may bring to a problem, checked once at the door; errors name the entry."""

from __future__ import annotations

from collections.abc import Iterable
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


def labelled(
    inputs: Any,
    targets: Any,
    rows: str = "rows",
    answers: str = "targets",
    *,
    outputs: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Real inputs (n, d) and as many targets (n,); with `outputs` also (n, k), k >= 2.

    `rows` and `answers` are their names in error messages.
    """
    X = real(inputs, rows, "a real array (n, d), no axis empty", 2)
    try:
        axes = np.ndim(targets)
    except ValueError:  # ragged nesting, which `real` reports
        axes = 1
    many = outputs and axes == 2
    allowed = "a real array (n,)" + (" or (n, k) with k >= 2" if outputs else "") + ", not empty"
    y = real(targets, answers, allowed, 2 if many else 1)
    if many and y.shape[1] < 2:
        raise InputError(answers, f"shape {y.shape}", allowed)
    if len(y) != len(X):
        raise InputError(answers, f"shape {y.shape}", f"{len(X)} targets, as many as inputs")
    return X, y


def finite(array: np.ndarray, field: str) -> None:
    """Raises `InputError` naming the first entry that is not finite."""
    wrong = np.argwhere(~np.isfinite(array))
    if len(wrong):
        where = tuple(map(int, wrong[0]))
        raise InputError(entry(field, *where), array[where], "finite numbers")


def entry(field: str, sample: int, *place: int) -> str:
    """`field[i]`, or `field[i][a,b]`, as error messages write it."""
    return f"{field}[{sample}]" + (f"[{','.join(map(str, place))}]" if place else "")


def whole(value: Any, field: str, least: int = 1, most: int = 2**63 - 1) -> int:
    """`value` as an int; raises `InputError` unless it is an integer from `least` to `most`."""
    integer = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not (integer and least <= value <= most):
        end = "" if most == 2**63 - 1 else f" and at most {most}"
        raise InputError(field, repr(value), f"an integer, at least {least}{end}")
    return int(value)


def number(value: Any, field: str, *, least: float = 0, above: float = -np.inf) -> float:
    """`value` as a finite float of at least `least` and larger than `above`."""
    return _between(value, field, least, above, np.inf)


def fraction(value: Any, field: str, *, above: float = -np.inf) -> float:
    """`value` as a float from 0 to 1, larger than `above`."""
    return _between(value, field, 0, above, 1)


def _between(value: Any, field: str, least: float, above: float, most: float) -> float:
    real = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not (real and least <= value <= most and value > above and np.isfinite(value)):
        low = f"above {above:g}" if above >= least else f"at least {least:g}"
        high = "" if most == np.inf else f" and at most {most:g}"
        raise InputError(field, repr(value), f"a finite number, {low}{high}")
    return float(value)


def choice(value: Any, field: str, known: Iterable[str]) -> str:
    """`value`, one of the names `known`; raises `InputError` listing them."""
    names = tuple(known)
    if not isinstance(value, str) or value not in names:
        raise InputError(field, repr(value), ", ".join(names))
    return value


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

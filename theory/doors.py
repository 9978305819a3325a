"""What people may bring, checked once at the door; errors name the field and the entry."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from theory.core import InputError
from theory.moments import door_tolerance


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
    fine = np.isfinite(array)
    if not fine.all():  # the common case lists nothing: rows may be 10^8
        where = tuple(map(int, np.argwhere(~fine)[0]))
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


def symmetric(matrices: np.ndarray, field: str) -> np.ndarray:
    """Matrices (n, d, d), or one (d, d), exactly symmetric from here on.

    Asked at the door because LAPACK and JAX read different halves of a matrix. Raises `InputError`
    naming the first entry that differs from its mirror image by more than `door_tolerance`.
    """
    if matrices.shape[-1] != matrices.shape[-2]:
        raise InputError(field, f"shape {matrices.shape}", "square matrices")
    flipped = np.swapaxes(matrices, -1, -2)
    scale = np.abs(matrices).max(axis=(-1, -2), keepdims=True)
    # Halved, so that neither the difference nor the sum of two large entries overflows.
    gap = np.abs(matrices / 2 - flipped / 2)
    wrong = np.argwhere(gap > door_tolerance(matrices.shape[-1]) * scale)
    if len(wrong):
        *sample, a, b = map(int, wrong[0])
        found = f"{matrices[*sample, a, b]} opposite {matrices[*sample, b, a]}"
        place = entry(field, *sample, a, b) if sample else f"{field}[{a},{b}]"
        raise InputError(place, found, "symmetric matrices")
    return matrices / 2 + flipped / 2


def definite(values: np.ndarray, field: str, *, first: int = 0) -> None:
    """Raises `InputError` naming the first matrix that is not PSD.

    `values` (n, d) are the eigenvalues, ascending, of matrices `first`, `first` + 1, ...
    """
    lowest, size = values[:, 0], np.abs(values).max(axis=1)
    wrong = np.flatnonzero(lowest < -door_tolerance(values.shape[1]) * size)
    if len(wrong):
        i = int(wrong[0])
        found = f"smallest eigenvalue {lowest[i]}"
        raise InputError(entry(field, first + i), found, "positive semidefinite matrices")

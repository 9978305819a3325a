"""What a figure refuses to draw, by name: matplotlib leaves out what it cannot show, in silence."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from theory.core import InputError


def numbers(
    value: Any,
    field: str,
    *shape: int | str,
    finite: bool = True,
    lost: bool = False,
    least: float = -np.inf,
    positive: bool = False,
) -> np.ndarray:
    """`value` as float64 (*shape); a shape's letters stand for any length of at least one.

    Infinities pass unless `finite`. With `lost` so does NaN, and becomes one: it is what is left of
    a run when infinities are subtracted. Raises `InputError` naming the first entry that is wrong.
    """
    wanted = f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
    try:
        array = np.asarray(value)
    except ValueError:
        raise InputError(field, "rows of different lengths", f"an array {wanted}") from None
    fits = array.ndim == len(shape) and all(
        found == length or (isinstance(length, str) and found > 0)
        for found, length in zip(array.shape, shape, strict=True)
    )
    if array.dtype.kind not in "iuf" or not fits:
        raise InputError(field, f"{array.dtype} {array.shape}", f"a real array {wanted}")
    array = array.astype(np.float64)
    if lost:
        array[np.isnan(array)] = np.inf
    right = ~np.isnan(array) & (np.isfinite(array) | (lost or not finite))
    allowed = "finite numbers" if finite and not lost else "numbers, also infinite ones"
    if positive or least > -np.inf:
        right &= array > 0 if positive else array >= least
        allowed += ", positive" if positive else f", at least {least:g}"
    _all(right, array, field, allowed)
    return array


def ascending(value: Any, field: str, least: float = -np.inf) -> np.ndarray:
    """Finite numbers (m,), each larger than the one before."""
    array = numbers(value, field, "m", least=least)
    if not (np.diff(array) > 0).all():
        place = int(np.argmin(np.diff(array) > 0)) + 1
        raise InputError(f"{field}[{place}]", array[place], "more than the entry before it")
    return array


def divergence(value: Any, field: str, shape: tuple[int, ...]) -> np.ndarray:
    """The step at which each run diverged, as float64 of that shape; infinite where it never did.

    `value` holds whole numbers, -1 for a run that stayed finite, or is None: all did.
    """
    if value is None:
        return np.full(shape, np.inf)
    array = numbers(value, field, *shape, least=-1)
    _all(array == np.round(array), array, field, "whole numbers, -1 where a run stayed finite")
    return np.where(array < 0, np.inf, array)


def named(
    value: Any, field: str, *, most: int, least: int = 1, among: Collection[str] | None = None
) -> dict[str, Any]:
    """A dictionary of `least` to `most` entries, of names `among` those given."""
    if not isinstance(value, Mapping):
        raise InputError(field, type(value).__name__, "a mapping from names to what is drawn")
    if not least <= len(value) <= most:
        raise InputError(field, f"{len(value)} names", f"{least} to {most}; more would look alike")
    for name in value:
        if among is not None and name not in among:
            raise InputError(field, repr(name), ", ".join(among))
    return dict(value)


def _all(right: np.ndarray, array: np.ndarray, field: str, allowed: str) -> None:
    if not right.all():
        place = tuple(map(int, np.argwhere(~right)[0]))
        where = f"[{', '.join(map(str, place))}]" if place else ""
        raise InputError(field + where, array[place], allowed)

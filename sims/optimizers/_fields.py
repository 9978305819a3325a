"""Fields of optimizers that take one of a few words, a share in [0, 1), or a count."""

from __future__ import annotations

from dataclasses import field, fields
from typing import Any

import numpy as np

from theory.core import InputError

SHARE = {"share": True}  # metadata of a number in [0, 1): what a moving average keeps of the past
COUNT = {"count": True}  # metadata of a whole number, at least 1


def choice(*choices: Any) -> Any:
    """A static field, compiled in, that takes one of these; the first is the default."""
    return field(default=choices[0], metadata={"static": True, "choices": choices})


def check(optimizer: Any) -> None:
    """Raises `InputError` on a field out of its range; traced fields have no value yet."""
    for entry in fields(optimizer):
        value, kind = getattr(optimizer, entry.name), entry.metadata
        if "choices" in kind and value not in kind["choices"]:
            raise InputError(entry.name, repr(value), " or ".join(map(repr, kind["choices"])))
        if not isinstance(value, int | float | np.ndarray | np.generic):
            continue
        number = np.asarray(value)
        if "share" in kind:
            _all(entry.name, number, (number >= 0) & (number < 1), "a number in [0, 1)")
        if "count" in kind:
            _all(entry.name, number, number >= 1, "a whole number, at least 1")


def _all(name: str, numbers: np.ndarray, right: np.ndarray, allowed: str) -> None:
    if not right.all():
        raise InputError(name, numbers[~right][0], allowed)

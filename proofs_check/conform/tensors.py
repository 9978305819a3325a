"""A flat vector and the tensors it lays end to end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from theory.core import InputError

Shapes = Sequence[tuple[int, ...]]


def split(x: np.ndarray, shapes: Shapes) -> list[np.ndarray]:
    """x (d,) as tensors of those shapes."""
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    parts = np.split(x, ends[:-1])
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]


def join(tensors: Sequence[Any]) -> np.ndarray:
    """The inverse of `split`, a copy; raises `InputError` on anything but float64."""
    arrays = [np.asarray(tensor) for tensor in tensors]
    for array in arrays:
        if array.dtype != np.float64:
            raise InputError("parameters", f"{array.dtype} after an update", "float64, as given")
    return np.concatenate([array.ravel() for array in arrays])

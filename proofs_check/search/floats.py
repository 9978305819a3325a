"""Float models of a claim's domain: the same algebra as the exact ones, on numpy arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np

from theory.curves import PiecewiseModel
from theory.domains import FamilyModel
from theory.exact import Matrix


class FloatFamily(FamilyModel):
    """`samples` (n, d, d) and `weights` (n,), which sum to one."""

    def __init__(self, samples: Any, weights: Any, scalars: Mapping[str, Any]) -> None:
        super().__init__(samples, weights, np.eye(samples.shape[-1]), scalars)

    def form(self, image: Callable[[Any], Any]) -> Any:
        """As for exact models, in one product."""
        d = len(self.I)
        a, b = np.tril_indices(d)
        frame = np.zeros((len(a), d, d))
        frame[np.arange(len(a)), a, b] += 1
        frame[np.arange(len(a)), b, a] += 1
        images = np.array([image(X) for X in frame])
        return np.tensordot(frame, images, ((1, 2), (1, 2)))


def floated(model: Any) -> Any:
    """The float model of an exact one, entry by entry."""
    if isinstance(model, FamilyModel):
        samples = np.array([_array(H) for H in model.samples])
        weights = np.array([float(w) for w in model.weights])
        scalars = {name: float(value) for name, value in model.scalars.items()}
        return FloatFamily(samples, weights, scalars)
    if isinstance(model, PiecewiseModel):
        return model.converted(float)
    values: dict[str, Any] = {}
    for name, value in vars(model).items():
        if isinstance(value, Fraction):
            values[name] = float(value)
        elif isinstance(value, Matrix):
            values[name] = _array(value)
    if "inner" in vars(model):
        return SimpleNamespace(inner=lambda u, v: float((u.T @ v).item()), **values)
    return SimpleNamespace(**values)


def _array(matrix: Matrix) -> np.ndarray:
    return np.array([[float(x) for x in row] for row in matrix.rows])

"""Optimizers whose memory has the shapes of the parameter tensors, not of x, must be told them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any


def fitted(optimizer: Any, problem: Any) -> Any:
    """The optimizer with the problem's tensor shapes in its static field `shapes`, if it has one.

    A problem without `shapes` has one tensor, x itself. Shapes given by hand are kept.
    """
    if getattr(optimizer, "shapes", ()) is not None:
        return optimizer
    shapes = getattr(problem, "shapes", None) or [(problem.dimension,)]
    return replace(optimizer, shapes=tuple(map(tuple, shapes)))

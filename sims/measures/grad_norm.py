"""The Euclidean norm of the full gradient, ||grad f(x)||."""

from __future__ import annotations

from typing import Any

from sims.measures._at import At

NEEDS_COORDINATES = False


def measure(at: At) -> Any:
    """||grad f(x)||."""
    return at.oracle.norm(at.oracle.grad(at.x))

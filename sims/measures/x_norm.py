"""The Euclidean norm of the iterate, ||x||: the distance from a minimum that lies at 0."""

from __future__ import annotations

from typing import Any

from sims.measures._at import At

NEEDS_COORDINATES = False


def measure(at: At) -> Any:
    """||x||."""
    return at.oracle.norm(at.x)

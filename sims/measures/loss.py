"""The full loss f(x), the weighted mean over all samples."""

from __future__ import annotations

from typing import Any

from sims.measures._at import At

NEEDS_COORDINATES = False


def measure(at: At) -> Any:
    """f(x)."""
    return at.oracle.loss(at.x)

"""What a measure may look at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from theory.core import Oracle

RADIUS = 0.05  # of sharpness: the radius SAM is published with, and the default of its rho


class At(NamedTuple):
    """Where one run stands at one record.

    `oracle` is the problem's on the full batch; `x` (d,) is the iterate and `before` (d,) the one at
    the previous record, x itself at the first. `probe(j, kind)` is the j-th random vector (d,) for
    measuring, kind "rademacher" or "gaussian". The same j, which may be traced, gives the same vector
    at every record: what changes along a path is then the path.
    """

    problem: Any
    oracle: Oracle
    x: Any
    before: Any
    probe: Callable[[Any, str], Any]

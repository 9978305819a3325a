"""s_2 = lambda_max(M_2 - H^2)^(1/2): how unlike each other the Hessians of the samples are at x."""

from __future__ import annotations

from typing import Any

from sims.measures._at import At
from sims.measures._moments import nonuniformity


def measure(at: At) -> Any:
    """s_2 in the units of a Hessian, as theory.moments.nonuniformity defines it."""
    return nonuniformity(at, 2)

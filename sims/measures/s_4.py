"""s_4 = lambda_max(M_4 - H^4)^(1/4): how unlike each other the Hessians of the samples are at x."""

from __future__ import annotations

from typing import Any

from sims.measures._at import At
from sims.measures._moments import nonuniformity


def measure(at: At) -> Any:
    """s_4 in the units of a Hessian, as theory.moments.nonuniformity defines it."""
    return nonuniformity(at, 4)

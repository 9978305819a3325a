"""The largest eigenvalue of the full Hessian: a, since the samples' mean Hessian is the full one."""

from __future__ import annotations

from typing import Any

from sims.measures._at import At
from sims.measures._hessian import hessian
from sims.measures._lanczos import top_eigenvalue


def measure(at: At) -> Any:
    """lambda_max(H(x)), the largest one, not the largest in absolute value."""
    return top_eigenvalue(hessian(at, at.x), at)

"""How much the Hessian has changed since the previous record, relative to what it was there.

||H(x) - H(before)||_F / ||H(before)||_F, exactly up to 64 dimensions, above them both norms from
`PROBES` Rademacher vectors z, E ||A z||^2 = ||A||_F^2 (Hutchinson 1990). 0 at the first record.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from sims.measures._at import At
from sims.measures._hessian import apply, columns, hessian

PROBES = 16  # relative standard error of ||A||_F: at most 18%, where a single direction carries A


def measure(at: At) -> Any:
    """The relative change; inf where the Hessian was zero and is no longer."""
    rows = columns(at, PROBES)
    there = apply(hessian(at, at.before), rows)
    change = ((apply(hessian(at, at.x), rows) - there) ** 2).sum()
    return jnp.where(change == 0, 0.0, jnp.sqrt(change / (there**2).sum()))

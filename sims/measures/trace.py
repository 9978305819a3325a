"""The trace of the full Hessian: exact up to 64 dimensions, above them by Hutch++.

Hutch++ takes the part of the trace that lies in the range of `HALF` products exactly and estimates
the rest from as many probes (Meyer, Musco, Musco & Woodruff 2021): exact where the rank is at most
`HALF`, and its standard error falls with the spectrum's tail instead of with the whole of it.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from sims.measures._at import At
from sims.measures._hessian import DENSE, apply, hessian

HALF = 16  # 48 products in all, fewer than the exact trace takes where this is used


def measure(at: At) -> Any:
    """tr H(x)."""
    product, d = hessian(at, at.x), len(at.x)
    if d <= DENSE:
        return jnp.trace(apply(product, jnp.eye(d)))
    probes = jax.vmap(lambda j: at.probe(j, "rademacher"))(jnp.arange(2 * HALF))
    basis = jnp.linalg.qr(apply(product, probes[:HALF]).T)[0].T  # (HALF, d), orthonormal rows
    rest = probes[HALF:] - (probes[HALF:] @ basis.T) @ basis
    inside = (apply(product, basis) * basis).sum()
    return inside + (apply(product, rest) * rest).sum() / HALF

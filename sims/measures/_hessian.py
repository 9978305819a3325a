"""Products with the Hessian, and with the Hessians of the samples one by one.

Up to `DENSE` dimensions a measure uses the whole matrix: its d products cost no more than an
estimate takes (three times 16 for a trace, 12 to 128 for an eigenvalue), and the answer is exact.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from sims.measures._at import At

DENSE = 64

Product = Callable[[Any], Any]


def hessian(at: At, x: Any) -> Product:
    """v -> H(x) v, with all that depends on x alone computed once."""
    return jax.linearize(at.oracle.grad, jnp.asarray(x))[1]


def columns(at: At, most: int) -> Any:
    """Rows z (m, d) whose sum of ||A z||^2 is ||A||_F^2, or m = `most` times an estimate of it.

    The identity up to `DENSE` dimensions, else Rademacher probes (Hutchinson 1990).
    """
    d = len(at.x)
    if d <= DENSE:
        return jnp.eye(d)
    return jax.vmap(lambda j: at.probe(j, "rademacher"))(jnp.arange(most))


def apply(product: Product, rows: Any) -> Any:
    """The product with every row: at once up to `DENSE` dimensions, else one after the other.

    A batch of wide networks' intermediate results would not fit the cache.
    """
    return jax.vmap(product)(rows) if rows.shape[1] <= DENSE else jax.lax.map(product, rows)

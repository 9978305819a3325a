"""Average sharpness: how much the full loss rises, on average, a Gaussian step away.

The mean of f(x + s z) - f(x), z standard normal in d dimensions and s = RADIUS / sqrt(d), so that
steps have the root mean square length RADIUS of the worst-case measure (average-case sharpness of
Andriushchenko & Flammarion 2022). Near a minimum it is RADIUS^2 tr(H) / (2 d).

Each of `PAIRS` probes is taken with its negative: the gradient cancels in a pair, and what is left
to average is curvature.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from sims.measures._at import RADIUS, At

PAIRS = 32  # relative standard error sqrt(2/32) ||H||_F / tr H: at most a quarter for PSD H


def measure(at: At) -> Any:
    """The mean over `PAIRS` pairs."""
    oracle, x = at.oracle, jnp.asarray(at.x)
    spread = RADIUS / len(at.x) ** 0.5

    def pair(j: Any) -> Any:
        z = spread * at.probe(j, "gaussian")
        return (oracle.loss(x + z) + oracle.loss(x - z)) / 2

    return jax.lax.map(pair, jnp.arange(PAIRS)).mean() - oracle.loss(x)

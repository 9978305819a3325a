"""Worst-case sharpness: how much the full loss can rise within `RADIUS` (Foret et al. 2021).

max f(x + u) - f(x) over ||u|| <= RADIUS, by first-order ascent on the sphere: u+ = RADIUS g/||g|| with
g the gradient at x + u. On a convex loss no step of it ever falls; at a minimum it is power
iteration, and what it finds is RADIUS^2 lambda_max / 2. It starts along the gradient, SAM's climb,
and again from a random direction, which a minimum needs; the largest rise it meets is a lower
bound of the maximum.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from sims.measures._at import RADIUS, At

STEPS = 16  # points of each ascent: of power iteration's error (l_2/l_1)^30 is left


def measure(at: At) -> Any:
    """The largest rise met, at least 0."""
    oracle, x = at.oracle, jnp.asarray(at.x)
    ground = oracle.loss(x)

    def step(state: Any, _: Any) -> Any:
        direction, highest = state
        length = oracle.norm(direction)
        # A zero gradient has no direction: it stays at x, and the other start decides.
        point = x + RADIUS * direction / jnp.where(length == 0, 1.0, length)
        rise = oracle.loss(point) - ground
        return (oracle.grad(point), jnp.where(rise > highest, rise, highest)), None

    def climb(direction: Any) -> Any:
        begin = 0.0 * ground  # a NaN where f(x) is not finite, and that stays the highest
        return jax.lax.scan(step, (direction, begin), length=STEPS)[0][1]

    starts = jnp.stack([oracle.grad(x), at.probe(0, "gaussian")])
    return jax.lax.map(climb, starts).max()

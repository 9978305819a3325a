"""Powers of the Hessians of single samples, without ever forming one."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp

from sims.measures._at import At
from sims.measures._hessian import apply, columns, hessian
from sims.measures._lanczos import top_eigenvalue
from theory.moments import EPS, door_tolerance


def nonuniformity(at: At, k: int) -> Any:
    """s_k = lambda_max(M_k - H^k)^(1/k) at x, k >= 2; 0 where rounding explains the difference.

    `theory.moments.nonuniformity` is the same number from dense Hessians, with the same floor.
    """
    full, x = hessian(at, at.x), jnp.asarray(at.x)
    n, d = len(at.problem.weights), len(x)
    samples = jnp.arange(n), jnp.asarray(at.problem.weights)

    def of_sample(i: Any) -> Any:
        return jax.linearize(at.problem.oracle(i[None]).grad, x)[1]

    def excess(v: Any) -> Any:
        """(M_k - H^k) v from p_j = H^j v and q_ij = H_i^j v - p_j, without cancellation.

        q_i,j+1 = H_i q_ij + (H_i - H) p_j, and the mean of q_ik is wanted. The second part averages to
        zero exactly, in floats only to EPS of p_j, which would drown a small difference: what its
        mean is, and what has become of it, is taken off at the end. 2k - 2 products a sample.
        """
        powers = [v]
        for _ in range(k - 1):
            powers.append(full(powers[-1]))

        def add(sums: Any, sample: Any) -> Any:
            product, weight = of_sample(sample[0]), sample[1]
            spreads = [product(p) - after for p, after in pairwise(powers)]
            apart = spreads[0]
            for spread in spreads[1:]:
                apart = product(apart) + spread
            terms = [product(apart), *spreads]
            return [s + weight * term for s, term in zip(sums, terms, strict=True)], None

        (total, *drifts), _ = jax.lax.scan(add, [0.0 * v] * k, samples)
        drift = drifts[0]
        for more in drifts[1:]:
            drift = full(drift) + more
        return total - full(drift)

    def squares(sample: Any) -> Any:
        return (apply(of_sample(sample), columns(at, 1)) ** 2).sum()

    norm = jnp.sqrt(jax.lax.map(squares, samples[0]).max())  # Frobenius, or one probe's estimate
    floor = (k * (door_tolerance(d) + n * EPS)) ** 2 * norm**k
    value = top_eigenvalue(excess, at)
    return jnp.where(value <= floor, 0.0, value ** (1 / k))  # a NaN stays one

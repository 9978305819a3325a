r"""The largest eigenvalue of a symmetric operator, by Lanczos without reorthogonalisation.

Lost orthogonality only makes copies of eigenvalues that have already converged (Paige 1976): the
largest one is none the worse, and no basis is kept. Every `STRIDE` products the largest root
$\theta$ of the tridiagonal matrix is found, and its residual $r = \|A y - \theta y\|$: some
eigenvalue lies within $r$ of $\theta$ and, if a gap separates it from the others, within
$r^2/\text{gap}$. It stops at $r \le 10^{-5} |\theta|$, which on two-layer networks takes 12 to 24
products and is then right to 1e-10.

Where the spectrum is dense at its top it stops at `MOST` products. Even then, from a random start
in 100,000 dimensions, $\theta$ falls short by more than 0.6% of the spectrum's width only once in a
million times (Kuczynski & Wozniakowski 1992).
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from sims.measures._at import At
from sims.measures._hessian import DENSE, Product, apply

STRIDE = 4
MOST = 128
TOLERANCE = 1e-5
EPS = float(np.finfo(np.float64).eps)
ROUNDS = 64  # of Laguerre's method: 4 to 6 are taken, 27 where two roots coincide


def top_eigenvalue(product: Product, at: At) -> Any:
    """lambda_max of a symmetric product on R^d: exactly up to `DENSE`, else by Lanczos."""
    d = len(at.x)
    if d > DENSE:
        return largest(product, at.probe(0, "gaussian"))
    matrix = apply(product, jnp.eye(d))
    finite = jnp.isfinite(matrix).all()
    values = jnp.linalg.eigvalsh(jnp.where(finite, (matrix + matrix.T) / 2, 0.0))
    return jnp.where(finite, values[-1], jnp.nan)  # LAPACK need not return from a NaN


def largest(product: Product, start: Any) -> Any:
    """lambda_max of v -> product(v), symmetric, from a random `start` (d,); NaN if not finite."""

    def step(state: Any, _: Any) -> Any:
        previous, v, coupling, alive = state
        u = product(v) - coupling * previous
        alpha = v @ u
        u = u - alpha * v
        beta = jnp.sqrt(u @ u)
        u = u * jnp.where(beta == 0, 0.0, 1 / beta)
        # At beta = 0 the Krylov space is complete; entries of -inf take no part in what follows.
        return (v, u, beta, alive & (beta != 0)), (jnp.where(alive, alpha, -jnp.inf), beta)

    def stride(state: Any) -> Any:
        count, lanczos, (alphas, betas), _, _ = state
        lanczos, new = jax.lax.scan(step, lanczos, length=STRIDE)
        # The newest entries push out the oldest places, which stood empty.
        alphas = jnp.concatenate([alphas[STRIDE:], new[0]])
        betas = jnp.concatenate([betas[STRIDE:], new[1]])
        return count + STRIDE, lanczos, (alphas, betas), *top_root(alphas, betas)

    def unfinished(state: Any) -> Any:
        count, _, _, theta, residual = state
        return (count < MOST) & (residual > TOLERANCE * jnp.abs(theta))

    v = start / jnp.sqrt(start @ start)
    empty = jnp.full(MOST, -jnp.inf), jnp.zeros(MOST)
    first = 0, (0 * v, v, 0.0, True), empty, 0.0, jnp.inf
    return jax.lax.while_loop(unfinished, stride, first)[3]


def top_root(alphas: Any, betas: Any) -> tuple[Any, Any]:
    r"""The largest eigenvalue of a tridiagonal matrix, and the residual it has beyond the matrix.

    `alphas` (m,) is the diagonal, -inf where there is no entry; `betas[j]` couples j to j + 1, and the
    last one to what lies beyond. Laguerre's method from above falls to the largest root of a
    polynomial with real roots only, cubically to a simple one. The pivots
    $q_j = \mu - \alpha_j - \beta_{j-1}^2 / q_{j-1}$ give the sums it needs; the eigenvector cut off
    after entry j has norm $\sqrt{q_j'}$ times that entry, so its residual is
    $\sqrt{(q_j^2 + \beta_j^2) / q_j'}$, and the least one counts.
    """
    before = jnp.concatenate([jnp.zeros(1), betas[:-1]])
    m = jnp.isfinite(alphas).sum()

    def pivot(state: Any, entry: Any) -> Any:
        q, slope, bend, first, second, least, mu = state
        alpha, square, beyond = entry
        ratio = square / q
        bend = ratio * (bend / q - 2 * (slope / q) ** 2)
        slope = 1 + ratio * slope / q
        q = mu - alpha - ratio
        log_slope = slope / q
        first, second = first + log_slope, second + log_slope**2 - bend / q
        least = jnp.fmin(least, (q**2 + beyond) / slope)
        return (q, slope, bend, first, second, least, mu), None

    def evaluate(mu: Any) -> tuple[Any, Any]:
        """Laguerre's step down from mu, and the least squared residual there."""
        begin = (jnp.inf, 0.0, 0.0, 0.0, 0.0, jnp.inf, mu)
        end, _ = jax.lax.scan(pivot, begin, (alphas, before**2, betas**2))
        first, second, least = end[3:6]
        spread = jnp.sqrt(jnp.maximum((m - 1) * (m * second - first**2), 0.0))
        return m / (first + spread), least

    reach = before + betas
    size = jnp.max(jnp.where(alphas == -jnp.inf, 0.0, jnp.abs(alphas) + reach))

    def unfinished(state: Any) -> Any:
        rounds, _, down, _ = state  # a NaN down, as on the root itself, ends it
        return (rounds == 0) | ((rounds < ROUNDS) & (down > 4 * EPS * size))

    def closer(state: Any) -> Any:
        rounds, mu, down, _ = state
        return rounds + 1, mu - down, *evaluate(mu - down)

    # Gershgorin's bound; XLA's maximum may drop a NaN, so one is put in by hand.
    bound = jnp.where(jnp.isnan(alphas).any(), jnp.nan, jnp.max(alphas + reach))
    theta, _, least = jax.lax.while_loop(unfinished, closer, (0, bound, 0.0, 0.0))[1:]
    return theta, jnp.sqrt(least)

"""Hand-written JAX: what SAM costs when the loop knows nothing but SAM.

Least squares runs in Gram coordinates: a step on sample i changes the residuals by a multiple of
row i of K = X X'. Two steps share one pass over the residuals. With one stream for all runs, the
residuals that the next two steps read are fetched after this pass and carried: read from the array
that the pass changes, they would force a copy of it.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks._entrant import Entrant
from benchmarks._workload import EVERY, LANCZOS, TINY, LeastSquares, Network

# XLA's own choice is half as wide; where there are no such registers the option does nothing.
WIDE = {"xla_cpu_prefer_vector_width": 512}
compiled = partial(jax.jit, compiler_options=WIDE)
BLOCK = 128  # runs with streams of their own: any size from 64 to 512 does as well
L1 = 4096  # numbers in 32 KB: the residuals of a block that shares its stream
NETWORKS = 4  # narrow networks side by side; the wide leave the cache


def at(array: Any, index: Any) -> Any:
    """array[index] without the handling of negative indices, which costs a fifth of the kernel."""
    return array.at[index].get(mode="promise_in_bounds", wrap_negative_indices=False)


def pull(r: Any, squared: Any, lr: Any, rho: Any) -> Any:
    """eta times the residual seen from above: r climbs by rho g . a_i / ||g||, g = r a_i."""
    return lr * (r + rho * r * squared / (jnp.sqrt(r * r * squared) + TINY))


@compiled
def own_streams(K: Any, residuals: Any, lr: Any, rho: Any, indices: Any) -> Any:
    """(blocks, B, n) after all steps; `indices` (blocks, T/2, 2, B), the rest (blocks, B, ...)."""
    n, squared, flat = len(K), jnp.diagonal(K), K.ravel()

    def block(args: Any) -> Any:
        r, lr, rho, indices = args
        first = jnp.arange(len(r), dtype=jnp.int32) * n

        def two_steps(r: Any, pair: Any) -> Any:
            i, j = pair
            a, b = (at(r.ravel(), first + k) for k in pair)
            a = pull(a, at(squared, i), lr, rho)
            b = pull(b - a * at(flat, i * n + j), at(squared, j), lr, rho)
            return r - a[:, None] * at(K, i) - b[:, None] * at(K, j), None

        return jax.lax.scan(two_steps, r, indices)[0]

    return jax.lax.map(block, (residuals, lr, rho, indices))


@compiled
def shared_stream(K: Any, residuals: Any, lr: Any, rho: Any, indices: Any) -> Any:
    """(blocks, n, B) after all steps; `indices` (T/2, 2), `residuals` (blocks, n, B)."""
    n, squared, flat = len(K), jnp.diagonal(K), K.ravel()
    following = jnp.concatenate([indices[1:], indices[:1]])

    def block(args: Any) -> Any:
        r, lr, rho = args

        def two_steps(carry: Any, pairs: Any) -> Any:
            r, a, b = carry
            (i, j), (next_i, next_j) = pairs
            a = pull(a, at(squared, i), lr, rho)
            b = pull(b - a * at(flat, i * n + j), at(squared, j), lr, rho)
            r = r - a * at(K, i)[:, None] - b * at(K, j)[:, None]
            return (r, at(r, next_i), at(r, next_j)), None

        start = (r, at(r, indices[0, 0]), at(r, indices[0, 1]))
        return jax.lax.scan(two_steps, start, (indices, following))[0][0]

    return jax.lax.map(block, (residuals, lr, rho))


class Kernel(Entrant):
    """Least squares in Gram coordinates."""

    name = "JAX, hand-written kernel"

    def prepare(self, workload: LeastSquares) -> None:
        w = self.workload = workload
        n = len(w.inputs)
        block = min(w.runs, L1 // n if w.shared else BLOCK)
        shape = (-1, block)
        self.gram, self.lr, self.rho = w.gram, w.lr.reshape(shape), w.rho.reshape(shape)
        pairs = w.indices[:, :, 0].reshape(len(w.indices), -1, 2)
        if w.shared:
            self.blocked, self.indices = (-1, block, n), jax.device_put(pairs[0])
        else:
            grouped = pairs.reshape(-1, block, *pairs.shape[1:]).transpose(0, 2, 3, 1)
            self.blocked, self.indices = (-1, block, n), jax.device_put(grouped)

    def run(self) -> dict[str, np.ndarray]:
        w = self.workload
        residuals = w.residuals().reshape(self.blocked)
        if w.shared:
            trailing = residuals.transpose(0, 2, 1)
            last = np.asarray(shared_stream(self.gram, trailing, self.lr, self.rho, self.indices))
            return {"loss": (last**2).mean(1).ravel() / 2}
        last = np.asarray(own_streams(self.gram, residuals, self.lr, self.rho, self.indices))
        return {"loss": (last**2).mean(2).ravel() / 2}


@partial(compiled, static_argnames="width")
def networks(
    inputs: Any, targets: Any, probe: Any, width: int, starts: Any, lr: Any, rho: Any, indices: Any
) -> Any:
    """Loss (blocks, B) and lambda_max (blocks, B, records) of runs in blocks of B.

    `indices` (blocks, B, T/50, 50, batch).
    """

    def gradient(x: Any, rows: Any, targets: Any) -> Any:
        _, a, H, pulls = _forward(x, width, rows, targets)
        into = a[:, None] * (1 - H * H) * pulls
        return jnp.concatenate([(into @ rows).ravel(), H @ pulls])

    def step(x: Any, batch: Any, lr: Any, rho: Any) -> Any:
        rows, wanted = at(inputs, batch), at(targets, batch)
        g = gradient(x, rows, wanted)
        above = x + rho / (jnp.sqrt(g @ g) + TINY) * g
        return x - lr * gradient(above, rows, wanted)

    def sharpness(x: Any) -> Any:
        return _lanczos(_hessian(x, width, inputs, targets), probe)

    def one(x: Any, lr: Any, rho: Any, indices: Any) -> Any:
        def stretch(x: Any, batches: Any) -> Any:
            top = sharpness(x)
            x, _ = jax.lax.scan(lambda x, b: (step(x, b, lr, rho), None), x, batches)
            return x, top

        x, tops = jax.lax.scan(stretch, x, indices)
        residuals = len(targets) * _forward(x, width, inputs, targets)[3]
        return (residuals**2).mean() / 2, jnp.append(tops, sharpness(x))

    return jax.lax.map(lambda block: jax.vmap(one)(*block), (starts, lr, rho, indices))


def _forward(x: Any, width: int, rows: Any, targets: Any) -> tuple[Any, Any, Any, Any]:
    """W (width, d_in), a, H = tanh(W rows') (width, B) and the residuals over B.

    The hidden layer lies on its side: every product is then of matrices as they are stored, which
    makes small ones twice as fast as products with transposes.
    """
    W, a = x[:-width].reshape(width, -1), x[-width:]
    H = jnp.tanh(W @ rows.T)
    return W, a, H, (a @ H - targets) / len(targets)


def _hessian(x: Any, width: int, rows: Any, targets: Any) -> Any:
    """v (d,) -> the full Hessian times v, by two products with the inputs."""
    W, a, H, pulls = _forward(x, width, rows, targets)
    slope = 1 - H * H
    drawn = slope * a[:, None]  # how the output changes with W x
    bent = -2 * drawn * H * pulls
    level = slope * pulls

    def times(v: Any) -> Any:
        V, b = v[:-width].reshape(W.shape), v[-width:]
        u = V @ rows.T
        along = (b @ H + (drawn * u).sum(0)) / len(targets)  # how the pulls change
        into = drawn * along + level * b[:, None] + bent * u
        return jnp.concatenate([(into @ rows).ravel(), H @ along + (level * u).sum(1)])

    return times


def _lanczos(times: Any, probe: Any) -> Any:
    """The largest Ritz value, without reorthogonalisation: lost orthogonality only repeats it."""

    def extend(carry: Any, _: Any) -> Any:
        before, now, beta = carry
        w = times(now) - beta * before
        alpha = w @ now
        w = w - alpha * now
        after = jnp.sqrt(w @ w)
        return (now, w / after, after), (alpha, after)

    start = (jnp.zeros_like(probe), probe / jnp.sqrt(probe @ probe), 0.0)
    _, (alphas, betas) = jax.lax.scan(extend, start, length=LANCZOS)
    values = jax.scipy.linalg.eigh_tridiagonal(
        alphas, betas[:-1], eigvals_only=True, select="i", select_range=(LANCZOS - 1, LANCZOS - 1)
    )
    return values[0]


class NetworkKernel(Entrant):
    """The two-layer network, gradients and Hessian products written out."""

    name = "JAX, hand-written kernel"
    tolerance = 1e-6  # of lambda_max after a fixed number of products; 1e-9 as a rule

    def prepare(self, workload: Network) -> None:
        w = self.workload = workload
        block = min(w.runs, NETWORKS if w.starts.shape[1] <= L1 else 1)
        blocked = (w.starts, w.lr, w.rho, w.indices.reshape(w.runs, -1, EVERY, w.batch))
        self.args = [a.reshape(-1, block, *a.shape[1:]) for a in blocked]

    def run(self) -> dict[str, np.ndarray]:
        w = self.workload
        loss, tops = networks(w.inputs, w.targets, w.probe, w.width, *self.args)
        return {"loss": np.ravel(loss), "lambda_max": np.reshape(tops, (w.runs, -1))}

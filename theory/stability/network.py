"""A trained JAX model becomes a minimum whose stability under SGD can be computed exactly.

Near a point where every f_i has gradient zero the iterates follow x+ = x - eta H_S x, and there
H_i = F_i'F_i exactly, where F_i needs first derivatives of the outputs only. With J_i (k, P) the
Jacobian of sample i's outputs z, e_i = df_i/dz, and Q_i the Hessian of f_i in z,

    Hess f_i = J_i'Q_i J_i + sum_j e_ij Hess z_j,

and the second term, absent where e_i = 0 and for linear models, is what `beyond_gauss_newton`
measures: with the e_i held fixed it is the Hessian of sum_j e_ij z_j. Schraudolph 2002.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from theory.core import InputError
from theory.stability import network_doors
from theory.stability.gain import symmetric_operator
from theory.stability.network_minimum import (
    NetworkMinimum,
    NotAMinimum,
    NotInterpolating,
)

__all__ = ["NetworkMinimum", "NotAMinimum", "NotInterpolating", "from_jax"]

LOSSES = ("squared", "cross-entropy")
MOST_ENTRIES = 5 * 10**7  # of all factors: 0.4 GB; beyond it the Gram matrix is kept if smaller
CHUNK_ENTRIES = 2**24  # of the factors of one chunk: 0.13 GB, two or three times over
PRODUCT_SAMPLES = 256  # a Hessian product stores activations, not Jacobians


def from_jax(
    model: Callable[[Any, Any], Any],
    params: Any,
    inputs: Any,
    targets: Any,
    *,
    loss: Literal["squared", "cross-entropy"] = "squared",
    weights: Any = None,
    out: str | Path | None = None,
    chunk: int | None = None,
    gram_only: bool | None = None,
) -> NetworkMinimum:
    """The Gauss-Newton factors of all samples, in double precision, `chunk` samples at a time.

    `model(params, inputs)` returns (n,) or (n, k) in double precision and treats the samples one by
    one; `params` is any pytree of P real numbers, converted to double precision, and so are
    `inputs` (n, ...) unless they are integers. Squared loss |z - y|^2 / 2: `targets` have the
    outputs' shape. Softmax cross-entropy: class labels (n,). `weights` (n,) are the probabilities
    samples are drawn with, up to a factor. `gram_only` keeps the Gram matrix of the factors' rows and
    never holds all factors; None: if they have more than 5e7 entries and the matrix has fewer.
    `out` names an npz file to write.

    Warns with `NotAMinimum` or `NotInterpolating` where the law is not that of this point's
    neighbourhood. Raises `InputError` naming the argument that is wrong.
    """
    if loss not in LOSSES:
        raise InputError("loss", repr(loss), " or ".join(LOSSES))
    flat, unravel = _parameters(params)
    inputs = network_doors.inputs(inputs)
    outputs = network_doors.outputs(model, unravel(flat), inputs)
    targets, k = network_doors.targets(targets, len(inputs), outputs, loss)
    network = _Network(model, unravel, flat, inputs, targets, loss, k)
    shares = network_doors.weights(weights, len(inputs))
    keep_gram = _keep_gram(gram_only, network)
    found = network.minimum(shares, _chunk(chunk, network, keep_gram), keep_gram)
    if complaint := found.complaint():
        warnings.warn(complaint, stacklevel=2)
    if out is not None:
        found.save(out)
    return found


@dataclass(frozen=True)
class _Network:
    """The model with its data, checked."""

    model: Callable[[Any, Any], Any]
    unravel: Callable[[Any], Any]
    flat: np.ndarray  # (P,)
    inputs: np.ndarray  # (n, ...)
    targets: np.ndarray  # (n, k), or labels (n,)
    loss: str
    k: int

    def minimum(self, weights: np.ndarray, chunk: int, keep_gram: bool) -> NetworkMinimum:
        """One pass over the samples; with `keep_gram`, further ones over those that came before."""
        n, k, P = len(self.inputs), self.k, len(self.flat)
        kept = np.empty((n * k, n * k) if keep_gram else (n, k, P))
        w, e = np.empty((2, n, k))
        norms, shifts = np.empty((2, n))
        mean = np.zeros(P)
        pieces = self._pieces(chunk)
        for start in range(0, n, chunk):
            here = slice(start, start + chunk)
            F, w[here], e[here], spread = pieces(start)
            g = (w[here, None] @ F)[:, 0]
            mean += weights[here] @ g
            norms[here] = np.linalg.norm(g, axis=1)
            shifts[here] = _shifts(norms[here], spread, _squares(F))
            if not keep_gram:
                kept[here] = F
                continue
            for before in range(0, start + 1, chunk):
                _fill(kept, start * k, F, before * k, F if before == start else pieces(before)[0])
        return NetworkMinimum(
            full=None if keep_gram else kept,
            block_gram=kept if keep_gram else None,
            residuals=w,
            weights=weights,
            gradient_norms=norms,
            mean_gradient_norm=float(np.linalg.norm(mean)),
            output_shifts=shifts,
            scale=self._scale(),
            left_out=self._left_out(weights[:, None] * e),
        )

    def _scale(self) -> float:
        size = np.sqrt((self.targets.astype(float) ** 2).mean())
        return float(size) if self.loss == "squared" and size > 0 else 1.0

    def _pieces(self, chunk: int) -> Callable[[int], tuple[np.ndarray, ...]]:
        """From the first sample of a chunk: F (c, k, P), w (c, k), e (c, k), |J|^2 (c,)."""
        import jax

        k = self.k
        differentiate = jax.jacfwd if len(self.flat) <= k else jax.jacrev  # P or k passes

        def outputs(flat: Any, x: Any) -> tuple[Any, Any]:
            z = self.model(self.unravel(flat), x[None]).reshape(k)
            return z, z

        def one(flat: Any, x: Any, y: Any) -> tuple[Any, Any]:
            J, z = differentiate(outputs, has_aux=True)(flat, x)
            return J, (z - y,) if self.loss == "squared" else _softmax_factor(z, y)

        compiled = jax.jit(jax.vmap(one, in_axes=(None, 0, 0)))

        def piece(start: int) -> tuple[np.ndarray, ...]:
            # the last chunk repeats its last sample: one shape, one compilation
            rows = np.minimum(np.arange(start, start + chunk), len(self.inputs) - 1)
            found = compiled(self.flat, self.inputs[rows], self.targets[rows])
            J, parts = jax.tree.map(
                lambda part: np.asarray(part)[: len(self.inputs) - start], found
            )
            network_doors.finite("model", (J, *parts), "finite outputs, Jacobians and losses")
            if self.loss == "squared":
                return J, parts[0], parts[0], _squares(J)
            B, w, e = parts
            return B @ J, w, e, _squares(J)

        return piece

    def _left_out(self, e: np.ndarray) -> Any:
        """Hess f - mean H_i as the Hessian of sum_i e_i . z_i at fixed e (n, k), weights included.

        Nothing is subtracted, so that it is exactly zero for a linear model.
        """
        import jax
        import jax.numpy as jnp

        n, size = len(self.inputs), min(PRODUCT_SAMPLES, len(self.inputs))

        def pulled(flat: Any, x: Any, e: Any) -> Any:
            return jnp.vdot(e, self.model(self.unravel(flat), x))

        @jax.jit
        def product(flat: Any, x: Any, e: Any, v: Any) -> Any:
            return jax.jvp(lambda at: jax.grad(pulled)(at, x, e), (flat,), (v,))[1]

        def apply(v: np.ndarray) -> np.ndarray:
            total = np.zeros(len(v))
            for start in range(0, n, size):
                rows = np.arange(start, start + size)
                inside = (rows < n)[:, None]
                rows = np.minimum(rows, n - 1)
                total += product(self.flat, self.inputs[rows], inside * e[rows], v)
            return total

        return symmetric_operator(len(self.flat), apply)


def _softmax_factor(z: Any, y: Any) -> tuple[Any, Any, Any]:
    """B (k, k) with B'B = diag(s) - s s', e = s - (the label's unit vector), and w with B'w = e.

    With s = softmax z, q = sqrt(s) and D = diag(q): B = D - q s'. As q'q = 1 and Dq = s,
    B'B = D^2 - Dq s' - s q'D + s (q'q) s' = diag(s) - s s'. Bv = q (v - s'v) entry by entry, which
    is zero for constant v alone: its rank is k - 1. w = e / q has q'w = sum e = 0, so B'w = Dw = e,
    and |w|^2 = exp(f) - 1 with f the loss. 1 - s_j is a sum of the others: near a label it is
    smaller than rounding of s_j.
    """
    import jax
    import jax.numpy as jnp

    s, q = jax.nn.softmax(z), jnp.exp(jax.nn.log_softmax(z) / 2)
    eye = jnp.eye(len(z))
    rest = (1 - eye) @ s
    label = eye[y]
    e = jnp.where(label == 1, -rest, s)
    B = q[:, None] * (eye * rest - (1 - eye) * s)
    return B, jnp.where(label == 1, -rest / q, q), e


def _squares(F: np.ndarray) -> np.ndarray:
    """(c,), the largest eigenvalues of F_i'F_i."""
    return np.linalg.eigvalsh(F @ F.transpose(0, 2, 1))[:, -1]


def _shifts(norms: np.ndarray, spread: np.ndarray, top: np.ndarray) -> np.ndarray:
    """|g_i| |J_i| / lambda_max(H_i) (c,); zero where the gradient is. `spread` is |J_i|^2."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(norms == 0, 0.0, norms * np.sqrt(spread) / top)


def _fill(gram: np.ndarray, i: int, F: np.ndarray, j: int, E: np.ndarray) -> None:
    """Write the inner products of two chunks' rows, whose first rows are i and j, and mirror it."""
    rows, columns = F.reshape(-1, F.shape[-1]), E.reshape(-1, E.shape[-1])
    block = rows @ columns.T
    here, there = slice(i, i + len(rows)), slice(j, j + len(columns))
    gram[here, there], gram[there, here] = block, block.T


def _parameters(params: Any) -> tuple[np.ndarray, Callable[[Any], Any]]:
    """All parameters in one vector (P,), and the way back."""
    import jax
    from jax.flatten_util import ravel_pytree

    leaves = jax.tree.leaves(params)
    for leaf in leaves:
        network_doors.real("params", np.asarray(leaf))
    doubles = jax.tree.map(lambda leaf: np.asarray(leaf, float), params)
    flat, unravel = ravel_pytree(doubles)
    if not flat.size:
        raise InputError("params", "no numbers", "a pytree of real arrays, at least one number")
    return np.asarray(flat), unravel


def _chunk(chunk: int | None, network: _Network, keep_gram: bool) -> int:
    n = len(network.inputs)
    if chunk is None:
        # for a Gram matrix, with c chunks, every sample is differentiated (c + 1) / 2 times
        entries = MOST_ENTRIES if keep_gram else CHUNK_ENTRIES
        return int(np.clip(entries // (network.k * len(network.flat)), 1, n))
    if not isinstance(chunk, int) or isinstance(chunk, bool) or chunk < 1:
        raise InputError("chunk", repr(chunk), "an integer, at least 1")
    return min(chunk, n)


def _keep_gram(gram_only: bool | None, network: _Network) -> bool:
    rows, P = len(network.inputs) * network.k, len(network.flat)
    return rows < P and rows * P > MOST_ENTRIES if gram_only is None else bool(gram_only)

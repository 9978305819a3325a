"""Near an interpolating minimum every sample's loss is f_i(x) = x'H_i x / 2 with H_i PSD.

All samples share the minimiser 0, so linear stability of an optimizer at a minimum is a question
about the per-sample Hessians H_i and nothing else (Wu, Ma & E 2018; Mulayoff & Michaeli 2024).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from theory.core import InputError
from theory.moments import door_tolerance


@dataclass(frozen=True)
class Quadratic:
    """f(x) = sum_i w_i f_i(x), f_i(x) = x'H_i x / 2.

    `hessians` (n, d, d) and `weights` (n,), which sum to one. Nothing is checked here, because JAX
    rebuilds this class from tracers; people come in through `quadratic`.
    """

    hessians: Any
    weights: Any

    @property
    def dimension(self) -> int:
        """d, the length of x."""
        return self.hessians.shape[-1]

    def oracle(self, batch: Any = None) -> QuadraticOracle:
        """The plain mean loss over the indices `batch` (B,), repeats counted; None: f itself.

        Sampling weights act by how often an index is drawn, so inside a batch all samples count
        alike; the full batch (None) is drawn with certainty and carries the weights.
        """
        if batch is None:
            return _observe(self.hessians, self.weights)
        xp = _namespace(self.hessians, batch)
        parts = xp.asarray(self.hessians)[xp.asarray(batch)]
        return _observe(parts, xp.full(parts.shape[0], 1 / parts.shape[0]))


@dataclass(frozen=True)
class QuadraticOracle:
    """One minibatch: `parts` (B, d, d) with `shares` (B,) that sum to one; `hessian` their mean."""

    parts: Any
    shares: Any
    hessian: Any

    def loss(self, x: Any) -> Any:
        return x @ (self.hessian @ x) / 2

    def grad(self, x: Any) -> Any:
        return self.hessian @ x

    def norm(self, v: Any) -> Any:
        return (v @ v) ** 0.5

    def each(self, f: Callable[[QuadraticOracle], Any]) -> Any:
        """The mean of f, an array-valued function, over the one-sample oracles of this batch."""
        xp = _namespace(self.parts)

        def one(part: Any) -> Any:
            return f(QuadraticOracle(part[None], xp.ones(1), part))

        if xp is np:  # f may still return tracers, where only the data are numpy's
            pairs = zip(self.shares, self.parts, strict=True)
            return sum((share * one(part) for share, part in pairs), 0.0)
        import jax  # one traced body whatever the batch size: a Python loop would be unrolled

        return xp.tensordot(self.shares, jax.vmap(one)(self.parts), 1)


def _observe(parts: Any, shares: Any) -> QuadraticOracle:
    return QuadraticOracle(parts, shares, (shares[:, None, None] * parts).sum(0))


def _namespace(*arrays: Any) -> ModuleType:
    """jax.numpy as soon as one array is JAX's (a tracer included), otherwise numpy."""
    for array in arrays:
        if not isinstance(array, np.ndarray) and hasattr(array, "__array_namespace__"):
            return array.__array_namespace__()
    return np


def quadratic(hessians: Any = None, *, factors: Any = None, weights: Any = None) -> Quadratic:
    """A checked `Quadratic` from exactly one of `hessians` (n, d, d) and `factors` (n, k, d).

    Factors mean H_i = F_i'F_i, which is PSD for free. `weights` (n,) are positive, need not sum to
    one and default to equal ones. Raises `InputError` naming the offending sample and entry.
    """
    if (hessians is None) == (factors is None):
        found = "neither" if hessians is None else "both"
        raise InputError("hessians, factors", found, "exactly one of the two")
    if factors is not None:
        F = _real(factors, "factors", "a real array (n, k, d), no axis empty", 3)
        with np.errstate(over="ignore", invalid="ignore"):  # caught by the next line, by name
            given = np.swapaxes(F, 1, 2) @ F
        _finite(given, "factors' products")
    else:
        given = _real(hessians, "hessians", "a real array (n, d, d), n, d >= 1", 3)
        if given.shape[1] != given.shape[2]:
            raise InputError("hessians", f"shape {given.shape}", "square matrices (n, d, d)")
        _check_symmetry(given)
    # Exactly symmetric from here on; halved first, so that the sum cannot overflow.
    H = given / 2 + np.swapaxes(given, 1, 2) / 2
    _check_definiteness(H)
    return Quadratic(H, _normalised(weights, len(H)))


def _real(value: Any, field: str, allowed: str, axes: int) -> np.ndarray:
    """A finite float64 array with the given number of non-empty axes."""
    try:
        array = np.asarray(value)
    except ValueError:  # ragged nesting
        raise InputError(field, "rows of different lengths", allowed) from None
    if array.dtype.kind not in "iuf":
        raise InputError(field, f"dtype {array.dtype}", allowed)
    if array.ndim != axes or 0 in array.shape:
        raise InputError(field, f"shape {array.shape}", allowed)
    array = array.astype(np.float64)
    _finite(array, field)
    return array


def _finite(array: np.ndarray, field: str) -> None:
    wrong = np.argwhere(~np.isfinite(array))
    if len(wrong):
        where = tuple(map(int, wrong[0]))
        raise InputError(_entry(field, *where), array[where], "finite numbers")


def _entry(field: str, sample: int, *place: int) -> str:
    return f"{field}[{sample}]" + (f"[{','.join(map(str, place))}]" if place else "")


def _check_symmetry(H: np.ndarray) -> None:
    """Asked at the door because LAPACK and JAX read different halves of a matrix."""
    scale = np.abs(H).max(axis=(1, 2), keepdims=True)
    # Halved, so that the difference of two large entries of opposite sign stays finite.
    gap = np.abs(H / 2 - np.swapaxes(H, 1, 2) / 2)
    wrong = np.argwhere(gap > door_tolerance(H.shape[-1]) * scale)
    if len(wrong):
        i, a, b = map(int, wrong[0])
        found = f"{H[i, a, b]} opposite {H[i, b, a]}"
        raise InputError(_entry("hessians", i, a, b), found, "symmetric matrices")


def _check_definiteness(H: np.ndarray) -> None:
    values = np.linalg.eigvalsh(H)
    lowest, size = values[:, 0], np.abs(values).max(axis=1)
    wrong = np.flatnonzero(lowest < -door_tolerance(H.shape[-1]) * size)
    if len(wrong):
        i = int(wrong[0])
        found = f"smallest eigenvalue {lowest[i]}"
        raise InputError(_entry("hessians", i), found, "positive semidefinite matrices")


def _normalised(weights: Any, n: int) -> np.ndarray:
    if weights is None:
        return np.full(n, 1 / n)
    allowed = f"{n} positive finite numbers, one per sample"
    w = _real(weights, "weights", allowed, 1)
    if len(w) != n:
        raise InputError("weights", f"shape {w.shape}", allowed)
    if (w <= 0).any():
        i = int(np.flatnonzero(w <= 0)[0])
        raise InputError(_entry("weights", i), w[i], allowed)
    w = w / w.max()  # first, so that the sum cannot overflow
    return w / w.sum()

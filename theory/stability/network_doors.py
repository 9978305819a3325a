"""What a person hands to `from_jax` is checked here, and an `InputError` names the argument."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from theory.core import InputError

COMPARED = 8  # samples on which the model is asked both together and one by one
SAME = 1e-9  # relative to the largest output: double precision, whatever the order of summation


def inputs(found: Any) -> np.ndarray:
    """(n, ...), in double precision unless they are integers (indices of an embedding)."""
    array = real("inputs", np.asarray(found))
    if array.ndim < 1 or not len(array):
        raise InputError("inputs", f"shape {array.shape}", "(n, ...), n at least 1")
    return array if array.dtype.kind in "iu" else array.astype(float)


def outputs(model: Callable[[Any, Any], Any], params: Any, inputs: np.ndarray) -> np.ndarray:
    """(c,) or (c, k) of the first samples, together and one by one."""
    n = min(len(inputs), COMPARED)
    found = np.asarray(model(params, inputs[:n]))
    if found.shape[:1] != (n,) or found.ndim > 2 or not found.size:
        allowed = f"({n},) or ({n}, k) for {n} samples"
        raise InputError("model", f"outputs of shape {found.shape}", allowed)
    if found.dtype != np.float64:
        allowed = "float64 for float64 parameters, with no casts inside the model"
        raise InputError("model", f"outputs of {found.dtype}", allowed)
    finite("model", (found,), "finite outputs")
    alone = np.concatenate([np.asarray(model(params, inputs[i : i + 1])) for i in range(n)])
    apart = np.abs(alone - found).max() if alone.shape == found.shape else np.inf
    if apart > SAME * np.abs(found).max():
        allowed = "a model whose samples do not see each other (no batch statistics)"
        raise InputError("model", f"outputs that change by {apart:.3g} with the batch", allowed)
    return found


def targets(found: Any, n: int, outputs: np.ndarray, loss: str) -> tuple[np.ndarray, int]:
    """Targets (n, k) or labels (n,), and k; `outputs` are those of a few samples."""
    array = real("targets", np.asarray(found))
    k = outputs.size // len(outputs)
    if loss == "squared":
        shape = (n, *outputs.shape[1:])
        if array.shape != shape:
            raise InputError("targets", f"shape {array.shape}", f"{shape}, the outputs' own")
        return array.astype(float).reshape(n, k), k
    if k < 2:
        raise InputError("model", "one output", "at least two outputs for cross-entropy")
    if array.shape != (n,) or array.dtype.kind not in "iu":
        kind = f"{array.dtype} of shape {array.shape}"
        raise InputError("targets", kind, f"integer class labels of shape ({n},)")
    if array.min() < 0 or array.max() >= k:
        labels = f"labels from {array.min()} to {array.max()}"
        raise InputError("targets", labels, f"labels from 0 to {k - 1}, one for each output")
    return array, k


def weights(found: Any, n: int) -> np.ndarray:
    """(n,) positive, sum one; None: all equal."""
    if found is None:
        return np.full(n, 1 / n)
    array = real("weights", np.asarray(found)).astype(float)
    if array.shape != (n,):
        raise InputError("weights", f"shape {array.shape}", f"shape ({n},)")
    if array.min() <= 0:
        raise InputError("weights", f"a smallest weight of {array.min():g}", "positive weights")
    return array / array.sum()


def real(field: str, array: np.ndarray) -> np.ndarray:
    """The array, of real and finite numbers."""
    if array.dtype.kind not in "fiu" and array.dtype.name != "bfloat16":
        raise InputError(field, f"type {array.dtype}", "real numbers")
    finite(field, (array,), "finite numbers")
    return array


def finite(field: str, arrays: tuple[np.ndarray, ...], allowed: str) -> None:
    """Nothing, or an `InputError`."""
    if not all(np.isfinite(array).all() for array in arrays):
        raise InputError(field, "infinite or NaN entries", allowed)

"""What a simulation is told: what its runs have in common, where they differ, and in which space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from sims._block import MEASURES
from theory import catalogue
from theory.core import InputError, Optimizer, Problem


@dataclass(frozen=True, eq=False)
class Setting:
    """What all runs of a simulation have in common.

    `optimizer` is a prototype whose numbers hold where the runs bring no others. batch None feeds
    the full weighted mean loss. `record` names measurements, taken at the start and after every
    `every` steps. `space` is "plain", "gram", or "auto": Gram where it is possible, cheap and exact.
    `block` runs, a power of two, are computed together; None: as many as the caches hold.
    """

    problem: Problem
    optimizer: Optimizer
    steps: int
    every: int = 1
    batch: int | None = 1
    sampling: str = "with"
    record: Sequence[str] = ("loss",)
    space: str = "auto"
    block: int | None = None


def with_hyper(prototype: Any, hyper: dict[str, Any], runs: int) -> tuple[Any, tuple[bool, ...]]:
    """The optimizer with (runs,) arrays in those fields, and which leaves they are.

    Whole numbers decide what is computed, so they stay one number. Raises `InputError`.
    """
    known = {f.name: f for f in fields(prototype) if not f.metadata.get("static")}
    values: dict[str, Any] = {}
    for name, value in hyper.items():
        if name not in known:
            raise InputError(name, "values", f"fields that vary: {', '.join(known)}")
        counts = isinstance(known[name].default, int)
        allowed = f"{runs} finite numbers, at least 0" + (", all equal" if counts else "")
        array = as_array(name, value, allowed)
        if array.shape != (runs,) or array.dtype.kind not in ("iu" if counts else "iuf"):
            raise InputError(name, f"dtype {array.dtype}, shape {array.shape}", allowed)
        if not (np.isfinite(array).all() and (array >= 0).all()):
            raise InputError(name, array[~(np.isfinite(array) & (array >= 0))][0], allowed)
        if counts and (array != array[0]).any():
            raise InputError(name, "different numbers", allowed)
        values[name] = array.astype(np.int64)[0] if counts else array.astype(np.float64)
    many = {name for name, value in values.items() if np.ndim(value)}
    optimizer = replace(prototype, **values)
    leaves = [name for name in known if getattr(optimizer, name) is not None]
    return optimizer, tuple(name in many for name in leaves)


def as_array(field: str, value: Any, allowed: str) -> np.ndarray:
    """`value` as an array; raises `InputError` where its rows have different lengths."""
    try:
        return np.asarray(value)
    except ValueError:
        raise InputError(field, "rows of different lengths", allowed) from None


def in_gram(setting: Setting) -> bool:
    """Whether the runs are computed in Gram space; raises `InputError` where that cannot be."""
    if setting.space not in ("auto", "plain", "gram"):
        raise InputError("space", repr(setting.space), "'auto', 'plain' or 'gram'")
    obstacle = _obstacle(setting)
    if setting.space == "gram" and obstacle:
        raise InputError("space", "'gram'", f"'plain' here: {obstacle}")
    if obstacle or setting.space == "plain":
        return False
    # With more rows than dimensions it is exact only beside the largest residual there was: rounding
    # outside the range of X never contracts. Plain coordinates are as cheap there.
    n, size = len(setting.problem.weights), setting.batch
    return setting.space == "gram" or (size is not None and n <= setting.problem.dimension)


def _obstacle(setting: Setting) -> str:
    """Why Gram space is out of the question, or nothing."""
    optimizer = type(setting.optimizer)
    if not hasattr(setting.problem, "gram"):
        return f"{type(setting.problem).__name__} has no Gram matrix"
    if getattr(optimizer, "needs_coordinates", False):
        return f"{optimizer.__name__} needs coordinates"
    for key in setting.record:
        if key != "x" and getattr(catalogue.load(MEASURES, key), "NEEDS_COORDINATES", True):
            return f"the record {key} needs coordinates"
    return ""

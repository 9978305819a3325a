"""Branches and loops that are Python's own on numbers, and JAX's while a program is traced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
from jax.core import Tracer


def traced(value: Any) -> bool:
    """Whether the value is not known yet: a program is being built around it."""
    return isinstance(value, Tracer)


def lazily(due: Any, refresh: Callable[[], Any], kept: Any) -> Any:
    """refresh() when due, otherwise what was kept.

    It stays a branch, so a refresh that is not due costs nothing, as long as `due` is the same for
    all runs of a `vmap`: the step count and `lazy_hessian` are.
    """
    if traced(due):
        return jax.lax.cond(due, refresh, lambda: kept)
    return refresh() if due else kept


def mean_over(count: Any, f: Callable[[Any], Any], zero: Any) -> Any:
    """(f(0) + ... + f(count - 1)) / count, summed from `zero`, which has the shape of each."""
    if traced(count):
        return jax.lax.fori_loop(0, count, lambda j, total: total + f(j), zero) / count
    for j in range(int(count)):
        zero = zero + f(j)
    return zero / count

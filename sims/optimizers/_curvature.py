"""The Hessian's diagonal, exactly or by random probes, at most every so many steps.

Hutchinson's estimate is the mean of z * (H z) over probes z with independent entries of mean 0 and
variance 1: E z_j (H z)_j = H_jj (Bekas, Kokiopoulou & Saad 2007).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from sims.optimizers._control import lazily, mean_over, traced
from sims.optimizers._fields import COUNT, check, choice
from theory.core import Oracle


@dataclass(frozen=True)
class Curvature:
    """The fields of an optimizer that looks at the diagonal every `lazy_hessian` steps."""

    needs_coordinates: ClassVar[bool] = True  # a diagonal is one of a matrix in a certain basis

    lazy_hessian: Any = field(default=10, metadata=COUNT)
    n_samples: Any = field(default=1, metadata=COUNT)
    diagonal: str = choice("hutchinson", "exact")
    probe: str = choice("rademacher", "gaussian")

    def __post_init__(self) -> None:
        check(self)

    def refreshed(self, t: Any, refresh: Callable[[], Any], kept: Any) -> Any:
        """refresh() at steps 0, k, 2k, ... with k = `lazy_hessian`, otherwise what was kept."""
        return lazily(t % self.lazy_hessian == 0, refresh, kept)

    def estimate(self, oracle: Oracle, x: Any, t: Any) -> Any:
        """(d,), the diagonal of the batch's Hessian at x as step t sees it.

        `n_samples` and `probe` are without effect where the diagonal is exact.
        """
        if self.diagonal == "exact":
            return exact_diagonal(oracle, x)

        def sample(j: Any) -> Any:
            z = oracle.probe(t, j, self.probe)
            return z * oracle.hvp(x, z)

        return mean_over(self.n_samples, sample, 0.0 * x)


def exact_diagonal(oracle: Oracle, x: Any) -> Any:
    """(d,) from d Hessian products, one with each coordinate vector: for small d."""
    found = jax.lax.map(lambda e: oracle.hvp(x, e) @ e, jnp.eye(len(x)))
    return np.asarray(found) if isinstance(x, np.ndarray) and not traced(found) else found

"""Near an interpolating minimum every sample's loss is f_i(x) = x'H_i x / 2 with H_i PSD.

All samples share the minimiser 0, so linear stability of an optimizer at a minimum is a question
about the per-sample Hessians H_i and nothing else (Wu, Ma & E 2018; Mulayoff & Michaeli 2024).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from theory.core import InputError, Probes
from theory.doors import definite, finite, normalised, real, symmetric, whole
from theory.problems import _data
from theory.problems._oracle import Minibatch, minibatch


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

    @property
    def samples(self) -> tuple[Any, ...]:
        """The per-sample Hessians are all a sample is."""
        return (self.hessians,)

    def losses(self, x: Any, hessians: Any) -> Any:
        """(B,), x'H_i x / 2."""
        return (hessians @ x) @ x / 2

    def gradient(self, x: Any, shares: Any, hessians: Any) -> Any:
        """H_S x with H_S the batch mean, formed first: a step asks for two products with it."""
        return (shares[:, None, None] * hessians).sum(0) @ x

    def oracle(self, batch: Any = None, probes: Probes | None = None) -> Minibatch:
        """The mean loss over the indices `batch` (B,); None: f itself."""
        return minibatch(self, batch, probes)

    def start(self, rng: np.random.Generator) -> np.ndarray:
        """x_0 in a uniformly random direction, at distance 1 from the minimum."""
        x = rng.normal(size=self.dimension)
        return x / np.linalg.norm(x)


def quadratic(hessians: Any = None, *, factors: Any = None, weights: Any = None) -> Quadratic:
    """A checked `Quadratic` from exactly one of `hessians` (n, d, d) and `factors` (n, k, d).

    Factors mean H_i = F_i'F_i, which is PSD for free. `weights` (n,) are positive, need not sum to
    one and default to equal ones. Raises `InputError` naming the offending sample and entry.
    """
    if (hessians is None) == (factors is None):
        found = "neither" if hessians is None else "both"
        raise InputError("hessians, factors", found, "exactly one of the two")
    if factors is not None:
        F = real(factors, "factors", "a real array (n, k, d), no axis empty", 3)
        with np.errstate(over="ignore", invalid="ignore"):  # caught by the next line, by name
            given = np.swapaxes(F, 1, 2) @ F
        finite(given, "factors' products")
    else:
        given = real(hessians, "hessians", "a real array (n, d, d), n, d >= 1", 3)
        given = symmetric(given, "hessians")
    H = given / 2 + np.swapaxes(given, 1, 2) / 2  # factors' products: symmetric but for rounding
    definite(np.linalg.eigvalsh(H), "hessians")
    return Quadratic(H, normalised(weights, len(H)))


def generate(
    *,
    seed: int = 0,
    n: int = 8,
    d: int = 4,
    rank: int = 1,
    condition: float = 1.0,
    weights: Any = None,
) -> Quadratic:
    """n samples H_i = F_i'F_i, the rows of F_i (rank, d) from N(0, diag(l)) / sqrt(rank).

    l falls geometrically from 1 to 1/condition, and E H_i = diag(l). Raises `InputError` naming the
    setting.
    """
    shape = whole(n, "n"), whole(rank, "rank"), whole(d, "d")
    rows = _data.gaussian(_data.stream(seed, "inputs"), shape[0] * shape[1], shape[2], condition)
    return quadratic(factors=rows.reshape(shape) / shape[1] ** 0.5, weights=weights)

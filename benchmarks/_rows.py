"""Minima of one output a sample: Jacobians of Gaussian rows, equal weights, batches of one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

ROOT = 20240501  # any fixed number
SIZES = {  # n samples, d parameters
    "small": (128, 64),
    "medium": (1_000, 200),
    "tall": (10_000, 1_000),
    "wide": (1_000, 20_000),
    "huge": (100_000, 500),
    "many": (16_000, 200),
    "twice n": (2_000, 200),
    "twice d": (1_000, 400),
}
TOY = {
    "small": (16, 8),
    "medium": (60, 20),
    "tall": (200, 20),
    "wide": (30, 90),
    "huge": (400, 10),
    "many": (960, 20),
    "twice n": (120, 20),
    "twice d": (60, 40),
}


@dataclass(frozen=True)
class Rows:
    """A Jacobian (n, d) by its size alone; a run of it is one critical step."""

    key: str
    n: int
    d: int
    runs: int = 1
    steps: int = 1

    @property
    def title(self) -> str:
        return f"{self.key}: n = {self.n:,} samples, d = {self.d:,} parameters"

    @cached_property
    def jacobian(self) -> np.ndarray:
        return np.random.default_rng(ROOT).standard_normal((self.n, self.d))


def rows(key: str, quick: bool) -> Rows:
    """The workload `key`, of toy size where `quick`."""
    return Rows(key, *(TOY if quick else SIZES)[key])

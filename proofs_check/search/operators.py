"""Coordinates for searching statements about operators and vectors known by name."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from proofs_check.search.charts import Vector
from proofs_check.search.rounding import Rounding
from theory.domains import Operators, Point


@dataclass(frozen=True)
class OperatorChart:
    """theta holds the entries of every operator, vector and scalar.

    Tame: symmetric operators are PSD and scalars positive, as optimizers need them.
    """

    domain: Operators
    d: int
    tame: bool

    def start(self, rng: np.random.Generator) -> Vector:
        o = self.domain
        operators = len(o.symmetric) + len(o.general)
        return rng.standard_normal(operators * self.d**2 + len(o.vectors) * self.d + len(o.scalars))

    def model(self, theta: Vector) -> SimpleNamespace:
        parts = self._parts([float(x) for x in theta])
        arrays: dict[str, Any] = {name: np.array(value) for name, value in parts.items()}
        return SimpleNamespace(inner=lambda u, v: u @ v, **arrays)

    def point(self, theta: Vector, rounding: Rounding) -> Point:
        return self._parts([rounding.near(x) for x in theta])

    def _parts(self, rest: list[Any]) -> dict[str, Any]:
        o, d = self.domain, self.d
        parts: dict[str, Any] = {}
        for name in o.symmetric + o.general:
            block, rest = [rest[i * d : (i + 1) * d] for i in range(d)], rest[d * d :]
            parts[name] = self._symmetric(block) if name in o.symmetric else block
        for name in o.vectors:
            parts[name], rest = rest[:d], rest[d:]
        return parts | dict(zip(o.scalars, map(abs, rest) if self.tame else rest, strict=True))

    def _symmetric(self, block: list[list[Any]]) -> list[list[Any]]:
        """B'B where tame, B + B' elsewhere."""
        index = range(self.d)
        if self.tame:
            return [[sum(row[i] * row[j] for row in block) for j in index] for i in index]
        return [[block[i][j] + block[j][i] for j in index] for i in index]

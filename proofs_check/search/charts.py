"""Coordinates for searching a claim's domain in floats, and the way back to rational points.

Mean-square families are searched through factors, H_i = F_i'F_i, so that every vector of
coordinates is a legal point; positive quantities through their logarithms.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from types import SimpleNamespace
from typing import Any, Protocol

import numpy as np

from theory.domains import Domain, Family, FamilyModel, Operators, Point, Scalars
from theory.exact import Matrix
from theory.stability import threshold as thresholds

Vector = np.ndarray
Edge = Callable[[np.ndarray, np.ndarray], float]  # a critical step from (probabilities, A)
EDGES: tuple[Edge | None, ...] = (
    None,
    thresholds.mean_square_critical_step,
    thresholds.one_step_critical_step,
)
INSIDE = 1 - 1e-7  # of the critical step: room for rounding, far less than any violation sought


class Chart(Protocol):
    """One finite-dimensional piece of a domain."""

    def start(self, rng: np.random.Generator) -> Vector:
        """Random coordinates, spread over magnitudes and degenerate shapes."""
        ...

    def model(self, theta: Vector) -> Any:
        """The float model at theta, determined variables completed."""
        ...

    def point(self, theta: Vector, denominator: int) -> Point:
        """A rational point nearby whose free numbers have that denominator."""
        ...


def draw(domain: Domain, rng: np.random.Generator) -> Chart:
    """A chart of the domain; for families of random numbers of samples, rank and dimension."""
    if isinstance(domain, Scalars):
        return ScalarChart(domain)
    if isinstance(domain, Family):
        n, k, d = int(rng.integers(1, 5)), int(rng.integers(1, 3)), int(rng.integers(1, 4))
        edges = EDGES if "eta" in domain.names and "eta" not in domain.complete else (None,)
        edge = edges[int(rng.integers(len(edges)))]
        return FamilyChart(domain, n, k, d, weighted=bool(rng.random() < 0.5), edge=edge)
    return OperatorChart(domain, int(rng.integers(1, 5)))


@dataclass(frozen=True)
class ScalarChart:
    """theta holds the free variables themselves."""

    domain: Scalars

    @property
    def free(self) -> list[str]:
        return [name for name in self.domain.names if name not in self.domain.complete]

    def start(self, rng: np.random.Generator) -> Vector:
        values = []
        for name in self.free:
            if name in self.domain.start:
                values.append(rng.uniform(*self.domain.start[name]))
            else:
                values.append(rng.choice([-1, 1]) * np.exp(1.5 * rng.standard_normal()))
        return np.array(values)

    def model(self, theta: Vector) -> SimpleNamespace:
        m = SimpleNamespace(**dict(zip(self.free, map(float, theta), strict=True)))
        for name, find in self.domain.complete.items():
            setattr(m, name, find(m))
        return m

    def point(self, theta: Vector, denominator: int) -> Point:
        m = SimpleNamespace(
            **{n: _round(x, denominator) for n, x in zip(self.free, theta, strict=True)}
        )
        for name, find in self.domain.complete.items():
            setattr(m, name, find(m))
        return vars(m)


@dataclass(frozen=True)
class FamilyChart:
    """theta holds n factors (k, d), log weights unless equal, and logs of the free scalars.

    With an `edge`, eta is not free but sits just inside that notion's critical step: statements about
    stability break at the edge first, and a search that need not find it is ten times shorter.
    """

    domain: Family
    n: int
    k: int
    d: int
    weighted: bool
    edge: Edge | None = None

    @property
    def complete(self) -> dict[str, Callable[[FamilyModel], Any]]:
        edge = {} if self.edge is None else {"eta": partial(_inside, self.edge)}
        return edge | dict(self.domain.complete)

    @property
    def free(self) -> list[str]:
        return [name for name in self.domain.names if name not in self.complete]

    def start(self, rng: np.random.Generator) -> Vector:
        factors = rng.standard_normal((self.n, self.k, self.d))
        factors *= np.exp(0.7 * rng.standard_normal((self.n, 1, 1)))
        factors *= rng.random(factors.shape) < rng.choice([0.6, 1.0])  # often sparse
        top = float(np.linalg.norm(np.einsum("nki,nkj->ij", factors, factors) / self.n, 2)) or 1.0
        scale = {"rho": np.exp(rng.uniform(-4, 1)) / top}
        scale["eta"] = np.exp(rng.uniform(-1, 1.5)) / (top * (1 + scale["rho"] * top))
        scalars = []
        for name in self.free:
            if name in self.domain.start:
                scalars.append(np.log(rng.uniform(*self.domain.start[name])))
            else:
                scalars.append(np.log(scale.get(name, np.exp(rng.standard_normal()))))
        spread = rng.choice([1.0, 4.0])  # up to one sample being 10^4 times rarer than another
        logs = spread * rng.standard_normal(self.n) if self.weighted else np.empty(0)
        return np.concatenate([factors.ravel(), logs, scalars])

    def _split(self, theta: Vector) -> tuple[Vector, Vector, Vector]:
        size = self.n * self.k * self.d
        logs = theta[size : size + self.n * self.weighted]
        weights = np.exp(logs - logs.min()) if self.weighted else np.ones(self.n)
        factors = theta[:size].reshape(self.n, self.k, self.d)
        return factors, weights, np.exp(theta[size + len(logs) :])

    def model(self, theta: Vector) -> FamilyModel:
        factors, weights, scalars = self._split(theta)
        samples = factors.transpose(0, 2, 1) @ factors
        named = dict(zip(self.free, map(float, scalars), strict=True))
        m = FamilyModel(list(samples), list(weights / weights.sum()), np.eye(self.d), named)
        for name, find in self.complete.items():
            m.scalars[name] = find(m)
        return m

    def point(self, theta: Vector, denominator: int) -> Point:
        factors, weights, scalars = self._split(theta)
        rounded: dict[str, Any] = {
            "factors": [[[_round(x, denominator) for x in row] for row in F] for F in factors],
            "weights": [max(_round(w, denominator), Fraction(1, denominator)) for w in weights],
        }
        named = {n: _round(x, denominator) for n, x in zip(self.free, scalars, strict=True)}
        m = Family(tuple(named)).exact({**rounded, **named})
        for name, find in self.complete.items():
            m.scalars[name] = find(m)
        if self.edge is not None:
            m.scalars["eta"] = Fraction(int(m.eta * denominator), denominator)  # down: stays inside
        return {**rounded, **m.scalars}


@dataclass(frozen=True)
class OperatorChart:
    """theta holds the entries of every operator (symmetric ones PSD), vector and positive scalar."""

    domain: Operators
    d: int

    def start(self, rng: np.random.Generator) -> Vector:
        o = self.domain
        operators = len(o.symmetric) + len(o.general)
        return rng.standard_normal(operators * self.d**2 + len(o.vectors) * self.d + len(o.scalars))

    def model(self, theta: Vector) -> SimpleNamespace:
        parts = self._parts(theta, lambda x: x)
        arrays: Mapping[str, Any] = {name: np.array(value) for name, value in parts.items()}
        return SimpleNamespace(inner=lambda u, v: u @ v, **arrays)

    def point(self, theta: Vector, denominator: int) -> Point:
        return self._parts(theta, lambda x: _round(x, denominator))

    def _parts(self, theta: Vector, number: Any) -> dict[str, Any]:
        o, d, rest = self.domain, self.d, [number(x) for x in theta]
        parts: dict[str, Any] = {}
        for name in o.symmetric + o.general:
            block, rest = [rest[i * d : (i + 1) * d] for i in range(d)], rest[d * d :]
            if name in o.symmetric:  # B'B
                block = [[sum(r[i] * r[j] for r in block) for j in range(d)] for i in range(d)]
            parts[name] = block
        for name in o.vectors:
            parts[name], rest = rest[:d], rest[d:]
        return parts | dict(zip(o.scalars, map(abs, rest), strict=True))


def _inside(edge: Edge, m: FamilyModel) -> Any:
    """A step just inside the edge; for exact models the edge of their floats, as a fraction."""
    exact = isinstance(m.I, Matrix)
    A = [[[float(x) for x in row] for row in a.rows] for a in m.A] if exact else m.A
    step = INSIDE * edge(np.asarray([float(w) for w in m.weights]), np.asarray(A))
    if not np.isfinite(step):
        raise ArithmeticError("nothing moves, so there is no edge")
    return Fraction(step) if exact else step


def _round(value: float, denominator: int) -> Fraction:
    return Fraction(round(float(value) * denominator), denominator)

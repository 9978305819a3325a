"""Coordinates for searching a claim's domain in floats, and the way back to rational points.

Families are searched through factors, H_i = F_i'F_i, so that every vector of coordinates is a legal
point. A `tame` chart keeps to the intervals an author gives and to what an optimizer accepts; it
serves for simulation. Searching charts also leave those intervals and loosen the variables that
`complete` determines: a hypothesis must be stated by `given`, not smuggled in by how points are made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from types import SimpleNamespace
from typing import Any, Protocol

import numpy as np

from proofs_check.search.floats import FloatFamily
from proofs_check.search.rounding import Rounding
from theory.core import Notion
from theory.domains import Domain, Family, FamilyModel, Operators, Point, Scalars
from theory.exact import Matrix
from theory.piecewise import Piecewise
from theory.stability import threshold as thresholds

Vector = np.ndarray
Edge = Callable[[np.ndarray, np.ndarray], float]  # a critical step from (probabilities, A)
EDGES: tuple[Edge | None, ...] = (
    None,
    thresholds.mean_square_critical_step,
    thresholds.one_step_critical_step,
)
INSIDE = 1 - 1e-7  # of the critical step: room for rounding, far less than any violation sought
SAMPLES, DIMENSION, SIZE = 8, 6, 4  # the largest family and the largest operator searched
LOOSEN = 1 / 3  # of the charts leave determined variables free
RARE = 1 / 2  # of the weighted families have a rare, sharp sample
STRUCTURED = 1 / 8  # of the families searched are permutations of one sample beside a common one
WIDE = 1 / 4  # of the charts start anywhere within twelve orders of magnitude


def extent(domain: Domain) -> str:
    """What a search covers, in words."""
    if isinstance(domain, Scalars):
        return "points from 1e-6 to 1e6 and beyond"
    if isinstance(domain, Family):
        return f"families of up to {SAMPLES} samples in dimension up to {DIMENSION}"
    if isinstance(domain, Operators):
        return f"operators of size up to {SIZE}"
    from proofs_check.search import piecewise

    return piecewise.EXTENT


class Chart(Protocol):
    """One finite-dimensional piece of a domain."""

    def start(self, rng: np.random.Generator) -> Vector:
        """Random coordinates, spread over magnitudes and degenerate shapes."""
        ...

    def model(self, theta: Vector) -> Any:
        """The float model at theta, determined variables completed."""
        ...

    def point(self, theta: Vector, rounding: Rounding) -> Point:
        """A rational point nearby."""
        ...


def draw(
    domain: Domain,
    rng: np.random.Generator,
    *,
    tame: bool = False,
    notion: Notion = Notion.NONE,
) -> Chart:
    """A chart of the domain; for families of random numbers of samples, rank and dimension.

    Where the claim is about the one-step notion, steps beyond its edge are not tried on purpose.
    """
    if isinstance(domain, Operators):
        from proofs_check.search.operators import OperatorChart

        return OperatorChart(domain, int(rng.integers(1, SIZE + 1)), tame or rng.random() < 0.5)
    edges = _edges(domain, notion)
    (side,) = rng.spawn(1)  # beside the stream: other charts are drawn as if there were no orbits
    if isinstance(domain, Family) and not tame and side.random() < STRUCTURED:
        from proofs_check.search.families import Orbit  # it builds on the charts of this file

        d, edge = int(side.integers(1, 5)), edges[int(side.integers(len(edges)))]
        return Orbit(domain, (), False, n=d + 1, k=d, d=d, weighted=True, edge=edge)
    loose = () if tame or rng.random() > LOOSEN else tuple(domain.complete)
    wide = not tame and rng.random() < WIDE
    if isinstance(domain, Piecewise):
        from proofs_check.search.piecewise import draw_functions

        return draw_functions(domain, loose, wide, rng)
    if isinstance(domain, Scalars):
        return ScalarChart(domain, loose, wide)
    large = not tame and rng.random() < 0.3
    n = int(rng.integers(1, (SAMPLES if large else 4) + 1))
    d = int(rng.integers(1, (DIMENSION if large else 3) + 1))
    weighted = bool(rng.random() < 0.5)
    return FamilyChart(
        domain,
        loose,
        wide,
        n=n,
        k=int(rng.integers(1, d + 1)),
        d=d,
        weighted=weighted,
        rare=weighted and not tame and rng.random() < RARE,
        edge=edges[int(rng.integers(len(edges)))],
    )


def _edges(domain: Scalars | Family | Piecewise, notion: Notion) -> tuple[Edge | None, ...]:
    edges = EDGES if "eta" in domain.names and "eta" not in domain.complete else (None,)
    if notion is Notion.ONE_STEP:
        edges = tuple(edge for edge in edges if edge is not thresholds.mean_square_critical_step)
    return edges


@dataclass(frozen=True)
class ScalarChart:
    """theta holds the free variables, then a factor for each loosened one."""

    domain: Scalars | Family | Piecewise
    loose: tuple[str, ...] = ()
    wide: bool = False

    @property
    def complete(self) -> Mapping[str, Callable[[Any], Any]]:
        """The variables that others determine, in order."""
        return self.domain.complete

    @property
    def free(self) -> list[str]:
        return [name for name in self.domain.names if name not in self.complete]

    def start(self, rng: np.random.Generator) -> Vector:
        return np.array([self._first(name, rng) for name in self.free] + self._factors(rng))

    def _first(self, name: str, rng: np.random.Generator) -> float:
        if self.wide:
            return rng.choice([-1, 1]) * 10 ** rng.uniform(-6, 6)
        if name in self.domain.start:
            return rng.uniform(*self.domain.start[name])
        return rng.choice([-1, 1]) * np.exp(1.5 * rng.standard_normal())

    def _factors(self, rng: np.random.Generator) -> list[float]:
        """Mostly 1 and -1 (another branch of the same equation), else anything near."""
        choices = (1.0, -1.0, float(np.exp(0.5 * rng.standard_normal())))
        return [float(rng.choice(choices)) for _ in self.loose]

    def model(self, theta: Vector) -> Any:
        m = SimpleNamespace(**dict(zip(self.free, map(float, theta), strict=False)))
        self._finish(vars(m), m, theta[len(self.free) :])
        return m

    def point(self, theta: Vector, rounding: Rounding) -> Point:
        numbers = [rounding.near(x) for x in theta]
        m = SimpleNamespace(**dict(zip(self.free, numbers, strict=False)))
        self._finish(vars(m), m, numbers[len(self.free) :])
        return vars(m)

    def _finish(self, values: dict[str, Any], m: Any, factors: Any) -> None:
        """Complete the determined variables of m, whose scalars live in `values`."""
        scale = dict(zip(self.loose, factors, strict=True))
        for name, find in self.complete.items():
            values[name] = find(m) * scale.get(name, 1)


@dataclass(frozen=True)
class FamilyChart(ScalarChart):
    """theta holds n factors (k, d), log weights unless equal, logs of free scalars, loose factors.

    With an `edge`, eta is not free but sits just inside that notion's critical step: statements about
    stability break at the edge first, and a search that need not find it is ten times shorter.
    """

    n: int = 1
    k: int = 1
    d: int = 1
    weighted: bool = False
    rare: bool = False
    edge: Edge | None = None

    @property
    def complete(self) -> Mapping[str, Callable[[Any], Any]]:
        edge = {} if self.edge is None else {"eta": partial(_inside, self.edge)}
        return edge | dict(self.domain.complete)

    def start(self, rng: np.random.Generator) -> Vector:
        factors = rng.standard_normal((self.n, self.k, self.d))
        factors *= np.exp(0.7 * rng.standard_normal((self.n, 1, 1)))
        factors *= rng.random(factors.shape) < rng.choice([0.6, 1.0])  # often sparse
        if self.wide:
            factors *= 10 ** rng.uniform(-3, 3)
        top = float(np.linalg.norm(np.einsum("nki,nkj->ij", factors, factors) / self.n, 2)) or 1.0
        rho = np.exp(rng.uniform(-4, 1)) / top
        usual = {"rho": rho, "eta": np.exp(rng.uniform(-1, 1.5)) / (top * (1 + rho * top))}
        logs = [self._log(name, usual, rng) for name in self.free]
        weights = 2 * rng.standard_normal(self.n) if self.weighted else np.empty(0)
        if self.rare:
            # One sample e^u times rarer, and as sharp as its noise allows: A ~ 1/sqrt(p), with A ~ H
            # for small steps and A ~ H^2 where the climb dominates; H = F'F.
            u = rng.uniform(2, 25)
            weights[0] -= u
            factors[0] *= np.exp(u * rng.choice([1 / 4, 1 / 8]))
        return np.concatenate([factors.ravel(), weights, logs, np.abs(self._factors(rng))])

    def _log(self, name: str, usual: Mapping[str, float], rng: np.random.Generator) -> float:
        if name in self.domain.start and not self.wide:
            return np.log(rng.uniform(*self.domain.start[name]))
        return np.log(usual.get(name, np.exp(rng.standard_normal())))

    def _split(self, theta: Vector) -> tuple[Vector, Vector, Vector, Vector]:
        sizes = (self.n * self.k * self.d, self.n * self.weighted, len(self.free))
        flat, logs, scalars, loose = np.split(theta, np.cumsum(sizes))
        weights = np.exp(logs - logs.min()) if self.weighted else np.ones(self.n)
        return flat.reshape(self.n, self.k, self.d), weights, np.exp(scalars), loose

    def model(self, theta: Vector) -> FamilyModel:
        factors, weights, scalars, loose = self._split(theta)
        samples = factors.transpose(0, 2, 1) @ factors
        named = dict(zip(self.free, map(float, scalars), strict=True))
        m = FloatFamily(samples, weights / weights.sum(), named)
        self._finish(m.scalars, m, loose)
        if min(m.scalars.values(), default=0.0) < 0:
            raise ArithmeticError("a family's scalars are not negative")
        return m

    def point(self, theta: Vector, rounding: Rounding) -> Point:
        factors, weights, scalars, loose = self._split(theta)
        near = rounding.near
        rounded: dict[str, Any] = {
            "factors": [[[near(x) for x in row] for row in F] for F in factors],
            "weights": [max(near(w), rounding.step) for w in weights],
        }
        named = {name: near(x) for name, x in zip(self.free, scalars, strict=True)}
        m = Family(tuple(named)).exact({**rounded, **named})
        self._finish(m.scalars, m, [near(x) for x in loose])
        if self.edge is not None:
            m.scalars["eta"] = rounding.down(float(m.scalars["eta"]))  # down: stays inside
            later = replace(self, edge=None)  # what is completed from eta sees the rounded one
            later._finish(m.scalars, m, [near(x) for x in loose])
        return {**rounded, **m.scalars}


def _inside(edge: Edge, m: FamilyModel) -> Any:
    """A step just inside the edge; for exact models the edge of their floats, as a fraction."""
    exact = isinstance(m.I, Matrix)
    A = [[[float(x) for x in row] for row in a.rows] for a in m.A] if exact else m.A
    step = INSIDE * edge(np.asarray([float(w) for w in m.weights]), np.asarray(A))
    if not np.isfinite(step):
        raise ArithmeticError("nothing moves, so there is no edge")
    return Fraction(step) if exact else step

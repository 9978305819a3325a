"""Structured families: few numbers, many samples, and the search that finds shipped witnesses again.

- `Orbit`: d samples that are permutations of one another (each coordinate singled out in turn) and one
  common sample aI + b11'. T commutes with the permutations, so its leading eigenvector is cI + e11'
  whatever d is, and all samples lean towards (1, ..., 1). With a large weight on the common sample the
  others are the rare, heavy ones. d = 4 is the least dimension in which it breaks the s_3 bound.
- `Mirror`: rows (1, 0), (b, c), (b, -c), (0, e) with weights. Mirror images keep the mean diagonal, so
  that (1, 0) grows alone, the pair damps it, and (0, e) damps what the pair adds across.

`find` maximises the violation (unlike `hunt`, which stops at the first), by differential evolution
where a chart has a box and by restarted descents where it has none, then rounds and shrinks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
from scipy.linalg import hadamard
from scipy.optimize import differential_evolution, minimize

from proofs_check.checker import replay
from proofs_check.library import entry
from proofs_check.search.charts import RARE, Chart, FamilyChart, Vector
from proofs_check.search.rounding import ROUNDINGS, Rounding
from proofs_check.search.shrink import shrink, size, witness_of
from proofs_check.search.slack import slack
from proofs_check.search.witness import refutation
from theory.atoms import AtMost
from theory.core import Claim, InputError
from theory.domains import Family, Point
from theory.stability.threshold import mean_square_critical_step, one_step_critical_step

Box = list[tuple[float, float]]

ROOM = 1e-3  # slack left in scalar hypotheses such as 2 rho <= eta, for rounding to use up
PENALTY = 100.0  # of a broken hypothesis against the violation: no violation is worth one
GENERATIONS, POPULATION = 150, 12  # of differential evolution, per number
RESTARTS = 3  # of the descent from each start: Nelder-Mead stalls where eigenvalues cross
KEPT = 0.5  # of the float violation: what rounding may use up


@dataclass(frozen=True)
class Orbit(FamilyChart):
    """theta holds `rank` pairs (own, other), a, b, the common log weight, log scalars, loose factors.

    Sample j has `rank` rows, each with `own` at place j and `other` elsewhere; the common sample is
    F'F with F = aI + b11'. n = d + 1, k = d.
    """

    rank: int = 1

    def start(self, rng: np.random.Generator) -> Vector:
        """Within the box; or e^u times rarer and as sharp as their noise allows, as in the charts.

        Drawn beside the stream, which goes on as if it had not been asked.
        """
        rng = rng.spawn(1)[0]
        theta = np.array([rng.uniform(low, high) for low, high in self.box()])
        if rng.random() < RARE:
            u = rng.uniform(2, 25)
            theta[: 2 * self.rank] *= np.exp(u * rng.choice([1 / 4, 1 / 8])) / 8
            theta[2 * self.rank : 2 * self.rank + 2] /= 8
            theta[2 * self.rank + 2] = u
        return theta

    def box(self) -> Box:
        """Heavy rows up to a hundred times the common sample, e^12 times rarer."""
        entries = [(-8.0, 8.0)] * (2 * self.rank) + [(0.0, 8.0), (-2.0, 2.0)]
        rest = [(-7.0, 2.0)] * len(self.free) + [(0.5, 1.5)] * len(self.loose)
        return [*entries, (-2.0, 12.0), *rest]

    def _split(self, theta: Vector) -> tuple[Vector, Vector, Vector, Vector]:
        pairs, (a, b, log), rest = np.split(theta, [2 * self.rank, 2 * self.rank + 3])
        factors = np.zeros((self.n, self.k, self.d))
        for row, pair in enumerate(pairs.reshape(-1, 2)):
            factors[: self.d, row] = self._rows(*pair)
        factors[self.d] = self._common(a, b)
        weights = np.append(np.ones(self.d), np.exp(log))
        return factors, weights, np.exp(rest[: len(self.free)]), rest[len(self.free) :]

    def _rows(self, own: float, other: float) -> Vector:
        return other + (own - other) * np.eye(self.d)

    def _common(self, a: float, b: float) -> Vector:
        return a * np.eye(self.d) + b

    def point(self, theta: Vector, rounding: Rounding) -> Point:
        return _without_zero_rows(super().point(theta, rounding))


@dataclass(frozen=True)
class Star(Orbit):
    """An `Orbit` turned so that (1, ..., 1) becomes e_1, where d is a power of two.

    Rows (own, +-other, ...) with the signs of a Hadamard matrix, F = diag(a + b, a, ..., a): fewer and
    smaller numbers for the same minimum.
    """

    def _rows(self, own: float, other: float) -> Vector:
        return hadamard(self.d) * np.array([own] + [other] * (self.d - 1))

    def _common(self, a: float, b: float) -> Vector:
        return np.diag([a + b] + [a] * (self.d - 1))


@dataclass(frozen=True)
class Mirror(FamilyChart):
    """theta holds logs: b, c, e, the weights of the pair and of (0, e), scalars; then loose factors."""

    def start(self, rng: np.random.Generator) -> Vector:
        return np.array([rng.uniform(low, high) for low, high in self.box()])

    def box(self) -> Box:
        """The pair steep across and flat along; (0, e) up to e^14 times as frequent as (1, 0)."""
        sizes = [(-5.0, 1.0), (-1.0, 3.0), (-3.0, 1.0), (-2.0, 5.0), (0.0, 14.0)]
        return [*sizes, *[(-8.0, 2.0)] * len(self.free), *[(0.5, 1.5)] * len(self.loose)]

    def _split(self, theta: Vector) -> tuple[Vector, Vector, Vector, Vector]:
        b, c, e, pair, last = np.exp(theta[:5])
        factors = np.array([[[1.0, 0.0]], [[b, c]], [[b, -c]], [[0.0, e]]])
        scalars, loose = np.split(theta[5:], [len(self.free)])
        return factors, np.array([1.0, pair, pair, last]), np.exp(scalars), loose


def orbit(d: int, rank: int = 1, edge: Any = None) -> Callable[[Family], FamilyChart]:
    """An `Orbit` in dimension d, of the domain it is given."""
    return partial(Orbit, n=d + 1, k=d, d=d, weighted=True, rank=rank, edge=edge)


def star(d: int, edge: Any = None) -> Callable[[Family], FamilyChart]:
    """A `Star` in dimension d, of the domain it is given."""
    return partial(Star, n=d + 1, k=d, d=d, weighted=True, edge=edge)


def mirror(edge: Any = None) -> Callable[[Family], FamilyChart]:
    """A `Mirror` of the domain it is given."""
    return partial(Mirror, n=4, k=1, d=2, weighted=True, edge=edge)


def plain(n: int, k: int, d: int, edge: Any = None, **how: Any) -> Callable[[Family], FamilyChart]:
    """All n k d entries free."""
    return partial(FamilyChart, n=n, k=k, d=d, edge=edge, **how)


@dataclass(frozen=True)
class Recipe:
    """Where to look for a witness: charts, how many starts on each without a box, and what to keep.

    `keep` is the part of the violation found that the shrunk witness must still show.
    """

    charts: tuple[Callable[[Family], FamilyChart], ...]
    starts: int = 4
    keep: Fraction = Fraction(1, 2)


_MS, _ONE = mean_square_critical_step, one_step_critical_step
RECIPES = {
    "second_moment_bound": Recipe((plain(3, 1, 2, _MS), star(2, _MS))),
    "third_moment_bound": Recipe((star(4, _MS),), keep=Fraction(1, 3)),
    "third_moment_small_step": Recipe((plain(3, 2, 3, _MS), star(4, _MS)), starts=6),
    "fourth_moment_bound": Recipe((star(2, _MS),), keep=Fraction(3, 4)),
    "fourth_moment_small_step": Recipe((plain(2, 1, 1, _MS),)),
    "one_step_necessary": Recipe((plain(2, 1, 2, _MS),)),
    "one_step_second_small_step": Recipe((plain(1, 1, 1, _ONE),)),
    "one_step_fourth_small_step": Recipe((plain(2, 1, 1, _ONE),)),
    "third_moment_order": Recipe((plain(2, 1, 2),), keep=Fraction(1, 100)),
    "fourth_moment_order": Recipe((plain(2, 1, 2),), keep=Fraction(1, 100)),
    "sam_stable_is_sgd_stable": Recipe((mirror(_MS),)),
}


def find(key: str, *, seed: int = 0) -> dict[str, Any] | None:
    """A certificate against a shipped claim, found from scratch: the smallest that its recipe gives.

    The same seed finds the same one on the same machine. None if no chart of the recipe gives any.
    Raises `InputError` for a claim without a recipe.
    """
    if key not in RECIPES:
        raise InputError("claim", repr(key), f"one with a recipe: {', '.join(RECIPES)}")
    claim, recipe = entry(key).claim, RECIPES[key]
    assert isinstance(claim.domain, Family)
    found: list[dict[str, Any]] = []
    for make in recipe.charts:
        chart = make(claim.domain)
        rng = np.random.default_rng(seed)
        theta = strongest(claim, chart, rng, recipe.starts)
        certificate = rounded(claim, chart, theta)
        if certificate is not None:
            violation = replay(certificate, claim).violation
            floor = None if violation is None else violation * recipe.keep
            found.append(shrink(claim, certificate, floor=floor))
    return min(found, key=lambda c: size(witness_of(c)), default=None)


def strongest(claim: Claim, chart: FamilyChart, rng: np.random.Generator, starts: int) -> Vector:
    """The coordinates of the largest violation found on a chart."""
    lost = partial(_lost, claim, chart)
    box = chart.box() if isinstance(chart, Orbit | Mirror) else None
    if box is not None:
        found = differential_evolution(
            lost, box, maxiter=GENERATIONS, popsize=POPULATION, tol=0, polish=False, rng=rng
        )
        return _descended(lost, found.x, box)
    ends = [_descended(lost, chart.start(rng), None) for _ in range(starts)]
    return min(ends, key=lost)


def _descended(lost: Callable[[Vector], float], theta: Vector, box: Box | None) -> Vector:
    for _ in range(RESTARTS):
        if len(theta) > 6:  # a simplex of many corners crawls; differences first
            slope = {"maxfun": 100 * len(theta)}
            theta = minimize(lost, theta, method="L-BFGS-B", bounds=box, options=slope).x
        simplex = {"maxfev": 150 * len(theta), "adaptive": True, "xatol": 1e-9, "fatol": 1e-13}
        theta = minimize(lost, theta, method="Nelder-Mead", bounds=box, options=simplex).x
    return theta


def _lost(claim: Claim, chart: Chart, theta: Vector) -> float:
    """The slack of the conclusion, raised where a hypothesis has too little room."""
    try:
        with np.errstate(all="ignore"):
            model = chart.model(theta)
            then = min(slack(atom) for atom in claim.then(model))
            short = [
                (ROOM if isinstance(atom, AtMost) else 0.0) - slack(atom)
                for atom in claim.given(model)
            ]
    except (ValueError, ArithmeticError, np.linalg.LinAlgError):
        return PENALTY
    value = then + PENALTY * max(0.0, *short) if short else then
    return value if np.isfinite(value) else PENALTY


def rounded(claim: Claim, chart: Chart, theta: Vector) -> dict[str, Any] | None:
    """The coarsest rounding that keeps half of the violation, else the one that shows the most."""
    lost = _lost(claim, chart, theta)
    if lost >= 0:
        return None
    wanted = KEPT * -2 * lost / (1 + lost) if lost > -1 else 0.0
    best: dict[str, Any] | None = None
    shown = Fraction(-1)
    for rounding in ROUNDINGS:
        try:
            certificate = refutation(claim, chart.point(theta, rounding))
        except (ValueError, ArithmeticError):
            continue
        if certificate is None:
            continue
        violation = replay(certificate, claim).violation
        if violation is None or violation >= wanted:
            return certificate
        if violation > shown:
            best, shown = certificate, violation
    return best


def _without_zero_rows(point: Point) -> Point:
    """The same point without the rows that pad factors of lower rank; one row is always kept."""
    factors = [[row for row in F if any(row)] or F[:1] for F in point["factors"]]
    return {**point, "factors": factors}

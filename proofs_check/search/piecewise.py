"""Coordinates for searching piecewise quadratics, and the way back to rational ones.

Half of the charts have every function at rest at 0, as interpolation asks, since no search meets an
equation by chance. Several samples often share their breaks, and then often bend against each other
so that their mean is a single quadratic: averages over a batch go wrong there first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import comb
from typing import Any

import numpy as np

from proofs_check.search.charts import ScalarChart, Vector
from proofs_check.search.rounding import Rounding
from theory.curves import Curve, PiecewiseModel
from theory.domains import Point
from theory.piecewise import PARTS, Piecewise

SAMPLES, BREAKS = 3, 4  # the largest searched
ENDS = ((), (0, 1), (0, 1), (1, 1))  # flat at the start, or nothing but the mean, or free
BATCH, BATCHES = 100, 101  # the largest batch, and how many outcomes a step may have
EXTENT = f"up to {SAMPLES} functions of up to {BREAKS + 1} pieces"


@dataclass(frozen=True)
class FunctionChart(ScalarChart):
    """theta holds, for each function, what is free of its value, slope, breaks and curvatures, then
    log weights unless equal, the free scalars, and loose factors.

    `resting`: value and slope vanish at 0. `joint`: all have the breaks of the first. `balanced`: the
    last function's curvatures make the mean's one constant, which stands in their place; then `ends`
    are the outermost curvatures of the others, in units of that constant, or empty where they are free.
    """

    domain: Piecewise
    sizes: tuple[int, ...] = ()  # breaks of each function
    resting: bool = False
    joint: bool = False
    balanced: bool = False
    ends: tuple[int, ...] = ()
    weighted: bool = False
    counts: Mapping[str, int] = field(default_factory=dict)

    def start(self, rng: np.random.Generator) -> Vector:
        unit = 10 ** rng.uniform(-3, 3) if self.wide else 1.0
        top = np.exp(rng.uniform(-0.5, 3))  # how much sharper the sharpest piece is than others
        parts: list[Any] = []
        for i, size in enumerate(self.sizes):
            if not self.resting:
                parts += list(rng.standard_normal(3))
            if i == 0 or not self.joint:
                near = rng.choice([0.0, 1.0])  # about 0, or right of it only
                breaks = np.where(near, rng.uniform(0, 1.5, size), 1.5 * rng.standard_normal(size))
                parts += list(unit * np.sort(breaks))
            bends = self._bends(size + 1, top, rng)
            parts += [1.0] if self._tied(i) else list(bends[1:-1] if self.ends else bends)
        weights = rng.standard_normal(len(self.sizes) * self.weighted)
        scalars = [self._first(name, rng) for name in self.free]
        return np.array([*parts, *weights, *scalars, *self._factors(rng)])

    def _bends(self, count: int, top: float, rng: np.random.Generator) -> Vector:
        """Curvatures: as sharp as two samples with f'' = 1 in the mean may be; or any; or positive."""
        if self.balanced and rng.random() < 0.7:
            return rng.choice([0.0, 1.0, top, 2.0 - top], count)
        if rng.random() < 0.4:
            return np.exp(rng.standard_normal(count))
        bends = rng.choice([-1.0, 0.0, 1.0], count) * rng.choice([1.0, top], count)
        bends[[0, -1]] = np.abs(bends[[0, -1]]) * rng.choice([1.0, 0.1])
        return bends

    def _tied(self, i: int) -> bool:
        return self.balanced and i == len(self.sizes) - 1

    def _functions(self, theta: Any) -> tuple[list[dict[str, Any]], list[Any], list[Any]]:
        """Functions with the weights they go with, and the numbers left; breaks in order."""
        rest, n = list(theta), len(self.sizes)

        def take(count: int) -> list[Any]:
            taken, rest[:] = rest[:count], rest[count:]
            return taken

        raw, shared = [], None
        for i, size in enumerate(self.sizes):
            head = [0, 0, 0] if self.resting else take(3)
            breaks = shared if self.joint and shared is not None else sorted(take(size))
            shared = breaks
            raw.append((*head, breaks, take(1 if self._tied(i) else size + 1 - len(self.ends))))
        weights = take(n * self.weighted) or [1] * n
        if self.balanced:
            level, others = raw[-1][4][0], [f[4] for f in raw[:-1]]
            if self.ends:
                for bends in others:
                    bends[:] = [self.ends[0] * level, *bends, self.ends[1] * level]
            sums = [
                sum(w * c for w, c in zip(weights, cs, strict=False))
                for cs in zip(*others, strict=False)
            ]
            raw[-1][4][:] = [(sum(weights) * level - total) / weights[-1] for total in sums]
        return [dict(zip(PARTS, f, strict=True)) for f in raw], weights, rest

    def _build(self, theta: list[Any]) -> tuple[dict[str, Any], list[Any]]:
        """Functions, weights, free scalars and counts by name, and the loose factors."""
        functions, weights, rest = self._functions(theta)
        point: dict[str, Any] = dict(zip(self.domain.functions, functions, strict=False))
        if self.domain.samples:
            point = {"samples": functions, "weights": weights}
        cut = len(self.free)
        return point | dict(zip(self.free, rest[:cut], strict=True)) | dict(self.counts), rest[cut:]

    def model(self, theta: Vector) -> PiecewiseModel:
        point, loose = self._build(self._positive([float(x) for x in theta]))
        m = _floats(self.domain, point)
        self._finish(m.scalars, m, loose)
        return m

    def point(self, theta: Vector, rounding: Rounding) -> Point:
        near = [rounding.near(x) for x in self._positive([float(x) for x in theta])]
        point, loose = self._build(near)
        m = Piecewise(
            tuple(self.free), self.domain.functions, self.domain.samples, tuple(self.counts)
        ).exact(point)
        self._finish(m.scalars, m, loose)
        return {**point, **m.scalars}

    def _positive(self, theta: list[float]) -> list[float]:
        """Log weights become weights; everything else stays."""
        if not self.weighted:
            return theta
        stop = len(theta) - len(self.free) - len(self.loose)
        first = stop - len(self.sizes)
        return [*theta[:first], *np.exp(theta[first:stop]).tolist(), *theta[stop:]]


def draw_functions(
    domain: Piecewise, loose: tuple[str, ...], wide: bool, rng: np.random.Generator
) -> FunctionChart:
    """A chart of random shape."""
    n = int(rng.choice([1, 2, 2, SAMPLES])) if domain.samples else len(domain.functions)
    joint = n > 1 and rng.random() < 0.7
    most = int(rng.choice([0, 1, 2, 3, 3, BREAKS]))
    sizes = tuple(most if joint else int(rng.integers(0, most + 1)) for _ in range(n))
    balanced = joint and domain.samples and rng.random() < 0.7
    ends = ENDS[int(rng.integers(len(ENDS)))] if balanced and most > 0 else ()
    return FunctionChart(
        domain,
        loose,
        wide,
        sizes=sizes,
        resting=rng.random() < 0.7,
        joint=joint,
        balanced=balanced,
        ends=ends,
        weighted=domain.samples and rng.random() < 0.3,
        counts={
            name: int(np.exp(rng.uniform(0, np.log(most_in(n) + 1)))) for name in domain.counts
        },
    )


def most_in(n: int) -> int:
    """The largest batch of n samples that is searched."""
    return max(b for b in range(1, BATCH + 1) if comb(n + b - 1, b) <= BATCHES)


def _floats(domain: Piecewise, point: Mapping[str, Any]) -> PiecewiseModel:
    functions = {name: _curve(point[name]) for name in domain.functions}
    weights = point.get("weights", ())
    scalars = {n: float(point[n]) for n in (*domain.names, *domain.counts) if n in point}
    samples = [_curve(f) for f in point.get("samples", ())]
    return PiecewiseModel(functions, samples, [w / sum(weights) for w in weights], scalars)


def _curve(f: Mapping[str, Any]) -> Curve:
    return Curve(f["at"], f["value"], f["slope"], tuple(f["breaks"]), tuple(f["curvatures"]))

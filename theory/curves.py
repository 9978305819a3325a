"""A continuously differentiable piecewise quadratic on the line, and what one step does to it.

Entries are all fractions or all floats; the algebra is the same, and in fractions every answer here
is exact: minima, Polyak-Lojasiewicz (PL) constants and the expectation over batches included. Standard
library only.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import combinations
from math import comb, prod
from typing import Any, Literal


@dataclass(frozen=True)
class Curve:
    """f on R: value and slope at the point `at`, and the second derivative on each piece.

    `breaks` (k,) increase strictly; `curvatures` (k + 1,) hold f'' left of, between and right of them.
    """

    at: Any
    value: Any
    incline: Any  # the slope at `at`
    breaks: tuple[Any, ...]
    curvatures: tuple[Any, ...]

    @cached_property
    def _anchors(self) -> list[tuple[Any, Any, Any]]:
        """For each piece a point of it, with value and slope there."""
        home = bisect_right(self.breaks, self.at)
        right, left = [(self.at, self.value, self.incline)], []
        for i in range(home, len(self.breaks)):
            right.append(_moved(right[-1], self.curvatures[i], self.breaks[i]))
        for i in reversed(range(home)):
            near = left[-1] if left else right[0]
            left.append(_moved(near, self.curvatures[i + 1], self.breaks[i]))
        return left[::-1] + right

    def _read(self, x: Any) -> tuple[Any, Any, Any]:
        piece = bisect_right(self.breaks, x)
        return _moved(self._anchors[piece], self.curvatures[piece], x)

    def __call__(self, x: Any) -> Any:
        """f(x)."""
        return self._read(x)[1]

    def slope(self, x: Any) -> Any:
        """f'(x)."""
        return self._read(x)[2]

    def curvature(self, x: Any) -> Any:
        """f''(x); at a break, the one to its right."""
        return self.curvatures[bisect_right(self.breaks, x)]

    def spread(self, a: Any, b: Any) -> Any:
        """How far f'' ranges between two points; zero where f is one quadratic there."""
        low, high = min(a, b), max(a, b)
        first = bisect_right(self.breaks, low)
        met = [self.curvatures[first]]
        met += [c for p, c in zip(self.breaks, self.curvatures[1:], strict=True) if low < p < high]
        return max(met) - min(met)

    def least_slope(self, a: Any, b: Any) -> Any:
        """The least f' between two points; it is linear between breaks."""
        low, high = min(a, b), max(a, b)
        inside = [p for p in self.breaks if low < p < high]
        return min(self.slope(x) for x in (low, *inside, high))

    def drop(self, x: Any, step: Any) -> Any:
        """f(x) - f(x - step); on floats a short step loses no digits to cancellation."""
        y = x - step
        if not any(min(x, y) < p < max(x, y) for p in self.breaks):
            g = self._anchors[piece := bisect_right(self.breaks, min(x, y))]
            slope = _moved(g, self.curvatures[piece], x)[2]
            return step * (slope - self.curvatures[piece] * step / 2)
        return self(x) - self(y)

    @property
    def smoothness(self) -> Any:
        """The least L for which f is L-smooth: the largest |f''|."""
        return max(map(abs, self.curvatures))

    @property
    def convexity(self) -> Any:
        """The largest mu for which f - mu x^2/2 is convex: the least f''."""
        return min(self.curvatures)

    @cached_property
    def bounded_below(self) -> bool:
        """Whether f has a minimum."""
        ends = (
            (self.curvatures[0], -self._anchors[0][2]),
            (self.curvatures[-1], self._anchors[-1][2]),
        )
        return all(c > 0 or (c == 0 and outward >= 0) for c, outward in ends)

    @cached_property
    def least(self) -> Any:
        """The minimum of f over R; raises `ArithmeticError` where there is none."""
        if not self.bounded_below:
            raise ArithmeticError("a function that is not bounded below has no minimum")
        # A minimum inside a piece is a vertex, any other is a break. A constant is its own value.
        vertices = [value for _, value in self._vertices()]
        return min([*vertices, *map(self, self.breaks)], default=self.value)

    def _vertices(self) -> Iterator[tuple[Any, Any]]:
        """Curvature and value where f' vanishes inside a piece that bends."""
        for left, right, c, (a, value, slope) in self._pieces():
            if c == 0:
                continue
            x = a - slope / c
            if (left is None or left < x) and (right is None or x < right):
                yield c, value - slope * slope / (2 * c)

    def _pieces(self) -> Iterator[tuple[Any, Any, Any, tuple[Any, Any, Any]]]:
        """Ends (None: infinity), curvature and anchor of each piece."""
        ends = [None, *self.breaks, None]
        yield from zip(ends, ends[1:], self.curvatures, self._anchors, strict=False)

    @cached_property
    def pl(self) -> Any:
        """The largest alpha >= 0 with f'^2 >= 2 alpha (f - min f) everywhere; 0 if there is no minimum.

        On a piece with f'' = c, f - min f = f'^2/(2c) + k, so the quotient f'^2/(2(f - min f)) is
        monotone in f'^2, and its infimum over R is met at a break, at a vertex or at infinity: a
        rational number. Raises `ArithmeticError` for a constant, which is alpha-PL for every alpha.
        """
        if not self.bounded_below:
            return 0 * self.value
        quotients = [c if value <= self.least else 0 * c for c, value in self._vertices()]
        for left, right, c, (_, value, slope) in self._pieces():
            if c == 0 and slope == 0:  # a plateau; at the bottom it asks for nothing
                quotients += [0 * c] * (value > self.least)
                continue
            for end in (left, right):
                # At infinity f'^2 / 2(f - min f) tends to c; at a minimum, where 0/0, too.
                gap = 0 if end is None else self(end) - self.least
                quotients.append(self.slope(end) ** 2 / (2 * gap) if gap > 0 else c)
        if not quotients:
            raise ArithmeticError("a constant has no largest PL constant")
        return min(quotients)

    def gd(self, x: Any, eta: Any) -> Any:
        """One step of gradient descent."""
        return x - eta * self.slope(x)

    def usam(self, x: Any, eta: Any, rho: Any) -> Any:
        """One step of unnormalised SAM."""
        return x - eta * self.slope(x + rho * self.slope(x))

    def sam(self, x: Any, eta: Any, rho: Any) -> Any:
        """One step of normalised SAM: the climb has length rho, and none where f' = 0."""
        g = self.slope(x)
        return x - eta * self.slope(x + rho * ((g > 0) - (g < 0)))

    def converted(self, number: Callable[[Any], Any]) -> Curve:
        """The same function with every entry converted."""
        bends = (tuple(map(number, part)) for part in (self.breaks, self.curvatures))
        return Curve(number(self.at), number(self.value), number(self.incline), *bends)


def _moved(place: tuple[Any, Any, Any], c: Any, x: Any) -> tuple[Any, Any, Any]:
    """Point, value and slope at x of the quadratic with these at `place`, and curvature c."""
    a, value, slope = place
    t = x - a
    return x, value + slope * t + c * t * t / 2, slope + c * t


def mean(curves: Sequence[Curve], weights: Sequence[Any]) -> Curve:
    """The weighted mean of functions, weights (n,) summing to one."""
    breaks = tuple(sorted({p for f in curves for p in f.breaks}))
    at = curves[0].at
    parts = list(zip(weights, curves, strict=True))
    # Each piece, breaks excluded on its right, is named by its left end; the first has none.
    first = sum(w * f.curvatures[0] for w, f in parts)
    rest = (sum(w * f.curvature(p) for w, f in parts) for p in breaks)
    value, slope = sum(w * f(at) for w, f in parts), sum(w * f.slope(at) for w, f in parts)
    return Curve(at, value, slope, breaks, (first, *rest))


class PiecewiseModel:
    """Functions and scalars as a claim sees them: m.f, m.samples, m.outcomes(...), m.eta, ...

    With samples f_1..f_n, m.f is their mean for `weights` (n,), which sum to one.
    """

    def __init__(
        self,
        functions: Mapping[str, Curve],
        samples: Sequence[Curve],
        weights: Sequence[Any],
        scalars: Mapping[str, Any],
    ) -> None:
        self.functions = dict(functions)
        self.samples = tuple(samples)
        self.weights = tuple(weights)
        self.scalars = dict(scalars)
        if samples:
            self.functions["f"] = mean(samples, weights)

    def __getattr__(self, name: str) -> Any:
        for held in ("functions", "scalars"):
            if name in self.__dict__.get(held, ()):
                return self.__dict__[held][name]
        raise AttributeError(f"this model has no variable {name!r}")

    def converted(self, number: Callable[[Any], Any]) -> PiecewiseModel:
        """The same model with every entry converted."""
        return PiecewiseModel(
            {name: f.converted(number) for name, f in self.functions.items()},
            [f.converted(number) for f in self.samples],
            [number(w) for w in self.weights],
            {name: number(value) for name, value in self.scalars.items()},
        )

    def steps(
        self, x: Any, ascent: Literal["shared", "per-sample"], *, replacement: bool = True
    ) -> list[tuple[Any, Any]]:
        """(probability, x - x+) of a step of USAM with m.eta and m.rho, over all batches of m.B."""
        size = int(self.B)
        slopes = [f.slope(x) for f in self.samples]
        own = [f.slope(x + self.rho * g) for f, g in zip(self.samples, slopes, strict=True)]
        found = []
        for chance, counts in batches(size, self.weights, replacement):
            used = [(k, i) for i, k in enumerate(counts) if k]
            if ascent == "shared":
                up = x + self.rho * (sum(k * slopes[i] for k, i in used) / size)
                total = sum(k * self.samples[i].slope(up) for k, i in used)
            else:
                total = sum(k * own[i] for k, i in used)
            found.append((chance, self.eta * (total / size)))
        return found

    def expected_decrease(
        self, x: Any, ascent: Literal["shared", "per-sample"], *, replacement: bool = True
    ) -> Any:
        """f(x) - E f(x+)."""
        steps = self.steps(x, ascent, replacement=replacement)
        return sum(p * self.f.drop(x, step) for p, step in steps)


def batches(
    size: int, weights: Sequence[Any], replacement: bool
) -> Iterator[tuple[Any, tuple[int, ...]]]:
    """(probability, how often each sample is in the batch) of every batch of that size.

    Without replacement all subsets are equally likely, so weights must be; raises `ValueError`.
    """
    n = len(weights)
    if replacement:
        for ways, counts in _multinomials(n, size):
            yield ways * prod(w**k for w, k in zip(weights, counts, strict=True)), counts
        return
    if len(set(weights)) > 1 or size > n:
        raise ValueError("without replacement: equal weights and at most n samples a batch")
    each = weights[0] * n / comb(n, size)  # exact or float as the weights are
    for subset in combinations(range(n), size):
        yield each, tuple(int(i in subset) for i in range(n))


@lru_cache(maxsize=64)  # integers only: 1/2 and 0.5 are the same key
def _multinomials(n: int, size: int) -> tuple[tuple[int, tuple[int, ...]], ...]:
    """Every way to count `size` draws of n samples, and how many sequences have it."""
    if n == 1:
        return ((1, (size,)),)
    return tuple(
        (comb(size, k) * ways, (k, *counts))
        for k in range(size + 1)
        for ways, counts in _multinomials(n - 1, size - k)
    )

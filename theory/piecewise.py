"""The domain of claims about continuously differentiable piecewise quadratics of one variable.

It quantifies over functions by name, or over samples f_1..f_n with weights and their mean, and over
scalars. Every point is a rational one, and what a claim asks of it is answered exactly
(`theory.curves`). Standard library only.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from theory.core import InputError
from theory.curves import Curve, PiecewiseModel
from theory.domains import Point, check_declared, check_names, rational

PARTS = ("at", "value", "slope", "breaks", "curvatures")  # of one function of a point


@dataclass(frozen=True)
class Piecewise:
    """Functions by name, or `samples` of any number with weights, and scalars.

    `counts` are scalars that are positive integers, such as a batch size B. `start` and `complete` are
    as in `Scalars`.
    """

    names: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    samples: bool = False
    counts: tuple[str, ...] = ()
    start: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    complete: Mapping[str, Callable[[PiecewiseModel], Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        reserved = (*dir(PiecewiseModel), "functions", "samples", "weights", "scalars")
        for names in (self.names, self.functions, self.counts):
            check_declared(names, (*reserved, "f") if self.samples else reserved)
        check_declared(self.names + self.functions + self.counts)
        if self.samples == bool(self.functions):
            raise InputError("functions", repr(self.functions), "either names or samples=True")

    def exact(self, point: Point) -> PiecewiseModel:
        """From one function a name or a list of `samples`, optional `weights`, and scalars.

        A function is a mapping with `at`, `value`, `slope`, `breaks` (k,) and `curvatures` (k + 1,).
        """
        scalars = self.names + self.counts
        needed = (*(("samples",) if self.samples else self.functions), *scalars)
        check_names(point, needed, optional=("weights",) if self.samples else ())
        values = {name: rational(point[name], name) for name in scalars}
        for name in self.counts:
            if values[name].denominator != 1 or values[name] < 1:
                raise InputError(name, values[name], "a positive integer")
        samples, weights = self._samples(point) if self.samples else ([], [])
        functions = {name: curve(point[name], name) for name in self.functions}
        return PiecewiseModel(functions, samples, weights, values)

    @staticmethod
    def _samples(point: Point) -> tuple[list[Curve], list[Fraction]]:
        samples = [curve(f, f"samples[{i}]") for i, f in enumerate(point["samples"])]
        given = point.get("weights")
        weights = [rational(w, "weights") for w in ([1] * len(samples) if given is None else given)]
        if not samples or len(weights) != len(samples) or any(w <= 0 for w in weights):
            raise InputError("weights", given, "one positive number for each of n >= 1 samples")
        total = sum(weights, Fraction(0))
        return samples, [w / total for w in weights]

    def generic(self) -> list[PiecewiseModel]:
        """Fixed rational models for the hash: bounded below, convex and not, of one to four pieces."""
        return [self.exact(self._generic(j)) for j in range(len(_GENERIC))]

    def _generic(self, j: int) -> Point:
        shapes = [_GENERIC[(i + j) % len(_GENERIC)] for i in range(len(_GENERIC))]
        point: dict[str, Any] = dict(
            zip(self.functions, shapes * len(self.functions), strict=False)
        )
        if self.samples:
            point = {"samples": shapes[: 1 + j], "weights": list(range(1, j + 2))}
        # Unlike each other, and from -2 to 3, so that they fall on different pieces.
        numbers = {
            n: Fraction(7 * i + 5 * j + 3, 3 * i + 2 * j + 4) for i, n in enumerate(self.names)
        }
        return point | numbers | {n: i + j + 1 for i, n in enumerate(self.counts)}

    def outside(self, m: Any) -> str | None:
        """Every point belongs to the domain."""
        return None

    def signature(self) -> str:
        kind = "samples" if self.samples else " ".join(self.functions)
        return f"piecewise {kind} | {' '.join(self.names)} | {' '.join(self.counts)}"


def curve(given: Any, name: str) -> Curve:
    """A function of a point, exactly; raises `InputError` where it is none."""
    if not isinstance(given, Mapping) or set(given) != set(PARTS):
        raise InputError(name, repr(given)[:60], f"a function by {', '.join(PARTS)}")
    at, value, slope = (rational(given[part], f"{name}.{part}") for part in PARTS[:3])
    breaks, curvatures = (_rationals(given[part], f"{name}.{part}") for part in PARTS[3:])
    if len(curvatures) != len(breaks) + 1:
        raise InputError(f"{name}.curvatures", len(curvatures), "one more than there are breaks")
    if any(a >= b for a, b in itertools.pairwise(breaks)):
        raise InputError(
            f"{name}.breaks", ", ".join(map(str, breaks)), "strictly increasing numbers"
        )
    return Curve(at, value, slope, breaks, curvatures)


def _rationals(values: Any, name: str) -> tuple[Fraction, ...]:
    if not isinstance(values, Sequence) or isinstance(values, str):
        raise InputError(name, repr(values)[:60], "a list of rationals")
    return tuple(rational(value, name) for value in values)


_GENERIC: tuple[dict[str, Any], ...] = tuple(
    dict(zip(PARTS, parts, strict=True))
    for parts in (
        (0, 0, 0, [], [3]),
        (0, 0, 0, [1], [Fraction(1, 2), 2]),
        (Fraction(1, 3), 1, -2, [-1, Fraction(3, 2)], [1, -3, 5]),
        (0, 0, 0, [Fraction(-1, 2), Fraction(2, 3), Fraction(5, 4)], [2, 0, 7, Fraction(1, 5)]),
        (-1, 2, Fraction(1, 4), [Fraction(1, 5), Fraction(7, 8), 2], [4, -1, Fraction(3, 7), 6]),
    )
)

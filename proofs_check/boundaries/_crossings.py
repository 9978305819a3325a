"""Every change of sign that a grid of step sizes shows, and intervals narrowed around each.

Nothing is assumed to be monotone: almost-sure stability can be lost, regained and lost again. Two
changes between neighbouring points of the grid stay unseen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from sims._draw import whole
from sims.lab import build
from theory.core import InputError, Notion

STABLE, UNDECIDED, UNSTABLE = -1, 0, 1


@dataclass(frozen=True)
class Interval:
    """A number lies in [lower, upper], wrongly so with a chance of at most 1 - confidence.

    Sure (1) for growth of E||x_t||^2; for Lyapunov exponents nominal, as `_almost_sure` says.
    """

    lower: float
    upper: float
    confidence: float

    @property
    def side(self) -> int:
        """-1 if the number is certainly negative, 1 if certainly positive, 0 if neither."""
        return UNSTABLE if self.lower > 0 else STABLE if self.upper < 0 else UNDECIDED


def largest(intervals: Sequence[tuple[float, float]], confidence: float) -> Interval:
    """Where the largest of numbers in these intervals lies; -inf if there are none."""
    lower, upper = zip((-math.inf, -math.inf), *intervals, strict=True)
    return Interval(max(lower), max(upper), confidence)


@dataclass(frozen=True)
class Boundary(Interval):
    """Between steps `lower` and `upper` stability is lost, or regained where `lost` is False."""

    seed: int
    lost: bool


@dataclass(frozen=True)
class Scan:
    """The growth rate per step at each of `etas`, and the changes of its sign, ascending in eta.

    All rates and crossings hold at once with the crossings' confidence; the rates' own is higher.
    """

    notion: Notion
    etas: tuple[float, ...]
    rates: tuple[Interval, ...]
    crossings: tuple[Boundary, ...]

    @property
    def first_exit(self) -> Boundary | None:
        """Where stability is first lost, as far as the grid resolves; None: nowhere on it."""
        return next((crossing for crossing in self.crossings if crossing.lost), None)


def evaluations(etas: Sequence[float], halvings: int) -> int:
    """The most rates that `scan` asks for: a crossing costs two bisections."""
    return len(etas) * (1 + 2 * halvings)


def scan(
    notion: Notion,
    rate: Callable[[float], Interval],
    etas: Sequence[float],
    *,
    confidence: float,
    seed: int,
    halvings: int,
) -> Scan:
    """Changes of sign of `rate`, the log growth per step, on `etas` and below them.

    Steps near 0 are stable in every sense once directions without curvature are divided out (and
    momentum is below 1), so the first crossing may lie below the grid.
    """
    rates = tuple(rate(eta) for eta in etas)
    decided = [(0.0, STABLE)]
    decided += [(eta, at.side) for eta, at in zip(etas, rates, strict=True) if at.side]
    found = []
    for (low, side), (high, other) in pairwise(decided):
        if side != other:
            lower = _last(rate, low, high, side, halvings)
            upper = _last(rate, high, lower, other, halvings)
            found.append(Boundary(lower, upper, confidence, seed, lost=side == STABLE))
    return Scan(notion, tuple(etas), rates, tuple(found))


def _last(
    rate: Callable[[float], Interval], start: float, end: float, side: int, halvings: int
) -> float:
    """Bisects from `start`, which is on `side`, towards `end`: the last step met on that side."""
    for _ in range(halvings):
        middle = (start + end) / 2
        if rate(middle).side == side:
            start = middle
        else:
            end = middle
    return start


def checked(
    etas: Any, optimizer: Any, hyper: dict[str, Any], halvings: int, confidence: float = 0.5
) -> tuple[tuple[float, ...], Any]:
    """Step sizes and the optimizer; raises `InputError`."""
    allowed = "ascending finite numbers above 0, at least one"
    try:
        steps = np.asarray(etas, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError("etas", repr(etas)[:100], allowed) from None
    proper = steps.ndim == 1 and len(steps) > 0 and np.isfinite(steps).all()
    if not proper or steps[0] <= 0 or (np.diff(steps) <= 0).any():
        raise InputError("etas", repr(etas)[:100], allowed)
    if not 0 < confidence < 1:
        raise InputError("confidence", confidence, "a number between 0 and 1")
    whole("halvings", halvings, 0)
    return tuple(steps.tolist()), build(optimizer, **hyper)

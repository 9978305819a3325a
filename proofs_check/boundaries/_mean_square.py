"""How E||x_t||^2 grows, from runs drawn by the h-transform (see `_h_transform` for the argument)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from proofs_check.boundaries._blocks import Block, blocks
from proofs_check.boundaries._crossings import Interval, Scan, checked, largest, scan
from proofs_check.boundaries._h_transform import Transform, h_transform
from sims import growth
from sims._draw import whole
from theory.core import InputError, Notion

SURE = 1.0  # a bound that holds for every run


@dataclass(frozen=True)
class SecondMoment:
    """log E||x_t||^2 lies in [lower, upper], at all of `t` at once with the stated confidence."""

    t: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    confidence: float
    seed: int


def mean_square(
    problem: Any,
    optimizer: Any,
    etas: Sequence[float],
    *,
    batch: int | None = 1,
    sampling: str = "with",
    seed: int = 0,
    runs: int = 8,
    steps: int = 4_000,
    halvings: int = 10,
    **hyper: Any,
) -> Scan:
    """Growth rates of log E||x_t||^2 at `etas` and where they change sign: the first exit is eta_2.

    The intervals are sure (confidence 1): log cond(P)/steps to either side of what was measured,
    without end where P is singular to rounding, as for minute steps. Nearly flat directions, which
    hardly shrink, need as many steps to tell. With memory, x stands for x and memory together.
    Every step takes all batches, so these must be few. `optimizer` is a key with hyperparameters,
    or an object; its lr is replaced. Raises `InputError`.
    """
    step_sizes, chosen = checked(etas, optimizer, hyper, halvings)
    how = {"seed": seed, "runs": runs, "steps": steps}
    parts, law = blocks(problem), growth.law(problem.weights, batch, sampling)

    def rate(eta: float) -> Interval:
        now = replace(chosen, lr=np.float64(eta))
        return largest([_rate(part, now, law, **how) for part in parts], SURE)

    return scan(Notion.MEAN_SQUARE, rate, step_sizes, confidence=SURE, seed=seed, halvings=halvings)


def second_moment(
    problem: Any,
    optimizer: Any,
    eta: float,
    *,
    x0: Any,
    batch: int | None = 1,
    sampling: str = "with",
    seed: int = 0,
    runs: int = 4096,
    steps: int,
    every: int = 1,
    confidence: float = 0.99,
    **hyper: Any,
) -> SecondMoment:
    """E||x_t||^2 from x0 (d,), at t = every, 2 every, ..., steps; with memory, of both together.

    The averaged weights are bounded by numbers known beforehand, so the interval is the empirical
    Bernstein bound (Maurer & Pontil 2009, theorem 4), valid for any number of runs; the confidence is
    shared between times and parts of the problem. Raises `InputError`.
    """
    (eta,), chosen = checked([eta], optimizer, hyper, 0, confidence)
    parts, law = blocks(problem), growth.law(problem.weights, batch, sampling)
    whole("runs", runs, 2)
    start = np.asarray(x0, dtype=np.float64)
    if start.shape != (problem.dimension,) or not np.isfinite(start).all():
        raise InputError("x0", repr(x0)[:100], f"{problem.dimension} finite numbers")
    now = replace(chosen, lr=np.float64(eta))
    t = every * np.arange(1, growth.windows(steps, every) + 1)
    level = 1 - (1 - confidence) / (len(t) * max(len(parts), 1))
    curved = [part.basis @ (part.basis.T @ start) for part in parts]
    still = start - sum(curved, np.zeros_like(start))
    with np.errstate(divide="ignore"):
        ends = [np.full((2, len(t)), 2 * np.log(np.linalg.norm(still)))]
    how = {"seed": seed, "runs": runs, "steps": steps, "every": every}
    ends += [_moments(part, now, law, start, t, level, **how) for part in parts]
    lower, upper = np.logaddexp.reduce(ends, axis=0)
    return SecondMoment(t, lower, upper, confidence, seed)


def _transform(part: Block, optimizer: Any, law: growth.Law) -> Transform | None:
    return h_transform(law.chances, growth.matrices(part.problem, optimizer, law.batches))


def _rate(
    part: Block, optimizer: Any, law: growth.Law, *, steps: int, **how: Any
) -> tuple[float, float]:
    """Both ends for log r of one part."""
    made = _transform(part, optimizer, law)
    if made is None:
        return -math.inf, -math.inf
    if not made.definite:
        return -math.inf, math.inf
    ran = growth.tilted(part.problem, optimizer, law, made.P, steps=steps, every=steps, **how)
    mean = np.logaddexp.reduce(ran.log_weights[:, 0]) - math.log(len(ran.log_weights))
    # The bounds on Z come from the step matrices; what the runs met counts as well.
    low, high = min(made.Z[0], ran.least.min()), max(made.Z[1], ran.largest.max())
    room = steps * math.log(high / low) + math.log(made.condition) + made.rounding(steps)
    return float(mean - room[0]) / steps, float(mean + room[1]) / steps


def _moments(
    part: Block,
    optimizer: Any,
    law: growth.Law,
    start: np.ndarray,
    t: np.ndarray,
    confidence: float,
    **how: Any,
) -> np.ndarray:
    """log E||x_t||^2 of one part, (2, times)."""
    within = part.basis.T @ start
    made = _transform(part, optimizer, law)
    if made is None or not within.any():
        return np.full((2, len(t)), -math.inf)
    if not made.definite:
        allowed = "a step size at which P of the h-transform is definite; here it is singular"
        raise InputError("eta", float(optimizer.lr), allowed)
    z = np.zeros(len(made.P))
    z[: len(within)] = within / np.linalg.norm(within)
    ran = growth.tilted(part.problem, optimizer, law, made.P, start=z, **how)
    low, high = np.log(z @ made.P @ z / made.h[::-1])[:, None] + t * np.log(made.Z)[:, None]
    ends = _bernstein(np.exp(ran.log_weights - high), np.exp(low - high), confidence)
    down, up = made.rounding(t)
    return high + 2 * math.log(np.linalg.norm(within)) + np.log(ends) + [-down, up]


def _bernstein(values: np.ndarray, least: np.ndarray, confidence: float) -> tuple[Any, Any]:
    """Bounds on the means of independent rows in [least, 1], for each column.

    Each end misses with a chance of at most (1 - confidence)/2, for every law and n >= 2: mean + (2 V
    log(2/d)/n)^(1/2) + 7 range log(2/d)/(3(n - 1)) is above the truth but for a chance d, V the
    unbiased variance (Maurer & Pontil 2009, theorem 4).
    """
    n, log = len(values), math.log(4 / (1 - confidence))
    spread = np.sqrt(2 * values.var(0, ddof=1) * log / n)
    room = spread + 7 * (1 - least) * log / (3 * (n - 1))
    mean = values.mean(0)
    return np.maximum(mean - room, least), np.minimum(mean + room, 1)

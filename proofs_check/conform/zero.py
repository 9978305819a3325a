"""What a gradient of zero does, and whose steps a learning-rate schedule counts."""

from __future__ import annotations

import numpy as np

from proofs_check.conform.adapters import Session, Subject
from proofs_check.conform.base import Base
from proofs_check.conform.climb import Climb
from proofs_check.conform.gradients import LR, RHO, SHAPES, SIZE, update
from proofs_check.conform.outcome import LIMIT, Check, Status, judge
from theory.core import InputError

STEPS = 3
DEAD = "zero gradient in one tensor, entries that are not finite"
STILL = "zero gradient, largest move beyond weight decay's"
DIVIDES = "NaN from 0/0, as the norm has no epsilon: one such batch ends a run"
NEAR = 0.2  # doublings; weight decay acts on two slightly different x
COUNTS = {
    (0, 1, 2): "counts one step an update",
    (1, 3, 5): "counts two steps an update; the second one's lr is used",
    (0, 2, 4): "counts two steps an update; the first one's lr is used",
    (0, 0, 0): "a change of lr is never seen",
}


def zero_gradient(subject: Subject, base: Base | None, climb: Climb | None) -> list[Check]:
    """Two checks: no NaN and no motion at a gradient of zero, no NaN where one tensor's is zero.

    Motion is what weight decay does not explain; a base outside SGD's family is its own measure. A
    normalised climb without epsilon is 0/0 there as published; that is a hazard, no failure.
    """
    kind = "plain" if climb is None or climb.epsilon else climb.kind
    x = np.random.default_rng(5).normal(size=SIZE)
    alone = subject.start(LR, 0.0, x, SHAPES)
    session, expected, moved = subject.start(LR, RHO, x, SHAPES), [x], 0.0
    for _ in range(STEPS):
        at_rest = update(alone, np.zeros(SIZE)).after
        expected.append(_decayed(base, expected) if base is not None else at_rest)
        now = update(session, np.zeros(SIZE)).after
        moved = float(np.max([moved, np.abs(now - expected[-1]).max()]))  # nan stays nan
    half = np.where(np.arange(SIZE) < np.prod(SHAPES[0]), 1.0, 0.0)
    after = update(subject.start(LR, RHO, x, SHAPES), half).after
    return [
        _hazard(judge(STILL, moved, "<=", LIMIT), kind != "plain" and np.isnan(moved)),
        _hazard(judge(DEAD, (~np.isfinite(after)).sum(), "=", 0), kind in ("each", "adaptive")),
    ]


def _decayed(base: Base, path: list[np.ndarray]) -> np.ndarray:
    """Where weight decay alone leads next."""
    how = base.recursion(LR)
    if len(path) == 1:
        return (1 - how.shrink) * path[0]
    return how.here * path[-1] + how.before * path[-2]


def _hazard(check: Check, excused: bool) -> Check:
    if check.status is not Status.FAILED or not excused:
        return check
    return Check(check.name, Status.HAZARD, check.measured, check.relation, check.expected, DIVIDES)


def counter(subject: Subject) -> str:
    """By how much each step counter in the state grows with an update, in words."""
    rng = np.random.default_rng(6)
    session = subject.start(LR, RHO, rng.normal(size=SIZE), SHAPES)
    seen = []
    for _ in range(STEPS):
        update(session, *rng.normal(size=(2, SIZE)))
        seen.append(session.counters())
    grown = {(b - a) / (STEPS - 1) for a, b in zip(seen[0], seen[-1], strict=True)} - {0}
    return " and ".join(f"{each:g} an update" for each in sorted(grown)) or "none in its state"


def schedule(subject: Subject) -> tuple[str, list[Check]]:
    """Which steps a learning rate that doubles at every step is seen to count, in words.

    The check is there where changes have no effect: a scheduler would be ignored.
    """
    rng = np.random.default_rng(6)
    x, gradients = rng.normal(size=SIZE), rng.normal(size=(STEPS, 2, SIZE))
    constant = subject.start(LR, RHO, x, SHAPES)
    try:
        changing = subject.doubling(LR, RHO, x, SHAPES)
        ratios = [_length(changing, *each) / _length(constant, *each) for each in gradients]
    except InputError:  # raised by the user's code: it wants a number
        return "not taken: lr is a number", []
    doublings = np.log2(ratios)
    counted = next((n for n in COUNTS if np.abs(doublings - n).max() < NEAR), None)
    if counted is None:
        return f"irregular: lr doubled {', '.join(f'{d:.3g}' for d in doublings)} times", []
    ignored = Check("lr schedule", Status.HAZARD, meaning="a scheduler would have no effect")
    return COUNTS[counted], [] if any(counted) else [ignored]


def _length(session: Session, first: np.ndarray, second: np.ndarray) -> float:
    one = update(session, first, second)
    return float(np.linalg.norm(one.after - one.before))

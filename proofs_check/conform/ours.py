"""The user's optimizer and flatproof's own walk side by side over one stream of batches.

flatproof's repeats recorded runs of the public implementations to 1e-10 (`flatproof replay`), so a
user's optimizer of the same conventions repeats them as well.
"""

from __future__ import annotations

import numpy as np

from proofs_check.conform.adapters import Subject
from proofs_check.conform.base import Base
from proofs_check.conform.climb import Climb
from proofs_check.conform.descent import STEPS, samples
from proofs_check.conform.gradients import LR, RHO, SHAPES, Gradient, Minibatch, distance
from proofs_check.conform.outcome import LIMIT, Check, judge, not_run
from theory.core import Optimizer, Problem

SMALL = 1e-8  # epsilons below it move these runs by less than LIMIT


def equal(
    base: Base | None, climb: Climb | None, ascent: str | None, decays_above: bool
) -> tuple[str, dict] | None:
    """Key and fields of our optimizer with those conventions; None if there is none."""
    if base is None or climb is None or ascent is None or decays_above:
        return None
    if base.averaged or base.nesterov or base.decoupled or climb.decay or climb.epsilon > SMALL:
        return None
    if min(base.momentum, base.decay) < 0:
        return None
    fields = {"momentum": base.momentum or None, "weight_decay": base.decay or None}
    if climb.kind == "joint" and ascent == "shared":
        return "sam", fields
    return ("usam", fields | {"ascent": ascent}) if climb.kind == "plain" else None


def compare(subject: Subject, found: tuple[str, dict] | None) -> Check:
    """The check: 40 steps on random batches of a quadratic, theirs against ours."""
    if found is None:
        return not_run("distance from our own", "none of ours has these conventions")
    from sims.lab import build
    from theory.problems.quadratic import Quadratic

    key, fields = found
    H, x, batches = samples()
    problem = Quadratic(H, np.full(len(H), 1 / len(H)))
    gap = apart(subject, build(key, lr=LR, rho=RHO, **fields), problem, x, batches)
    return judge(f"distance from our own {key}, {STEPS} steps on batches", gap, "<=", LIMIT)


def apart(
    subject: Subject,
    ours: Optimizer,
    problem: Problem,
    x: np.ndarray,
    batches: list[np.ndarray],
    *,
    lr: float = LR,
    rho: float = RHO,
    shapes: tuple[tuple[int, ...], ...] = SHAPES,
) -> float:
    """The largest ||theirs - ours||/||ours|| over the steps, both from x (d,) on those batches."""
    theirs, state, worst = subject.start(lr, rho, x, shapes), ours.init(x), 0.0
    with np.errstate(all="ignore"):
        for batch in batches:
            parts: list[Gradient] = [
                problem.oracle(batch[i : i + 1]).grad for i in range(len(batch))
            ]
            theirs.step(Minibatch(parts))
            x, state = ours.step(problem.oracle(batch), x, state)
            gap = distance(theirs.x, x)
            if not gap <= worst:  # true for nan, too
                worst = gap
    return worst

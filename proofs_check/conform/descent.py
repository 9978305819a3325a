"""What an update does once it has climbed: it comes back, then steps as its base would from x.

None of this presumes SGD: the optimizer at rho = 0 is asked what its base would do.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from proofs_check.conform import climb as climbing
from proofs_check.conform.adapters import Subject
from proofs_check.conform.base import Base
from proofs_check.conform.climb import ALIKE, Climb
from proofs_check.conform.gradients import (
    LR,
    RHO,
    SHAPES,
    SIZE,
    Gradient,
    Minibatch,
    distance,
    fit,
    update,
)
from proofs_check.conform.outcome import LIMIT, Check, judge, not_run

STEPS = 40
SAMPLES, BATCH = 8, 2
FOLLOWS = f"{STEPS} steps on batches, distance from the base fed with gradients at climbed points"
KEPT = "part of the climb kept after the update"
STEP = "distance of the rest of the update from the base's step"


def comes_back(subject: Subject, base: Base | None) -> tuple[bool, list[Check]]:
    """Whether weight decay acts at the climbed point, and two checks on one update.

    The update should be what the base does at x with the gradient found at the climbed point.
    """
    (one,) = climbing.run(subject, climbing.LENGTHS[:1])
    if len(one.points) != 1:
        reason = "it does not climb to one point"
        return False, [not_run(KEPT, reason), not_run(STEP, reason)]
    x, went, moved = one.before, one.points[0] - one.before, one.after - one.before
    at_x, above = (
        update(subject.start(LR, 0.0, x, SHAPES), g).after - x for g in (one.first, one.second)
    )
    if distance(moved, at_x) <= LIMIT:
        told = "it descends along the gradient at x: the climb is without effect"
        return False, [not_run(KEPT, told), judge(STEP, distance(moved, above), "<=", LIMIT, told)]
    (kept,), _ = fit([went], moved - above)
    shrink = 0.0 if base is None else base.recursion(LR).shrink
    decays_above = bool(shrink and abs(kept + shrink) <= ALIKE * shrink)
    told = "it forgets to come back from the climbed point" if abs(kept - 1) <= LIMIT else ""
    rest = distance(moved - kept * went, above)
    parts, gap = fit([at_x, above], moved)
    mixed = (
        f"it is {parts[0]:.6g} times that at x plus {parts[1]:.6g} times that at the climbed point"
    )
    return decays_above, [
        judge(KEPT, float(kept), "=", -shrink if decays_above else 0.0, told),
        judge(STEP, rest, "<=", LIMIT, mixed if gap <= LIMIT else ""),
    ]


def follows(
    subject: Subject, base: Base | None, climb: Climb, decays_above: bool
) -> tuple[str | None, Check]:
    """How it climbs on a batch, "shared" or "per-sample" (None: neither), and the check.

    One run at rho on batches of a quadratic's samples stands beside a run at rho = 0 whose
    gradients are evaluated at the points that `climb` leads to from its own x.
    """
    extra = base.decay if base is not None and decays_above else 0.0
    shared = _apart(subject, climb, extra, "shared")
    if shared <= LIMIT:
        return "shared", judge(FOLLOWS, shared, "<=", LIMIT)
    each = _apart(subject, climb, extra, "per-sample")
    return "per-sample" if each <= LIMIT else None, judge(FOLLOWS, min(shared, each), "<=", LIMIT)


def samples() -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Hessians (8, d, d) with a mean of norm 2, a start (d,), and 40 batches of two indices."""
    rng = np.random.default_rng(4)
    factors = rng.normal(size=(SAMPLES, 3, SIZE))
    H = np.swapaxes(factors, 1, 2) @ factors
    H *= 2 / np.linalg.eigvalsh(H.mean(0))[-1]
    return H, rng.normal(size=SIZE), list(rng.integers(SAMPLES, size=(STEPS, BATCH)))


def _apart(subject: Subject, climb: Climb, extra: float, how: str) -> float:
    H, x, batches = samples()
    climbing_run, base_run = (subject.start(LR, rho, x, SHAPES) for rho in (RHO, 0.0))
    worst = 0.0
    for batch in batches:
        parts: list[Gradient] = [lambda p, h=H[i]: h @ p for i in batch]
        climbing_run.step(Minibatch(parts))
        told = _above(
            base_run.x, climb, extra, [parts] if how == "shared" else [[p] for p in parts]
        )
        base_run.step(Minibatch([lambda _, g=told: g]))
        worst = max(worst, distance(climbing_run.x, base_run.x))
        if not np.isfinite(worst):
            break
    return worst


def _above(
    x: np.ndarray, climb: Climb, extra: float, groups: Sequence[Sequence[Gradient]]
) -> np.ndarray:
    """The mean over groups of samples of a group's gradient a climb along its own gradient away.

    `extra` times the climb is what weight decay adds where it acts at the climbed point.
    """
    total = np.zeros_like(x)
    for group in groups:
        went = climb(x, Minibatch(group)(x), RHO)
        total += Minibatch(group)(x + went) + extra * went
    return total / len(groups)

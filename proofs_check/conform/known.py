"""Quadratics on which theory says where SAM goes: orbits, factors a step, edges of stability.

Everything follows from the base's recursion, whose critical curvature h is 2/lr for plain SGD:
normalised SAM settles in a two-cycle of width rho l/(h - l), which is eta rho l/(2 - eta l)
(Bartlett, Long & Bousquet 2023); unnormalised SAM sees the curvature l(1 + rho l) instead of l.
"""

from __future__ import annotations

import math

import numpy as np

from proofs_check.conform.adapters import Subject
from proofs_check.conform.base import OTHER, Base, Recursion
from proofs_check.conform.climb import Climb
from proofs_check.conform.gradients import LR, RHO, Minibatch
from proofs_check.conform.outcome import LIMIT, Check, judge, not_run

SPECTRUM = (1.0, 0.6, 0.3)  # over the largest eigenvalue
SLIGHT = 1e-5  # a transverse push, over the orbit's width: its square is lost in LIMIT
MARGIN = 0.01  # how far from an edge its two sides are tried
FAR = 1e9  # over rho: there a normalised climb is lost in LIMIT
MOST_STEPS = 1000
NAMES = ("two-cycle", "factors a step", "edge of stability")


def answers(
    subject: Subject, base: Base | None, climb: Climb | None, decays_above: bool
) -> list[Check]:
    """The checks against known answers, or what of this optimizer they do not cover."""
    unusual = base is not None and base.decay and (decays_above or (climb and climb.decay))
    reasons = {
        OTHER: base is None,
        "its climb is of no known form": climb is None,
        "its climb is adaptive": climb is not None and climb.kind == "adaptive",
        "its weight decay acts at the climb": unusual,
        "its base never settles": base is not None and not base.recursion(LR).critical > 0,
        "its epsilon moves the orbit": climb is not None and climb.divisor(1.0) > 1 + LIMIT / 10,
    }
    for reason, applies in reasons.items():
        if applies:
            return [not_run(name, reason) for name in NAMES]
    assert base is not None and climb is not None
    cycle = [_two_cycle(subject, base)] if climb.normalised else []
    factors = _first_factors(subject, base, climb.normalised)
    return [*cycle, *factors, *_edge(subject, base, climb.normalised)]


def _run(subject: Subject, H: np.ndarray, x: np.ndarray, steps: int) -> np.ndarray:
    """x after each update, (steps, d), at most until it is not finite; H (d, d)."""
    session, path = subject.start(LR, RHO, x, [x.shape]), []
    for _ in range(steps):
        session.step(Minibatch([lambda p: H @ p]))
        path.append(session.x.copy())
        if not np.isfinite(path[-1]).all():
            break
    return np.array(path)


def _steps(how: Recursion, curvature: float, ratio: float) -> int:
    """How many steps the slowest motion takes to shrink to that ratio; too many if it grows."""
    slowest = np.abs(how.roots(curvature)).max()
    return math.ceil(math.log(ratio) / math.log(slowest)) if 0 < slowest < 1 else MOST_STEPS + 1


def _two_cycle(subject: Subject, base: Base) -> Check:
    """Its width from a generic start. With momentum other cycles attract as well, less near h."""
    how = base.recursion(LR)
    top = (0.97 if base.momentum else 0.75) * how.critical
    steps = 20 + _steps(how, top, 1e-9)
    if steps > MOST_STEPS:
        return not_run(NAMES[0], f"{steps} steps are needed to settle")
    width = RHO * top / (how.critical - top)
    path = _run(subject, np.array([[top]]), np.array([0.4 * width]), steps)
    settled = abs(path[-1, 0] - path[-2, 0]) / 2 if len(path) > 1 else math.nan
    return judge(NAMES[0], settled, "=", width)


def _first_factors(subject: Subject, base: Base, normalised: bool) -> list[Check]:
    """What the first update multiplies the component along each eigenvector by.

    Unnormalised from anywhere: 1 - eta l_j (1 + rho l_j). Normalised from the two-cycle of the
    largest, l_1, with a slight push across: 1 - eta l_j - (l_j/l_1)^2 (2 - eta l_1).
    """
    how = base.recursion(LR)
    top = 0.75 * how.critical
    width = RHO * top / (how.critical - top)
    Q = np.linalg.qr(np.random.default_rng(7).normal(size=(3, 3)))[0]
    curvatures = top * np.array(SPECTRUM)
    pushed = range(1, 3) if normalised else range(3)
    checks = []
    for j in pushed:
        lam, x = curvatures[j], Q[:, j].copy()
        steeper = lam + RHO * lam**2
        if normalised:
            x = width * (Q[:, 0] + SLIGHT * Q[:, j])
            steeper = lam + RHO * lam**2 / (top * width)
        (after,) = _run(subject, Q @ np.diag(curvatures) @ Q.T, x, 1)
        found = Q[:, j] @ after / (Q[:, j] @ x)
        name = f"{'factor across the two-cycle' if normalised else 'factor'}, l = {lam:.4g}"
        checks.append(judge(name, found, "=", 1 - how.shrink + how.now * steeper))
    return checks


def _edge(subject: Subject, base: Base, normalised: bool) -> list[Check]:
    """Growth a step on each side of the edge: l = h, unnormalised l (1 + rho l) = h."""
    how = base.recursion(LR)
    steps = _steps(how, (1 - MARGIN) * how.critical, 0.5)
    if steps > MOST_STEPS:
        return [not_run(NAMES[2], f"{steps} steps are needed to tell")]
    checks = []
    for side, relation in ((1 - MARGIN, "<"), (1 + MARGIN, ">")):
        h = side * how.critical
        lam = h if normalised else (math.sqrt(1 + 4 * RHO * h) - 1) / (2 * RHO)
        path = np.abs(_run(subject, np.array([[lam]]), np.array([FAR * RHO]), 2 * steps))
        # the largest of each half: with momentum x swings, and starts with a longer swing
        growth = math.inf
        if np.isfinite(path[-1]).all():
            growth = (path[steps:].max() / path[:steps].max()) ** (1 / steps)
        name = f"growth a step at {side:.2f} of the edge, l = {lam:.4g}"
        checks.append(judge(name, growth, relation, 1.0))
    return checks

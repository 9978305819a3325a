"""What is left at rho = 0: SGD with some momentum and some weight decay, or something else.

Every optimizer of SGD's family is, coordinate by coordinate, the recursion
x_{t+1} = here x_t + before x_{t-1} + now g_t + then g_{t-1}, and its five numbers (the first step's
shrinkage is the fifth) tell heavy ball from moving average from Nesterov, and coupled decay, which
enters the buffer, from decoupled decay, which does not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from proofs_check.conform.adapters import Subject
from proofs_check.conform.gradients import LR, RHO, SHAPES, SIZE, Update, fit, update
from proofs_check.conform.outcome import LIMIT, Check, judge, multiple, not_run
from theory.core import InputError

STEPS = 8
NOTHING = 1e-12  # of a coefficient: in double precision the fits are exact to 1e-13
DOUBLE, SINGLE = 1e-10, 1e-4  # a fit to SGD in double precision is closer than the first of
# these, in single precision than the second; no other optimizer comes near
FAMILY = "base, distance from SGD's family"
OTHER = "its base is not SGD in a form known here"


class Recursion(NamedTuple):
    """x_{t+1} = here x_t + before x_{t-1} + now g_t + then g_{t-1}.

    It begins with x_1 = (1 - shrink) x_0 + now g_0.
    """

    here: float
    before: float
    now: float
    then: float
    shrink: float

    @property
    def critical(self) -> float:
        """The curvature h at which g = h x first oscillates for ever: 2/lr for plain SGD."""
        return (1 + self.here - self.before) / (self.then - self.now)

    def roots(self, curvature: float) -> np.ndarray:
        """The two factors a step along a direction of that curvature multiplies by."""
        return np.roots(
            [1, -(self.here + self.now * curvature), -(self.before + self.then * curvature)]
        )


@dataclass(frozen=True)
class Base:
    """SGD as one of its conventions: b+ = momentum b + share g, a step of lr along b.

    `averaged`: share = 1 - momentum, else 1. `nesterov`: the step is along share g + momentum b+.
    `decay` enters g where it is coupled, and multiplies x by 1 - lr decay where it is decoupled;
    without momentum that is the same, and `decoupled` is None. Decoupled decay that is `fixed`
    multiplies x by 1 - decay, whatever lr is.
    """

    momentum: float = 0.0
    averaged: bool = False
    nesterov: bool = False
    decay: float = 0.0
    decoupled: bool | None = None
    fixed: bool = False

    def recursion(self, lr: float) -> Recursion:
        """The five numbers that this convention has at that lr."""
        mu, push = self.momentum, lr * (1 - self.momentum if self.averaged else 1.0)
        now, then = (-push * (1 + mu), push * mu) if self.nesterov else (-push, 0.0)
        shrink = self.decay * ((1.0 if self.fixed else lr) if self.decoupled else -now)
        before = -mu * (1 - shrink) if self.decoupled else -mu + then * self.decay
        return Recursion(1 + mu - shrink, before, now, then, shrink)

    def describe(self) -> dict[str, str]:
        """The base in words."""
        kind = "Nesterov" if self.nesterov else "heavy ball"
        if self.averaged:
            kind = "moving average" + (", Nesterov" if self.nesterov else "")
        how = {True: ", decoupled", False: ", coupled", None: " (coupled or not: the same here)"}
        if self.fixed:
            how[True] = " of x an update, decoupled from lr as well"
        return {
            "base": "SGD",
            "momentum": f"{self.momentum:.6g}, {kind}" if self.momentum else "none",
            "weight decay": f"{self.decay:.6g}{how[self.decoupled]}" if self.decay else "none",
        }


def identify(subject: Subject) -> tuple[Base | None, list[Check]]:
    """The base an optimizer has at rho = 0, None if it is not of SGD's family, and three checks."""
    updates = _run(subject, LR)
    away = max(float(np.abs(p - u.before).max()) for u in updates for p in (u.before, *u.points))
    meaning = "it moves before the second gradient, or each call is a step (--protocol closure)"
    checks = [
        judge("rho = 0, distance of the second gradient's point from x", away, "<=", LIMIT, meaning)
    ]
    found, gap = _measured(updates)
    if not gap <= SINGLE:
        return None, [*checks, not_run(FAMILY, f"{OTHER} ({gap:.2g} away); its lr is not checked")]
    if gap > DOUBLE:
        found = f"steps {gap:.1g} off, as single precision leaves them"
        raise InputError("update", found, "float64 throughout")
    base, factor = decode(found)
    told = multiple(factor, "it moves up the gradient", lr=LR, rho=RHO)
    checks.append(judge("rho = 0, step in units of lr", factor, "=", 1.0, told))
    shrink, now, _ = _first(_run(subject, 2 * LR, steps=1)[0])
    told = "the step is not proportional to lr"
    name = "rho = 0, step at twice the lr over step at lr"
    checks.append(judge(name, now / found.now, "=", 2.0, told))
    if base.decay and abs(shrink / found.shrink - 1) <= LIMIT:
        base = replace(base, decay=shrink, decoupled=True, fixed=True)
    return base, checks


def decode(found: Recursion, lr: float = LR) -> tuple[Base, float]:
    """The convention behind five measured numbers, and the factor its step has that should be 1."""
    here, before, now, then, shrink = found
    nesterov, decays = abs(then) > NOTHING, abs(shrink) > NOTHING
    if nesterov:
        mu = -then / (now + then)  # then/now = -mu/(1 + mu)
        coupled, decoupled = -mu - then * shrink / now, -mu * (1 - shrink)
        apart = abs(before - decoupled) < abs(before - coupled)
        push = then / mu
    else:
        as_coupled, as_decoupled = -before, -before / (1 - shrink)
        gaps = [abs(1 + mu - shrink - here) for mu in (as_coupled, as_decoupled)]
        apart = gaps[1] < gaps[0]
        mu, push = as_decoupled if apart else as_coupled, -now
    if abs(mu) < NOTHING:
        mu = 0.0
    averaged = mu != 0 and abs(push / lr - (1 - mu)) < LIMIT
    factor = push / lr / (1 - mu if averaged else 1)
    free = decays and mu != 0 and apart
    decay = (shrink / lr if free else -shrink / now) if decays else 0.0
    return Base(mu, averaged, nesterov, decay, free if decays and mu else None), factor


def _run(subject: Subject, lr: float, steps: int = STEPS) -> list[Update]:
    rng = np.random.default_rng(1)
    session = subject.start(lr, 0.0, rng.normal(size=SIZE), SHAPES)
    return [update(session, rng.normal(size=SIZE)) for _ in range(steps)]


def _first(one: Update) -> tuple[float, float, float]:
    """x_1 = (1 - shrink) x_0 + now g_0: shrink, now, and how far from true that is."""
    (grown, now), gap = fit([one.before, one.first], one.after - one.before)
    return -float(grown), float(now), gap


def _measured(updates: list[Update]) -> tuple[Recursion, float]:
    """The recursion that fits best, and the relative distance of what happened from it."""
    shrink, now, gap = _first(updates[0])
    g, g_before = _stack(updates[1:], "first"), _stack(updates[:-1], "first")
    x, x_before = _stack(updates[1:], "before"), _stack(updates[:-1], "before")
    target = _stack(updates[1:], "after") - x
    plain, away = fit([x, g], target)
    if away <= LIMIT:  # no memory: x_t, x_{t-1} and g_{t-1} would be collinear below
        found = Recursion(1 + plain[0], 0.0, plain[1], 0.0, shrink)
    else:
        full, away = fit([x, x_before, g, g_before], target)
        found = Recursion(1 + full[0], full[1], full[2], full[3], shrink)
    # A first step of another length (a bias correction, dampening) is outside the family.
    return found, max(gap, away, abs(now / found.now - 1))


def _stack(updates: list[Update], name: str) -> np.ndarray:
    return np.concatenate([getattr(each, name) for each in updates])

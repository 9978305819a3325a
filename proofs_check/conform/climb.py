"""Where the second gradient is asked for, and what that says about the climb from x.

Made-up gradients of different lengths tell a normalised climb from an unnormalised one, two tensors
a joint norm from a norm for each, tiny gradients the epsilon, a far-away x whether weight decay
steers the climb, and gradients that change with every update whether the climb is this update's.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from proofs_check.conform.adapters import Subject
from proofs_check.conform.base import Base
from proofs_check.conform.gradients import LR, RHO, SHAPES, SIZE, Update, distance, update
from proofs_check.conform.outcome import LIMIT, Check, judge, multiple
from proofs_check.conform.tensors import join, split

LENGTH = "climb, length over rho"
ALIKE = 1e-3  # of a climb's length: an epsilon not yet known moves it less, other forms far more
TINY = 1e-13  # the length of a gradient that shows any epsilon above 1e-22
LENGTHS = (100.0, 1000.0, 300.0)  # of the gradients, so that an epsilon of 1e-2 is still ALIKE
KINDS = {
    "joint": "normalised, one norm over all tensors",
    "each": "normalised, a norm for each tensor",
    "plain": "unnormalised: rho times the gradient",
    "adaptive": "normalised and adaptive (ASAM): each coordinate scaled by its parameter",
}
PLACES = {"added": "added to the norm", "root": "inside the square root", "floor": "the least norm"}


@dataclass(frozen=True)
class Climb:
    """The climb of one convention: kind, epsilon and its place, decay if it steers the climb."""

    kind: str
    epsilon: float = 0.0
    place: str = "added"
    decay: float = 0.0

    @property
    def normalised(self) -> bool:
        """Whether its length does not shrink with the gradient."""
        return self.kind != "plain"

    def __call__(self, x: np.ndarray, gradient: np.ndarray, rho: float) -> np.ndarray:
        """The climb (d,) from x (d,) along a gradient (d,), d the size of the two tensors."""
        g = gradient + self.decay * x
        if self.kind == "plain":
            return rho * g
        if self.kind == "adaptive":
            return rho * x * x * g / self._norm(x * g)
        if self.kind == "joint":
            return rho * g / self._norm(g)
        return join([rho * part / self._norm(part) for part in split(g, SHAPES)])

    def divisor(self, norm: float) -> float:
        """What a gradient of that norm is divided by."""
        n, e = norm, self.epsilon
        return {"added": n + e, "root": (n * n + e) ** 0.5, "floor": max(n, e)}[self.place]

    def _norm(self, v: np.ndarray) -> float:
        return self.divisor(float(np.linalg.norm(v)))

    def describe(self) -> dict[str, str]:
        """The climb and its epsilon in words."""
        told = "none"
        if self.epsilon:
            told = f"{self.epsilon:.3g}, {PLACES[self.place]}"
        words = {"climb": KINDS[self.kind]}
        return words | ({"epsilon": told} if self.kind in ("joint", "each") else {})


def identify(subject: Subject, base: Base | None) -> tuple[Climb | None, list[Check]]:
    """The climb, None where it is none of the known ones, and the checks on its point and length."""
    updates = run(subject, LENGTHS)
    counts = [len(each.points) for each in updates]
    off = max(counts, key=lambda count: abs(count - 1))
    checks = [judge("points away from x asked for a gradient", off, "=", 1, _asked(updates))]
    if off != 1:
        return None, checks
    found = _form(updates, base)
    if found is None:
        return None, [*checks, judge(LENGTH, np.nan, "=", 1.0, _stranger(updates))]
    found = _with_decay(subject, found, base)
    reach = abs(_factor(updates, found) or 1.0) * RHO
    found = _with_epsilon(subject, found, reach)
    factor = _factor(updates, found) or np.nan
    wrong = "it climbs the wrong way, down the gradient: it descends"
    told = multiple(factor, wrong, lr=LR, rho=RHO)
    told = f"rho {told}" if told and factor > 0 else told
    forms = [factor * found(each.before, each.first, RHO) for each in updates]
    gap = max(
        distance(u.points[0] - u.before, form) for u, form in zip(updates, forms, strict=True)
    )
    return found, [
        *checks,
        judge(LENGTH, factor, "=", 1.0, told),
        judge("climb, distance from that form", gap, "<=", LIMIT),
    ]


def run(
    subject: Subject, lengths: tuple[float, ...], start: np.ndarray | None = None, rho: float = RHO
) -> list[Update]:
    """Updates on random made-up gradients of those lengths, both of an update alike in length."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=SIZE)
    session = subject.start(LR, rho, x if start is None else start, SHAPES)
    updates = []
    for length in lengths:
        first, second = (length * v / np.linalg.norm(v) for v in rng.normal(size=(2, SIZE)))
        updates.append(update(session, first, second))
    return updates


def _form(updates: list[Update], base: Base | None) -> Climb | None:
    """The first form that all climbs have, whatever its length; decay is looked into later."""
    decays = (0.0, base.decay) if base is not None and base.decay else (0.0,)
    for kind in KINDS:
        for decay in decays:
            if _factor(updates, found := Climb(kind, decay=decay)) is not None:
                return found
    return None


def _factor(
    updates: list[Update], climb: Callable[[np.ndarray, np.ndarray, float], np.ndarray]
) -> float | None:
    """The one factor by which every climb is this form's; None if there is none."""
    factors = []
    for each in updates:
        went, form = each.points[0] - each.before, climb(each.before, each.first, RHO)
        factor = float(went @ form / (form @ form))
        if not distance(went, factor * form) <= ALIKE:
            return None
        factors.append(factor)
    middle = float(np.median(factors))
    return middle if np.ptp(factors) <= ALIKE * abs(middle) else None


def _asked(updates: list[Update]) -> str:
    """What it means that an update asks at no point away from x, or at several."""
    counts = [len(each.points) for each in updates]
    if max(counts) > 1:
        return "it asks at more than one point away from x"
    if max(counts) == 0:
        return "it never asks for a gradient away from x: it does not climb, not by this protocol"
    return f"it does not climb at every update; where it does, {_stranger(updates)}"


def _stranger(updates: list[Update]) -> str:
    """What a climb of no known form follows instead of this update's gradient."""
    pairs = [(old, now) for old, now in itertools.pairwise(updates) if now.points]
    for name in ("first", "second"):
        if all(_parallel(now.points[0] - now.before, getattr(old, name)) for old, now in pairs):
            return (
                f"it climbs along the {name} gradient of the update before: climb and descent do "
                "not share a batch"
            )
    return "its climb is not along the gradient at x in any known form"


def _parallel(a: np.ndarray, b: np.ndarray) -> bool:
    lengths = np.linalg.norm(a) * np.linalg.norm(b)
    return bool(abs(a @ b) >= (1 - ALIKE) * lengths > 0)


def _with_decay(subject: Subject, climb: Climb, base: Base | None) -> Climb:
    """Whether weight decay steers the climb: seen where decay times x is as long as the gradient."""
    if base is None or not base.decay:
        return climb
    far = np.random.default_rng(3).normal(size=SIZE) / base.decay
    updates = run(subject, (1.0,), far)
    forms = [replace(climb, decay=decay) for decay in (0.0, base.decay)]
    return next((form for form in forms if _factor(updates, form) is not None), climb)


def _with_epsilon(subject: Subject, climb: Climb, reach: float) -> Climb:
    """The epsilon seen at gradients far shorter than any, from x = 0, where nothing cancels.

    `reach` is the climb's length at gradients far longer than any epsilon. A second gradient, half
    as long as what the first was divided by, tells the places an epsilon can have apart.
    """
    if climb.kind not in ("joint", "each"):
        return climb
    norm, divisor = _divisor(subject, climb, reach, TINY)
    if not divisor > norm * (1 + LIMIT * ALIKE):
        return climb
    known = {"added": divisor - norm, "root": divisor**2 - norm**2, "floor": divisor}
    half, seen = _divisor(subject, climb, reach, TINY * divisor / norm / 2)
    forms = [replace(climb, epsilon=e, place=place) for place, e in known.items()]
    return min(forms, key=lambda form: abs(form.divisor(half) - seen))


def _divisor(subject: Subject, climb: Climb, reach: float, length: float) -> tuple[float, float]:
    """A gradient's norm, and what the climb divided it by: the first tensor's, where each has one."""
    (one,) = run(subject, (length,), np.zeros(SIZE))
    if not one.points:
        return length, np.nan
    went, part = (np.linalg.norm(split(v, SHAPES)[0]) for v in (one.points[0], one.first))
    norm = part if climb.kind == "each" else np.linalg.norm(one.first)
    return float(norm), float(reach * part / went)

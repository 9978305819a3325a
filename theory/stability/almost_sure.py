"""Almost-sure stability of x+ = x - eta (A_S + decay) x: the sign of its top Lyapunov exponent.

lambda(eta) = lim log||x_t||/t, with momentum of the pair (x_t, x_{t-1}). The set where it is at
most 0 need not be an interval: x+ = (1 - eta a) x with a in {1, 10} is stable at .2, not at .5 and
again at .9. What is asked for is therefore the first exit.

Exact wherever that is possible: full batches, and modes that no sample couples to another
(`theory.stability.mean_log`), whose batches can be listed. Elsewhere certain bounds (from the
determinant, from products of a few steps, and from the mean-square rate) are sharpened by
simulation (`theory.stability.chains`).

Steps are read off by their fields: `blocks` (n, k, r) F_i with A_i = F_i'F_i, or H_i = F_i'F_i with
`climb` (`rho`, `metric` (r, r)); `weights` (n,); `lam` (r,), the eigenvalues of E A_S; `batch` or
None; `replacement`; `momentum` in [0, 1); `decay` >= 0. The answers are about the range of E A_S.

For the first exit a geometric grid of step sizes, 5% apart, is simulated in one pass, upwards from
a step known to be stable, and the pair of grid points around the exit is refined. An excursion
above zero that is narrower than 5% may be missed; where the determinant proves growth, or in a mode
that is exact, none is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from theory.core import InputError
from theory.stability.chains import Chains, Pass
from theory.stability.modes import bounds, determinant_exit, divide

EXPONENT_BUDGET = 1e9  # multiply-adds: a fraction of a second
EXIT_BUDGET = 8e9  # about two seconds
RATIO, SCANNED, SCANS = 1.05, 28, 3  # a scan reaches 3.9 times as far, all of them 60 times
REFINED, REFINES = 7, 4  # step sizes inside the bracket, in a pass
SHARE = 0.1  # of the budget left, for a scan; refinements take an eighth, a quarter, half, all
WARM, WARMING = 5, 0.2  # step sizes at which directions settle first; share of the budget
TIGHT = 1.006  # upper / lower where refining stops


@dataclass(frozen=True)
class Exponent:
    """The top Lyapunov exponent lies in [lower, upper], in nats a step, with this confidence.

    Confidence 1 and no seed: certain but for rounding. -inf where the product vanishes.
    """

    lower: float
    upper: float
    confidence: float
    seed: int | None


def exponent(
    steps: Any,
    eta: float,
    *,
    seed: int = 0,
    confidence: float = 0.99,
    budget: float = EXPONENT_BUDGET,
    at_most: float = math.inf,
) -> Exponent:
    """The top Lyapunov exponent at step size `eta`.

    `at_most` is an upper bound the caller knows, such as log r(T)/2. `budget` counts operations of
    the simulation; where it is too small, what is certain is returned. Raises `InputError`.
    """
    _check(confidence, budget)
    if not (eta > 0 and math.isfinite(eta)):
        raise InputError("eta", eta, "a positive finite number")
    exact, rest = divide(steps)
    known = exact.exponent(eta)
    if rest is None:
        return Exponent(known, known, 1.0, None)
    lower, upper = bounds(rest, eta)
    upper = np.minimum(upper, at_most)
    low, high = np.minimum(lower, upper), upper
    settled = np.isclose(low, high, rtol=1e-12, atol=1e-12)  # r EPS of rounding, with room
    if not settled.all() and high.max() > known:
        ran = Chains(rest, seed).run(np.array([eta]), budget)
        if ran is not None:
            seen = ran.intervals(1 - (1 - confidence) / len(low))
            low = np.clip(seen[0][:, 0], low, high)
            high = np.clip(seen[1][:, 0], low, high)
            return Exponent(
                max(known, float(low.max())), max(known, float(high.max())), confidence, seed
            )
    return Exponent(max(known, float(low.max())), max(known, float(high.max())), 1.0, None)


def _check(confidence: float, budget: float) -> None:
    """Raises `InputError` unless a simulation can honour both."""
    if not 0 < confidence < 1:
        raise InputError("confidence", confidence, "strictly between 0 and 1")
    if not budget > 0:
        raise InputError("budget", budget, "a positive number of operations")


@dataclass(frozen=True)
class Exit:
    """The first exit lies in [lower, upper] with this confidence; upper is inf if none was found.

    Confidence 1 and no seed: certain but for rounding.
    """

    lower: float
    upper: float
    confidence: float
    seed: int | None


def first_exit(
    steps: Any,
    *,
    lower: float,
    seed: int = 0,
    confidence: float = 0.99,
    budget: float | None = None,
    progress: Callable[[float], None] | None = None,
) -> Exit:
    """The first eta at which the exponent of `steps` stops being <= 0.

    `lower` > 0 is a step up to which it is known to be at most 0, such as the mean-square edge. All
    looks together hold with `confidence`. Where `budget`, a count of operations (None: two seconds'
    worth, and less below 32 dimensions), does not suffice, the interval is wider: at worst from
    `lower` to where growth is certain. `progress` is told the share of
    the budget that is spent. Raises `InputError`.
    """
    _check(confidence, 1.0 if budget is None else budget)
    if not lower > 0:
        raise InputError("lower", lower, "a positive step size known to be stable")
    exact, rest = divide(steps)
    known = max(lower, exact.exit(lower))
    if rest is None:
        return Exit(known, known, 1.0, None)
    certain = max(lower, min(known, determinant_exit(rest, lower, known)))
    if certain <= lower * (1 + 1e-12):
        return Exit(lower, certain, 1.0, None)
    if budget is None:
        budget = EXIT_BUDGET * min(1.0, max(0.15, len(steps.lam) / 32))
    search = _Search(Chains(rest, seed), confidence, budget, progress or (lambda _: None))
    low, high = search.run(lower, certain)
    if not search.looked:
        return Exit(lower, certain, 1.0, None)
    return Exit(float(low), float(high), confidence, seed)


@dataclass(frozen=True)
class _Look:
    """A pass and the signs (E,) it is sure of: -1 stable, 1 growing, 0 unclear."""

    etas: np.ndarray
    signs: np.ndarray
    ran: Pass


class _Search:
    """Scans and refinements that share a budget and a confidence."""

    def __init__(
        self,
        chains: Chains,
        confidence: float,
        budget: float,
        progress: Callable[[float], None],
    ) -> None:
        looks = (SCANS * SCANNED + REFINES * REFINED) * len(chains.law.starts)
        self.level = 1 - (1 - confidence) / looks
        self.chains, self.budget, self.left, self.progress = chains, budget, budget, progress
        self.looked = False

    def run(self, lower: float, upper: float) -> tuple[float, float]:
        """The interval inside [lower, upper]: stable at `lower`, growing at `upper` if finite."""
        etas, signs = np.empty(0), np.empty(0)
        reach = min(upper / lower, RATIO**SCANNED)
        ran = self._look(lower * np.geomspace(1, reach, WARM), WARMING * self.left)  # to settle
        for scan in range(SCANS):
            ahead = lower * RATIO ** (scan * SCANNED + np.arange(1.0, SCANNED + 1))
            ahead = ahead[ahead < upper]
            if not len(ahead):
                break
            seen = self._look(ahead, SHARE * self.left, ran) or self._look(ahead, self.left, ran)
            if seen is None:
                break
            ran = seen
            etas, signs = np.append(etas, ahead), np.append(signs, seen.signs)
            if (signs > 0).any() or len(ahead) < SCANNED:
                break
        low, high = _narrow(etas, signs, lower, upper)
        return (low, high) if high == math.inf else self._refine(low, high, ran)

    def _refine(self, low: float, high: float, last: _Look | None) -> tuple[float, float]:
        for k in range(REFINES):
            if high <= TIGHT * low:
                break
            inside = np.geomspace(low, high, REFINED + 2)[1:-1]
            last = self._look(inside, self.left * 2.0 ** (k + 1 - REFINES), last)
            if last is None:
                break
            low, high = _narrow(inside, last.signs, low, high)
        return low, high

    def _look(self, etas: np.ndarray, budget: float, last: _Look | None = None) -> _Look | None:
        """A pass; it starts from the directions of the `last`, at the nearest step sizes."""
        end = None
        if last is not None:  # nearly settled
            end = last.ran.end[..., np.abs(last.etas - etas[:, None]).argmin(1)]
        ran = self.chains.run(etas, budget, end)
        if ran is None:
            return None
        self.looked = True
        self.left -= budget
        self.progress(1 - self.left / self.budget)
        lower, upper = ran.intervals(self.level)
        signs = np.where(lower.max(0) > 0, 1, np.where(upper.max(0) <= 0, -1, 0))
        return _Look(etas, signs, ran)


def _narrow(etas: np.ndarray, signs: np.ndarray, low: float, high: float) -> tuple[float, float]:
    """From (low, high): stable at all `etas` up to the new low, growing at the new high."""
    doubtful, growing = np.flatnonzero(signs >= 0), np.flatnonzero(signs > 0)
    settled = doubtful[0] if len(doubtful) else len(etas)
    low = float(etas[settled - 1]) if settled else low
    return low, float(etas[growing[0]]) if len(growing) else high

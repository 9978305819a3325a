"""Looks for a counterexample: descends on the slack, then rounds to an exact witness.

The objective is the worst of "the conclusion still holds" and "a hypothesis fails", so a negative
value is a violation with room to spare on every side, which survives rounding. Budgets count
evaluations, not seconds: the same seed finds the same thing on a slow machine. A clock may stop a
hunt, between two evaluations; it changes nothing about their order.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.optimize import minimize

from proofs_check.search.charts import Chart, Vector, draw
from proofs_check.search.rounding import ROUNDINGS, Rounding
from proofs_check.search.slack import slack
from proofs_check.search.witness import refutation
from theory.atoms import AtMost, Equal
from theory.core import Claim

SCREEN = 24  # random starts looked at for each one that is polished
SIMPLEX = 14  # coordinates up to which Nelder-Mead is used; above, quasi-Newton on differences
POLISH = 500  # evaluations of one Nelder-Mead run; ten free numbers settle in about that many
ITERATIONS = 40  # of quasi-Newton, each an evaluation a coordinate
VIOLATED = -1e-8  # a slack carries rounding of up to 1e-10 (see `slack.RANK`)
TIE = 1e-8  # a strict conclusion is false at a tie; closer than this one is looked for exactly
MET = 1e-9  # an equality this close is met; so is a hypothesis that completed variables make tight
EXACT_COST = 25  # evaluations in floats that one exact evaluation takes the time of
BROKEN = 1.0  # the objective where a model cannot be built or read


def _never() -> bool:
    return False


class Stopped(Exception):
    """The one waiting for a hunt has had enough."""


@dataclass
class Hunt:
    """What a search did: a certificate if it refuted the claim, and what it looked at if not.

    `stop` is asked before every evaluation.
    """

    certificate: dict[str, Any] | None = None
    evaluations: int = 0
    satisfying: int = 0  # evaluated points that met every hypothesis
    nearest: float = np.inf  # least slack of the conclusion among those
    inexact: int = 0  # float violations, with room on every side, that no rounding made exact
    stop: Callable[[], bool] = field(default=_never, compare=False, repr=False)


def hunt(
    claim: Claim, *, evaluations: int, seed: int = 0, stop: Callable[[], bool] = _never
) -> Hunt:
    """Search for a refutation within a number of evaluations, or until told to stop."""
    result = Hunt(stop=stop)
    for _ in rounds(claim, result, evaluations=evaluations, seed=seed):
        pass
    return result


def rounds(
    claim: Claim, result: Hunt, *, evaluations: int = sys.maxsize, seed: int = 0
) -> Iterator[None]:
    """The hunt chart by chart, so that it can be left and gone on with; the result fills up.

    Ends with a refutation, with the evaluations, or where `result.stop` says so.
    """
    rng = np.random.default_rng(seed)
    conclusions = claim.then(claim.domain.generic()[0])
    equality = any(isinstance(atom, Equal) for atom in conclusions)
    with suppress(Stopped):
        while result.certificate is None and result.evaluations < evaluations:
            chart = draw(claim.domain, rng, notion=claim.conventions.notion)
            starts = [chart.start(rng) for _ in range(SCREEN)]
            if equality:
                # An equality of rational functions that fails anywhere fails almost everywhere.
                _try_exactly(claim, chart, starts, result)
            else:
                scores = [_objective(claim, chart, theta, result) for theta in starts]
                left = evaluations - result.evaluations
                if left > 0:
                    _polish(claim, chart, starts[int(np.argmin(scores))], left, result)
            yield


def _try_exactly(claim: Claim, chart: Chart, starts: list[Vector], result: Hunt) -> None:
    for theta in starts:
        if result.stop():
            raise Stopped
        result.evaluations += EXACT_COST
        if result.certificate is None:
            result.certificate = exact_witness(claim, chart, theta, ROUNDINGS[9:10])
            result.satisfying += _objective(claim, chart, theta, Hunt()) <= MET


def _polish(claim: Claim, chart: Chart, start: Vector, left: int, result: Hunt) -> None:
    value, theta = _descend(claim, chart, start, left, result)
    strict = any(isinstance(a, AtMost) and a.strict for a in claim.then(claim.domain.generic()[0]))
    if value >= (TIE if strict else VIOLATED):
        return
    result.certificate = exact_witness(claim, chart, theta)
    if result.certificate is None and value < VIOLATED:
        # Was it real? Descend once more without forgiving hypotheses the last few digits.
        value, theta = _descend(claim, chart, theta, POLISH, result, forgiving=False)
        if value < VIOLATED:
            result.certificate = exact_witness(claim, chart, theta)
            result.inexact += result.certificate is None


def _descend(
    claim: Claim, chart: Chart, start: Vector, left: int, result: Hunt, *, forgiving: bool = True
) -> tuple[float, Vector]:
    """The best objective found from a start, and where."""
    best = [np.inf, start]

    def objective(theta: Vector) -> float:
        value = _objective(claim, chart, theta, result, forgiving=forgiving)
        if value < best[0]:
            best[:] = [value, theta.copy()]
        return value

    if len(start) <= SIMPLEX:
        options = {"maxfev": min(POLISH, left), "xatol": 1e-10, "fatol": 1e-13}
        options["adaptive"] = len(start) > 4
        minimize(objective, start, method="Nelder-Mead", options=options)
    else:
        options = {"maxfun": min(ITERATIONS * len(start), left), "maxls": 10}
        minimize(objective, start, method="L-BFGS-B", options=options)
    return best[0], best[1]


def exact_witness(
    claim: Claim, chart: Chart, theta: Vector, roundings: tuple[Rounding, ...] = ROUNDINGS
) -> dict[str, Any] | None:
    """The first refutation near theta, coarsest rounding first, or None."""
    for rounding in roundings:
        try:
            point = chart.point(theta, rounding)
        except (ValueError, ArithmeticError):
            continue
        certificate = refutation(claim, point)
        if certificate is not None:
            return certificate
    return None


def _objective(
    claim: Claim, chart: Chart, theta: Vector, result: Hunt, *, forgiving: bool = True
) -> float:
    """max(slack of the conclusion, shortfall of the hypotheses)."""
    if result.stop():
        raise Stopped
    result.evaluations += 1
    try:
        with np.errstate(all="ignore"):
            model = chart.model(theta)
            then = min((slack(atom) for atom in claim.then(model)), default=BROKEN)
            given = [(atom, slack(atom)) for atom in claim.given(model)]
    except (ValueError, ArithmeticError, np.linalg.LinAlgError):
        return BROKEN
    tight = forgiving and bool(getattr(claim.domain, "complete", None))
    shortfall = max(
        (-v for atom, v in given if not (abs(v) <= MET and (tight or isinstance(atom, Equal)))),
        default=-BROKEN,
    )
    if not np.isfinite(then + shortfall):
        return BROKEN
    if shortfall <= 0:
        result.satisfying += 1
        result.nearest = min(result.nearest, then)
    return max(then, shortfall)


def sample(
    claim: Claim, count: int, *, seed: int = 0, tries: int = 4000, several: bool = False
) -> list[Any]:
    """Float models drawn at random that meet every hypothesis, at most `count`.

    `several`: families of at least two samples in at least two dimensions only.
    """
    rng = np.random.default_rng(seed)
    found: list[Any] = []
    for _ in range(tries):
        if len(found) == count:
            break
        chart = draw(claim.domain, rng, tame=True)
        if several and min(getattr(chart, "n", 2), getattr(chart, "d", 2)) < 2:
            continue
        scratch = Hunt()
        theta = chart.start(rng)
        _objective(claim, chart, theta, scratch)
        if scratch.satisfying:
            found.append(chart.model(theta))
    return found

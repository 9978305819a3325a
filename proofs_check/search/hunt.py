"""Looks for a counterexample: Nelder-Mead on the slack, then an exact witness by rounding.

The objective is the worst of "the conclusion still holds" and "a hypothesis fails", so a negative
value is a violation with room to spare on every side, which survives rounding. Budgets count
evaluations, not seconds: the same seed finds the same thing on a slow machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize

from proofs_check.search.charts import Chart, Vector, draw
from proofs_check.search.slack import slack
from proofs_check.search.witness import DENOMINATORS, refutation
from theory.atoms import Equal
from theory.core import Claim

SCREEN = 24  # random starts looked at for each one that is polished
POLISH = 500  # evaluations of one Nelder-Mead run; ten free numbers settle in about that many
VIOLATED = -1e-8  # a slack carries rounding of up to 1e-10 (see `slack.RANK`)
EXACT_COST = 25  # evaluations in floats that one exact evaluation takes the time of
MET = 1e-9  # a hypothesis this close to equality is met by construction (a completed variable)


@dataclass
class Hunt:
    """What a search did: a certificate if it refuted the claim, and what it looked at if not."""

    certificate: dict[str, Any] | None = None
    evaluations: int = 0
    satisfying: int = 0  # evaluated points that met every hypothesis
    nearest: float = np.inf  # least slack of the conclusion among those
    inexact: int = 0  # float violations that no rounding turned into a witness


def hunt(claim: Claim, *, evaluations: int, seed: int = 0) -> Hunt:
    """Search for a refutation within a number of evaluations."""
    rng = np.random.default_rng(seed)
    result = Hunt()
    equalities = any(isinstance(a, Equal) for a in claim.then(claim.domain.generic()[0]))
    while result.certificate is None and result.evaluations < evaluations:
        chart = draw(claim.domain, rng)
        starts = [chart.start(rng) for _ in range(SCREEN)]
        if equalities:
            # An equality of rational functions that fails anywhere fails almost everywhere.
            _try_exactly(claim, chart, starts, result)
            continue
        scores = [_objective(claim, chart, theta, result) for theta in starts]
        best = starts[int(np.argmin(scores))]
        left = min(POLISH, evaluations - result.evaluations)
        if left > 0:
            _polish(claim, chart, best, left, result)
    return result


def _try_exactly(claim: Claim, chart: Chart, starts: list[Vector], result: Hunt) -> None:
    for theta in starts:
        result.evaluations += EXACT_COST
        result.satisfying += 1
        result.certificate = result.certificate or refutation(claim, chart.point(theta, 16))


def _polish(claim: Claim, chart: Chart, start: Vector, evaluations: int, result: Hunt) -> None:
    best = [np.inf, start]

    def objective(theta: Vector) -> float:
        value = _objective(claim, chart, theta, result)
        if value < best[0]:
            best[:] = [value, theta.copy()]
        return value

    minimize(
        objective,
        start,
        method="Nelder-Mead",
        options={"maxfev": evaluations, "adaptive": len(start) > 4, "xatol": 1e-10, "fatol": 1e-13},
    )
    if best[0] < VIOLATED:
        result.certificate = exact_witness(claim, chart, best[1])
        result.inexact += result.certificate is None


def exact_witness(claim: Claim, chart: Chart, theta: Vector) -> dict[str, Any] | None:
    """The refutation with the smallest denominators near theta, or None."""
    for denominator in DENOMINATORS:
        try:
            point = chart.point(theta, denominator)
        except (ValueError, ArithmeticError):
            continue
        certificate = refutation(claim, point)
        if certificate is not None:
            return certificate
    return None


def _objective(claim: Claim, chart: Chart, theta: Vector, result: Hunt) -> float:
    """max(slack of the conclusion, shortfall of the hypotheses); 1 where the model breaks down."""
    result.evaluations += 1
    try:
        with np.errstate(all="ignore"):
            model = chart.model(theta)
            then = min(slack(atom) for atom in claim.then(model))
            slacks = [slack(atom) for atom in claim.given(model)]
    except (ValueError, ArithmeticError, np.linalg.LinAlgError):
        return 1.0
    shortfall = max((-value for value in slacks if abs(value) > MET), default=-1.0)
    if not np.isfinite(then + shortfall):
        return 1.0
    if shortfall <= 0:
        result.satisfying += 1
        result.nearest = min(result.nearest, then)
    return max(then, shortfall)


def sample(claim: Claim, count: int, *, seed: int = 0, tries: int = 4000) -> list[Any]:
    """Float models drawn at random that meet every hypothesis, at most `count`."""
    rng = np.random.default_rng(seed)
    found: list[Any] = []
    for _ in range(tries):
        if len(found) == count:
            break
        chart = draw(claim.domain, rng)
        scratch = Hunt()
        theta = chart.start(rng)
        _objective(claim, chart, theta, scratch)
        if scratch.satisfying:
            found.append(chart.model(theta))
    return found

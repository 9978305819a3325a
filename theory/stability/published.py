"""Bounds that papers state for every stable minimum, evaluated at one minimum, B = 1.

Equation 7 and theorem 9 of Shin et al. 2023 for USAM (reconstructed), Wu, Ma & E 2018 for SGD.
Each names the claim that audits it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from theory.core import Notion, Verdict
from theory.stability.ladder import one_step_edge, one_step_rate
from theory.stability.steps import Steps

A, S2, S3, S4, ONE_STEP, S3_SMALL, S4_SMALL = (
    AUDITED
) = (  # keys of the claims that audit the bounds
    "sharpness_bound",
    "second_moment_bound",
    "third_moment_bound",
    "fourth_moment_bound",
    "one_step_necessary",
    "third_moment_small_step",  # eta < 2 rho is a claim of its own, as is its verdict
    "fourth_moment_small_step",
)
IMPLIED = {Verdict.PROVED: True, Verdict.AGREES: True, Verdict.REFUTED: False}


@dataclass(frozen=True)
class PublishedBound:
    """A bound a paper states for minima stable in mean square, B = 1: actual <= value.

    `name` is its left side as printed, `claim` the key of the claim that audits it. `max_eta` is the
    largest eta it allows for this minimum; the last four are None without an eta. `implied` says
    whether mean-square stability at eta forces the bound for every minimum, by the verdict given
    for that claim: True if PROVED or AGREES, False if REFUTED, None if undecided, if no verdict was
    given, or if the claim does not cover the case (B > 1; for s_2, eta <= 2 rho).
    """

    name: str
    claim: str
    notion: str
    max_eta: float
    value: float | None = None
    actual: float | None = None
    holds: bool | None = None
    implied: bool | None = None


def published_bounds(
    values: Mapping[str, float],
    single: Steps,
    rho: float,
    eta: float | None,
    verdicts: Mapping[str, str | None],
) -> tuple[PublishedBound, ...]:
    """Equation 7 for USAM or, at rho = 0, its SGD counterpart; then theorem 9's test.

    `values` has a, s2, s3, s4; `single` is the law of one sample a step, without momentum or decay:
    the bounds are about B = 1 whatever is run. Where s_2's is printed negative (eta < 2 rho) it
    bounds nothing.
    """
    a, s2, s3, s4 = (values[name] for name in ("a", "s2", "s3", "s4"))
    e = math.nan if eta is None else eta
    if rho == 0:
        rows = [
            ("a", A, a, _over(2, e), _over(2, a)),
            ("s2", S2, s2, _over(1, e), _over(1, s2)),
        ]
    else:
        raised, free = a * (1 + rho * a), _over(1, s2)
        second = math.inf if e <= 2 * rho else _over(1, e * (e - 2 * rho))
        widest = [_over(1, math.sqrt(2 * rho * s3) * s3), _over(1, rho * s4 * s4)]
        third, fourth = (S3_SMALL, S4_SMALL) if e < 2 * rho else (S3, S4)
        rows = [
            ("a(1+rho a)", A, raised, _over(2, e), _over(2, raised)),
            ("s2^2", S2, s2**2, second, rho + math.hypot(rho, free)),
            ("s3^3", third, s3**3, _over(1, 2 * e * e * rho), widest[0]),
            ("s4^4", fourth, s4**4, _over(1, e * e * rho * rho), widest[1]),
        ]
    rate, edge = None if eta is None else one_step_rate(single, eta), one_step_edge(single)
    known = math.nan if rate is None else rate, math.inf if edge is None else edge
    rows.append(("lambda_max(E Phi_i^2)", ONE_STEP, known[0], 1.0, known[1]))
    return tuple(_bound(row, eta is not None, verdicts) for row in rows)


def _over(x: float, y: float) -> float:
    return x / y if y else math.inf


def _bound(row: Any, at_eta: bool, verdicts: Mapping[str, str | None]) -> PublishedBound:
    name, claim, actual, value, max_eta = row
    if not at_eta:
        return PublishedBound(name, claim, Notion.MEAN_SQUARE.value, max_eta)
    verdict = verdicts.get(claim) if math.isfinite(value) else None
    implied = None if verdict is None else IMPLIED.get(Verdict(verdict))
    found = {"value": value, "actual": actual, "holds": bool(actual <= value), "implied": implied}
    return PublishedBound(name, claim, Notion.MEAN_SQUARE.value, max_eta, **found)

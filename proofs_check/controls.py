"""A claim's own controls: where it must fail, and where it must break once strengthened."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from proofs_check.checker import holds
from proofs_check.evidence import Evidence, Outcome, percent
from theory.core import Claim

RESOLUTION = Fraction(1, 2**20)  # of a slack found by bisection; 1% is 10,000 times coarser


def control(claim: Claim) -> Evidence:
    """The control lies outside the hypotheses and the conclusion fails there."""
    model = claim.domain.exact(claim.control or {})
    if not claim.domain.outside(model) and all(holds(atom) for atom in claim.given(model)):
        return Evidence("controls", Outcome.FAILS, "the control point meets every hypothesis")
    if all(holds(atom) for atom in claim.then(model)):
        return Evidence("controls", Outcome.FAILS, "the conclusion holds at the control point too")
    return Evidence("controls", Outcome.CONSISTENT, "fails at the control, outside its hypotheses")


def tightest(claim: Claim) -> tuple[Evidence, Fraction | None]:
    """The tightest point meets hypotheses and conclusion, and some strengthening breaks it there.

    Returns the slack with it: the conclusion strengthened by any more than that is false. Zero means
    attained (to `RESOLUTION`).
    """
    model = claim.domain.exact(claim.tightest or {})
    if not all(holds(atom) for atom in claim.given(model)):
        return Evidence("controls", Outcome.FAILS, "the tightest point fails a hypothesis"), None
    if not stands(claim, model, Fraction(0)):
        return Evidence(
            "controls", Outcome.FAILS, "the conclusion fails at the tightest point"
        ), None
    if stands(claim, model, Fraction(1)):
        sentence = "no strengthening breaks it: the side that bounds must be positive there"
        return Evidence("controls", Outcome.FAILS, sentence), None
    slack = _bisect(claim, model)
    where = "attained" if slack == 0 else f"holds with {percent(slack)} to spare"
    return Evidence("controls", Outcome.CONSISTENT, f"{where} at the tightest point"), slack


def _bisect(claim: Claim, model: Any) -> Fraction:
    """The largest strengthening that stands, from below, to `RESOLUTION`."""
    low, high = Fraction(0), Fraction(1)
    if not stands(claim, model, RESOLUTION):
        return low
    while high - low > RESOLUTION:
        middle = (low + high) / 2
        low, high = (middle, high) if stands(claim, model, middle) else (low, middle)
    return low


def stands(claim: Claim, model: Any, relative: Fraction) -> bool:
    """Whether the conclusion, altered by that much, holds at the model."""
    return all(holds(atom) for atom in claim.altered(relative).then(model))

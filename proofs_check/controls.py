"""A claim's own controls: where it must fail, and where it must break once strengthened."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from proofs_check.checker import holds
from proofs_check.evidence import Evidence, Outcome, percent
from theory.atoms import Atom
from theory.core import Claim

RESOLUTION = Fraction(1, 1024)  # of a slack, relative to itself
TIE = Fraction(1, 2**200)  # exact numbers of a few digits that differ do so by far more than this


def control(claim: Claim) -> Evidence:
    """The control lies outside the hypotheses and the conclusion fails there.

    An identity without hypotheses has no outside: altered by 1% either way, it must fail there.
    """
    model = claim.domain.exact(claim.control or {})
    given, outside = claim.given(model), claim.domain.outside(model)
    if not given and not outside:
        altered = [stands(claim, model, sign * Fraction(1, 100)) for sign in (1, -1)]
        if any(altered):
            sentence = "altered by 1% it still holds at the control point"
            return Evidence("controls", Outcome.FAILS, sentence)
        sentence = "has no hypotheses; altered by 1% it fails at the control point"
        return Evidence("controls", Outcome.CONSISTENT, sentence)
    if not outside and all(holds(atom) for atom in given):
        return Evidence("controls", Outcome.FAILS, "the control point meets every hypothesis")
    if stands(claim, model, Fraction(0)):
        return Evidence("controls", Outcome.FAILS, "the conclusion holds at the control point too")
    return Evidence("controls", Outcome.CONSISTENT, "fails at the control, outside its hypotheses")


def tightest(claim: Claim) -> tuple[Evidence, list[Fraction]]:
    """The tightest point meets the claim, and strengthening any atom of the conclusion breaks it.

    Returns the slack of each atom there: strengthened by any more than that, it is false. Zero
    means attained.
    """
    model = claim.domain.exact(claim.tightest or {})
    if not all(holds(atom) for atom in claim.given(model)):
        return Evidence("controls", Outcome.FAILS, "the tightest point fails a hypothesis"), []
    if not stands(claim, model, Fraction(0)):
        return Evidence("controls", Outcome.FAILS, "the conclusion fails at the tightest point"), []
    slacks = []
    for index, atom in enumerate(claim.then(model)):
        if holds(atom.altered(Fraction(1))):
            where = f"then[{index}]: no strengthening breaks it at the tightest point"
            sentence = f"{where}; the side that bounds must be positive there"
            return Evidence("controls", Outcome.FAILS, sentence), []
        slacks.append(_slack(atom))
    if not slacks:
        return Evidence("controls", Outcome.FAILS, "the conclusion is empty"), []
    low = min(slacks)
    where = "attained" if low == 0 else f"holds with {percent(low)} to spare"
    return Evidence("controls", Outcome.CONSISTENT, f"{where} at the tightest point"), slacks


def _slack(atom: Atom) -> Fraction:
    """The largest strengthening of an atom that stands, by bisection from below; 0 is a tie."""
    if not holds(atom.altered(TIE)):
        return Fraction(0)
    low, high = TIE, Fraction(1)
    while high - low > RESOLUTION * low:
        middle = (low + high) / 2
        low, high = (middle, high) if holds(atom.altered(middle)) else (low, middle)
    return low


def stands(claim: Claim, model: Any, relative: Fraction) -> bool:
    """Whether the conclusion, altered by that much, holds at the model."""
    return all(holds(atom) for atom in claim.altered(relative).then(model))

"""measured, exact and formula on random settings, in the order the claim's kind states."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable

from proofs_check.evidence import Evidence, Outcome
from theory.core import Claim, Kind, Lab

SETTINGS = 6  # settings simulated; each costs one run of the optimizer
SPREAD = 200  # settings on which exact and formula are compared, without simulation


def compare(claim: Claim, lab: Callable[[], Lab]) -> Evidence:
    """Whether every setting is in order."""
    from proofs_check.search.hunt import sample

    assert claim.exact and claim.formula and claim.tolerance
    models = sample(claim, SPREAD)
    if not models:
        return Evidence("triple", Outcome.FAILS, "no random setting met the hypotheses")
    pairs = [(claim.exact(m), claim.formula(m)) for m in models]
    wrong = sum(not in_order(claim, exact, formula) for exact, formula in pairs)
    told = f"exact against formula on {len(pairs)} settings"
    if claim.observe is not None:
        seen = [claim.observe(lab(), m) for m in models[:SETTINGS]]
        # What is observed enumerates or is deterministic, so it equals the exact value.
        wrong += sum(not _close(claim, a, e) for a, (e, _) in zip(seen, pairs, strict=False))
        told += f", simulated on {len(seen)}"
    if wrong:
        return Evidence("triple", Outcome.FAILS, f"{told}: {wrong} out of order")
    sentence = f"{told}: in order to {claim.tolerance.value:g}"
    return Evidence("triple", Outcome.CONSISTENT, sentence)


def typical_looseness(claim: Claim) -> float | None:
    """The median looseness over random settings; families of several samples and dimensions only.

    With one sample or one dimension notions coincide and bounds are attained, so such settings
    would say how often they were drawn.
    """
    from proofs_check.search.hunt import sample

    assert claim.looseness is not None
    values = [claim.looseness.measure(m) for m in sample(claim, SPREAD, several=True)]
    finite = [value for value in values if math.isfinite(value)]
    return statistics.median(finite) if finite else None


def in_order(claim: Claim, exact: float, formula: float) -> bool:
    """exact against formula: equal, at least for lower bounds, at most for all other bounds."""
    if claim.kind in (Kind.EXACT, Kind.ASYMPTOTIC):
        return _close(claim, exact, formula)
    low, high = (formula, exact) if claim.kind is Kind.LOWER_BOUND else (exact, formula)
    return low <= high or _close(claim, low, high)


def _close(claim: Claim, a: float, b: float) -> bool:
    assert claim.tolerance is not None
    return abs(a - b) <= claim.tolerance.value * (abs(a) + abs(b))

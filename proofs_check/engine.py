"""Audits one claim: the order of the checks, and what their findings earn together.

1. controls: the claim's own control must fail outside the hypotheses, its tightest point must meet
   them and break when the conclusion is strengthened past the slack found there.
2. certificates: each is replayed by the checker; equalities without one are tried by expansion.
3. triple: on random settings, what the optimizer does, what is exactly true and the formula must
   stand in the order the claim's kind states.
4. search, unless an exact certificate decided: a hunt for a counterexample, worth something only if
   the same hunt refutes a claim 1% stronger.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from proofs_check.checker import Rejected, holds, read, replay
from proofs_check.evidence import Evidence, Outcome, decide
from theory.core import Claim, InputError, Kind, Lab, Verdict
from theory.fingerprint import fingerprint

PERCENT = Fraction(1, 100)
RESOLUTION = Fraction(1, 2**20)  # of a slack found by bisection; 1% is 10,000 times coarser
EVALUATIONS = 30_000  # of one hunt: twice what the best hidden of the shipped false claims needs
SETTINGS = 6  # settings simulated in a triple; each costs one run of the optimizer
SPREAD = 200  # settings over which typical looseness is measured, without simulation


@dataclass
class Report:
    """Everything one audit found."""

    key: str
    claim: Claim
    hash: str
    findings: list[Evidence] = field(default_factory=list)
    slack: Fraction | None = None  # of the conclusion at the tightest point
    looseness: float | None = None  # median over random settings
    found: dict[str, Any] | None = None  # a certificate this audit found itself
    certificates: list[str] = field(default_factory=list)
    violation: Fraction | None = None  # of the conclusion, by the deciding witness

    @property
    def verdict(self) -> Verdict:
        return decide(self.findings)[0]

    @property
    def deciding(self) -> Evidence | None:
        return decide(self.findings)[1]

    @property
    def tightness(self) -> str:
        """How tight the statement is, in a few words with a number."""
        if self.violation is not None:
            return f"violated by {percent(self.violation)}"
        parts = []
        if self.claim.kind is Kind.EXACT:
            parts.append("equality")
        elif self.slack is not None:
            parts.append("attained" if self.slack == 0 else f"within {percent(self.slack)}")
        if self.looseness is not None:
            parts.append(f"median {self.looseness:.3g}x loose")
        return ", ".join(parts) or "unknown"


def audit(
    key: str, claim: Claim, certificates: Sequence[Path], lab: Callable[[], Lab]
) -> Report:
    """Run every check on one claim. Raises `InputError` if the claim itself cannot be read."""
    report = Report(key, claim, _readable(claim))
    report.findings += _controls(claim, report)
    report.findings += [_replayed(path, claim, report) for path in certificates]
    if not _decided(report):
        report.findings += _expansion(claim, report)
    report.findings += _triple(claim, report, lab)
    if not _decided(report):
        report.findings.append(_search(claim, report))
    return report


def _readable(claim: Claim) -> str:
    """The claim's hash; whatever its functions raise on the generic models is the user's mistake."""
    try:
        return fingerprint(claim)
    except Exception as error:  # a user's functions may raise anything
        message = f"{type(error).__name__}: {error}"
        raise InputError("given, then", message, "atoms on every variable of the domain") from None


def _decided(report: Report) -> bool:
    return any(f.outcome in (Outcome.PROVES, Outcome.REFUTES) for f in report.findings)


# --- controls ------------------------------------------------------------------------------------


def _controls(claim: Claim, report: Report) -> list[Evidence]:
    findings = []
    if claim.control is not None:
        findings.append(_outside(claim))
    if claim.tightest is not None:
        findings.append(_tightest(claim, report))
    return findings


def _outside(claim: Claim) -> Evidence:
    """The control lies outside the hypotheses and the conclusion fails there."""
    model = claim.domain.exact(claim.control or {})
    if claim.domain.admits(model) and all(holds(atom) for atom in claim.given(model)):
        return Evidence("controls", Outcome.FAILS, "the control point meets every hypothesis")
    if all(holds(atom) for atom in claim.then(model)):
        return Evidence("controls", Outcome.FAILS, "the conclusion holds at the control point too")
    return Evidence("controls", Outcome.CONSISTENT, "fails at the control, outside its hypotheses")


def _tightest(claim: Claim, report: Report) -> Evidence:
    """The tightest point meets the hypotheses; strengthened past its slack the conclusion breaks."""
    model = claim.domain.exact(claim.tightest or {})
    if not all(holds(atom) for atom in claim.given(model)):
        return Evidence("controls", Outcome.FAILS, "the tightest point fails a hypothesis")
    if not all(holds(atom) for atom in claim.then(model)):
        return _own_refutation(claim, report)
    low, high = Fraction(0), Fraction(1)
    if _stands(claim, model, high):
        return Evidence("controls", Outcome.FAILS, "no strengthening breaks it: the side that "
                        "bounds must be positive at the tightest point")  # fmt: skip
    if not _stands(claim, model, RESOLUTION):
        high = low  # attained, to the resolution
    while high - low > RESOLUTION:
        middle = (low + high) / 2
        low, high = (middle, high) if _stands(claim, model, middle) else (low, middle)
    report.slack = low
    where = "attained" if low == 0 else f"holds with {percent(low)} to spare"
    return Evidence("controls", Outcome.CONSISTENT, f"{where} at the tightest point")


def _own_refutation(claim: Claim, report: Report) -> Evidence:
    from proofs_check.search.witness import refutation

    found = refutation(claim, claim.tightest or {})
    if found is None:
        return Evidence("controls", Outcome.FAILS, "the conclusion fails at the tightest point")
    return _refutes("controls", found, claim, report)


def _stands(claim: Claim, model: Any, relative: Fraction) -> bool:
    return all(holds(atom.altered(relative)) for atom in claim.then(model))


# --- certificates --------------------------------------------------------------------------------


def _replayed(path: Path, claim: Claim, report: Report) -> Evidence:
    try:
        shown = replay(read(path), claim)
    except Rejected as error:
        return Evidence("certificate", Outcome.FAILS, f"{path.name} is rejected: {error}")
    report.certificates.append(path.name)
    proves = shown.verdict is Verdict.PROVED
    if not proves:
        report.violation = shown.violation
    outcome = Outcome.PROVES if proves else Outcome.REFUTES
    return Evidence("certificate", outcome, _told(shown.sentence, shown.violation), path.name)


def _told(sentence: str, violation: Fraction | None) -> str:
    return sentence if violation is None else f"{sentence}: {percent(violation)} over"


def _refutes(check: str, found: dict[str, Any], claim: Claim, report: Report) -> Evidence:
    """Evidence from a certificate found on the way; it is replayed like any other."""
    shown = replay(found, claim)
    report.found, report.violation = found, shown.violation
    return Evidence(check, Outcome.REFUTES, _told(shown.sentence, shown.violation))


def _expansion(claim: Claim, report: Report) -> list[Evidence]:
    from proofs_check.search.identity import prove

    found = prove(claim)
    if found is None:
        return []
    report.found = found
    return [Evidence("certificate", Outcome.PROVES, replay(found, claim).sentence)]


# --- the triple ----------------------------------------------------------------------------------


def _triple(claim: Claim, report: Report, lab: Callable[[], Lab]) -> list[Evidence]:
    """measured, exact and formula on random settings, in the order the claim's kind states."""
    if claim.exact is None or claim.formula is None or claim.tolerance is None:
        return []
    from proofs_check.search.hunt import sample

    models = sample(claim, SPREAD)
    if not models:
        return [Evidence("triple", Outcome.FAILS, "no random setting met the hypotheses")]
    pairs = [(claim.exact(m), claim.formula(m)) for m in models]
    wrong = sum(not _ordered(claim, exact, formula) for exact, formula in pairs)
    told = f"exact against formula on {len(pairs)} settings"
    if claim.observe is not None:
        seen = [claim.observe(lab(), m) for m in models[:SETTINGS]]
        wrong += sum(
            not _close(claim, a, exact) for a, (exact, _) in zip(seen, pairs[:SETTINGS], strict=True)
        )
        told += f", simulated on {len(seen)}"
    if wrong:
        return [Evidence("triple", Outcome.FAILS, f"{told}: {wrong} out of order")]
    if claim.kind is not Kind.EXACT:
        measure = claim.looseness or (lambda m: claim.formula(m) / claim.exact(m))  # type: ignore
        finite = [m for m, (exact, _) in zip(models, pairs, strict=True) if math.isfinite(exact)]
        report.looseness = statistics.median(measure(m) for m in finite)
    return [Evidence("triple", Outcome.CONSISTENT, f"{told}: in order to {claim.tolerance.value:g}")]


def _ordered(claim: Claim, exact: float, formula: float) -> bool:
    """exact against formula: equal, at most or at least, as the kind says."""
    assert claim.tolerance is not None
    room = claim.tolerance.value * (abs(exact) + abs(formula))
    if claim.kind in (Kind.EXACT, Kind.ASYMPTOTIC):
        return abs(exact - formula) <= room
    if claim.kind is Kind.LOWER_BOUND:
        return formula <= exact + room
    return exact <= formula + room


def _close(claim: Claim, measured: float, exact: float) -> bool:
    """Measurements here enumerate or are deterministic, so they equal the exact value."""
    assert claim.tolerance is not None
    return abs(measured - exact) <= claim.tolerance.value * (abs(exact) + abs(measured))


# --- search --------------------------------------------------------------------------------------


def _search(claim: Claim, report: Report) -> Evidence:
    from proofs_check.search.hunt import hunt

    result = hunt(claim, evaluations=EVALUATIONS)
    if result.certificate is not None:
        return _refutes("search", result.certificate, claim, report)
    told = f"no violation in {result.satisfying} of {result.evaluations} points tried"
    if result.satisfying == 0:
        return Evidence("search", Outcome.UNDECIDED, f"{told}: none met every hypothesis")
    if result.inexact:
        extra = f"{result.inexact} float violations had no exact witness; a finer search decides"
        return Evidence("search", Outcome.UNDECIDED, f"{told}; {extra}")
    alterations = [(report.slack or Fraction(0)) + PERCENT]
    if claim.kind is Kind.EXACT:
        alterations.append(-PERCENT)
    for alteration in alterations:
        control = hunt(claim.altered(alteration), evaluations=EVALUATIONS)
        if control.certificate is None:
            missed = f"a claim altered by {percent(alteration)} went unrefuted too"
            return Evidence("search", Outcome.UNDECIDED, f"{told}; {missed}; a proof would decide")
        told += f"; altered by {percent(alteration)} refuted after {control.evaluations}"
    return Evidence("search", Outcome.SUPPORTS, told)


def percent(value: Fraction) -> str:
    """A relative number for a sentence."""
    return f"{float(100 * value):.3g}%"

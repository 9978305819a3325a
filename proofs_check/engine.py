"""Audits one claim: the order of the checks, and what their findings earn together.

1. controls: the claim's own control must fail outside the hypotheses, its tightest point must meet
   them and break when the conclusion is strengthened past the slack found there.
2. certificates: each is replayed by the checker; equalities without one are tried by expansion.
3. triple: on random settings, what the optimizer does, what is exactly true and the formula must
   stand in the order the claim's kind states.
4. search, unless an exact certificate decided: a hunt for a counterexample, worth something only if
   the same hunt refutes the claim altered by 1%.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from proofs_check import controls, triple
from proofs_check.checker import Rejected, read, replay
from proofs_check.evidence import Evidence, Outcome, decide, percent
from theory.core import Claim, InputError, Kind, Lab, Verdict
from theory.fingerprint import fingerprint

PERCENT = Fraction(1, 100)
EVALUATIONS = 30_000  # of one hunt: twice what the best hidden of the shipped false claims needs


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
    certificates: list[str] = field(default_factory=list)  # files that replayed
    violation: Fraction | None = None  # of the conclusion, by the deciding witness

    @property
    def verdict(self) -> Verdict:
        return decide(self.findings)[0]

    @property
    def deciding(self) -> Evidence | None:
        return decide(self.findings)[1]

    @property
    def decided(self) -> bool:
        return any(f.outcome in (Outcome.PROVES, Outcome.REFUTES) for f in self.findings)

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


def audit(key: str, claim: Claim, certificates: Sequence[Path], lab: Callable[[], Lab]) -> Report:
    """Run every check on one claim. Raises `InputError` if the claim itself cannot be read."""
    report = Report(key, claim, _readable(claim))
    if claim.control is not None:
        report.findings.append(controls.control(claim))
    if claim.tightest is not None:
        finding, report.slack = controls.tightest(claim)
        report.findings.append(finding)
    report.findings += [_replayed(path, report) for path in certificates]
    if not report.decided:
        report.findings += _found_at_once(report)
    if claim.exact is not None:
        finding, report.looseness = triple.compare(claim, lab)
        report.findings.append(finding)
    if not report.decided:
        report.findings.append(_search(report))
    return report


def _readable(claim: Claim) -> str:
    """The claim's hash; whatever its functions raise on the generic models is the user's mistake."""
    try:
        return fingerprint(claim)
    except Exception as error:  # a user's functions may raise anything
        message = f"{type(error).__name__}: {error}"
        raise InputError("given, then", message, "atoms on every variable of the domain") from None


def _replayed(path: Path, report: Report) -> Evidence:
    """A committed certificate; one that is rejected spoils the audit rather than being ignored."""
    try:
        shown = replay(read(path), report.claim)
    except Rejected as error:
        return Evidence("certificate", Outcome.FAILS, f"{path.name} is rejected: {error}")
    report.certificates.append(path.name)
    if shown.verdict is Verdict.PROVED:
        return Evidence("certificate", Outcome.PROVES, shown.told, path.name)
    report.violation = shown.violation
    return Evidence("certificate", Outcome.REFUTES, shown.told, path.name)


def _found(check: str, certificate: dict[str, Any], report: Report) -> Evidence:
    """A certificate this audit found on the way; it is replayed like any other."""
    shown = replay(certificate, report.claim)
    report.found, report.violation = certificate, shown.violation
    proves = shown.verdict is Verdict.PROVED
    return Evidence(check, Outcome.PROVES if proves else Outcome.REFUTES, shown.told)


def _found_at_once(report: Report) -> list[Evidence]:
    """What needs no search: an equality that expands to zero, a bound false at its tightest point."""
    from proofs_check.search.identity import prove
    from proofs_check.search.witness import refutation

    certificate = prove(report.claim)
    if certificate is not None:
        return [_found("certificate", certificate, report)]
    if report.claim.tightest is not None and report.slack is None:
        certificate = refutation(report.claim, report.claim.tightest)
        if certificate is not None:
            return [_found("controls", certificate, report)]
    return []


def _search(report: Report) -> Evidence:
    from proofs_check.search.hunt import hunt

    result = hunt(report.claim, evaluations=EVALUATIONS)
    if result.certificate is not None:
        return _found("search", result.certificate, report)
    told = f"no violation at {result.satisfying:,} points that meet the hypotheses"
    if result.satisfying == 0:
        sentence = f"none of {result.evaluations:,} points tried met every hypothesis"
        return Evidence("search", Outcome.UNDECIDED, f"{sentence}; a point that does would help")
    if result.inexact:
        extra = f"{result.inexact} float violations had no exact witness; a finer search decides"
        return Evidence("search", Outcome.UNDECIDED, f"{told}; {extra}")
    for alteration in _alterations(report, result.nearest):
        caught = hunt(report.claim.altered(alteration), evaluations=EVALUATIONS)
        if caught.certificate is None:
            missed = f"but the claim altered by {percent(alteration)} went unrefuted too"
            return Evidence("search", Outcome.UNDECIDED, f"{told}; {missed}; a proof would decide")
        told += f"; altered by {percent(alteration)} it falls after {caught.evaluations:,}"
    return Evidence("search", Outcome.SUPPORTS, told)


def _alterations(report: Report, nearest: float) -> list[Fraction]:
    """Positive controls: 1% either way for equalities, 1% past the least known slack for bounds.

    The search may have come closer than the author's tightest point; a control must not be easier
    than what is known.
    """
    if report.claim.kind is Kind.EXACT:
        return [PERCENT, -PERCENT]
    reached = Fraction(max(2 * nearest / (1 + nearest), 0.0))  # from (u-l)/(u+l) to 1 - l/u
    return [min(report.slack or Fraction(0), reached) + PERCENT]

"""Audits one claim: the order of the checks, and what their findings earn together.

1. controls: the claim's own control must fail outside the hypotheses, its tightest point must meet
   them and break when the conclusion is strengthened past the slack found there.
   Both readings of the claim, in fractions and in floats, must judge alike.
2. certificates: each is replayed by the checker; equalities without one are tried by expansion.
3. triple: on random settings, what the optimizer does, what is exactly true and the formula must
   stand in the order the claim's kind states.
4. search, unless an exact certificate decided: a hunt for a counterexample to each atom of the
   conclusion, worth something only if half the same hunt refutes that atom made slightly stronger.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from proofs_check import controls, readings, triple
from proofs_check.checker import RULES, Rejected, Replayed, read, replay
from proofs_check.evidence import Evidence, Outcome, decide, percent
from theory.atoms import Loewner, MeanSquare
from theory.core import Claim, InputError, Kind, Lab, Notion, Verdict
from theory.fingerprint import fingerprint

PERCENT = Fraction(1, 100)
EVALUATIONS = 30_000  # of one hunt; the soak tests say how often that finds known false claims
NEGLIGIBLE = Fraction(1, 10**6)  # a slack this small, not zero, is called a limit
LEAST = 10_000  # evaluations left to each atom where a conclusion has several


@dataclass
class Report:
    """Everything one audit found."""

    key: str
    claim: Claim
    hash: str
    findings: list[Evidence] = field(default_factory=list)
    slacks: list[Fraction] = field(default_factory=list)  # of each atom at the tightest point
    reached: list[Fraction] = field(default_factory=list)  # the least a search found, atom by atom
    looseness: float | None = None  # median over random settings
    found: dict[str, Any] | None = None  # a certificate this audit found itself
    certificates: list[str] = field(default_factory=list)  # files that replayed
    rules: list[str] = field(default_factory=list)  # of the checker, that a proof rests on
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
        if self.verdict is Verdict.REFUTED:
            return f"violated by {percent(self.violation)}" if self.violation else "violated"
        parts = []
        if self.claim.kind is Kind.EXACT:
            parts.append("equality")
        elif self.slacks:
            least = min(self.slacks + self.reached)
            near = f"{percent(least)} to spare" if least > NEGLIGIBLE else "approached"
            parts.append("attained" if min(self.slacks) == 0 else near)
        if self.looseness is not None and self.claim.looseness is not None:
            parts.append(f"median {self.looseness:.3g}x loose {self.claim.looseness.unit}")
        return "; ".join(parts) or "unknown"


def audit(key: str, claim: Claim, certificates: Sequence[Path], lab: Callable[[], Lab]) -> Report:
    """Run every check on one claim. Raises `InputError` if the claim itself cannot be read."""
    report = Report(key, claim, readable(claim))
    report.findings.append(readings.agree(claim))
    if claim.control is not None:
        report.findings.append(controls.control(claim))
    if claim.tightest is not None:
        finding, report.slacks = controls.tightest(claim)
        report.findings.append(finding)
    report.findings += [_replayed(path, report) for path in certificates]
    if not report.decided:
        report.findings += _found_at_once(report)
    if claim.exact is not None:
        report.findings.append(triple.compare(claim, lab))
    if not report.decided:
        report.findings += _search(report)
    if claim.looseness is not None and not report.violation:
        report.looseness = triple.typical_looseness(claim)
    return report


def readable(claim: Claim) -> str:
    """The claim's hash; whatever its functions raise on the generic models is the user's mistake."""
    try:
        for model in claim.domain.generic():
            for atom in (*claim.given(model), *claim.then(model)):
                _check_atom(atom, claim)
        return fingerprint(claim)
    except InputError:
        raise
    except Exception as error:  # a user's functions may raise anything
        message = f"{type(error).__name__}: {error}"
        raise InputError("given, then", message, "atoms on every variable of the domain") from None


def _check_atom(atom: Any, claim: Claim) -> None:
    notion = claim.conventions.notion
    if isinstance(atom, MeanSquare) and notion is not Notion.MEAN_SQUARE:
        allowed = "mean-square where mean_square_stable is used"
        raise InputError("conventions.notion", notion.value, allowed)
    if isinstance(atom, Loewner) and not (atom.upper - atom.lower).is_symmetric():
        raise InputError("loewner", "sides that are not symmetric", "symmetric matrices")


def _replayed(path: Path, report: Report) -> Evidence:
    """A committed certificate; one that is rejected spoils the audit rather than being ignored."""
    try:
        shown = replay(read(path), report.claim)
    except Rejected as error:
        return Evidence("certificate", Outcome.FAILS, f"{path.name} is rejected: {error}")
    report.certificates.append(path.name)
    if shown.verdict is Verdict.PROVED:
        return Evidence("certificate", Outcome.PROVES, _proved(shown, report), path.name)
    report.violation = shown.violation
    return Evidence("certificate", Outcome.REFUTES, shown.told, path.name)


def _found(check: str, certificate: dict[str, Any], report: Report) -> Evidence:
    """A certificate this audit found on the way; it is replayed like any other."""
    shown = replay(certificate, report.claim)
    report.found, report.violation = certificate, shown.violation
    if shown.verdict is Verdict.PROVED:
        return Evidence(check, Outcome.PROVES, _proved(shown, report))
    return Evidence(check, Outcome.REFUTES, shown.told)


def _proved(shown: Replayed, report: Report) -> str:
    """A proof's sentence counts the lemmas it does not cover; `flatproof show` prints them."""
    report.rules = [RULES[rule] for rule in shown.rests_on]
    count = len(report.claim.trusted) + len(report.rules)
    return shown.told + (f"; trusts {count} lemma{'s' * (count > 1)} in words" if count else "")


def _found_at_once(report: Report) -> list[Evidence]:
    """What needs no search: an expansion to zero, a short proof, a bound false at its own point."""
    from proofs_check.search import identity, proof
    from proofs_check.search.witness import refutation

    certificate = identity.prove(report.claim) or proof.prove(report.claim, proof.GLANCE)
    if certificate is not None:
        return [_found("certificate", certificate, report)]
    if report.claim.tightest is not None and not report.slacks:
        certificate = refutation(report.claim, report.claim.tightest)
        if certificate is not None:
            return [_found("controls", certificate, report)]
    return []


def _search(report: Report) -> list[Evidence]:
    """One finding for each atom of the conclusion: none may stand in for another."""
    split = parts(report.claim)
    budget = EVALUATIONS if len(split) == 1 else max(EVALUATIONS // max(len(split), 1), LEAST)
    findings = []
    for index, part in split:
        findings.append(_search_part(report, part, index, budget))
        if report.decided or findings[-1].outcome is Outcome.REFUTES:
            break
    return findings or [Evidence("search", Outcome.UNDECIDED, "the conclusion is empty")]


def parts(claim: Claim) -> list[tuple[int | None, Claim]]:
    """The claim atom by atom of its conclusion; whole where that has one atom, or one a sample."""
    lengths = {len(claim.then(model)) for model in claim.domain.generic()}
    if len(lengths) > 1 or lengths == {1}:
        return [(None, claim)]
    return [(index, claim.only(index)) for index in range(lengths.pop())]


def _search_part(report: Report, part: Claim, index: int | None, budget: int) -> Evidence:
    from proofs_check.search.charts import extent
    from proofs_check.search.hunt import hunt

    result = hunt(part, evaluations=budget)
    if result.certificate is not None:
        return _found("search", of_whole(result.certificate, report, index), report)
    name = "" if index is None else f"then[{index}]: "
    if result.satisfying == 0:
        sentence = f"{name}none of {result.evaluations:,} points tried met every hypothesis"
        return Evidence("search", Outcome.UNDECIDED, f"{sentence}; a point that does would help")
    told = f"{name}no violation at {result.satisfying:,} points that meet the hypotheses"
    told += f" ({extent(part.domain)})"
    if result.inexact:
        extra = f"{result.inexact} float violations had no exact witness; a finer search decides"
        return Evidence("search", Outcome.UNDECIDED, f"{told}; {extra}")
    for alteration in alterations(report, index or 0, result.nearest):
        # Half the budget: the claim was looked at twice as hard as catching its control took.
        caught = hunt(part.altered(alteration), evaluations=budget // 2)
        words = in_words(report.claim, alteration)
        if caught.certificate is None:
            missed = f"but {words} it went unrefuted too"
            return Evidence("search", Outcome.UNDECIDED, f"{told}; {missed}; a proof would decide")
        told += f"; {words} it falls after {caught.evaluations:,}"
    return Evidence("search", Outcome.SUPPORTS, told)


def of_whole(certificate: dict[str, Any], report: Report, index: int | None) -> dict[str, Any]:
    """A certificate against one atom, as one against the claim."""
    if index is None:
        return certificate
    then = {**certificate["then"], "atom": str(index)}
    return {**certificate, "claim": report.hash, "then": then}


def alterations(report: Report, index: int, nearest: float) -> list[Fraction]:
    """Positive controls: 1% either way for equalities, 1% past the least known slack for bounds.

    The search may have come closer than the author's tightest point; a control must not be easier
    than what is known.
    """
    if report.claim.kind is Kind.EXACT:
        return [PERCENT, -PERCENT]
    reached = 2 * max(nearest, 0.0) / (1 + max(nearest, 0.0)) if nearest < 1 else 1.0
    report.reached.append(Fraction(reached))
    return [min(report.reached[-1:] + report.slacks[index : index + 1]) + PERCENT]


def in_words(claim: Claim, alteration: Fraction) -> str:
    if claim.kind is Kind.EXACT:
        return f"altered by {percent(alteration)}"
    past = "" if alteration < PERCENT * 11 / 10 else " (1% past the nearest point known)"
    return f"made {percent(alteration)} stronger{past}"

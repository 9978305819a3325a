"""Verdicts are earned: what each combination of findings gives, and how each check can fail."""

from dataclasses import replace
from pathlib import Path

import pytest

from proofs_check.engine import audit
from proofs_check.evidence import Evidence, Outcome, decide
from proofs_check.library import entry
from theory.atoms import at_most, below, equal
from theory.core import Claim, Conventions, InputError, Kind, Source, Tolerance, Verdict
from theory.domains import Scalars

SQUARE = Claim(
    title="Twice a product is at most the sum of squares",
    statement="$2xy \\le x^2 + y^2$ for positive $x, y$.",
    source=Source("other", "a test", "our own"),
    kind=Kind.UPPER_BOUND,
    conventions=Conventions(sampler="none"),
    domain=Scalars(("x", "y"), start={"x": (0.1, 3), "y": (0.1, 3)}),
    given=lambda m: (below(0, m.x), below(0, m.y)),
    then=lambda m: (at_most(2 * m.x * m.y, m.x**2 + m.y**2),),
    tightest={"x": 1, "y": 1},
)


def lab():
    return None


def run(claim, certificates=()):
    return audit("test", claim, certificates, lab)


@pytest.mark.parametrize(
    ("outcomes", "verdict"),
    [
        ([], Verdict.INCONCLUSIVE),
        ([Outcome.CONSISTENT], Verdict.INCONCLUSIVE),
        ([Outcome.CONSISTENT, Outcome.SUPPORTS], Verdict.AGREES),
        ([Outcome.SUPPORTS, Outcome.SUPPORTS], Verdict.AGREES),
        ([Outcome.SUPPORTS, Outcome.UNDECIDED], Verdict.INCONCLUSIVE),
        ([Outcome.SUPPORTS, Outcome.FAILS], Verdict.INCONCLUSIVE),
        ([Outcome.PROVES], Verdict.PROVED),
        ([Outcome.PROVES, Outcome.SUPPORTS], Verdict.PROVED),
        ([Outcome.PROVES, Outcome.FAILS], Verdict.INCONCLUSIVE),
        ([Outcome.REFUTES, Outcome.FAILS], Verdict.REFUTED),
        ([Outcome.REFUTES, Outcome.SUPPORTS], Verdict.REFUTED),
        ([Outcome.PROVES, Outcome.REFUTES], Verdict.CONTRADICTION),
    ],
)
def test_findings_earn_their_verdict(outcomes, verdict):
    findings = [Evidence("check", outcome, "found") for outcome in outcomes]
    assert decide(findings)[0] is verdict


def test_a_true_bound_agrees():
    report = run(SQUARE)
    assert report.verdict is Verdict.AGREES
    assert report.slacks == [0]


def test_a_bound_without_a_control_cannot_be_built():
    with pytest.raises(ValueError, match="tightest"):
        replace(SQUARE, tightest=None)


def test_an_equality_without_a_control_cannot_be_built():
    with pytest.raises(ValueError, match="control"):
        replace(SQUARE, kind=Kind.EXACT)


def test_a_comparison_without_a_tolerance_cannot_be_built():
    with pytest.raises(ValueError, match="tolerance"):
        replace(SQUARE, exact=lambda m: 1.0, formula=lambda m: 1.0)


def test_a_tightest_point_outside_the_hypotheses_earns_nothing():
    report = run(replace(SQUARE, tightest={"x": -1, "y": -1}))
    assert report.verdict is Verdict.INCONCLUSIVE
    assert "fails a hypothesis" in report.deciding.sentence


def test_a_bound_that_no_strengthening_breaks_earns_nothing():
    shifted = replace(SQUARE, then=lambda m: (at_most(2 * m.x * m.y - m.x**2 - m.y**2, 0),))
    report = run(shifted)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert "no strengthening breaks it" in report.deciding.sentence


def test_a_conclusion_that_fails_at_its_own_tightest_point_is_refuted_there():
    report = run(replace(SQUARE, then=lambda m: (at_most(3 * m.x * m.y, m.x**2 + m.y**2),)))
    assert report.verdict is Verdict.REFUTED
    assert report.found["witness"] == {"x": "1", "y": "1"}


def test_a_control_that_agrees_earns_nothing():
    claim = replace(
        SQUARE,
        kind=Kind.EXACT,
        then=lambda m: (equal((m.x + m.y) ** 2, m.x**2 + 2 * m.x * m.y + m.y**2),),
        control={"x": -1, "y": 1},
        tightest=None,
    )
    report = run(claim)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert "holds at the control point" in report.deciding.sentence


def test_a_control_inside_the_hypotheses_earns_nothing():
    report = run(replace(SQUARE, control={"x": 1, "y": 2}))
    assert report.verdict is Verdict.INCONCLUSIVE
    assert "meets every hypothesis" in report.deciding.sentence


def test_hypotheses_that_nothing_meets_earn_nothing():
    empty = replace(SQUARE, given=lambda m: (below(m.x, m.y), below(m.y, m.x)))
    report = run(empty)
    assert report.verdict is Verdict.INCONCLUSIVE


def test_a_wrong_formula_is_noticed():
    claim = replace(
        SQUARE,
        formula=lambda m: 0.99 * (m.x**2 + m.y**2),
        exact=lambda m: m.x**2 + m.y**2,
        tolerance=Tolerance(1e-9, "a test"),
    )
    report = run(claim)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert "out of order" in report.deciding.sentence


def test_a_simulation_that_disagrees_is_noticed():
    claim = replace(
        SQUARE,
        formula=lambda m: m.x**2 + m.y**2,
        exact=lambda m: 2 * m.x * m.y,
        observe=lambda lab, m: 2.001 * m.x * m.y,
        tolerance=Tolerance(1e-9, "a test"),
    )
    assert run(claim).verdict is Verdict.INCONCLUSIVE


def test_a_rejected_certificate_spoils_the_audit(tmp_path):
    path = tmp_path / "square.certificate.json"
    path.write_text("{}")
    report = run(SQUARE, (path,))
    assert report.verdict is Verdict.INCONCLUSIVE
    assert "is rejected" in report.deciding.sentence


def test_a_search_too_weak_for_its_own_control_says_so(monkeypatch):
    from proofs_check import engine

    monkeypatch.setattr(engine, "EVALUATIONS", 3)
    report = run(SQUARE)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert "went unrefuted too" in report.deciding.sentence


def test_a_proof_and_a_refutation_together_are_a_contradiction(monkeypatch):
    from proofs_check import engine
    from proofs_check.checker import Replayed

    answers = iter(
        [Replayed(Verdict.PROVED, "identity", "p"), Replayed(Verdict.REFUTED, "point", "r")]
    )
    monkeypatch.setattr(engine, "read", lambda path: {})
    monkeypatch.setattr(engine, "replay", lambda certificate, claim: next(answers))
    report = run(SQUARE, (Path("a"), Path("b")))
    assert report.verdict is Verdict.CONTRADICTION


def test_a_claim_that_cannot_be_read_names_what_went_wrong():
    with pytest.raises(InputError, match="AttributeError"):
        run(replace(SQUARE, given=lambda m: (below(0, m.z),)))


def test_a_float_in_a_claim_is_refused():
    with pytest.raises(InputError, match=r"0\.5"):
        run(replace(SQUARE, then=lambda m: (at_most(0.5 * m.x, m.y),)))


def test_an_audit_gives_the_same_report_twice():
    item = entry("third_moment_order")
    first, second = (audit(item.key, item.claim, (), lab) for _ in range(2))
    assert first.findings == second.findings
    assert first.found == second.found

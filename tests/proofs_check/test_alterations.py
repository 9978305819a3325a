"""Every claim is broken by altering it, with certificates re-bound so that the hash decides nothing.

This covers each claim in the folder, later ones included: 1% either way breaks each equality, 1% in
the strengthening direction breaks each attained bound, a loose bound breaks past its measured
looseness, and a refutation reaches as far as the violation it prints and no further.
"""

from fractions import Fraction

import pytest

from proofs_check.checker import Rejected, holds, read, replay
from proofs_check.controls import tightest
from proofs_check.engine import PERCENT, audit
from proofs_check.library import entries, recorded_verdict
from theory.core import Kind, Verdict
from theory.fingerprint import fingerprint

ENTRIES = entries()
EXACT = [item for item in ENTRIES if item.claim.kind is Kind.EXACT]
BOUNDS = [item for item in ENTRIES if item.claim.tightest is not None]
CERTIFIED = [item for item in ENTRIES if item.certificates]
UNSOUND = {Verdict.PROVED, Verdict.PROVED_WITH, Verdict.AGREES}


def rebound(item, claim):
    """The item's certificate, quoting the altered claim's hash."""
    return read(item.certificates[0]) | {"claim": fingerprint(claim)}


def no_lab():
    raise AssertionError("an alteration is judged without simulation")


def silent(claim):
    """The claim without its simulation: what is altered here is what the atoms say."""
    from dataclasses import replace

    return replace(claim, exact=None, observe=None)


@pytest.mark.parametrize("item", EXACT, ids=lambda item: item.key)
@pytest.mark.parametrize("relative", [PERCENT, -PERCENT])
def test_one_per_cent_either_way_breaks_an_equality(item, relative):
    altered = silent(item.claim).altered(relative)
    if item.certificates:
        with pytest.raises(Rejected):
            replay(rebound(item, altered), altered)
    assert audit(item.key, altered, (), no_lab).verdict not in UNSOUND


@pytest.mark.parametrize("item", BOUNDS, ids=lambda item: item.key)
def test_a_bound_breaks_when_strengthened_past_its_measured_looseness(item):
    finding, slacks = tightest(item.claim)
    if not slacks:  # false at its own point already, and on record as false
        assert finding.sentence == "the conclusion fails at the tightest point"
        assert recorded_verdict(item) == Verdict.REFUTED
        return
    altered = silent(item.claim).altered(max(slacks) + PERCENT)
    model = altered.domain.exact(altered.tightest)
    assert all(holds(atom) for atom in altered.given(model))
    assert not any(holds(atom) for atom in altered.then(model))
    assert audit(item.key, altered, (), no_lab).verdict is Verdict.REFUTED


@pytest.mark.parametrize("item", CERTIFIED, ids=lambda item: item.key)
def test_a_refutation_reaches_exactly_as_far_as_it_says(item):
    shown = replay(read(item.certificates[0]), item.claim)
    if shown.verdict is not Verdict.REFUTED:
        assert shown.violation is None
        return
    if shown.violation is None:  # the claimed side is not positive: nothing to be relative to
        assert " > " in shown.sentence
        return
    assert shown.violation > 0
    inside = item.claim.altered(-shown.violation * Fraction(99, 100))
    assert replay(rebound(item, inside), inside).verdict is Verdict.REFUTED
    beyond = item.claim.altered(-shown.violation * Fraction(101, 100))
    with pytest.raises(Rejected):
        replay(rebound(item, beyond), beyond)


@pytest.mark.parametrize("item", CERTIFIED, ids=lambda item: item.key)
def test_a_certificate_is_tied_to_its_statement(item):
    other = item.claim.altered(PERCENT)
    with pytest.raises(Rejected, match="hash of another statement"):
        replay(read(item.certificates[0]), other)


@pytest.mark.parametrize("item", ENTRIES, ids=lambda item: item.key)
def test_every_refutation_rests_on_a_committed_certificate(item):
    from proofs_check.library import recorded_verdict

    verdict = recorded_verdict(item)
    assert verdict is not None
    if verdict in (Verdict.REFUTED, Verdict.PROVED):
        assert item.certificates

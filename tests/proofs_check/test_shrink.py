"""A shrunk witness still refutes, is no larger, and keeps the part of its violation asked for."""

import json
from fractions import Fraction as Q

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofs_check import library
from proofs_check.checker import replay
from proofs_check.search import shrink as module
from proofs_check.search.shrink import shrink, size, witness_of
from proofs_check.search.simpler import simplest
from proofs_check.search.witness import refutation
from theory.core import InputError, Verdict

LARGE = {  # the first witness known against the s_2 bound, in other units and with a copy too many
    "factors": [[["0", "11/10"]], [["11/10", "-11/10"]], [["11/10", "11/10"]], [["0", "11/10"]]],
    "weights": ["7/2", "7", "7", "7/2"],
    "eta": "10/11",
    "rho": "0",
}


def claim_of(key):
    return library.entry(key).claim


def certificate_of(claim, point):
    found = refutation(claim, point)
    assert found is not None
    return found


def violation(certificate, claim):
    shown = replay(certificate, claim)
    assert shown.verdict is Verdict.REFUTED and shown.violation is not None
    return shown.violation


def test_a_witness_loses_its_needless_parts():
    claim = claim_of("second_moment_bound")
    before = certificate_of(claim, LARGE)
    after = shrink(claim, before)
    assert violation(after, claim) >= violation(before, claim) / 2
    assert size(witness_of(after)) < size(witness_of(before))
    assert len(after["witness"]["factors"]) == 3
    assert "weights" not in after["witness"]
    assert after == shrink(claim, before), "it depends on the certificate alone"


@pytest.mark.parametrize("part", [Q(1), Q(9, 10), Q(1, 10)])
def test_the_floor_of_the_violation_is_kept(part):
    claim = claim_of("second_moment_bound")
    before = certificate_of(claim, LARGE)
    floor = violation(before, claim) * part
    assert violation(shrink(claim, before, floor=floor), claim) >= floor


def test_without_its_floor_the_same_witness_would_be_smaller():
    """The floor costs something: otherwise the tests of it could not fail."""
    claim = claim_of("fourth_moment_small_step")
    before = certificate_of(
        claim, {"factors": [[[0]], [[1]]], "weights": [1, 2], "eta": "2/51", "rho": 50}
    )
    assert violation(before, claim) > Q(3, 5)
    loose = shrink(claim, before, floor=Q(0))
    assert violation(loose, claim) < Q(3, 5)
    tight = shrink(claim, before, floor=Q(3, 5))
    assert size(witness_of(loose)) < size(witness_of(tight))


def test_a_near_miss_is_not_taken():
    """At eta = 1 the rows (1, 1) and (1, 0) would be shorter than at 9/8, but only tie."""
    claim = claim_of("one_step_necessary")
    miss = {"factors": [[["1", "1"]], [["1", "0"]]], "eta": "1", "rho": "0"}
    assert refutation(claim, miss) is None  # E Phi^2 e_1 . e_1 = 1: a tie
    point = miss | {"eta": "9/8"}
    certificate = certificate_of(claim, point)
    assert size({**witness_of({"witness": miss})}) < size(witness_of(certificate))
    for floor in (Q(0), violation(certificate, claim)):
        found = shrink(claim, certificate, floor=floor)
        assert violation(found, claim) >= floor
        assert found["witness"] != miss


def test_only_the_exact_replay_accepts_a_step(monkeypatch):
    """With floats that find every step worth trying, nothing false gets through."""
    monkeypatch.setattr(module, "_worth_replaying", lambda *_: True)
    claim = claim_of("third_moment_order")
    before = certificate_of(claim, {"factors": [[["6", "3"]], [["3", "0"]]]})
    assert violation(shrink(claim, before), claim) >= violation(before, claim) / 2


def test_what_does_not_replay_is_refused():
    claim = claim_of("one_step_necessary")
    path = library.CERTIFICATES / "one_step_necessary.json"
    good = json.loads(path.read_text())
    witness = good["witness"] | {"eta": "1/1000"}
    with pytest.raises(InputError, match="certificate"):
        shrink(claim, good | {"witness": witness})
    with pytest.raises(InputError, match="floor"):
        shrink(claim, good, floor=Q(10))
    with pytest.raises(InputError, match="claim"):
        shrink(claim_of("gd_edge"), good)


def test_told_to_stop_it_returns_the_smallest_so_far():
    claim = claim_of("second_moment_bound")
    before = certificate_of(claim, LARGE)
    assert shrink(claim, before, stop=lambda: True) == before
    calls = iter(range(10**9))
    midway = shrink(claim, before, stop=lambda: next(calls) > 20)
    sizes = [size(witness_of(c)) for c in (shrink(claim, before), midway, before)]
    assert sizes[0] < sizes[1] < sizes[2]
    assert violation(midway, claim) >= violation(before, claim) / 2


def test_digits_count_before_samples_and_magnitudes():
    """40000 is written with 1 + 4 // 3 digits, 40136 with five, -1/20 with two."""
    point = {"factors": [[[Q(40000), Q(-1, 20)]]], "eta": Q(40136)}
    assert size(point) == (2 + 2 + 5, 1, 40001 + 22 + 40137)


@given(st.fractions(0, 1000, max_denominator=200), st.fractions(0, 10, max_denominator=200))
def test_the_simplest_fraction_of_an_interval_has_the_least_denominator(low, width):
    high = low + width
    found = simplest(low, high)
    assert low <= found <= high
    for q in range(1, found.denominator):  # no multiple of 1/q lies between
        assert -(-low * q // 1) > high * q

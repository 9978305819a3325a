"""Witnesses made of functions: each limit and guard refuses a forgery one change away, and fast."""

import copy
import json
import time
from fractions import Fraction

import pytest

from proofs_check.certificate import Rejected
from proofs_check.checker import read, replay
from proofs_check.checker.piecewise import MAX_BATCH, MAX_BREAKS, MAX_FUNCTIONS, MAX_LENGTH
from proofs_check.library import CERTIFICATES, entry
from proofs_check.search.witness import refutation
from theory.core import Verdict

PAIR, LIMIT = "usam_per_sample_rate", "sam_limit_is_stationary"
LONG = "9" * (MAX_LENGTH + 1)


def shipped(key):
    return copy.deepcopy(read(CERTIFICATES / f"{key}.json"))


def first(certificate):
    return certificate["witness"]["samples"][0]


def set_witness(**values):
    return lambda c: c["witness"].update(values)


FORGERIES = {
    "a fifth sample": (lambda c: c["witness"]["samples"].extend([first(c)] * 3), "at most 4"),
    "a tenth break": (
        lambda c: first(c).update(breaks=[str(k) for k in range(MAX_BREAKS + 2)]),
        f"at most {MAX_BREAKS + 1}",
    ),
    "a long number": (set_witness(x0=LONG), "at most 30 digits"),
    "a long denominator": (set_witness(x0=f"1/{LONG}"), "at most 30 digits"),
    "a long negative number": (set_witness(x0=f"-{LONG}"), "at most 30 digits"),
    "a long curvature": (
        lambda c: first(c)["curvatures"].__setitem__(0, LONG),
        "at most 30 digits",
    ),
    "a long base point": (lambda c: first(c).update(at=LONG), "at most 30 digits"),
    "a long weight": (set_witness(weights=[LONG, "1"]), "at most 30 digits"),
    "a large batch": (set_witness(B=str(MAX_BATCH + 1)), f"from 0 to {MAX_BATCH}"),
    "a broken batch": (set_witness(B="5/2"), "expected an integer"),
    "an empty batch": (set_witness(B="0"), "a positive integer"),
    "a bare number": (set_witness(x0=1), "numbers are strings"),
    "no functions": (set_witness(samples=[]), "one positive number for each"),
    "samples that are no list": (set_witness(samples={}), "expected a list"),
    "a function that is a list": (set_witness(samples=[[], []]), "expected an object"),
    "a missing part": (lambda c: first(c).pop("slope"), "expected the keys"),
    "another part": (lambda c: first(c).update(kink="0"), "expected the keys"),
    "equal breaks": (lambda c: first(c)["breaks"].__setitem__(1, "9"), "strictly increasing"),
    "a curvature too few": (
        lambda c: first(c)["curvatures"].pop(),
        "one more than there are breaks",
    ),
    "three weights for two": (set_witness(weights=["1"] * 3), "one positive number for each"),
    "a negative weight": (set_witness(weights=["-1", "1"]), "one positive number for each"),
    "another scalar": (set_witness(y="1"), "exactly the variables"),
    "a missing scalar": (lambda c: c["witness"].pop("rho"), "exactly the variables"),
    "another kind": (lambda c: c.update(kind="point"), "does not fit the claim's domain"),
    "no minimum": (lambda c: first(c)["curvatures"].__setitem__(0, "-1"), "not bounded below"),
    "a minimum below zero": (
        lambda c: first(c)["breaks"].__setitem__(2, "40"),
        "the hypothesis does not hold",
    ),
    "a hypothesis that fails": (set_witness(beta="9"), "the hypothesis does not hold"),
    "a conclusion that holds": (set_witness(B="1", eta="1/300"), "hypothesis does not hold"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_is_refused_at_once(name):
    forge, message = FORGERIES[name]
    certificate, claim = shipped(PAIR), entry(PAIR).claim
    assert replay(shipped(PAIR), claim).verdict is Verdict.REFUTED
    forge(certificate)
    started = time.process_time()
    with pytest.raises(Rejected, match=message):
        replay(certificate, claim)
    assert time.process_time() - started < 1  # a hundredth of that where nothing is amiss


def test_too_many_batches_are_refused_before_any_is_made():
    certificate = shipped(PAIR)
    certificate["witness"]["samples"] += [first(certificate)] * (MAX_FUNCTIONS - 2)
    certificate["witness"]["B"] = str(MAX_BATCH)
    with pytest.raises(Rejected, match="more than 1001 batches of 4 samples"):
        replay(certificate, entry(PAIR).claim)


def test_the_heaviest_witness_within_limits_is_decided_in_seconds():
    """Numbers of the greatest length everywhere, as many breaks, and almost as many batches."""
    certificate = shipped(PAIR)
    big = 10**MAX_LENGTH - 1

    def number(k):
        return f"{big - 2 * k}/{big - 2 * k - 1}"  # neighbours, so in lowest terms

    rough = {
        "breaks": [str(Fraction((k + 1) * (big // 20) - k, big)) for k in range(MAX_BREAKS)],
        "curvatures": [number(k + 20) for k in range(MAX_BREAKS + 1)],
    }
    certificate["witness"]["samples"] = [first(certificate) | rough] * 2
    certificate["witness"] |= {"B": str(MAX_BATCH), "x0": number(77), "weights": [number(5), "1"]}
    certificate["given"] = [{}] * 14
    started = time.process_time()
    with pytest.raises(Rejected, match="the hypothesis does not hold"):
        replay(certificate, entry(PAIR).claim)
    assert time.process_time() - started < 20


def test_a_found_point_is_written_as_a_certificate_that_replays(tmp_path):
    claim = entry(LIMIT).claim
    certificate = refutation(claim, claim.tightest | {"eps": "1/2"})
    path = tmp_path / "found.json"
    path.write_text(json.dumps(certificate))
    assert certificate["kind"] == "piecewise"
    assert replay(read(path), claim).violation == 1


def test_a_point_that_meets_the_claim_is_no_certificate():
    claim = entry(LIMIT).claim
    assert refutation(claim, claim.tightest) is None

"""A claim said a little differently is never PROVED unless it is true as well.

The judges of truth take nothing from the checker: z3's real algebra and the hunt (`attack.py`). They
are held to every recorded verdict first, and to a checker that was broken on purpose.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from functools import partial

import pytest

from proofs_check import library
from proofs_check.checker import proof as checker_proof
from proofs_check.checker import replay
from proofs_check.search import mutation
from proofs_check.search.attack import FalseProofError, attack, follows, point, refuted
from proofs_check.search.mutants import Mutant, mutants
from proofs_check.search.mutation import counted, judge, judged
from theory.atoms import at_most, below, equal
from theory.core import Claim, Conventions, Kind, Source, Verdict
from theory.domains import Scalars
from theory.fingerprint import fingerprint

ENTRIES = {item.key: item for item in library.entries()}
FAST = ("trace_bound", "second_moment_order", "mean_square_edge_sufficient", "gd_edge")
SAMPLED = 149  # of the mutants of every claim with a proof are judged outside `make soak`
SHORT = 100  # milliseconds of z3, and evaluations of the hunt, for one of a sample
HELPED = ("usam_linear_rate_any_batch", "one_step_sufficient", "sassha_threshold")


def claim(given, then, names=("x", "y")) -> Claim:
    return Claim(
        title="made up",
        statement="",
        source=Source("other", "none", "our own"),
        kind=Kind.UPPER_BOUND,
        conventions=Conventions(),
        domain=Scalars(names=names),
        given=given,
        then=then,
        tightest=dict.fromkeys(names, 1),
    )


SQUARE = claim(lambda m: (below(0, m.x),), lambda m: (at_most(2 * m.x * m.y, m.x**2 + m.y**2),))


# --- the judges of truth --------------------------------------------------------------------------


@pytest.mark.soak
@pytest.mark.parametrize("key", ENTRIES)
def test_z3_breaks_nothing_that_is_proved_and_proves_nothing_that_is_refuted(key):
    """For named numbers z3's word is final both ways; elsewhere only a counterexample is."""
    item = ENTRIES[key]
    verdict, answer = library.recorded_verdict(item), refuted(item.claim, SHORT)
    if answer.word == "sat":
        assert verdict == Verdict.REFUTED, answer.told
    if answer.word == "unsat" and isinstance(item.claim.domain, Scalars):
        assert verdict != Verdict.REFUTED


def test_a_true_claim_of_named_numbers_has_no_real_counterexample():
    assert refuted(SQUARE).word == "unsat"
    assert attack(SQUARE) == "z3: no real point breaks it"


def test_a_false_claim_that_is_called_proved_is_an_error():
    false = claim(lambda m: (), lambda m: (at_most(201 * m.x * m.y, 100 * (m.x**2 + m.y**2)),))
    with pytest.raises(FalseProofError, match="false at 1"):
        attack(false)


def test_a_quotient_by_zero_is_no_counterexample():
    """z3 gives 1/0 any value; the exact reading has none there."""
    quotient = claim(lambda m: (equal(m.y, 0),), lambda m: (at_most(0, (1 / m.y) ** 2),), ("y",))
    assert refuted(quotient).word != "sat"


def test_a_mutant_follows_where_real_algebra_leads_to_it():
    weaker = claim(SQUARE.given, lambda m: (at_most(2 * m.x * m.y, m.x**2 + m.y**2 + m.x),))
    assert follows(weaker, SQUARE)
    assert not follows(claim(lambda m: (), lambda m: (at_most(m.x, m.y),)), SQUARE)


def test_a_hypothesis_no_step_uses_may_change_and_one_that_is_used_may_not():
    item = ENTRIES["ascent_grows_gradients"]
    certificate = library.read(item.certificates[0])
    model = item.claim.domain.generic()[0]
    used = set(mutation._named(certificate["steps"]))
    for i, atom in enumerate(item.claim.given(model)):
        given = replace(
            item.claim,
            given=lambda m, i=i: tuple(
                at_most(a.lhs, a.rhs + 1) if j == i else a
                for j, a in enumerate(item.claim.given(m))
            ),
        )
        changed = atom != given.given(model)[i]
        assert mutation.unused(given, item.claim, certificate) == (
            not changed or str(i) not in used
        )
    assert not mutation.unused(item.claim.altered(Fraction(1, 9)), item.claim, certificate)


def test_a_point_found_by_z3_meets_the_hypotheses():
    held = claim(lambda m: (equal(3 * m.x, 1), below(m.y, m.x)), SQUARE.then)
    found = point(held)
    assert found is not None
    assert found["x"] == Fraction(1, 3) and found["y"] < found["x"]


def test_the_hunt_finds_what_one_dimension_hides():
    """M_3 >= H^3 holds in one dimension, and fails in two."""
    with pytest.raises(FalseProofError, match="refuted by"):
        attack(ENTRIES["third_moment_order"].claim)


# --- the mutants ----------------------------------------------------------------------------------


def test_every_sort_of_change_is_made():
    changes = Counter(mutant.change for key in (*FAST, *HELPED) for mutant in mutants(key))
    assert set(changes) == {
        "constant",
        "dropped",
        "exponent",
        "scaled",
        "sides",
        "sign",
        "strictness",
        "variable",
    }
    assert min(changes.values()) >= 5


def test_the_mutants_of_a_small_claim_are_those_made_by_hand():
    """Its conclusion is H @ H <= M(2): one order, two sides, no constant."""
    found = Counter(mutant.change for mutant in mutants("second_moment_order"))
    assert found == {"exponent": 2, "sign": 2, "sides": 1, "scaled": 2}


@pytest.mark.parametrize("key", [*FAST, *HELPED])
def test_mutants_leave_the_claim_and_its_helpers_as_they_were(key):
    before = fingerprint(ENTRIES[key].claim)
    hashes = set()
    for mutant in mutants(key):
        try:
            hashes.add(fingerprint(mutant.claim))
        except Exception:  # what cannot be read cannot be proved
            continue
    assert len(hashes - {before}) >= 4
    assert fingerprint(library.catalogue.load(library.CLAIMS, key).CLAIM) == before


# --- the checker ----------------------------------------------------------------------------------


@pytest.mark.parametrize("key", FAST)
def test_every_mutant_of_a_small_claim_is_judged(key):
    """Finders included: no mutant is proved and false, and some are known to be false."""
    total = counted(list(judged(key)))
    assert total["mutants"] >= 5
    assert total["false"] > 0


@pytest.mark.parametrize("key", [key for key, item in ENTRIES.items() if item.certificates])
def test_a_sample_of_mutants_is_rejected_refuted_or_true(key, monkeypatch):
    """A certificate bound to the mutant proves it only if z3 and the hunt find nothing against it."""
    monkeypatch.setattr(mutation, "QUICK", SHORT // 10)
    monkeypatch.setattr(mutation, "attack", partial(attack, timeout=SHORT, evaluations=SHORT))
    item = ENTRIES[key]
    certificate = library.read(item.certificates[0])
    chosen = [m for i, m in enumerate(mutants(key)) if i % SAMPLED == 0]
    results = []
    for mutant in chosen:
        try:
            results.append(judge(mutant, item.claim, certificate, search=False))
        except (TypeError, ZeroDivisionError, ValueError):
            continue
    assert all(one.because for one in results if one.replayed == Verdict.PROVED)


@pytest.mark.soak
@pytest.mark.parametrize("key", ENTRIES)
def test_no_mutant_is_proved_and_false(key):
    """All mutants, the finders tried on each."""
    total = counted(list(judged(key)))
    print(key, dict(total))
    assert total["mutants"] == total["rejected"] + total["refuted"] + total["replayed"] or not (
        ENTRIES[key].certificates
    )


# --- a checker broken on purpose ------------------------------------------------------------------


def broken_sum(monkeypatch):
    """Products need not add up to zero any more."""
    monkeypatch.setattr(checker_proof, "_show", lambda atom, step, ring, where: None)


def proved_and_false(key: str) -> bool:
    item = ENTRIES[key]
    certificate = library.read(item.certificates[0])
    for mutant in mutants(key):
        try:
            judge(mutant, item.claim, certificate, search=False)
        except FalseProofError:
            return True
        except (TypeError, ZeroDivisionError, ValueError):
            continue
    return False


def test_a_checker_that_adds_nothing_up_is_caught(monkeypatch):
    assert not proved_and_false("ascent_grows_gradients")
    broken_sum(monkeypatch)
    assert proved_and_false("ascent_grows_gradients")


def test_a_false_proof_stops_the_run(monkeypatch):
    item = ENTRIES["ascent_grows_gradients"]
    broken_sum(monkeypatch)
    bound = library.read(item.certificates[0])
    stronger = item.claim.altered(Fraction(1, 100))
    assert replay(bound | {"claim": fingerprint(stronger)}, stronger).verdict is Verdict.PROVED
    with pytest.raises(FalseProofError):
        judge(Mutant("scaled", "then[0]", stronger), item.claim, bound)

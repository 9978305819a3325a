"""Every guard of the checker refuses a forgery that one change makes of an accepted certificate."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import pytest

from proofs_check import library
from proofs_check.certificate import MAX_DIGITS, MAX_DIMENSION, MAX_POWER, MAX_SAMPLES, MAX_TERMS
from proofs_check.checker import FORMAT, Rejected, holds, replay
from theory.atoms import at_most, below, equal, loewner, mean_square_stable
from theory.core import Claim, Conventions, Kind, Source, Verdict
from theory.domains import Family, Operators, Scalars
from theory.exact import Matrix, SecondMoment
from theory.fingerprint import fingerprint


def claim_of(domain, given=lambda m: (), then=lambda m: ()) -> Claim:
    return Claim(
        title="A claim",
        statement="made for these tests",
        source=Source("other", "nobody", "our own"),
        kind=Kind.UPPER_BOUND,
        conventions=Conventions(),
        domain=domain,
        given=given,
        then=then,
        tightest={},
    )


@dataclass(frozen=True)
class Case:
    """A claim with a certificate that is accepted for it."""

    claim: Claim
    body: dict[str, Any]
    verdict: Verdict

    @property
    def certificate(self) -> dict[str, Any]:
        head = {"format": FORMAT, "claim": fingerprint(self.claim)}
        return copy.deepcopy(head | self.body)


def refutation(claim, kind, witness, given, **then) -> Case:
    body = {"kind": kind, "witness": witness, "given": given, "then": {"atom": "0", **then}}
    return Case(claim, body, Verdict.REFUTED)


PLANE = [[["1", "0"]], [["0", "1"]]]

STABLE = refutation(
    claim_of(
        Family(("eta",)),
        lambda m: (
            mean_square_stable(m.T),
            below(0, m.eta),
            equal(m.eta, 1),
            loewner(0 * m.H, m.H),
        ),
        lambda m: (loewner(m.H, m.I / 4), loewner(m.H, m.I)),
    ),
    "family",
    {"factors": PLANE, "weights": ["1", "1"], "eta": "1"},
    [{"lyapunov": [["2", "1"], ["1", "2"]]}, {}, {}, {}],
    vector=["1", "0"],
)
UNSTABLE = refutation(
    claim_of(Family(("eta",)), then=lambda m: (mean_square_stable(m.T),)),
    "family",
    {"factors": [[["1", "0"]], [["1", "0"], ["0", "2"]]], "eta": "1"},
    [],
    growth=[["0", "0"], ["0", "1"]],  # the second direction: 1 or 1 - 4, mean square 5
    factor="5",
)
TOO_LARGE = refutation(
    claim_of(
        Scalars(("a", "b")),
        lambda m: (below(0, m.a), equal(m.a * m.b, 1), at_most(m.b, 2)),
        lambda m: (at_most(m.a, 2), at_most(m.b, 2), below(m.a, 4)),
    ),
    "point",
    {"a": "4", "b": "1/4"},
    [{}, {}, {}],
)
UNEQUAL = refutation(
    claim_of(Scalars(("a",)), then=lambda m: (equal(m.a, 1), equal(m.a, m.a * m.a))),
    "point",
    {"a": "0"},
    [],
)
SKEW = refutation(
    claim_of(
        Operators(symmetric=("S",), general=("B",), vectors=("x",), scalars=("c",)),
        lambda m: (below(0, m.c),),
        lambda m: (
            equal(m.inner(m.B @ m.x, m.x), m.c),
            equal(m.B @ m.S, m.S @ m.B),
        ),
    ),
    "point",
    {"S": [["1", "2"], ["2", "3"]], "B": [["0", "1"], ["0", "0"]], "x": ["1", "1"], "c": "2"},
    [{}],
)
PROOF = Case(
    claim_of(
        Scalars(("a", "b")),
        lambda m: (below(0, m.a), equal(m.a * m.b, 1), at_most(m.b, 2), equal(m.b, m.b)),
        lambda m: (equal(m.a * m.b * m.b, m.b), equal(m.b * m.b * m.a * m.a, 1)),
    ),
    {
        "kind": "identity",
        "point": {"a": "1", "b": "1"},
        "steps": [
            {"positive": [], "cofactors": [{"given": "1", "polynomial": [["1", {"b": "1"}]]}]},
            {
                "positive": ["0"],  # times a: a (a^2 b^2 - 1) = (a^2 b + a)(a b - 1)
                "cofactors": [
                    {"given": "1", "polynomial": [["1", {"a": "2", "b": "1"}], ["1", {"a": "1"}]]}
                ],
            },
        ],
    },
    Verdict.PROVED,
)
WORDS = Case(
    claim_of(
        Operators(symmetric=("S",), general=("B",), vectors=("x",)),
        then=lambda m: (
            equal(m.inner(m.B @ m.x, m.S @ m.x), m.inner(m.x, m.S @ m.B @ m.x)),
            equal((m.S @ m.B).T, m.B.T @ m.S),
        ),
    ),
    {"kind": "identity"},
    Verdict.PROVED,
)
CASES = {
    "stable": STABLE,
    "unstable": UNSTABLE,
    "too_large": TOO_LARGE,
    "unequal": UNEQUAL,
    "skew": SKEW,
    "proof": PROOF,
    "words": WORDS,
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_certificate_that_every_forgery_starts_from_is_accepted(case):
    assert replay(case.certificate, case.claim).verdict is case.verdict


def put(*path_and_value) -> Callable[[dict[str, Any]], None]:
    """Replace what lies at a path; a last step past the end of a list appends."""
    *path, last, value = path_and_value

    def forge(certificate):
        place = certificate
        for step in path:
            place = place[step]
        if isinstance(place, list) and last == len(place):
            place.append(value)
        else:
            place[last] = value

    return forge


def drop(*path) -> Callable[[dict[str, Any]], None]:
    *front, last = path

    def forge(certificate):
        place = certificate
        for step in front:
            place = place[step]
        del place[last]

    return forge


W, P = "witness", "point"
MANY = ["0"] * (MAX_DIMENSION + 1)
STEP, COFACTOR = ("steps", 0), ("steps", 0, "cofactors", 0)
TERM = (*COFACTOR, "polynomial", 0)

FORGERIES = [
    # the head
    (STABLE, drop("format"), "certificate: expected the keys claim, format, kind"),
    (STABLE, drop("claim"), "certificate: expected the keys claim, format, kind"),
    (STABLE, drop("kind"), "certificate: expected the keys claim, format, kind"),
    (STABLE, put("format", "flatproof-certificate-2"), "format: expected"),
    (STABLE, put("claim", fingerprint(PROOF.claim)), "claim: .*hash of another statement"),
    (STABLE, put("claim", None), "claim: .*hash of another statement"),
    (
        STABLE,
        put("kind", "magic"),
        "kind: expected one of point, family, piecewise, identity, proof",
    ),
    (STABLE, put("kind", []), "kind: expected one of point, family, piecewise, identity, proof"),
    (STABLE, put("kind", "point"), "kind: does not fit"),
    (STABLE, put("kind", "identity"), "kind: does not fit"),
    (TOO_LARGE, put("kind", "family"), "kind: does not fit"),
    (SKEW, put("kind", "family"), "kind: does not fit"),
    # a witness
    (STABLE, put("path", "/"), "certificate: expected the keys"),
    (STABLE, drop("given"), "certificate: expected the keys"),
    (STABLE, put(W, []), "witness: expected an object"),
    (STABLE, put(W, "factors", {}), r"witness\['factors'\]: expected a list"),
    (STABLE, put(W, "factors", []), "witness: factors: got"),
    (STABLE, put(W, "factors", [[["1", "0"]]] * (MAX_SAMPLES + 1)), "list of at most 64"),
    (STABLE, put(W, "factors", 0, []), "rows of equal length"),
    (STABLE, put(W, "factors", 0, 0, []), "witness: factors: got unequal or zero widths"),
    (STABLE, put(W, "factors", 0, 1, ["1"]), "rows of equal length"),
    (STABLE, put(W, "factors", 0, [["1"]]), "witness: factors: got unequal"),
    (STABLE, put(W, "factors", 0, 0, MANY), "list of at most 12"),
    (STABLE, put(W, "factors", 0, [["0", "0"]] * 13), "list of at most 12"),
    (STABLE, put(W, "factors", 0, 0, 0, 1), "numbers are strings"),
    (STABLE, put(W, "factors", 0, 0, 0, "2/4"), "not in lowest terms"),
    (STABLE, drop(W, "eta"), "witness: point: got"),
    (STABLE, put(W, "nu", "1"), "witness: point: got"),
    (STABLE, put(W, "nu\n", "x"), r"witness\['nu\\n'\]: numbers are strings"),
    (STABLE, put(W, "eta", "-1"), "witness: eta: negative"),
    (STABLE, put(W, "weights", ["1", "0"]), "witness: weights"),
    (STABLE, put(W, "weights", ["3", "-1"]), "witness: weights"),
    (STABLE, put(W, "weights", ["1"]), "witness: weights"),
    (STABLE, put(W, "weights", "1"), r"witness\['weights'\]: expected a list"),
    (STABLE, put(W, "weights", ["1"] * (MAX_SAMPLES + 1)), "list of at most 64"),
    (SKEW, put(W, "S", 0, 1, "1"), "witness: .*: declared symmetric, and is not"),
    (SKEW, put(W, "S", [["1", "2"]]), "witness: .*: declared symmetric, and is not"),
    (SKEW, put(W, "B", "1"), r"witness\['B'\]: expected a list"),
    (SKEW, put(W, "x", "1"), r"witness\['x'\]: expected a list"),
    (SKEW, put(W, "x", ["1"]), "cannot be evaluated for this certificate: ValueError"),
    (SKEW, put(W, "weights", ["1"]), r"witness\['weights'\]: numbers are strings"),
    (SKEW, put(W, "factors", []), "witness: point: got"),
    # its hypotheses
    (STABLE, put("given", {}), "given: expected a list"),
    (STABLE, drop("given", 3), "given: the claim has 4 hypotheses, not 3"),
    (STABLE, put("given", 4, {}), "given: the claim has 4 hypotheses, not 5"),
    (STABLE, put("given", 0, []), r"given\[0\]: expected an object"),
    (STABLE, put("given", 0, {}), r"given\[0\]: expected the keys lyapunov"),
    (STABLE, put("given", 0, "trust", "me"), r"given\[0\]: expected the keys lyapunov"),
    (STABLE, put("given", 0, "lyapunov", []), "symmetric 2 by 2"),
    (STABLE, put("given", 0, "lyapunov", [["2"]]), "symmetric 2 by 2"),
    (STABLE, put("given", 0, "lyapunov", 0, 1, "0"), "symmetric 2 by 2"),
    (STABLE, put("given", 0, "lyapunov", [["1", "1"], ["1", "1"]]), "not positive definite"),
    (STABLE, put("given", 0, "lyapunov", [["-2", "1"], ["1", "-2"]]), "not positive definite"),
    (STABLE, put("given", 0, "lyapunov", [["1", "2"], ["2", "1"]]), "not positive definite"),
    (STABLE, put(W, "factors", [[["1", "0"]], [["0", "2"]]]), r"given\[0\].*not decreased"),
    (STABLE, put("given", 1, []), r"given\[1\]: expected an object"),
    (STABLE, put("given", 1, "trust", "me"), r"given\[1\]: expected the keys \(none\)"),
    (STABLE, put(W, "eta", "0"), r"given\[0\]"),
    (STABLE, put(W, "eta", "1/2"), r"given\[2\]: the hypothesis does not hold"),
    (TOO_LARGE, put(W, {"a": "0", "b": "1/4"}), r"given\[0\]: the hypothesis does not hold"),
    (TOO_LARGE, put(W, {"a": "4", "b": "1/5"}), r"given\[1\]: the hypothesis does not hold"),
    (TOO_LARGE, put(W, {"a": "1/4", "b": "4"}), r"given\[2\]: the hypothesis does not hold"),
    (SKEW, put(W, "c", "0"), r"given\[0\]: the hypothesis does not hold"),
    # its conclusion
    (STABLE, put("then", []), "then: expected an object"),
    (STABLE, drop("then", "atom"), "then.atom: numbers are strings"),
    (STABLE, put("then", "atom", "2"), "then.atom: expected an integer from 0 to 1"),
    (STABLE, put("then", "atom", "-1"), "then.atom: expected an integer from 0 to 1"),
    (STABLE, put("then", "atom", "1/2"), "then.atom: expected an integer from 0 to 1"),
    (STABLE, put("then", "atom", 0), "then.atom: numbers are strings"),
    (STABLE, drop("then", "vector"), "then: expected the keys atom, vector"),
    (STABLE, put("then", "trust", "me"), "then: expected the keys atom, vector"),
    (STABLE, put("then", "vector", 2, "0"), "then.vector: needs 2 entries"),
    (STABLE, put("then", "vector", ["1"]), "then.vector: needs 2 entries"),
    (STABLE, put("then", "vector", MANY), "then.vector: expected a list of at most 12"),
    (STABLE, put("then", "vector", ["0", "0"]), "then.vector: does not violate"),
    (STABLE, put("then", "atom", "1"), "then.vector: does not violate"),
    (UNSTABLE, drop("then", "factor"), "then: expected the keys atom, factor, growth"),
    (UNSTABLE, put("then", "trust", "me"), "then: expected the keys atom, factor, growth"),
    (UNSTABLE, put("then", "growth", [["1"]]), "then.growth: needs a symmetric 2 by 2"),
    (UNSTABLE, put("then", "growth", 0, 1, "1"), "then.growth: needs a symmetric 2 by 2"),
    (UNSTABLE, put("then", "growth", 1, 1, "0"), "then.growth: must be PSD and not zero"),
    (UNSTABLE, put("then", "growth", 0, 0, "-1"), "then.growth: must be PSD and not zero"),
    (UNSTABLE, put("then", "factor", "1"), "then.factor: must exceed the claimed 1"),
    (UNSTABLE, put("then", "factor", "-5"), "then.factor: must exceed the claimed 1"),
    (UNSTABLE, put("then", "factor", "5.0"), "then.factor: numbers are strings"),
    (UNSTABLE, put("then", "factor", "5001/1000"), "then.growth: does not grow"),
    (UNSTABLE, put("then", "growth", 0, 0, "1"), "then.growth: does not grow"),
    (TOO_LARGE, put("then", "trust", "me"), "then: expected the keys atom"),
    (TOO_LARGE, put("then", "atom", "1"), "then: the conclusion holds at the witness"),
    (UNEQUAL, put("then", "trust", "me"), "then: expected the keys atom"),
    (UNEQUAL, put("then", "atom", "1"), "then: the conclusion holds at the witness"),
    # identities
    (WORDS, put("steps", []), "certificate: expected the keys claim, format, kind"),
    (PROOF, put("trust", "me"), "certificate: expected the keys"),
    (PROOF, drop("point"), "certificate: expected the keys"),
    (PROOF, put(P, []), "point: expected an object"),
    (PROOF, put(P, {"a": "1"}), "point: point: got"),
    (PROOF, put(P, {"a": "-1", "b": "-1"}), "point: hypothesis 0 does not hold there"),
    (PROOF, put(P, {"a": "1", "b": "2"}), "point: hypothesis 1 does not hold there"),
    (PROOF, put(P, {"a": "1/3", "b": "3"}), "point: hypothesis 2 does not hold there"),
    (PROOF, put("steps", {}), "steps: expected a list"),
    (PROOF, drop("steps", 1), "steps: the claim has 2 conclusions, not 1"),
    (PROOF, put("steps", 2, {}), "steps: the claim has 2 conclusions, not 3"),
    (PROOF, put(*STEP, []), r"steps\[0\]: expected an object"),
    (PROOF, put(*STEP, "trust", "me"), r"steps\[0\]: expected the keys cofactors, positive"),
    (PROOF, put(*STEP, "positive", "0"), r"steps\[0\].positive: expected a list"),
    (PROOF, put(*STEP, "positive", ["0"] * 5), "positive: expected a list of at most 4"),
    (PROOF, put(*STEP, "positive", ["4"]), "positive: expected an integer from 0 to 3"),
    (PROOF, put(*STEP, "positive", ["2"]), "hypothesis 2 is not a strict inequality"),
    (PROOF, put(*STEP, "positive", ["3"]), "hypothesis 3 is not a strict inequality"),
    (PROOF, put(*STEP, "positive", ["0"]), r"steps\[0\]: the expansion is not zero"),
    (PROOF, put(*STEP, "cofactors", {}), r"steps\[0\].cofactors: expected a list"),
    (PROOF, put(*STEP, "cofactors", [{}] * (MAX_TERMS + 1)), "expected a list of at most 4096"),
    (PROOF, put(*STEP, "cofactors", []), r"steps\[0\]: the expansion is not zero"),
    (PROOF, put(*COFACTOR, []), "cofactors: expected an object"),
    (PROOF, put(*COFACTOR, "trust", "me"), "cofactors: expected the keys given, polynomial"),
    (PROOF, put(*COFACTOR, "given", "4"), "given: expected an integer from 0 to 3"),
    (PROOF, put(*COFACTOR, "given", "0"), "hypothesis 0 is not an equality"),
    (PROOF, put(*COFACTOR, "given", "2"), "hypothesis 2 is not an equality"),
    (PROOF, put(*COFACTOR, "given", "3"), r"steps\[0\]: the expansion is not zero"),
    (PROOF, put(*COFACTOR, "polynomial", {}), "polynomial: expected a list"),
    (PROOF, put(*COFACTOR, "polynomial", [[]] * (MAX_TERMS + 1)), "a list of at most 4096"),
    (PROOF, put(*TERM, {}), "polynomial: expected a list of at most 2"),
    (PROOF, put(*TERM, 2, {}), "polynomial: expected a list of at most 2"),
    (PROOF, drop(*TERM, 1), "a term is a coefficient and its powers"),
    (PROOF, put(*TERM, 1, []), "polynomial: expected an object"),
    (PROOF, put(*TERM, 1, "b", "-1"), "polynomial: expected an integer from 0 to 15"),
    (PROOF, put(*TERM, 1, "b", str(MAX_POWER + 1)), "polynomial: expected an integer from 0 to 15"),
    (PROOF, put(*TERM, 1, "b", "2"), r"steps\[0\]: the expansion is not zero"),
    (PROOF, put(*TERM, 0, "-1"), r"steps\[0\]: the expansion is not zero"),
    (PROOF, put(*TERM, 0, "1001/1000"), r"steps\[0\]: the expansion is not zero"),
    (PROOF, put("steps", 1, "positive", []), r"steps\[1\]: the expansion is not zero"),
    (PROOF, put("steps", 1, "positive", ["2"]), r"steps\[1\].positive: hypothesis 2 is not"),
]


@pytest.mark.parametrize(("case", "forge", "message"), FORGERIES)
def test_a_forgery_is_rejected_at_its_place(case, forge, message):
    certificate = case.certificate
    forge(certificate)
    assert certificate != case.certificate
    with pytest.raises(Rejected, match=message):
        replay(certificate, case.claim)


# --- numbers on the edge --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "change"),
    [
        (UNSTABLE, put("then", "factor", "1001/1000")),  # between the bound and the true radius
        (UNSTABLE, put("then", "growth", 1, 1, "1/1000")),  # any scale of the same direction
        (STABLE, put("then", "vector", ["1", "9/10"])),
        (STABLE, put("given", 0, "lyapunov", [["1", "0"], ["0", "1"]])),
        (STABLE, drop(W, "weights")),  # equal weights go without saying
        (STABLE, put(W, "weights", ["7", "7"])),  # and are relative
        (TOO_LARGE, put("then", "atom", "2")),  # strict: equality refutes
        (PROOF, put(*STEP, "cofactors", 1, {"given": "3", "polynomial": [["5", {"z": "1"}]]})),
        (PROOF, put(*COFACTOR, "polynomial", [["1/2", {"b": "1"}]] * 2)),  # terms add up
        (PROOF, put(*TERM, 1, "a", "0")),
        (PROOF, put(P, {"a": "1/2", "b": "2"})),  # a hypothesis met with equality
    ],
)
def test_another_way_to_show_the_same_is_accepted(case, change):
    certificate = case.certificate
    change(certificate)
    assert replay(certificate, case.claim).verdict is case.verdict


def stable_line(eta: str, lyapunov: Any) -> tuple[dict[str, Any], Claim]:
    claim = claim_of(
        Family(("eta",)), lambda m: (mean_square_stable(m.T),), lambda m: (at_most(m.eta, 0),)
    )
    case = refutation(claim, "family", {"factors": [[["1"]]], "eta": eta}, [{"lyapunov": lyapunov}])
    return case.certificate, claim


def test_a_strict_hypothesis_multiplies_by_the_gap_between_its_sides():
    """From b < 3 and (3 - b) a = 0 follows a = 0."""
    given = lambda m: (below(m.b, 3), equal((3 - m.b) * m.a, 0))  # noqa: E731
    claim = claim_of(Scalars(("a", "b")), given, lambda m: (equal(m.a, 0),))
    step = {"positive": ["0"], "cofactors": [{"given": "1", "polynomial": [["1", {}]]}]}
    body = {"kind": "identity", "point": {"a": "0", "b": "2"}, "steps": [step]}
    assert replay(Case(claim, body, Verdict.PROVED).certificate, claim).verdict is Verdict.PROVED


def test_a_lyapunov_matrix_that_only_just_does_not_grow_is_accepted():
    """At eta = 2 the step is -1 and P - T(P) = 0."""
    assert replay(*stable_line("2", [["1"]])).verdict is Verdict.REFUTED
    above = str(2 + Fraction(1, 10 ** (MAX_DIGITS - 2)))
    with pytest.raises(Rejected, match="not decreased"):
        replay(*stable_line(above, [["1"]]))


def test_a_family_that_never_moves_needs_an_empty_lyapunov_matrix():
    claim = claim_of(
        Family(("eta",)), lambda m: (mean_square_stable(m.T),), lambda m: (at_most(m.eta, 0),)
    )
    still = {"factors": [[["0", "0"]]], "eta": "1"}
    case = refutation(claim, "family", still, [{"lyapunov": []}])
    assert replay(case.certificate, claim).verdict is Verdict.REFUTED
    case = refutation(claim, "family", still, [{"lyapunov": [["1", "0"], ["0", "1"]]}])
    with pytest.raises(Rejected, match="symmetric 0 by 0"):
        replay(case.certificate, claim)


def test_a_family_that_never_moves_does_not_grow():
    still = {"factors": [[["0", "0"]]], "eta": "1"}
    for growth in ([], [["1", "0"], ["0", "1"]]):
        case = refutation(UNSTABLE.claim, "family", still, [], growth=growth, factor="2")
        with pytest.raises(Rejected, match=r"then\.growth"):
            replay(case.certificate, UNSTABLE.claim)


def test_the_quotient_carries_the_coordinates_of_both_radius_certificates():
    """Both samples lie along (1, 1): there is one moving direction and it has one coordinate."""
    factors = [[["1", "1"]], [["2", "2"]]]  # A is 2 or 8 along it
    stable = claim_of(
        Family(("eta",)), lambda m: (mean_square_stable(m.T),), lambda m: (at_most(m.eta, 0),)
    )
    witness = {"factors": factors, "eta": "1/8"}
    case = refutation(stable, "family", witness, [{"lyapunov": [["3"]]}])
    assert replay(case.certificate, stable).verdict is Verdict.REFUTED
    witness = {"factors": factors, "eta": "1"}  # (1 - 2)^2 and (1 - 8)^2: mean 25
    for factor, accepted in (("25", True), ("2501/100", False)):
        case = refutation(UNSTABLE.claim, "family", witness, [], growth=[["1"]], factor=factor)
        if accepted:
            assert replay(case.certificate, UNSTABLE.claim).violation == 24
        else:
            with pytest.raises(Rejected, match="does not grow"):
                replay(case.certificate, UNSTABLE.claim)


@pytest.mark.parametrize(
    ("case", "violation"),
    [
        (STABLE, Fraction(1)),  # H = I/2 at (1, 0) where I/4 is claimed
        (UNSTABLE, Fraction(4)),
        (TOO_LARGE, Fraction(1)),
        (UNEQUAL, Fraction(1)),
    ],
)
def test_the_violation_is_relative_to_what_is_claimed(case, violation):
    assert replay(case.certificate, case.claim).violation == violation


def test_a_violation_of_a_side_that_is_not_positive_is_not_a_percentage():
    claim = claim_of(Scalars(("a",)), then=lambda m: (at_most(m.a, 0), at_most(m.a, -2)))
    for atom, violation in (("0", None), ("1", None)):
        certificate = refutation(claim, "point", {"a": "3"}, []).certificate
        certificate["then"]["atom"] = atom
        assert replay(certificate, claim).violation == violation


def test_a_violation_between_two_constants_is_exact_too():
    claim = claim_of(Scalars(("a",)), then=lambda m: (at_most(2, 1),))
    shown = replay(refutation(claim, "point", {"a": "3"}, []).certificate, claim)
    assert isinstance(shown.violation, Fraction) and shown.violation == 1


def test_matrices_that_differ_refute_their_equality_without_a_size():
    certificate = SKEW.certificate
    certificate["then"]["atom"] = "1"
    shown = replay(certificate, SKEW.claim)
    assert (shown.verdict, shown.violation) == (Verdict.REFUTED, None)


# --- what must never be shown ---------------------------------------------------------------------


def test_no_certificate_proves_a_false_equality():
    """a b^2 = 2 b follows from nothing here; neither the true proof nor more hypotheses help."""
    then = lambda m: (equal(m.a * m.b**2, 2 * m.b),)  # noqa: E731
    false = claim_of(PROOF.claim.domain, PROOF.claim.given, then)
    for step in PROOF.body["steps"]:
        certificate = Case(false, PROOF.body | {"steps": [step]}, Verdict.PROVED).certificate
        with pytest.raises(Rejected, match="expansion is not zero"):
            replay(certificate, false)


def test_no_certificate_proves_a_vacuous_claim():
    """From a < 0 < a everything follows, and no point meets it."""
    given = lambda m: (below(0, m.a), below(m.a, 0), equal(m.a, 0))  # noqa: E731
    claim = claim_of(Scalars(("a",)), given, lambda m: (equal(m.a, 0),))
    step = {"positive": [], "cofactors": [{"given": "2", "polynomial": [["1", {}]]}]}
    for a in ("-1", "0", "1"):
        body = {"kind": "identity", "point": {"a": a}, "steps": [step]}
        with pytest.raises(Rejected, match="point: hypothesis"):
            replay(Case(claim, body, Verdict.PROVED).certificate, claim)


@pytest.mark.parametrize(
    "then",
    [
        lambda m: (),
        lambda m: (at_most(m.a, m.a),),
        lambda m: (equal(m.a * m.b * m.b, m.b), below(m.a, m.a + 1)),
    ],
    ids=["nothing", "an inequality", "one of two"],
)
def test_expansion_proves_equalities_and_at_least_one(then):
    claim = claim_of(PROOF.claim.domain, PROOF.claim.given, then)
    with pytest.raises(Rejected, match="expansion proves equalities only"):
        replay(Case(claim, PROOF.body, Verdict.PROVED).certificate, claim)


@pytest.mark.parametrize(
    "conclusion",
    [
        lambda m: equal(m.inner(m.B @ m.x, m.x), m.inner(m.x, m.S @ m.x)),
        lambda m: equal(m.inner(m.B @ m.x, m.S @ m.x), m.inner(m.x, m.B @ m.S @ m.x)),
        lambda m: equal(m.S @ m.B, m.B @ m.S),
        lambda m: equal(m.B, m.B.T),
        lambda m: equal(2 * m.B, m.B),
    ],
)
def test_a_false_identity_between_operators_does_not_expand_to_zero(conclusion):
    claim = claim_of(WORDS.claim.domain, then=lambda m: (WORDS.claim.then(m)[0], conclusion(m)))
    with pytest.raises(Rejected, match="expansion of lhs - rhs is not zero"):
        replay(Case(claim, WORDS.body, Verdict.PROVED).certificate, claim)


def test_hypotheses_between_operators_prove_nothing_yet():
    claim = claim_of(WORDS.claim.domain, lambda m: (equal(m.B, m.B),), WORDS.claim.then)
    with pytest.raises(Rejected, match="hypotheses between operators"):
        replay(Case(claim, WORDS.body, Verdict.PROVED).certificate, claim)


@pytest.mark.parametrize(
    "false", ["one_step_necessary", "second_moment_bound", "third_moment_order"]
)
def test_a_refutation_does_not_carry_over_to_the_claim_that_repairs_it(false):
    """The certificate is bound to the true claim anew, so that the hash decides nothing."""
    repaired = library.entry(library.entry(false).claim.repaired_by)
    (path,) = library.entry(false).certificates
    certificate = json.loads(path.read_text()) | {"claim": fingerprint(repaired.claim)}
    size = len(certificate["given"])
    wanted = len(repaired.claim.given(repaired.claim.domain.exact(certificate["witness"])))
    certificate["given"] = certificate["given"][: min(size, wanted)]
    for then in (certificate["then"], {"atom": "0"}, {"atom": "0", "vector": ["0", "1"]}):
        with pytest.raises(Rejected, match="then"):
            replay(certificate | {"then": then}, repaired.claim)


@pytest.mark.parametrize(
    ("key", "witness", "given"),
    [
        (
            "sharpness_bound",  # A = 0 or 1/10, the step is 1 or -1, and a (1 + rho a) eta = 11/2
            {"factors": [[["0"]], [["1"]]], "eta": "20", "rho": "-9/10"},
            [{"lyapunov": [["1"]]}],
        ),
        (
            "usam_linear_rate",  # A = -1
            {"factors": [[["1"]]], "eta": "3", "rho": "-2", "kappa": "1/2", "c": "3"}
            | dict.fromkeys(("alpha", "beta", "lam"), "1"),
            [{}] * 7,
        ),
    ],
)
def test_a_negative_radius_refutes_no_claim_about_climbing(key, witness, given):
    """Every hypothesis that is written down holds there and the conclusion fails."""
    claim = library.entry(key).claim
    model = claim.domain.exact(witness)
    assert all(map(holds, claim.given(model))) and not all(map(holds, claim.then(model)))
    certificate = refutation(claim, "family", witness, given, vector=["1"]).certificate
    with pytest.raises(Rejected, match="negative"):
        replay(certificate, claim)


def test_a_zero_denominator_of_the_claim_is_a_rejection():
    claim = library.entry("sharpness_bound").claim
    claim = replace(claim, given=lambda m: (), then=lambda m: (at_most(1 / m.rho, 0),))
    witness = {"factors": [[["1"]]], "eta": "1", "rho": "0"}
    certificate = refutation(claim, "family", witness, [], vector=["1"]).certificate
    with pytest.raises(Rejected, match="cannot be evaluated for this certificate: ZeroDivision"):
        replay(certificate, claim)


@pytest.mark.parametrize(
    ("order", "rows", "accepted"),
    [
        (lambda m: loewner(0 * m.B, m.B), [["-1", "1"], ["1", "0"]], True),
        (lambda m: loewner(0 * m.B, m.B), [["-1", "1"], ["0", "0"]], False),
        (lambda m: loewner(m.B, m.B.T - m.B @ m.B.T), [["1", "1"], ["0", "1"]], False),
    ],
)
def test_only_an_order_between_symmetric_matrices_is_refuted(order, rows, accepted):
    """At (1, 0) each of them is violated."""
    claim = claim_of(Operators(general=("B",)), then=lambda m: (order(m),))
    case = refutation(claim, "point", {"B": rows}, [], vector=["1", "0"])
    if accepted:
        assert replay(case.certificate, claim).verdict is Verdict.REFUTED
    else:
        with pytest.raises(Rejected, match="symmetric matrices only"):
            replay(case.certificate, claim)


def test_a_radius_of_steps_that_are_not_symmetric_is_not_decided():
    """The Jordan block has radius one and grows: no certificate may rest on it."""
    jordan = SecondMoment([Fraction(1)], [Matrix([[1, 1], [0, 1]])])
    with pytest.raises(ValueError, match="symmetric"):
        holds(mean_square_stable(jordan))
    given = lambda m: (mean_square_stable(jordan),)  # noqa: E731
    claim = claim_of(Scalars(("a",)), given, lambda m: (at_most(m.a, 0),))
    case = refutation(claim, "point", {"a": "1"}, [{"lyapunov": [["1"]]}])
    with pytest.raises(Rejected, match="symmetric step matrices"):
        replay(case.certificate, claim)


# --- truth without help ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("atom", "truth"),
    [
        (at_most(1, 1), True),
        (at_most(Fraction(10**9 + 1, 10**9), 1), False),
        (below(1, 1), False),
        (below(Fraction(10**9 - 1, 10**9), 1), True),
        (equal(Fraction(1, 3), Fraction(1, 3)), True),
        (equal(Fraction(1, 3), Fraction(33333, 100000)), False),
        (equal(Matrix([[1, 2]]), Matrix([[1, 2]])), True),
        (equal(Matrix([[1, 2]]), Matrix([[1, 3]])), False),
        (loewner(Matrix([[1, 0], [0, 1]]), Matrix([[2, 1], [1, 2]])), True),  # singular difference
        (loewner(Matrix([[1, 0], [0, 1]]), Matrix([[2, 1], [1, 1]])), False),
        (mean_square_stable(SecondMoment([Fraction(1)], [Matrix([[-1]])])), True),
        (mean_square_stable(SecondMoment([Fraction(1)], [Matrix([[Fraction(-9, 8)]])])), False),
    ],
)
def test_an_atom_holds_exactly_when_it_is_true(atom, truth):
    assert holds(atom) is truth

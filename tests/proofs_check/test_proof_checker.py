"""What replays as a proof is true: forged proofs of false statements, each guard, and bounded work."""

from __future__ import annotations

import copy
import json
import random
import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from proofs_check.checker import FORMAT, Rejected, Replayed, holds, replay
from proofs_check.checker.work import SHORT, Work, bits
from proofs_check.search.proof import prove
from theory.atoms import at_most, below, equal, loewner, mean_square_stable
from theory.core import Claim, Conventions, Kind, Source, Verdict
from theory.domains import Family, Operators, Scalars
from theory.exact import Polynomial, SecondMoment
from theory.fingerprint import fingerprint

SOON = 2.0  # seconds; the slowest refusal takes about one on a busy machine

Spec = dict[str, Any]
Certificate = dict[str, Any]
OPPOSITE: Spec = {"opposite": "of what is shown"}
SAMPLE: Spec = {"sample": "h_i"}
ONE: list[Any] = [["1", {}]]
FAMILY = Family(())
LINE: dict[str, Any] = {"factors": [[["1"]]]}
SIX = random.Random(6)


def claim_of(
    domain: Any, given: Any = lambda m: (), then: Any = lambda m: (), lemmas: Any = None
) -> Claim:
    return Claim(
        title="A claim",
        statement="made for these tests",
        source=Source("other", "nobody", "our own"),
        kind=Kind.UPPER_BOUND,
        conventions=Conventions(),
        domain=domain,
        given=given,
        then=then,
        lemmas=lemmas,
        tightest={},
    )


def product(*factors: Spec, times: str = "1") -> Spec:
    return {"times": times, "factors": list(factors)}


def part(*terms: Spec, zeros: Any = ()) -> Spec:
    return {"terms": list(terms), "zeros": list(zeros)}


def form(*psd: Spec, at: Any = ((ONE, ["v"]),)) -> Spec:
    return {"form": {"psd": list(psd), "at": [list(pair) for pair in at]}}


def certificate(claim: Claim, *steps: list[Spec], point: Any = LINE) -> Certificate:
    head = {"format": FORMAT, "claim": fingerprint(claim), "kind": "proof"}
    return copy.deepcopy({**head, "point": point, "steps": list(steps)})


def same(*matrices: Any) -> Any:
    """r(T) <= 1 for a step that is not drawn."""
    return mean_square_stable(SecondMoment([1], list(matrices)))


# --- false statements, each with a proof that a weaker checker accepts ------------------------------

TWO = {"factors": [[["1", "0"]], [["0", "1"]]]}
# M = E (v'hHv)(v'hv)^2 may be negative; this name of one number spells the mean of that product.
DOUBLE = "v E(h_i) h_i v)^1 (v h_i v"
NARROW = {"factors": [[["1", "1"]], [["1/10", "-40"]]], "weights": ["1", "1"]}

FALSE = {
    "what bounds e_1'He_1 bounds H": (
        claim_of(FAMILY, lambda m: (at_most(m.corner(m.H), 1),), lambda m: (loewner(m.H, m.I),)),
        part(product({"given": "0"}), product(OPPOSITE)),
        {"factors": [[["1", "0"], ["0", "2"]]]},
        "nothing is known about v",
    ),
    "e_1'He_1 bounds H": (
        claim_of(FAMILY, then=lambda m: (loewner(m.H, m.corner(m.H) * m.I),)),
        part(product(OPPOSITE)),
        {"factors": [[["1", "0"], ["0", "2"]]]},
        "nothing is known about v",
    ),
    "the mean of a product is its square": (
        claim_of(
            FAMILY,
            then=lambda m: (
                at_most(0, m.mean([m.corner(s @ m.H) * m.corner(s) ** 2 for s in m.samples])),
            ),
        ),
        part(product({"square": [["1", {DOUBLE: "1"}]]}), product(OPPOSITE)),
        NARROW,
        "names no number",
    ),
    "every sample is above a number the mean is above": (
        claim_of(
            FAMILY,
            lambda m: (at_most(1, m.corner(m.H)), *(below(0, w) for w in m.weights)),
            lambda m: tuple(at_most(1, m.corner(s)) for s in m.samples),
        ),
        part(
            product({"others": [OPPOSITE]}),
            product({"given": "0"}),
            product({"given": "1"}, OPPOSITE),
        ),
        {"factors": [[["2"]], [["0"]]]},
        "known of the drawn sample only",
    ),
    "the first weight bounds all": (
        claim_of(
            FAMILY,
            lambda m: (loewner(next(iter(m.weights)) * m.I, m.I / 2),),
            lambda m: (at_most(m.mean(m.weights), Fraction(1, 2)),),
        ),
        part(product(form({"given": "0"})), product(OPPOSITE)),
        {"factors": [[["1"]], [["1"]]], "weights": ["1", "9"]},
        "given[0] reads differently",
    ),
    "the first four samples bound all": (
        claim_of(
            FAMILY,
            lambda m: tuple(at_most(m.corner(s), 1) for s in m.samples[:4]),
            lambda m: (at_most(m.corner(m.H), 1),),
        ),
        part(product({"given": "0"}), product(OPPOSITE)),
        {"factors": [[["1"]], [["1"]], [["1"]], [["1"]], [["2"]]]},
        "not subscriptable",
    ),
    "a scalar is a probability because it is named p_i": (
        claim_of(
            Family(("p_i",)),
            then=lambda m: tuple(at_most(m.p_i * m.corner(s), m.corner(m.H)) for s in m.samples),
        ),
        part(product({"others": [form(SAMPLE)]}), product(OPPOSITE)),
        {**LINE, "p_i": "5"},
        "any name but",
    ),
    "a vector is a unit vector because it is named v": (
        claim_of(Operators(vectors=("v",)), then=lambda m: (at_most(m.inner(m.v, m.v), 1),)),
        part(product(OPPOSITE)),
        {"v": ["2"]},
        "any name but",
    ),
    "a matrix commutes with its transpose under a trace": (
        claim_of(
            Operators(general=("A",)),
            lambda m: (same((m.A + m.A.T) @ (m.A + m.A.T)),),
            lambda m: (same(2 * (m.A @ m.A.T + m.A.T @ m.A)),),
        ),
        part(product({"stable": {"given": "0", "at": "X"}}), product(OPPOSITE)),
        {"A": [["0", "1"], ["-1", "0"]]},
        "steps are those of families only",
    ),
}


@pytest.mark.parametrize("name", FALSE)
def test_a_false_statement_has_no_proof(name: str) -> None:
    claim, forged, counterexample, message = FALSE[name]
    exact = claim.domain.exact(counterexample)
    assert all(map(holds, claim.given(exact)))
    assert not all(map(holds, claim.then(exact)))
    # The forgery's own point meets the hypotheses: only a guard on the argument is left to refuse.
    with pytest.raises(Rejected) as caught:
        replay(certificate(claim, [forged], point=counterexample), claim)
    assert message in str(caught.value)


# --- true statements -------------------------------------------------------------------------------

VARIANCE = ((ONE, ["h_i", "v"]), ([["-1", {}]], ["E(h_i)", "v"]))  # (h - H) v


def stable_in_mean(m: Any) -> Any:
    q = [m.corner(Phi) for Phi in m.T.steps]
    return (at_most(m.mean([x * x for x in q]), 1),)


def tuple_of_samples(m: Any) -> Any:
    return tuple(
        at_most(w * m.corner(s), m.corner(m.H)) for w, s in zip(m.weights, m.samples, strict=True)
    )


def is_psd(m: Any) -> Any:
    return (loewner(0 * m.A, m.A),)


AT_X = ((ONE, ["x"]),)
TRUE: dict[str, tuple[Claim, list[list[Spec]], Any]] = {
    "variance": (
        claim_of(FAMILY, then=lambda m: (loewner(m.H @ m.H, m.M(2)),)),
        [[part(product(form(at=VARIANCE)), product(OPPOSITE))]],
        LINE,
    ),
    "stable": (
        claim_of(
            Family(("eta",)), lambda m: (mean_square_stable(m.T), at_most(0, m.eta)), stable_in_mean
        ),
        [[part(product({"stable": {"given": "0", "at": "v"}}), product(OPPOSITE))]],
        {**LINE, "eta": "1"},
    ),
    "others": (
        claim_of(FAMILY, then=tuple_of_samples),
        [[part(product({"others": [form(SAMPLE)]}), product(OPPOSITE))]],
        LINE,
    ),
    "trace": (
        claim_of(FAMILY, then=lambda m: (at_most(0, m.trace(m.M(2))),)),
        [[part(product(form(at=((ONE, ["h_i"]),))), product(OPPOSITE))]],
        LINE,
    ),
    "scalar": (
        claim_of(Family(("eta",)), then=lambda m: (at_most(0, m.eta * m.corner(m.H)),)),
        [[part(product({"scalar": "eta"}, form({"mean": [SAMPLE]})), product(OPPOSITE))]],
        {**LINE, "eta": "0"},
    ),
    "equation": (
        claim_of(Scalars(("x", "y")), lambda m: (equal(m.x, m.y),), lambda m: (at_most(m.x, m.y),)),
        [[part(product(OPPOSITE), zeros=[{"given": "0", "polynomial": ONE}])]],
        {"x": "1", "y": "1"},
    ),
    "both": (
        claim_of(
            Scalars(("x",)),
            lambda m: (at_most(m.x, 1), at_most(1, m.x)),
            lambda m: (equal(m.x, 1),),
        ),
        [[part(product(OPPOSITE), product({"given": i})) for i in ("1", "0")]],
        {"x": "1"},
    ),
    "positive": (
        claim_of(Scalars(("x",)), lambda m: (below(0, m.x),), lambda m: (below(0, m.x * m.x),)),
        [[part(product({"given": "0"}, {"given": "0"}), product(OPPOSITE))]],
        {"x": "1"},
    ),
    "powers": (
        claim_of(
            Operators(symmetric=("A",), vectors=("x",)),
            is_psd,
            lambda m: (at_most(0, m.inner(m.x, m.A @ m.A @ m.A @ m.x)),),
        ),
        [[part(product(form(*[{"given": "0"}] * 3, at=AT_X)), product(OPPOSITE))]],
        {"A": [["1"]], "x": ["1"]},
    ),
    "gram": (
        claim_of(
            Operators(vectors=("x", "y")),
            then=lambda m: (at_most(2 * m.inner(m.x, m.y), m.inner(m.x, m.x) + m.inner(m.y, m.y)),),
        ),
        [
            [
                part(
                    product(
                        {
                            "gram": {
                                "matrix": [["1", "-1"], ["-1", "1"]],
                                "of": [[[ONE, ["x"]]], [[ONE, ["y"]]]],
                            }
                        }
                    ),
                    product(OPPOSITE),
                )
            ]
        ],
        {"x": ["1"], "y": ["1"]},
    ),
    "lemma": (
        claim_of(
            FAMILY,
            then=lambda m: (at_most(0, m.corner(m.M(2) @ m.M(2))),),
            lemmas=lambda m: (loewner(0 * m.H, m.M(2)),),
        ),
        [
            [part(product(form(SAMPLE, SAMPLE)), product(OPPOSITE))],
            [part(product(form({"lemma": "0"}, {"lemma": "0"})), product(OPPOSITE))],
        ],
        LINE,
    ),
    # X -> M_2 X + X M_2 as a form is 2 tr X M_2 X, the mean of the square tr (hX)'(hX), twice.
    "form": (
        claim_of(
            FAMILY,
            then=lambda m: (
                loewner(m.form(lambda X: 0 * X), m.form(lambda X: m.M(2) @ X + X @ m.M(2))),
            ),
        ),
        [[part(product(form(at=((ONE, ["h_i", "X"]),)), times="2"), product(OPPOSITE))]],
        LINE,
    ),
}


def accepted(name: str) -> Certificate:
    claim, steps, point = TRUE[name]
    return certificate(claim, *steps, point=point)


@pytest.mark.parametrize("name", TRUE)
def test_a_proof_written_by_hand_is_accepted(name: str) -> None:
    assert replay(accepted(name), TRUE[name][0]).verdict is Verdict.PROVED


def test_the_variance_of_the_curvature_is_what_the_second_moment_exceeds_the_square_by() -> None:
    # E |(h - H)v|^2 = v'E(hh)v - 2 v'HHv + v'HHv: the opposite of the claim is minus that.
    claim = TRUE["variance"][0]
    found = prove(
        replace(claim, squares=lambda m: tuple(s - m.H for s in m.samples), tightest=LINE)
    )
    assert found is not None
    shown = replay(found, claim)
    assert (shown.verdict, shown.rests_on) == (Verdict.PROVED, ())
    # At samples 0 and 2 on a line, equally likely: M_2 - H^2 = 2 - 1, and the reverse is false.
    reverse = claim_of(FAMILY, then=lambda m: (loewner(m.M(2), m.H @ m.H),))
    assert (
        prove(replace(reverse, squares=lambda m: tuple(s - m.H for s in m.samples), tightest=LINE))
        is None
    )


# --- guards ----------------------------------------------------------------------------------------

Change = Callable[[Certificate], Any]


def put(*path: Any, value: Any) -> Change:
    """Set one place of a certificate's first part."""

    def change(body: Certificate) -> None:
        place: Any = body["steps"][0][0]
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value

    return change


FIRST = ("terms", 0, "factors", 0)  # the first factor of the first product
PSD = (*FIRST, "form", "psd")
AT = (*FIRST, "form", "at")

FORGERIES: dict[str, tuple[str, Change, str]] = {
    "a point outside the hypotheses": (
        "equation",
        lambda c: c["point"].update(x="2"),
        "hypothesis 0 does not hold there",
    ),
    "a step too many": (
        "equation",
        lambda c: c["steps"].append([]),
        "1 lemmas and conclusions, not 2",
    ),
    "no steps": ("equation", lambda c: c["steps"].clear(), "not 0"),
    "half of an equality": ("both", lambda c: c["steps"][0].pop(), "needs 2 parts, not 1"),
    "two halves of an inequality": (
        "gram",
        lambda c: c["steps"][0].append(part()),
        "needs 1 parts",
    ),
    "a negative coefficient": ("scalar", put("terms", 0, "times", value="-1"), "must be positive"),
    "a product that counts for nothing": (
        "scalar",
        put("terms", 0, "times", value="0"),
        "must be positive",
    ),
    "half of what is needed": ("scalar", put("terms", 0, "times", value="1/2"), "do not add up"),
    "one product left out": ("scalar", lambda c: c["steps"][0][0]["terms"].pop(0), "do not add up"),
    "nothing at all": ("scalar", put("terms", value=[]), "no product is positive"),
    "a square that cancels": (
        "equation",
        lambda c: c["steps"][0].__setitem__(0, part(product({"square": []}))),
        "no product is positive",
    ),
    "a hypothesis that is no inequality": (
        "equation",
        put(*FIRST, value={"given": "0"}),
        "not an inequality",
    ),
    "an operator as a number": ("powers", put(*FIRST, value={"given": "0"}), "not an inequality"),
    "a hypothesis out of range": ("both", put(*FIRST, value={"given": "2"}), "from 0 to 1"),
    "a lemma before it is shown": ("lemma", put(*FIRST, value={"lemma": "0"}), "from 0 to -1"),
    "a multiple of an inequality": (
        "both",
        put("zeros", value=[{"given": "0", "polynomial": ONE}]),
        "hypothesis 0 is not an equality",
    ),
    "a factor of two keys": ("both", put(*FIRST, "given", value="0"), "a factor has one key"),
    "a factor of no key": ("both", put(*FIRST, value={}), "a factor has one key"),
    "an unknown factor": ("both", put(*FIRST, value={"obviously": "true"}), "no such factor"),
    "an unknown scalar": ("scalar", put(*FIRST, value={"scalar": "rho"}), "no scalar of a family"),
    "a real number as if not negative": (
        "both",
        put(*FIRST, value={"scalar": "x"}),
        "no scalar of a family",
    ),
    "the opposite of something else": (
        "both",
        put(*FIRST, value={"opposite": "1"}),
        "of what is shown",
    ),
    "a square of an odd name": (
        "scalar",
        put(*FIRST, value={"square": [["1", {"h_i": "1"}]]}),
        "names no number",
    ),
    "a root with an odd name": (
        "variance",
        put(*AT, 0, 0, value=[["1", {DOUBLE: "1"}]]),
        "names no number",
    ),
    "operators that do not commute": (
        "variance",
        put(*PSD, value=[SAMPLE, {"mean": [SAMPLE]}]),
        "commute",
    ),
    "an operator of two keys": (
        "variance",
        put(*PSD, value=[{**SAMPLE, "mean": []}]),
        "has one key",
    ),
    "an operator that is not PSD": (
        "variance",
        put(*PSD, value=[{"square": "h_i"}]),
        "not a PSD operator",
    ),
    "the mean of no family": ("powers", put(*PSD, value=[{"mean": []}]), "not a PSD operator"),
    "the sample of no family": ("powers", put(*PSD, value=[SAMPLE]), "not a PSD operator"),
    "X as a PSD operator": ("variance", put(*PSD, value=[{"sample": "X"}]), "not a PSD operator"),
    "a number as an operator": (
        "stable",
        put(*FIRST, value=form({"given": "0"})),
        "not a PSD operator",
    ),
    "a word alone": ("variance", put(*AT, 0, value=[ONE]), "a coefficient and a word"),
    "no words": ("variance", put(*AT, value=[]), "at least one word"),
    "a letter that is a number": ("variance", put(*AT, 0, 1, value=[1]), "letters are strings"),
    "an unknown letter": ("variance", put(*AT, 0, 1, value=["h_j", "v"]), "'h_j' is no letter"),
    "a mean of X": ("variance", put(*AT, 0, 1, value=["E(X)", "v"]), "'E(X)' is no letter"),
    "a vector within a word": ("variance", put(*AT, 0, 1, value=["v", "v"]), "'v' is no letter"),
    "a letter of another domain": ("powers", put(*AT, 0, 1, value=["h_i", "x"]), "no letter"),
    "what is no letter of the model": ("powers", put(*AT, 0, 1, value=["inner"]), "no letter"),
    "a word too long to name": (
        "variance",
        put(*AT, 0, 1, value=["h_i" + "'" * 400, "v"]),
        "no letter",
    ),
    "vectors and operators together": ("variance", put(*AT, 0, 1, value=["h_i"]), "cannot add"),
    "a trace in no family": ("powers", put(*AT, 0, 1, value=["A"]), "traces are of families only"),
    "a trace of two samples": (
        "trace",
        put(*AT, value=[[ONE, ["h_i", "E(h_i h_i)"]]]),
        "two independent samples",
    ),
    "a trace with a random coefficient": (
        "trace",
        put(*AT, 0, 0, value=[["1", {"p_i": "1"}]]),
        "coefficients that are not random",
    ),
    "stability of a number": (
        "both",
        put(*FIRST, value={"stable": {"given": "0", "at": "v"}}),
        "families only",
    ),
    "stability of an inequality": (
        "variance",
        put(*FIRST, value={"stable": {"given": "0", "at": "v"}}),
        "from 0 to -1",
    ),
    "stability of what is known of a number": (
        "stable",
        put(*FIRST, "stable", "given", value="1"),
        "not mean-square stability of symmetric steps",
    ),
    "stability elsewhere": ("stable", put(*FIRST, "stable", "at", value="H"), "at v, I or X"),
    "others in no family": (
        "both",
        put(*FIRST, value={"others": []}),
        "only families have samples",
    ),
    "a Gram matrix of operators": (
        "gram",
        put(*FIRST, "gram", "of", 0, value=[[ONE, []]]),
        "is of vectors",
    ),
    "a Gram matrix that is not PSD": (
        "gram",
        put(*FIRST, "gram", "matrix", 0, 0, value="1/2"),
        "not PSD",
    ),
    "a Gram matrix that is not symmetric": (
        "gram",
        put(*FIRST, "gram", "matrix", 0, 1, value="0"),
        "needs a symmetric 2 by 2 matrix",
    ),
    "a Gram matrix of another size": (
        "gram",
        put(*FIRST, "gram", "of", value=[]),
        "symmetric 0 by 0",
    ),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_one_change_makes_a_proof_a_forgery(name: str) -> None:
    key, change, message = FORGERIES[name]
    body = accepted(key)
    change(body)
    with pytest.raises(Rejected) as caught:
        replay(body, TRUE[key][0])
    assert message in str(caught.value)


UNREAD: dict[str, tuple[Claim, Any, str]] = {
    "nothing": (claim_of(FAMILY), LINE, "it concludes nothing"),
    "an equation between operators": (
        claim_of(FAMILY, then=lambda m: (equal(m.H, m.H),)),
        LINE,
        "equations between operators",
    ),
    "operators compared as numbers": (
        claim_of(Operators(symmetric=("A",)), then=lambda m: (at_most(m.A, m.A),)),
        {"A": [["1"]]},
        "shape operator",
    ),
    "operators compared along a vector of their own": (
        claim_of(Operators(symmetric=("A",)), then=lambda m: (loewner(m.A, m.A),)),
        {"A": [["1"]]},
        "unit vector of families only",
    ),
    "an order of operators that are not symmetric": (
        claim_of(Operators(general=("A",)), then=lambda m: (loewner(0 * m.A, m.A),)),
        {"A": [["1"]]},
        "symmetric operators only",
    ),
    "a form that is not symmetric": (
        claim_of(
            FAMILY,
            then=lambda m: (loewner(m.form(lambda X: 0 * X), m.form(lambda X: m.corner(X) * m.I)),),
        ),
        LINE,
        "then[0] reads differently",
    ),
    "a count of samples": (
        claim_of(FAMILY, then=lambda m: (at_most(len(m.samples) * m.corner(m.H), 0),)),
        LINE,
        "has no len()",
    ),
    "one sample's trace for all": (
        claim_of(FAMILY, then=lambda m: (at_most(0, m.trace(next(iter(m.samples)))),)),
        LINE,
        "then[0] reads differently",
    ),
    "a mean of two draws for one": (
        claim_of(
            FAMILY,
            then=lambda m: (
                at_most(
                    0, m.corner(m.mean([m.mean([s @ t for t in m.samples]) for s in m.samples]))
                ),
            ),
        ),
        LINE,
        "then[0] reads differently",
    ),
    "a statement repeated for each sample": (
        claim_of(FAMILY, then=lambda m: tuple(at_most(0, m.corner(m.H)) for _ in m.samples)),
        LINE,
        "then has atoms",
    ),
    "strictness by the number of samples": (
        claim_of(
            FAMILY,
            then=lambda m: ((below if len([*m.samples]) == 1 else at_most)(0, m.corner(m.I)),),
        ),
        LINE,
        "then[0] reads differently",
    ),
    "one step for a drawn one": (
        claim_of(Family(("eta",)), then=lambda m: (same(m.I - m.eta * m.H),)),
        {**LINE, "eta": "0"},
        "then[0] reads differently",
    ),
    "steps that are not symmetric": (
        claim_of(
            FAMILY,
            then=lambda m: (
                mean_square_stable(SecondMoment(m.weights, [m.I - s @ m.H for s in m.samples])),
            ),
        ),
        LINE,
        "not mean-square stability of symmetric steps",
    ),
    "a radius below one, where fixed directions count": (
        claim_of(
            Family(("eta",)),
            then=lambda m: (mean_square_stable(m.T).altered(Fraction(1, 2)),),
        ),
        {**LINE, "eta": "1"},
        "fixed directions",
    ),
    "a variable named like a letter": (
        claim_of(Family(("X",)), then=lambda m: (at_most(0, m.X),)),
        {**LINE, "X": "1"},
        "any name but h_i, v, X and p_i",
    ),
    "a mean of numbers that are operators' coefficients": (
        claim_of(
            FAMILY,
            then=lambda m: (
                loewner(
                    0 * m.I, m.mean([w * s for w, s in zip(m.weights, m.samples, strict=True)])
                ),
            ),
        ),
        LINE,
        "coefficients that are not random",
    ),
}


@pytest.mark.parametrize("name", UNREAD)
def test_a_claim_that_proofs_do_not_read_as_it_stands_has_none(name: str) -> None:
    claim, point, message = UNREAD[name]
    with pytest.raises(Rejected) as caught:
        replay(certificate(claim, [part(product(OPPOSITE))], point=point), claim)
    assert message in str(caught.value)


def test_a_lemma_about_a_sample_is_averaged_like_any_number() -> None:
    # p_i h_i <= H, times h_i >= 0, on average: E p h^2 <= H^2 on a line, at e_1 in general.
    claim = claim_of(
        FAMILY,
        lemmas=tuple_of_samples,
        then=lambda m: (
            at_most(
                m.mean([w * m.corner(s) ** 2 for w, s in zip(m.weights, m.samples, strict=True)]),
                m.corner(m.H) ** 2,
            ),
        ),
    )
    first = TRUE["others"][1][0]
    then = [part(product({"lemma": "0"}, form(SAMPLE)), product(OPPOSITE))]
    assert replay(certificate(claim, first, then), claim).verdict is Verdict.PROVED


# --- work ------------------------------------------------------------------------------------------


def digits(count: int) -> str:
    """A fraction whose numerator and denominator have about so many digits."""
    while True:
        low, high = 10 ** (count - 1), 10**count
        value = Fraction(SIX.randrange(low, high), SIX.randrange(low, high))
        if value.denominator >= low // 10:
            return str(value)


def variables(count: int, size: int = 1) -> list[Any]:
    """A polynomial of so many terms."""
    return [[digits(size) if size > 1 else "1", {f"z{i}": "1"}] for i in range(count)]


def square(count: int, size: int = 1) -> Spec:
    return {"square": variables(count, size)}


def gram(size: int, count: int) -> Spec:
    rows = [[digits(count) for _ in range(size)] for _ in range(size)]
    matrix = [
        [rows[min(i, j)][max(i, j)] if i != j else str(10 ** (count + 2)) for j in range(size)]
        for i in range(size)
    ]
    return {"gram": {"matrix": matrix, "of": [[[ONE, ["x"]]]] * size}}


def zeros(*polynomials: Any) -> list[Any]:
    return [{"given": "0", "polynomial": value} for value in polynomials]


def power(name: str) -> Spec:
    return {"square": [["1", {name: "15"}]]}


WORDS = [(ONE, ["h_i"] * (k % 12) + ["v"]) for k in range(12)]
TRACES = [(ONE, ["h_i", "X"] * (k % 6) + ["X"]) for k in range(12)]
NESTED = "E(" * 60 + "h_i" + ")" * 60
HOSTILE: dict[str, tuple[str, Spec]] = {
    "long numbers": ("equation", part(zeros=zeros(variables(1100, 390)))),
    "many multiples": ("equation", part(zeros=zeros(*[[v] for v in variables(4000)]))),
    "repeated powers": ("equation", part(zeros=zeros([[digits(390), {}] for _ in range(1100)]))),
    "a sum of unlike fractions": (
        "equation",
        part(*[product(times=digits(390)) for _ in range(1100)]),
    ),
    "a sum of shorter ones": ("equation", part(*[product(times=digits(99)) for _ in range(3500)])),
    "the square of a long sum": ("equation", part(product(square(4096)))),
    "many squares": ("equation", part(*[product(square(50)) for _ in range(300)])),
    "a product of squares": ("equation", part(product(*[square(12, 50)] * 16))),
    "huge powers": ("equation", part(*[product(*[power("x")] * 16) for _ in range(1500)])),
    "large Gram matrices": ("gram", part(*[product(gram(12, 380)) for _ in range(8)])),
    "small Gram matrices": ("gram", part(*[product(gram(12, 3)) for _ in range(300)])),
    "long words": (
        "variance",
        part(*[product(form(*[SAMPLE] * 16, at=WORDS)) for _ in range(500)]),
    ),
    "long traces": ("trace", part(*[product(form(*[SAMPLE] * 16, at=TRACES)) for _ in range(500)])),
    "nested brackets": ("variance", part(product(form(at=[(ONE, [NESTED, "v"])])))),
    "a name of brackets": ("variance", part(product({"square": [["1", {f"v {NESTED} v": "1"}]]}))),
    "many quotes": ("variance", part(product(form(at=[(ONE, ["h_i" + "'" * 500_000, "v"])])))),
    "a name of a megabyte": ("variance", part(product({"square": [["1", {"v " * 400_000: "1"}]]}))),
    "Python code": ("variance", part(product({"square": "__import__('os').system('true')"}))),
    "a number that is not finite": ("variance", part(product(times="1e400"))),
    "a division by zero": ("variance", part(product(times="1/0"))),
    "no number": ("variance", part(product(times="NaN"))),
    "many means": (
        "variance",
        part(*[product(*[form(SAMPLE)] * (k % 16), power("p_i")) for k in range(1000)]),
    ),
}


def decided(body: Certificate, claim: Claim) -> str:
    """The message a certificate is refused with, in good time."""
    assert len(json.dumps(body)) <= 1_100_000
    start = time.perf_counter()
    with pytest.raises(Rejected) as caught:
        replay(body, claim)
    assert time.perf_counter() - start < SOON
    return str(caught.value)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_proof_is_refused_soon(name: str) -> None:
    key, forged = HOSTILE[name]
    claim, _, point = TRUE[key]
    decided(certificate(claim, [forged], point=point), claim)


STABLE = claim_of(
    Family(("eta",)), lambda m: (mean_square_stable(m.T),), lambda m: (at_most(m.eta, 0),)
)


def family(samples: int, size: int, count: int) -> dict[str, Any]:
    rows = [[[digits(count) for _ in range(size)] for _ in range(size)] for _ in range(samples)]
    return {"factors": rows, "weights": ["1"] * samples, "eta": "1/1000000"}


@pytest.mark.parametrize("kind", ["family", "proof"])
@pytest.mark.parametrize(
    "shape",
    [(1, 12, 400), (2, 12, 30), (2, 12, 3), (1, 5, 400), (60, 2, 100), (4, 4, 60), (2, 4, 20)],
)
def test_a_large_family_with_long_numbers_is_decided_soon(
    kind: str, shape: tuple[int, int, int]
) -> None:
    point = family(*shape)
    unit = [[str(int(i == j)) for j in range(shape[1])] for i in range(shape[1])]
    body = certificate(STABLE, point=point)
    if kind == "family":
        help_: dict[str, Any] = {"given": [{"lyapunov": unit}], "then": {"atom": "0"}}
        body = {
            **{k: body[k] for k in ("format", "claim")},
            "kind": kind,
            "witness": point,
            **help_,
        }
    start = time.perf_counter()
    try:
        shown: Replayed | None = replay(body, STABLE)
    except Rejected:
        shown = None
    assert time.perf_counter() - start < SOON
    assert shown is None or shown.verdict is Verdict.REFUTED


def test_a_small_family_with_long_numbers_is_still_a_witness() -> None:
    # Two samples in two dimensions; the largest shipped witness has numbers of two digits.
    point = {**family(2, 2, 12)}
    body = certificate(STABLE, point=point)
    help_ = {"given": [{"lyapunov": [["1", "0"], ["0", "1"]]}], "then": {"atom": "0"}}
    body = {
        **{k: body[k] for k in ("format", "claim")},
        "kind": "family",
        "witness": point,
        **help_,
    }
    assert replay(body, STABLE).verdict is Verdict.REFUTED


def test_long_matrices_beside_a_small_family_are_refused_soon() -> None:
    point = family(1, 6, 1)
    long = [[digits(390)] * 6 for _ in range(6)]
    body = certificate(STABLE, point=point)
    help_ = {"given": [{"lyapunov": long}], "then": {"atom": "0"}}
    body = {
        **{k: body[k] for k in ("format", "claim")},
        "kind": "family",
        "witness": point,
        **help_,
    }
    assert "numbers too long" in decided(body, STABLE)


def test_cofactors_of_an_identity_count_as_work() -> None:
    claim = claim_of(
        Scalars(("x", "y")),
        lambda m: (equal((m.x + m.y) ** 8, 1), below(0, m.x)),
        lambda m: (equal(m.x, 1),),
    )
    body = certificate(claim, point={"x": "1", "y": "0"})
    for cofactors in (zeros(variables(1000, 300)), zeros(*[variables(20) for _ in range(2000)])):
        body |= {"kind": "identity", "steps": [{"positive": [], "cofactors": cofactors}]}
        assert "work: more than" in decided(body, claim)


def test_the_length_of_numbers_is_never_underestimated() -> None:
    values = [Fraction(5, 6), Fraction(-7, 4), Fraction(1, 12)]
    assert bits(values) == (12).bit_length() + (7).bit_length()
    long = [Fraction(1, 3**k) for k in range(200, 1300)]
    assert bits(long) > SHORT  # too long to look for what the denominators share
    assert bits([]) <= 1


def test_work_is_refused_before_it_is_done() -> None:
    x = sum((Polynomial.variable(f"x{i}") for i in range(10)), Polynomial.constant(0))
    work = Work(limit=100)
    work.times(x, x)
    with pytest.raises(Rejected, match="work"):
        work.times(x, Polynomial.constant(1))
    with pytest.raises(Rejected, match="work"):
        Work(limit=100).charge(1, 6_000)  # one operation on numbers of 1800 digits

"""The hash of a claim changes with what it says and with nothing else."""

import os
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace

import pytest

from proofs_check import library
from theory.atoms import at_most, below, equal, loewner, mean_square_stable
from theory.core import Claim, Conventions, Kind, Notion, Source, Tolerance
from theory.domains import Family, Operators, Scalars
from theory.exact import SecondMoment
from theory.fingerprint import fingerprint

SHIPPED = {entry.key: entry.claim for entry in library.entries()}
PERCENT = Fraction(1, 100)
every_claim = pytest.mark.parametrize("claim", SHIPPED.values(), ids=SHIPPED.keys())


def scalars_given(m):
    return below(0, m.a), at_most(m.a, 2), equal(m.a * m.b, 1)


def scalars_then(m):
    return (equal(m.a * m.a * m.b, m.a),)


def claim_of(given, then, domain, **changed) -> Claim:
    fields = {
        "title": "A title",
        "statement": "A statement",
        "source": Source("other", "nobody", "our own"),
        "kind": Kind.UPPER_BOUND,
        "conventions": Conventions(),
        "tightest": {},
    }
    return Claim(domain=domain, given=given, then=then, **(fields | changed))


SCALARS = claim_of(scalars_given, scalars_then, Scalars(("a", "b")))
OPERATORS = claim_of(
    lambda m: (),
    lambda m: (equal(m.inner(m.S @ m.x, m.x), m.inner(m.x, m.S @ m.x)),),
    Operators(symmetric=("S",), general=("B",), vectors=("x",), scalars=("c",)),
)
FAMILY = claim_of(
    lambda m: (mean_square_stable(m.T),),
    lambda m: (loewner(m.eta * m.H, 2 * m.I), at_most(m.eta, m.rho)),
    Family(),
)


def with_given(claim, change):
    return replace(claim, given=lambda m: change(tuple(claim.given(m))))


def with_then(claim, change):
    return replace(claim, then=lambda m: change(tuple(claim.then(m))))


def changing(i, change):
    """One atom changed, counted from the end: a family's samples come first and vary in number."""
    return lambda atoms: (*atoms[: len(atoms) + i], change(atoms[i]), *atoms[len(atoms) + i + 1 :])


def sides(atom):
    return ("lower", "upper") if hasattr(atom, "lower") else ("lhs", "rhs")


def turned(atom):
    """The same two sides the other way round: another inequality, or another spelling."""
    first, second = sides(atom)
    return replace(atom, **{first: getattr(atom, second), second: getattr(atom, first)})


def atoms_of(claim, role):
    """Every atom with its place from the end, on the probe that has the fewest."""
    found = min((getattr(claim, role)(model) for model in claim.domain.generic()), key=len)
    return [(i - len(found), atom) for i, atom in enumerate(found)]


def test_every_shipped_claim_has_a_hash_of_its_own():
    hashes = [fingerprint(claim) for claim in SHIPPED.values()]
    assert len(set(hashes)) == len(hashes)
    assert all(len(h) == 64 and set(h) <= set("0123456789abcdef") for h in hashes)


@every_claim
def test_prose_controls_and_closed_forms_change_nothing(claim):
    reworded = replace(
        claim,
        title="Another title",
        statement="Other words",
        source=Source("P2", "somebody", "quoted"),
        control={"nothing": 1},
        tightest={"nothing": 1},
        formula=lambda m: 0.0,
        exact=lambda m: 0.0,
        observe=lambda lab, m: 0.0,
        looseness=lambda m: 0.0,
        tolerance=Tolerance(1.0, "none"),
        repaired_by="nobody",
        repairs="nothing",
    )
    assert fingerprint(reworded) == fingerprint(claim)


def test_layout_helpers_and_the_order_of_factors_change_nothing():
    def product(u, w):
        return w * u

    def hypotheses(model):
        one = product(model.b, model.a)
        return [below(0, model.a), at_most(model.a, 2), equal(one + model.b - model.b, 1)]

    def conclusion(anything):
        return [equal(product(anything.a, anything.b) * anything.a, anything.a)]

    renamed = claim_of(hypotheses, conclusion, Scalars(("a", "b"), start={"a": (0.1, 1.0)}))
    assert fingerprint(renamed) == fingerprint(SCALARS)


@every_claim
@pytest.mark.parametrize("relative", [PERCENT, -PERCENT])
def test_one_percent_in_any_constant_changes_the_hash(claim, relative):
    hashes = {fingerprint(claim)}
    for role, change in (("given", with_given), ("then", with_then)):
        for i, atom in atoms_of(claim, role):
            if getattr(atom, "rhs", 1) == 0:
                continue  # a percent of nothing
            altered = change(claim, changing(i, lambda atom: atom.altered(relative)))
            assert fingerprint(altered) not in hashes, (role, i)
            hashes.add(fingerprint(altered))


@every_claim
@pytest.mark.parametrize("role", ["given", "then"])
def test_a_missing_doubled_or_turned_atom_changes_the_hash(claim, role):
    change = with_given if role == "given" else with_then
    hashes = {fingerprint(claim)}
    for i, atom in atoms_of(claim, role):
        variants = [
            lambda atoms, i=i: (*atoms[: len(atoms) + i], *atoms[len(atoms) + i + 1 :]),
            lambda atoms, i=i: (*atoms, atoms[i]),
        ]
        if not hasattr(atom, "T") and len({getattr(atom, side) for side in sides(atom)}) == 2:
            variants.append(changing(i, turned))
        if hasattr(atom, "strict"):
            variants.append(changing(i, lambda a: replace(a, strict=not a.strict)))
        for variant in variants:
            assert fingerprint(change(claim, variant)) not in hashes, i


def test_a_hypothesis_is_not_a_conclusion():
    conclusion = claim_of(lambda m: (), scalars_given, Scalars(("a", "b")))
    hypothesis = claim_of(scalars_given, lambda m: (), Scalars(("a", "b")))
    assert fingerprint(conclusion) != fingerprint(hypothesis)


@pytest.mark.parametrize(
    ("then", "changed"),
    [
        (lambda m: (equal(m.a + m.b, 1),), lambda m: (equal(m.a - m.b, 1),)),
        (lambda m: (equal(m.a**2, m.b),), lambda m: (equal(m.a**3, m.b),)),
        (lambda m: (at_most(m.a, m.b),), lambda m: (equal(m.a, m.b),)),
        (lambda m: (at_most(m.a, 1),), lambda m: (at_most(m.b, 1),)),
        (lambda m: (at_most(m.a, 1), at_most(m.b, 1)), lambda m: (at_most(m.a, 1),)),
    ],
)
def test_a_sign_a_power_a_relation_or_a_variable_changes_the_hash(then, changed):
    domain = Scalars(("a", "b"))
    assert fingerprint(claim_of(scalars_given, then, domain)) != fingerprint(
        claim_of(scalars_given, changed, domain)
    )


@pytest.mark.parametrize("claim", [SCALARS, FAMILY, OPERATORS], ids=["scalars", "family", "words"])
@pytest.mark.parametrize(
    "convention",
    [
        {"notion": Notion.MEAN_SQUARE},
        {"notion": Notion.ONE_STEP},
        {"normalised": True},
        {"normalised": False},
        {"ascent": "shared"},
        {"ascent": "per-sample"},
        {"sampler": "full batch"},
        {"bias_correction": "none"},
    ],
    ids=str,
)
def test_every_convention_is_part_of_the_statement(claim, convention):
    other = replace(claim, conventions=replace(claim.conventions, **convention))
    assert fingerprint(other) != fingerprint(claim)


def test_conventions_do_not_run_into_each_other():
    """The same word in two fields makes two statements."""
    one = replace(SCALARS, conventions=Conventions(sampler="x", bias_correction=None))
    two = replace(SCALARS, conventions=Conventions(sampler="None", bias_correction="x"))
    assert fingerprint(one) != fingerprint(two)


@pytest.mark.parametrize(
    ("claim", "domain"),
    [
        (SCALARS, Scalars(("a", "b", "c"))),
        (SCALARS, Scalars(("b", "a"))),
        (FAMILY, Family(("eta", "rho", "lam"))),
        (FAMILY, Family(("rho", "eta"))),
        (OPERATORS, replace(OPERATORS.domain, general=())),
        (OPERATORS, replace(OPERATORS.domain, symmetric=(), general=("B", "S"))),
        (OPERATORS, replace(OPERATORS.domain, vectors=("x", "c"), scalars=())),
    ],
)
def test_the_variables_and_what_they_range_over_are_part_of_the_statement(claim, domain):
    assert fingerprint(replace(claim, domain=domain)) != fingerprint(claim)


def test_the_kind_of_domain_is_part_of_the_statement():
    """Even a conclusion without a variable in it."""
    then = lambda m: (at_most(1, 2),)  # noqa: E731
    domains = (Scalars(("a",)), Family(("a",)), Operators(scalars=("a",)))
    assert len({fingerprint(claim_of(lambda m: (), then, domain)) for domain in domains}) == 3


def test_the_radius_of_another_operator_is_another_statement():
    def other(m):
        return (mean_square_stable(SecondMoment(m.weights, [m.I - A for A in m.A])),)

    assert fingerprint(replace(FAMILY, given=other)) != fingerprint(FAMILY)


@pytest.mark.parametrize(
    ("domain", "then"),
    [
        (Family(), lambda m: (at_most(m.eta * 0.5, m.rho),)),
        (Family(), lambda m: (at_most(m.eta, m.rho**0.5),)),
        (Family(), lambda m: (loewner(m.H, 0.5 * m.I),)),
        (Family(), lambda m: (equal(m.eta, 0.5),)),
        (Scalars(("a",)), lambda m: (at_most(m.a, 0.5),)),
        (Scalars(("a",)), lambda m: (at_most(m.a * 0.5, 1),)),
        (Operators(general=("B",)), lambda m: (equal(m.B * 0.5, m.B),)),
        (Operators(general=("B",)), lambda m: (equal(m.B / 0.5, m.B),)),
    ],
)
def test_a_float_has_no_exact_reading(domain, then):
    with pytest.raises(TypeError):
        fingerprint(claim_of(lambda m: (), then, domain))


@pytest.mark.parametrize(
    "then",
    [
        lambda m: (replace(mean_square_stable(m.T), bound=0.5),),
        lambda m: (mean_square_stable(SecondMoment([0.5, 0.5], m.T.steps[:2])),),
    ],
    ids=["bound", "probability"],
)
def test_a_float_in_a_radius_has_no_exact_reading(then):
    domain = SimpleNamespace(signature=lambda: "family", generic=lambda: Family().generic()[2:])
    with pytest.raises(TypeError):
        fingerprint(claim_of(lambda m: (), then, domain))


def test_what_is_not_an_atom_is_refused():
    with pytest.raises(TypeError):
        fingerprint(claim_of(lambda m: (m.eta < 1,), lambda m: (), Family()))


PROGRAM = """
from proofs_check import library
from theory.fingerprint import fingerprint
print([fingerprint(entry.claim) for entry in library.entries()])
"""


@pytest.mark.parametrize("seed", ["0", "1", "4242"])
def test_the_hash_is_the_same_in_every_process(seed):
    printed = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=os.environ | {"PYTHONHASHSEED": seed},
        cwd=library.HERE.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout.strip() == str([fingerprint(claim) for claim in SHIPPED.values()])

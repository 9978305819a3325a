"""Replays certificates exactly. The only code whose word earns PROVED or REFUTED.

A certificate never carries a statement, a path or code. It quotes the hash of a claim and supplies
numbers; everything else is rebuilt from the claim. Standard library only.

Kinds:
- `point`, `family`: a rational witness against a claim. Every hypothesis is verified, then one atom
  of the conclusion is shown false. Mean-square stability is shown by a Lyapunov matrix (P > 0 and
  bound P - T(P) >= 0 give r(T) <= bound), its failure by growth (X >= 0 nonzero and T(X) - c X >= 0
  give r(T) >= c), both in the coordinates of `SecondMoment.quotient`.
- `identity`: a proof of an equality by expansion. With hypotheses g_j = h_j and strict hypotheses
  p_i > 0, the expansion of prod p_i (lhs - rhs) - sum q_j (g_j - h_j) is zero, and a rational point
  satisfies all hypotheses, so the claim is not vacuous. Between operators the plain expansion of
  lhs - rhs is zero, which covers matrices of every size.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from theory.atoms import Atom, AtMost, Equal, Loewner, MeanSquare
from theory.core import Claim, Verdict
from theory.domains import Family, Operators, Scalars
from theory.exact import Matrix, Polynomial, is_positive_definite, negative_direction
from theory.exact.matrix import quadratic_form
from theory.exact.second_moment import radius_at_most
from theory.fingerprint import fingerprint

FORMAT = "flatproof-certificate-1"
MAX_BYTES = 1_000_000  # the largest certificate shipped is a few kilobytes
MAX_DEPTH = 16
MAX_DIGITS = 400  # of one numerator or denominator: keeps a hostile number from eating the replay
MAX_SAMPLES, MAX_DIMENSION, MAX_TERMS = 64, 12, 4096
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(/[1-9][0-9]*)?", re.ASCII)


class Rejected(ValueError):
    """A certificate that does not show what it says; the message names the place."""


@dataclass(frozen=True)
class Replayed:
    """What a certificate showed: PROVED or REFUTED, and for a refutation by how much.

    `violation` is relative: the conclusion weakened by any smaller fraction is refuted as well.
    """

    verdict: Verdict
    kind: str
    sentence: str
    violation: Fraction | None = None


def replay(certificate: dict[str, Any], claim: Claim) -> Replayed:
    """Decide the certificate against the claim; raises `Rejected` if anything does not hold."""
    _keys(certificate, "certificate", {"format", "claim", "kind"}, rest=True)
    if certificate["format"] != FORMAT:
        raise Rejected(f"format: expected {FORMAT!r}")
    if certificate["claim"] != fingerprint(claim):
        raise Rejected("claim: the certificate quotes the hash of another statement")
    kinds: dict[Any, tuple[tuple[type, ...], Callable[[dict[str, Any], Claim], Replayed]]] = {
        "point": ((Scalars, Operators), _replay_witness),
        "family": ((Family,), _replay_witness),
        "identity": ((Scalars, Operators), _replay_identity),
    }
    if certificate["kind"] not in kinds:
        raise Rejected(f"kind: expected one of {', '.join(kinds)}")
    domains, replay_kind = kinds[certificate["kind"]]
    if not isinstance(claim.domain, domains):
        raise Rejected("kind: does not fit the claim's domain")
    return replay_kind(certificate, claim)


def holds(atom: Atom) -> bool:
    """Whether an atom with exact entries is true, decided without any help."""
    match atom:
        case AtMost(lhs, rhs, strict):
            return lhs < rhs if strict else lhs <= rhs
        case Equal(lhs, rhs):
            difference = lhs - rhs
            return difference.is_zero() if hasattr(difference, "is_zero") else difference == 0
        case Loewner(lower, upper):
            return negative_direction(upper - lower) is None
        case MeanSquare(T, bound):
            return radius_at_most(T, bound)


# --- witnesses -----------------------------------------------------------------------------------


def _replay_witness(certificate: dict[str, Any], claim: Claim) -> Replayed:
    _keys(certificate, "certificate", {"format", "claim", "kind", "witness", "given", "then"})
    point = _witness(certificate["witness"], claim)
    model = claim.domain.exact(point)
    given, then = claim.given(model), claim.then(model)
    helps = _list(certificate["given"], "given")
    if len(helps) != len(given):
        raise Rejected(f"given: the claim has {len(given)} hypotheses, not {len(helps)}")
    for i, (atom, help_) in enumerate(zip(given, helps, strict=True)):
        _verify(atom, help_, f"given[{i}]")
    broken = _object(certificate["then"], "then")
    index = _natural(broken.get("atom"), "then.atom", len(then))
    rest = {key: value for key, value in broken.items() if key != "atom"}
    violation, sentence = _refute(then[index], rest, "then")
    return Replayed(Verdict.REFUTED, certificate["kind"], sentence, violation)


def _witness(witness: Any, claim: Claim) -> dict[str, Any]:
    domain = claim.domain
    operators = (*domain.symmetric, *domain.general) if isinstance(domain, Operators) else ()
    vectors = ("weights", *(domain.vectors if isinstance(domain, Operators) else ()))
    point: dict[str, Any] = {}
    for name, value in _object(witness, "witness").items():
        if name == "factors":
            blocks = _list(value, name, MAX_SAMPLES)
            point[name] = [_matrix(block, f"factors[{i}]").rows for i, block in enumerate(blocks)]
        elif name in operators:
            point[name] = _matrix(value, name).rows
        elif name in vectors:
            point[name] = [_number(x, name) for x in _list(value, name, MAX_SAMPLES)]
        else:
            point[name] = _number(value, name)
    try:
        admitted = domain.admits(domain.exact(point))
    except ValueError as error:
        raise Rejected(f"witness: {error}") from None
    if not admitted:
        raise Rejected("witness: an operator declared symmetric is not")
    return point


def _verify(atom: Atom, help_: Any, where: str) -> None:
    if isinstance(atom, MeanSquare):
        _keys(_object(help_, where), where, {"lyapunov"})
        T = atom.T.quotient()
        P = _symmetric(help_["lyapunov"], T.steps[0].shape[0], f"{where}.lyapunov")
        if not is_positive_definite(P):
            raise Rejected(f"{where}.lyapunov: not positive definite")
        if negative_direction(atom.bound * P - T(P)) is not None:
            raise Rejected(f"{where}.lyapunov: it is not decreased by the iteration")
    else:
        _keys(_object(help_, where), where, set())
        if not holds(atom):
            raise Rejected(f"{where}: the hypothesis does not hold at the witness")


def _refute(atom: Atom, help_: dict[str, Any], where: str) -> tuple[Fraction, str]:
    match atom:
        case MeanSquare(T, bound):
            _keys(help_, where, {"growth", "factor"})
            T = T.quotient()
            X = _symmetric(help_["growth"], T.steps[0].shape[0], f"{where}.growth")
            factor = _number(help_["factor"], f"{where}.factor")
            if factor <= bound:
                raise Rejected(f"{where}.factor: must exceed the claimed {bound}")
            if X.is_zero() or negative_direction(X) is not None:
                raise Rejected(f"{where}.growth: must be PSD and not zero")
            if negative_direction(T(X) - factor * X) is not None:
                raise Rejected(f"{where}.growth: does not grow by the factor")
            return _excess(factor, bound), f"r(T) >= {factor} where {bound} is claimed"
        case Loewner(lower, upper):
            _keys(help_, where, {"vector"})
            entries = _list(help_["vector"], f"{where}.vector", MAX_DIMENSION)
            v = [_number(x, f"{where}.vector") for x in entries]
            if len(v) != upper.shape[0]:
                raise Rejected(f"{where}.vector: needs {upper.shape[0]} entries")
            low, high = quadratic_form(lower, v), quadratic_form(upper, v)
            if low <= high:
                raise Rejected(f"{where}.vector: does not violate the conclusion")
            return _excess(low, high), f"v'Lv = {low} > v'Uv = {high} at v = {_tuple(v)}"
        case AtMost(lhs, rhs, strict):
            _keys(help_, where, set())
            if holds(atom):
                raise Rejected(f"{where}: the conclusion holds at the witness")
            return _excess(lhs, rhs), f"{lhs} {'>=' if strict else '>'} {rhs}"
        case Equal(lhs, rhs):
            _keys(help_, where, set())
            if holds(atom):
                raise Rejected(f"{where}: the conclusion holds at the witness")
            return abs(_excess(lhs, rhs)), f"{lhs} is not {rhs}"


def _excess(found: Fraction, claimed: Fraction) -> Fraction:
    """How far beyond, relative to the claimed side; absolute where that side is not positive."""
    return found / claimed - 1 if claimed > 0 else found - claimed


def _tuple(values: list[Fraction]) -> str:
    return "(" + ", ".join(map(str, values)) + ")"


# --- identities ----------------------------------------------------------------------------------


def _replay_identity(certificate: dict[str, Any], claim: Claim) -> Replayed:
    model = claim.domain.generic()[0]
    given, then = claim.given(model), claim.then(model)
    if not then or not all(isinstance(atom, Equal) for atom in then):
        raise Rejected("kind: expansion proves equalities only")
    if isinstance(claim.domain, Operators):
        _keys(certificate, "certificate", {"format", "claim", "kind"})
        if given:
            raise Rejected("kind: hypotheses between operators are not used by this kind")
        if not all(holds(atom) for atom in then):
            raise Rejected("the expansion of lhs - rhs is not zero")
        words = sum(len(atom.lhs.terms) for atom in then if isinstance(atom, Equal))
        return Replayed(Verdict.PROVED, "identity", f"expands to zero ({words} words)")
    _keys(certificate, "certificate", {"format", "claim", "kind", "point", "steps"})
    point = _witness(certificate["point"], claim)
    for i, atom in enumerate(claim.given(claim.domain.exact(point))):
        if not holds(atom):
            raise Rejected(f"point: hypothesis {i} does not hold there")
    steps = _list(certificate["steps"], "steps")
    if len(steps) != len(then):
        raise Rejected(f"steps: the claim has {len(then)} conclusions, not {len(steps)}")
    for i, (atom, step) in enumerate(zip(then, steps, strict=True)):
        assert isinstance(atom, Equal)
        _expand(atom, step, given, f"steps[{i}]")
    terms = sum(len(_list(s["cofactors"], "cofactors")) for s in steps)
    return Replayed(Verdict.PROVED, "identity", f"expands to zero ({terms} cofactors)")


def _expand(atom: Equal, step: Any, given: tuple[Atom, ...], where: str) -> None:
    """prod p_i (lhs - rhs) - sum q_j (g_j - h_j) = 0 with p_i > 0 and g_j = h_j hypotheses."""
    _keys(_object(step, where), where, {"positive", "cofactors"})
    rest = _lift(atom.lhs) - _lift(atom.rhs)
    for place in _list(step["positive"], f"{where}.positive", len(given)):
        hypothesis = given[_natural(place, f"{where}.positive", len(given))]
        if not (isinstance(hypothesis, AtMost) and hypothesis.strict):
            raise Rejected(f"{where}.positive: hypothesis {place} is not a strict inequality")
        rest = rest * (_lift(hypothesis.rhs) - _lift(hypothesis.lhs))
    for cofactor in _list(step["cofactors"], f"{where}.cofactors", MAX_TERMS):
        _keys(_object(cofactor, where), f"{where}.cofactors", {"given", "polynomial"})
        hypothesis = given[_natural(cofactor["given"], f"{where}.given", len(given))]
        if not isinstance(hypothesis, Equal):
            raise Rejected(f"{where}.given: hypothesis {cofactor['given']} is not an equality")
        q = _polynomial(cofactor["polynomial"], f"{where}.polynomial")
        rest = rest - q * (_lift(hypothesis.lhs) - _lift(hypothesis.rhs))
    if rest != 0:
        raise Rejected(f"{where}: the expansion is not zero")


def _lift(value: Polynomial | Fraction | int) -> Polynomial:
    return value if isinstance(value, Polynomial) else Polynomial.constant(value)


def _polynomial(value: Any, where: str) -> Polynomial:
    """A list of [coefficient, {variable: power}] terms."""
    total = Polynomial({})
    for term in _list(value, where, MAX_TERMS):
        pair = _list(term, where, 2)
        if len(pair) != 2:
            raise Rejected(f"{where}: a term is a coefficient and its powers")
        powers = {
            name: _natural(power, where, MAX_DEPTH) for name, power in _object(pair[1], where).items()
        }
        word = tuple(sorted((name, power) for name, power in powers.items() if power))
        total = total + Polynomial({word: _number(pair[0], where)})
    return total


# --- reading -------------------------------------------------------------------------------------


def read(path: Path) -> dict[str, Any]:
    """A certificate file as nested lists, objects and strings; raises `Rejected` for anything else.

    Size is looked at before opening, depth before parsing: a hostile file costs nothing.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise Rejected(f"file: larger than {MAX_BYTES} bytes")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Rejected(f"file: {error.__class__.__name__}: cannot be read as UTF-8 text") from None
    depth = deepest = 0
    for character in text:
        depth += (character in "[{") - (character in "]}")
        deepest = max(deepest, depth)
    if deepest > MAX_DEPTH:
        raise Rejected(f"file: nested deeper than {MAX_DEPTH}")
    try:
        value = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_int=_bare,
            parse_float=_bare,
            parse_constant=_bare,
        )
    except json.JSONDecodeError as error:
        raise Rejected(f"file: not JSON: {error}") from None
    return _object(value, "certificate")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise Rejected("file: a key appears twice in one object")
    return result


def _bare(text: str) -> Any:
    raise Rejected(f"file: bare number {text[:20]}; numbers are strings 'p' or 'p/q'")


def _number(value: Any, where: str) -> Fraction:
    if isinstance(value, Fraction):
        return value
    if not isinstance(value, str) or len(value) > 2 * MAX_DIGITS or not _NUMBER.fullmatch(value):
        raise Rejected(f"{where}: numbers are strings 'p' or 'p/q' in lowest digits")
    number = Fraction(value)
    if str(number) != value:
        raise Rejected(f"{where}: {value} is not in lowest terms")
    return number


def _natural(value: Any, where: str, limit: int) -> int:
    number = _number(value, where)
    if number.denominator != 1 or not 0 <= number < limit:
        raise Rejected(f"{where}: expected an integer from 0 to {limit - 1}")
    return int(number)


def _matrix(value: Any, where: str) -> Matrix:
    rows = [_list(row, where, MAX_DIMENSION) for row in _list(value, where, MAX_DIMENSION)]
    if len({len(row) for row in rows}) != 1:
        raise Rejected(f"{where}: needs rows of equal length")
    return Matrix([[_number(x, where) for x in row] for row in rows])


def _symmetric(value: Any, size: int, where: str) -> Matrix:
    result = _matrix(value, where) if value != [] else Matrix([])
    if result.shape != (size, size) or not result.is_symmetric():
        raise Rejected(f"{where}: needs a symmetric {size} by {size} matrix")
    return result


def _list(value: Any, where: str, limit: int = MAX_TERMS) -> list[Any]:
    if not isinstance(value, list) or len(value) > limit:
        raise Rejected(f"{where}: expected a list of at most {limit}")
    return value


def _object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Rejected(f"{where}: expected an object")
    return value


def _keys(value: dict[str, Any], where: str, names: set[str], rest: bool = False) -> None:
    if not (names <= value.keys() if rest else names == value.keys()):
        raise Rejected(f"{where}: expected the keys {', '.join(sorted(names)) or '(none)'}")

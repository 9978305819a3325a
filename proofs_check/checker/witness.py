"""Refutations: a rational point or family at which every hypothesis is verified and one atom fails."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from proofs_check.certificate import (
    Rejected,
    fields,
    natural,
    number,
    sequence,
    symmetric,
    table,
    vector,
)
from proofs_check.checker.base import Replayed, affordable, holds, point_of
from proofs_check.checker.work import afford, bits
from theory.atoms import AtMost, Atom, Equal, Loewner, MeanSquare
from theory.core import Claim, Verdict
from theory.exact import Matrix, SecondMoment, is_positive_definite, negative_direction
from theory.exact.matrix import quadratic_form
from theory.fingerprint import require_exact


def replay_witness(certificate: dict[str, Any], claim: Claim) -> Replayed:
    fields(certificate, "certificate", {"format", "claim", "kind", "witness", "given", "then"})
    point = point_of(certificate["witness"], claim, "witness")
    model = claim.domain.exact(point)
    given, then = claim.given(model), claim.then(model)
    for atom in (*given, *then):
        require_exact(atom)
    helps = sequence(certificate["given"], "given")
    if len(helps) != len(given):
        raise Rejected(f"given: the claim has {len(given)} hypotheses, not {len(helps)}")
    for i, (atom, help_) in enumerate(zip(given, helps, strict=True)):
        _verify(atom, help_, f"given[{i}]")
    broken = table(certificate["then"], "then")
    index = natural(broken.get("atom"), "then.atom", len(then))
    violation, sentence = _refute(then[index], broken, "then")
    return Replayed(Verdict.REFUTED, certificate["kind"], sentence, violation)


def _verify(atom: Atom, help_: Any, where: str) -> None:
    if isinstance(atom, MeanSquare):
        fields(help_, where, {"lyapunov"})
        T = _quotient(atom.T, help_["lyapunov"], where)
        P = symmetric(help_["lyapunov"], T.steps[0].shape[0], f"{where}.lyapunov")
        if not is_positive_definite(P):
            raise Rejected(f"{where}.lyapunov: not positive definite")
        if negative_direction(atom.bound * P - T(P)) is not None:
            raise Rejected(f"{where}.lyapunov: it is not decreased by the iteration")
    else:
        fields(help_, where, set())
        affordable(atom, where)
        if not holds(atom):
            raise Rejected(f"{where}: the hypothesis does not hold at the witness")


def _refute(atom: Atom, help_: dict[str, Any], where: str) -> tuple[Fraction | None, str]:
    match atom:
        case MeanSquare(T, bound):
            fields(help_, where, {"atom", "growth", "factor"})
            T = _quotient(T, help_["growth"], where)
            X = symmetric(help_["growth"], T.steps[0].shape[0], f"{where}.growth")
            factor = number(help_["factor"], f"{where}.factor")
            if factor <= bound:
                raise Rejected(f"{where}.factor: must exceed the claimed {bound}")
            if X.is_zero() or negative_direction(X) is not None:
                raise Rejected(f"{where}.growth: must be PSD and not zero")
            if negative_direction(T(X) - factor * X) is not None:
                raise Rejected(f"{where}.growth: does not grow by the factor")
            return _excess(factor, bound), f"r(T) >= {factor} where {bound} is claimed"
        case Loewner(lower, upper):
            fields(help_, where, {"atom", "vector"})
            if not (upper - lower).is_symmetric():
                raise Rejected(f"{where}: the Loewner order compares symmetric matrices only")
            v = vector(help_["vector"], f"{where}.vector")
            if len(v) != upper.shape[0]:
                raise Rejected(f"{where}.vector: needs {upper.shape[0]} entries")
            low, high = quadratic_form(lower, v), quadratic_form(upper, v)
            if low <= high:
                raise Rejected(f"{where}.vector: does not violate the conclusion")
            return _excess(low, high), f"v'Lv = {low} > v'Uv = {high} at v = {_tuple(v)}"
        case AtMost(lhs, rhs, strict):
            fields(help_, where, {"atom"})
            if holds(atom):
                raise Rejected(f"{where}: the conclusion holds at the witness")
            relation = "equality, where < is claimed:" if lhs == rhs else ""
            return _excess(lhs, rhs), f"{relation} {lhs} {'>=' if strict else '>'} {rhs}".strip()
        case Equal(lhs, rhs):
            fields(help_, where, {"atom"})
            if holds(atom):
                raise Rejected(f"{where}: the conclusion holds at the witness")
            if isinstance(lhs, Matrix) or rhs == 0:
                return None, f"{lhs} is not {rhs}"
            return abs(Fraction(lhs) / rhs - 1), f"{lhs} is not {rhs}"


def _quotient(T: SecondMoment, help_: Any, where: str) -> SecondMoment:
    """T in the coordinates of its quotient, if deciding about T and the matrix given is affordable.

    The entries to be eliminated are as long as two steps and one matrix together.
    """
    size = T.steps[0].shape[0]
    steps = bits(value for Phi in T.steps for row in Phi.rows for value in row)
    given = [number(x, where) for row in sequence(help_, where) for x in sequence(row, where)]
    afford(len(T.steps) * size**3, size * (2 * steps + bits(given)), where)
    return T.quotient()


def _excess(found: Fraction, claimed: Fraction) -> Fraction | None:
    """How far beyond the claimed side, relative to it."""
    return Fraction(found) / claimed - 1 if claimed > 0 else None


def _tuple(values: list[Fraction]) -> str:
    return "(" + ", ".join(map(str, values)) + ")"

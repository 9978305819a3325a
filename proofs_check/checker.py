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

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from proofs_check.certificate import (
    FORMAT,
    MAX_SAMPLES,
    MAX_TERMS,
    Rejected,
    fields,
    matrix,
    natural,
    number,
    polynomial,
    read,
    sequence,
    symmetric,
    table,
    vector,
)
from proofs_check.evidence import percent
from theory.atoms import AtMost, Atom, Equal, Loewner, MeanSquare
from theory.core import Claim, InputError, Verdict
from theory.domains import Family, Operators, Scalars
from theory.exact import Matrix, Polynomial, is_positive_definite, negative_direction
from theory.exact.matrix import quadratic_form
from theory.exact.second_moment import radius_at_most
from theory.fingerprint import fingerprint, require_exact

__all__ = ["FORMAT", "Rejected", "Replayed", "holds", "read", "replay"]


@dataclass(frozen=True)
class Replayed:
    """What a certificate showed: PROVED or REFUTED, and for a refutation by how much.

    `violation` is relative to the side that bounds: the conclusion weakened by any smaller fraction
    is refuted as well. None where that side is not positive, and there is nothing to be relative to.
    """

    verdict: Verdict
    kind: str
    sentence: str
    violation: Fraction | None = None

    @property
    def told(self) -> str:
        """The sentence, with how far the conclusion is violated."""
        return self.sentence + (f", {percent(self.violation)} too much" if self.violation else "")


def replay(certificate: dict[str, Any], claim: Claim) -> Replayed:
    """Decide the certificate against the claim; raises `Rejected` if anything does not hold.

    Fails closed: whatever the claim's own functions raise at a witness, such as a zero denominator
    or shapes that do not fit, is a rejection too.
    """
    try:
        return _replay(certificate, claim)
    except Rejected:
        raise
    except Exception as error:  # a claim's functions may raise anything
        told = f"{type(error).__name__}: {error}"
        raise Rejected(f"claim: cannot be evaluated for this certificate: {told}") from error


def _replay(certificate: dict[str, Any], claim: Claim) -> Replayed:
    fields(certificate, "certificate", {"format", "claim", "kind"}, rest=True)
    if certificate["format"] != FORMAT:
        raise Rejected(f"format: expected {FORMAT!r}")
    if certificate["claim"] != fingerprint(claim):
        raise Rejected("claim: the certificate quotes the hash of another statement")
    kinds: dict[str, tuple[tuple[type, ...], Callable[[dict[str, Any], Claim], Replayed]]] = {
        "point": ((Scalars, Operators), _replay_witness),
        "family": ((Family,), _replay_witness),
        "identity": ((Scalars, Operators), _replay_identity),
    }
    kind = certificate["kind"]
    if not isinstance(kind, str) or kind not in kinds:
        raise Rejected(f"kind: expected one of {', '.join(kinds)}")
    domains, replay_kind = kinds[kind]
    if not isinstance(claim.domain, domains):
        raise Rejected("kind: does not fit the claim's domain")
    return replay_kind(certificate, claim)


def holds(atom: Atom) -> bool:
    """Whether an atom with exact entries is true, decided without any help."""
    require_exact(atom)
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
    fields(certificate, "certificate", {"format", "claim", "kind", "witness", "given", "then"})
    point = _point(certificate["witness"], claim, "witness")
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


def _point(value: Any, claim: Claim, where: str) -> dict[str, Any]:
    """The rational point a certificate gives, with every number read strictly."""
    domain = claim.domain
    operators = (*domain.symmetric, *domain.general) if isinstance(domain, Operators) else ()
    vectors = domain.vectors if isinstance(domain, Operators) else ("weights",)
    point: dict[str, Any] = {}
    for name, given in table(value, where).items():
        place = f"{where}[{name!r}]"  # quoted: a name from the file may hold anything
        if name == "factors":
            blocks = sequence(given, place, MAX_SAMPLES)
            point[name] = [matrix(block, f"{place}[{i}]").rows for i, block in enumerate(blocks)]
        elif name in operators:
            point[name] = matrix(given, place).rows
        elif name in vectors:
            point[name] = vector(given, place, MAX_SAMPLES)
        else:
            point[name] = number(given, place)
    try:
        outside = domain.outside(domain.exact(point))
    except InputError as error:
        raise Rejected(f"{where}: {error}") from None
    if outside is not None:
        raise Rejected(f"{where}: {outside}")
    return point


def _verify(atom: Atom, help_: Any, where: str) -> None:
    if isinstance(atom, MeanSquare):
        fields(help_, where, {"lyapunov"})
        T = atom.T.quotient()
        P = symmetric(help_["lyapunov"], T.steps[0].shape[0], f"{where}.lyapunov")
        if not is_positive_definite(P):
            raise Rejected(f"{where}.lyapunov: not positive definite")
        if negative_direction(atom.bound * P - T(P)) is not None:
            raise Rejected(f"{where}.lyapunov: it is not decreased by the iteration")
    else:
        fields(help_, where, set())
        if not holds(atom):
            raise Rejected(f"{where}: the hypothesis does not hold at the witness")


def _refute(atom: Atom, help_: dict[str, Any], where: str) -> tuple[Fraction | None, str]:
    match atom:
        case MeanSquare(T, bound):
            fields(help_, where, {"atom", "growth", "factor"})
            T = T.quotient()
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


def _excess(found: Fraction, claimed: Fraction) -> Fraction | None:
    """How far beyond the claimed side, relative to it."""
    return Fraction(found) / claimed - 1 if claimed > 0 else None


def _tuple(values: list[Fraction]) -> str:
    return "(" + ", ".join(map(str, values)) + ")"


# --- identities ----------------------------------------------------------------------------------


def _replay_identity(certificate: dict[str, Any], claim: Claim) -> Replayed:
    model = claim.domain.generic()[0]
    given, then = claim.given(model), claim.then(model)
    if not then or not all(isinstance(atom, Equal) for atom in then):
        raise Rejected("kind: expansion proves equalities only")
    if isinstance(claim.domain, Operators):
        fields(certificate, "certificate", {"format", "claim", "kind"})
        if given:
            raise Rejected("kind: hypotheses between operators are not used by this kind")
        if not all(holds(atom) for atom in then):
            raise Rejected("the expansion of lhs - rhs is not zero")
        words = sum(len(atom.lhs.terms) for atom in then if isinstance(atom, Equal))
        return Replayed(Verdict.PROVED, "identity", f"expands to zero ({words} words)")
    fields(certificate, "certificate", {"format", "claim", "kind", "point", "steps"})
    point = _point(certificate["point"], claim, "point")
    for i, atom in enumerate(claim.given(claim.domain.exact(point))):
        if not holds(atom):
            raise Rejected(f"point: hypothesis {i} does not hold there")
    steps = sequence(certificate["steps"], "steps")
    if len(steps) != len(then):
        raise Rejected(f"steps: the claim has {len(then)} conclusions, not {len(steps)}")
    for i, (atom, step) in enumerate(zip(then, steps, strict=True)):
        assert isinstance(atom, Equal)
        _expand(atom, step, given, f"steps[{i}]")
    terms = sum(len(step["cofactors"]) for step in steps)
    return Replayed(Verdict.PROVED, "identity", f"expands to zero ({terms} cofactors)")


def _expand(atom: Equal, step: Any, given: tuple[Atom, ...], where: str) -> None:
    """prod p_i (lhs - rhs) - sum q_j (g_j - h_j) = 0 with p_i > 0 and g_j = h_j hypotheses."""
    fields(step, where, {"positive", "cofactors"})
    rest = _lift(atom.lhs) - _lift(atom.rhs)
    for place in sequence(step["positive"], f"{where}.positive", len(given)):
        hypothesis = given[natural(place, f"{where}.positive", len(given))]
        if not (isinstance(hypothesis, AtMost) and hypothesis.strict):
            raise Rejected(f"{where}.positive: hypothesis {place} is not a strict inequality")
        rest = rest * (_lift(hypothesis.rhs) - _lift(hypothesis.lhs))
    for cofactor in sequence(step["cofactors"], f"{where}.cofactors", MAX_TERMS):
        fields(cofactor, f"{where}.cofactors", {"given", "polynomial"})
        hypothesis = given[natural(cofactor["given"], f"{where}.given", len(given))]
        if not isinstance(hypothesis, Equal):
            raise Rejected(f"{where}.given: hypothesis {cofactor['given']} is not an equality")
        q = polynomial(cofactor["polynomial"], f"{where}.polynomial")
        rest = rest - q * (_lift(hypothesis.lhs) - _lift(hypothesis.rhs))
    if rest != 0:
        raise Rejected(f"{where}: the expansion is not zero")


def _lift(value: Polynomial | Fraction | int) -> Polynomial:
    return value if isinstance(value, Polynomial) else Polynomial.constant(value)

"""Proofs of equalities by expansion."""

from __future__ import annotations

from typing import Any

from proofs_check.certificate import MAX_TERMS, Rejected, fields, natural, polynomial, sequence
from proofs_check.checker.base import Replayed, holds, lift, met, point_of
from proofs_check.checker.work import Work
from theory.atoms import AtMost, Atom, Equal
from theory.core import Claim, Verdict
from theory.domains import Operators


def replay_identity(certificate: dict[str, Any], claim: Claim) -> Replayed:
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
    point = point_of(certificate["point"], claim, "point")
    met(claim, point)
    work = Work()
    steps = sequence(certificate["steps"], "steps")
    if len(steps) != len(then):
        raise Rejected(f"steps: the claim has {len(then)} conclusions, not {len(steps)}")
    for i, (atom, step) in enumerate(zip(then, steps, strict=True)):
        assert isinstance(atom, Equal)
        _expand(atom, step, given, work, f"steps[{i}]")
    terms = sum(len(step["cofactors"]) for step in steps)
    return Replayed(Verdict.PROVED, "identity", f"expands to zero ({terms} cofactors)")


def _expand(atom: Equal, step: Any, given: tuple[Atom, ...], work: Work, where: str) -> None:
    """prod p_i (lhs - rhs) - sum q_j (g_j - h_j) = 0 with p_i > 0 and g_j = h_j hypotheses."""
    fields(step, where, {"positive", "cofactors"})
    rest = lift(atom.lhs) - lift(atom.rhs)
    for place in sequence(step["positive"], f"{where}.positive", len(given)):
        hypothesis = given[natural(place, f"{where}.positive", len(given))]
        if not (isinstance(hypothesis, AtMost) and hypothesis.strict):
            raise Rejected(f"{where}.positive: hypothesis {place} is not a strict inequality")
        rest = work.times(rest, lift(hypothesis.rhs) - lift(hypothesis.lhs))
    total = dict(rest.terms)
    for cofactor in sequence(step["cofactors"], f"{where}.cofactors", MAX_TERMS):
        fields(cofactor, f"{where}.cofactors", {"given", "polynomial"})
        hypothesis = given[natural(cofactor["given"], f"{where}.given", len(given))]
        if not isinstance(hypothesis, Equal):
            raise Rejected(f"{where}.given: hypothesis {cofactor['given']} is not an equality")
        q = polynomial(cofactor["polynomial"], f"{where}.polynomial")
        work.add(total, work.times(q, lift(hypothesis.rhs) - lift(hypothesis.lhs)))
    if any(total.values()):
        raise Rejected(f"{where}: the expansion is not zero")

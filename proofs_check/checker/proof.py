"""Proofs of inequalities: what is claimed false leads to positive numbers that add up to zero.

A proof has one step for each lemma the claim's file states and one for each atom of its conclusion. A
step may use the hypotheses, the lemmas before it, and the opposite of what it shows. It lists products
of numbers that are then not negative, with positive coefficients, and multiples of numbers that are
zero; everything expands to zero, yet one product is positive. That is a contradiction, so the step
holds (Krivine and Stengle's form of the Positivstellensatz; with vectors, a performance-estimation
proof with its PSD slack). For families the numbers are forms at a unit vector v, traces with a
symmetric X and their means over samples (`theory.exact.averages`): one expansion covers every
dimension, number of samples and weights. A rational point that meets all hypotheses shows that the
claim is not vacuous.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from proofs_check.certificate import (
    MAX_TERMS,
    Rejected,
    fields,
    natural,
    number,
    sequence,
)
from proofs_check.checker.base import Replayed, lift, met, point_of
from proofs_check.checker.factors import Ring
from proofs_check.checker.facts import Fact, fact
from proofs_check.checker.meaning import agrees, reading
from proofs_check.checker.work import WORK
from theory.atoms import Atom
from theory.core import Claim, Verdict
from theory.exact.polynomial import Monomial
from theory.symbolic import symbolic


def replay_proof(certificate: dict[str, Any], claim: Claim) -> Replayed:
    """Decide a proof; raises `Rejected` where a step does not show its atom."""
    fields(certificate, "certificate", {"format", "claim", "kind", "point", "steps"})
    point = point_of(certificate["point"], claim, "point")
    met(claim, point)
    agrees(claim)
    model = reading(claim.domain)
    given = [fact(atom, f"given[{i}]") for i, atom in enumerate(claim.given(model))]
    ring = Ring(claim.domain, given, WORK)
    # What a lemma says in words binds nobody, so it may pick the one sample to write it shorter.
    lemmas = claim.lemmas(symbolic(claim.domain)) if claim.lemmas else ()
    shown = [*lemmas, *claim.then(model)]
    steps = sequence(certificate["steps"], "steps")
    if len(shown) == len(lemmas):
        raise Rejected("claim: it concludes nothing")
    if len(steps) != len(shown):
        raise Rejected(
            f"steps: the claim has {len(shown)} lemmas and conclusions, not {len(steps)}"
        )
    for i, (atom, step) in enumerate(zip(shown, steps, strict=True)):
        _show(atom, step, ring, f"steps[{i}]")
        ring.lemmas.append(fact(atom, f"steps[{i}]"))
    products = sum(len(part["terms"]) for step in steps for part in step)
    told = f"{len(steps)} step{'s' * (len(steps) > 1)}, {products} products that add up to zero"
    return Replayed(Verdict.PROVED, "proof", told, rests_on=tuple(sorted(ring.rules)))


def _show(atom: Atom, step: Any, ring: Ring, where: str) -> None:
    """Refute the opposite of an atom: an equality has two opposites, an inequality one."""
    opposites = ring.opposites(fact(atom, where))
    parts = sequence(step, where, 2)
    if len(parts) != len(opposites):
        raise Rejected(f"{where}: needs {len(opposites)} parts, not {len(parts)}")
    for i, (opposite, part) in enumerate(zip(opposites, parts, strict=True)):
        _refute(opposite, part, ring, f"{where}[{i}]")


def _refute(opposite: Fact, part: Any, ring: Ring, where: str) -> None:
    """Products that are not negative, one of them positive, and multiples of zero, add up to zero."""
    fields(part, where, {"terms", "zeros"})
    ring.opposite = opposite
    # About the drawn sample itself a statement is shown sample by sample; all others on average.
    averaged = not ring.is_random(opposite)
    total: dict[Monomial, Fraction] = {}
    positive = False
    for i, term in enumerate(sequence(part["terms"], f"{where}.terms")):
        place = f"{where}.terms[{i}]"
        fields(term, place, {"times", "factors"})
        times = number(term["times"], f"{place}.times")
        if times <= 0:
            raise Rejected(f"{place}.times: must be positive")
        value, strict = ring.product(term["factors"], f"{place}.factors")
        value = ring.times(ring.mean(value) if averaged else value, lift(times))
        ring.work.add(total, value)
        positive = positive or strict
    for i, zero in enumerate(sequence(part["zeros"], f"{where}.zeros", MAX_TERMS)):
        place = f"{where}.zeros[{i}]"
        fields(zero, place, {"given", "polynomial"})
        value = ring.zero(natural(zero["given"], f"{place}.given", len(ring.given)), place)
        value = ring.times(value, ring.polynomial(zero["polynomial"], f"{place}.polynomial"))
        ring.work.add(total, ring.mean(value) if averaged else value)
    if not positive:
        raise Rejected(f"{where}: no product is positive, so nothing is contradicted")
    if any(total.values()):
        raise Rejected(f"{where}: the products do not add up to zero")

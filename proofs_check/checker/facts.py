"""What an atom says in a proof: a number that is not negative or zero, a PSD operator, or stability."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from proofs_check.certificate import Rejected
from theory.atoms import AtMost, Atom, Equal, Loewner, MeanSquare
from theory.exact import Polynomial, Words, averages

Sort = Literal["number", "zero", "operator", "stable"]


@dataclass(frozen=True)
class Fact:
    """A number `value` >= 0 (> 0 if strict) or = 0, an operator `value` >= 0, or r(T) <= bound for
    the step `value`.
    """

    sort: Sort
    value: Any
    strict: bool = False
    bound: Fraction = Fraction(1)


def fact(atom: Atom, where: str) -> Fact:
    """The fact an atom of a symbolic model states; raises `Rejected` where there is no word for it."""
    match atom:
        case AtMost(lhs, rhs, strict):
            return Fact("number", as_number(rhs) - as_number(lhs), strict)
        case Equal(lhs, rhs) if not _is_operator(lhs) and not _is_operator(rhs):
            return Fact("zero", as_number(rhs) - as_number(lhs))
        case Loewner(Words() as lower, Words() as upper):
            gap = upper - lower
            if gap.shape != "operator" or gap != gap.T:
                raise Rejected(f"{where}: the Loewner order compares symmetric operators only")
            return Fact("operator", gap)
        case Loewner(lower, upper):
            return Fact("number", as_number(upper) - as_number(lower))
        case MeanSquare(T, bound):
            (Phi,) = T.steps
            return Fact("stable", Phi, bound=bound)
    raise Rejected(f"{where}: proofs do not treat equations between operators")


def as_number(value: Any) -> Polynomial:
    """A side of a comparison: a polynomial, a rational, or a scalar in words."""
    if isinstance(value, Words):
        if value.shape != "scalar":
            raise Rejected(f"compared as a number: an expression of shape {value.shape}")
        return averages.number(value)
    return value if isinstance(value, Polynomial) else Polynomial.constant(value)


def mentions_unit(known: Fact) -> bool:
    """Whether a fact is about the family's unit vector: directly, or through a coefficient."""
    value = known.value
    numbers = [value] if isinstance(value, Polynomial) else value.terms.values()
    return any(averages.names_unit(name) for p in numbers for word in p.terms for name, _ in word)


def _is_operator(value: Any) -> bool:
    return isinstance(value, Words) and value.shape != "scalar"

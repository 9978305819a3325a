"""Polynomials with rational coefficients in named commuting variables."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from numbers import Rational
from typing import Any

Monomial = tuple[tuple[str, int], ...]  # (variable, power >= 1), sorted by variable


class Polynomial:
    """A polynomial as the map from monomials to their nonzero coefficients.

    `+`, `-`, `*` with polynomials and rationals, `/` by a rational, `**` with a non-negative
    integer; two polynomials are equal exactly when their expansions are. Anything inexact raises
    `TypeError`.
    """

    __slots__ = ("terms",)

    def __init__(self, terms: Mapping[Monomial, Fraction]) -> None:
        self.terms = {word: value for word, value in terms.items() if value != 0}

    @staticmethod
    def variable(name: str) -> Polynomial:
        return Polynomial({((name, 1),): Fraction(1)})

    @staticmethod
    def constant(value: Rational | int) -> Polynomial:
        return Polynomial({(): Fraction(int(value.numerator), int(value.denominator))})

    def __add__(self, other: Any) -> Polynomial:
        other = _lift(other)
        if other is None:
            return NotImplemented
        terms = dict(self.terms)
        for word, value in other.terms.items():
            terms[word] = terms.get(word, Fraction(0)) + value
        return Polynomial(terms)

    __radd__ = __add__

    def __neg__(self) -> Polynomial:
        return Polynomial({word: -value for word, value in self.terms.items()})

    def __sub__(self, other: Any) -> Polynomial:
        other = _lift(other)
        return NotImplemented if other is None else self + (-other)

    def __rsub__(self, other: Any) -> Polynomial:
        return -self + other

    def __mul__(self, other: Any) -> Polynomial:
        other = _lift(other)
        if other is None:
            return NotImplemented
        terms: dict[Monomial, Fraction] = {}
        for left, a in self.terms.items():
            for right, b in other.terms.items():
                word = _product(left, right)
                terms[word] = terms.get(word, Fraction(0)) + a * b
        return Polynomial(terms)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Polynomial:
        """Division by a nonzero rational only: anything else would leave the polynomials."""
        return self * (1 / Fraction(other)) if isinstance(other, Rational) else NotImplemented

    def __pow__(self, power: int) -> Polynomial:
        if not isinstance(power, int) or power < 0:
            raise TypeError(f"a polynomial's power must be a non-negative integer, not {power!r}")
        result = Polynomial.constant(1)
        for _ in range(power):
            result = result * self
        return result

    def __eq__(self, other: object) -> bool:
        lifted = _lift(other)
        return lifted is not None and self.terms == lifted.terms

    def __hash__(self) -> int:
        """A constant hashes like its number, which it equals."""
        constant = self.terms.get((), Fraction(0))
        return hash(frozenset(self.terms.items())) if set(self.terms) - {()} else hash(constant)

    def __repr__(self) -> str:
        """Canonical: monomials in sorted order, so that equal polynomials print alike."""
        if not self.terms:
            return "0"
        return " + ".join(_spell(word, self.terms[word]) for word in sorted(self.terms))


def _spell(word: Monomial, value: Fraction) -> str:
    return "*".join([f"({value})", *(f"{name}^{power}" for name, power in word)])


def _lift(value: Any) -> Polynomial | None:
    if isinstance(value, Polynomial):
        return value
    if isinstance(value, float):
        raise TypeError(f"an exact polynomial cannot hold the float {value!r}")
    return Polynomial.constant(value) if isinstance(value, Rational) else None


def _product(left: Monomial, right: Monomial) -> Monomial:
    powers = dict(left)
    for name, power in right:
        powers[name] = powers.get(name, 0) + power
    return tuple(sorted(powers.items()))

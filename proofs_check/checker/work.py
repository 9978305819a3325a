"""What a certificate may cost is estimated before it is computed, from the sizes of its numbers.

A unit is one operation on short rationals, about two microseconds. Fractions are kept in lowest
terms, and a greatest common divisor takes time quadratic in the length, so an operation on numbers
of WIDE bits counts double and one on numbers ten times as long counts a hundred times.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import lcm

from proofs_check.certificate import Rejected
from theory.exact import Matrix, Polynomial, Words
from theory.exact.polynomial import Monomial

WORK = 50_000  # units for one proof, some tenths of a second; the largest shipped takes 1,400
STEP = 1_000_000  # units for one decision at a point; estimates there are far above what it takes
WIDE = 512  # bits
SHORT = 2**15  # bits of denominators up to which their least common multiple is worth finding


def bits(numbers: Iterable[Fraction]) -> int:
    """At least the length of the numbers' common denominator and of their longest numerator."""
    numbers = list(numbers)
    denominators = {value.denominator for value in numbers}
    length = sum(value.bit_length() for value in denominators)
    if length <= SHORT:
        length = lcm(*denominators).bit_length()
    return length + max((value.numerator.bit_length() for value in numbers), default=0)


def cost(operations: int, length: int) -> int:
    """Units of so many operations on numbers of so many bits."""
    return operations * (1 + length**2 // WIDE**2)


def afford(operations: int, length: int, where: str) -> None:
    """Raise `Rejected` where one decision would take more than STEP units."""
    if cost(operations, length) > STEP:
        raise Rejected(f"{where}: numbers too long for a matrix or family of this size")


def afford_elimination(matrix: Matrix, where: str) -> None:
    """Raise `Rejected` where deciding definiteness would take too long.

    By Hadamard's inequality minors, and so entries on the way, are as long as a row of entries.
    """
    size = matrix.shape[0]
    afford(size**3, size * bits(value for row in matrix.rows for value in row), where)


class Work:
    """Counts the units of one certificate; raises `Rejected` once they exceed the limit."""

    def __init__(self, limit: float = WORK) -> None:
        self.limit = limit
        self.done = 0

    def charge(self, operations: int, length: int = 0) -> None:
        """Count operations that are about to be made."""
        self.done += cost(operations, length)
        if self.done > self.limit:
            raise Rejected(f"work: more than {self.limit} operations on short numbers")

    def times(self, a: Polynomial, b: Polynomial) -> Polynomial:
        """A product."""
        self.charge(len(a.terms) * len(b.terms), _length(a) + _length(b))
        return a * b

    def add(self, total: dict[Monomial, Fraction], value: Polynomial) -> None:
        """Add to a sum in place, which copies nothing."""
        for word, coefficient in value.terms.items():
            found = total.get(word, Fraction(0))
            self.charge(1, bits([found, coefficient]))
            total[word] = found + coefficient

    def words(self, *factors: Words) -> None:
        """Count a product of expressions in operators and vectors."""
        operations, length = 1, 0
        for factor in factors:
            polynomials = factor.terms.values()
            operations *= sum(len(p.terms) for p in polynomials)
            length += bits(c for p in polynomials for c in p.terms.values())
        longest = sum(max(map(len, factor.terms), default=0) for factor in factors)
        self.charge(operations * (1 + longest), length)


def _length(value: Polynomial) -> int:
    return bits(value.terms.values())

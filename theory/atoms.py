"""The atoms hypotheses and conclusions are made of.

Each atom compares two sides, so that "1% stronger" has one meaning for every claim: the side that
bounds is scaled by 99/100. Sides are whatever the reading supplies: fractions, polynomials, words,
exact matrices, floats or numpy arrays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from theory.exact import Matrix, Polynomial, SecondMoment, Words


@dataclass(frozen=True)
class AtMost:
    """lhs <= rhs, or lhs < rhs when strict; scalars."""

    lhs: Any
    rhs: Any
    strict: bool = False

    def altered(self, relative: Fraction) -> AtMost:
        return replace(self, rhs=_scaled(self.rhs, 1 - relative))


@dataclass(frozen=True)
class Equal:
    """lhs = rhs; scalars, matrices or words. The right-hand side carries the constant."""

    lhs: Any
    rhs: Any

    def altered(self, relative: Fraction) -> Equal:
        return replace(self, rhs=_scaled(self.rhs, 1 + relative))


@dataclass(frozen=True)
class Loewner:
    """upper - lower is positive semidefinite; symmetric matrices."""

    lower: Any
    upper: Any

    def altered(self, relative: Fraction) -> Loewner:
        return replace(self, upper=_scaled(self.upper, 1 - relative))


@dataclass(frozen=True)
class MeanSquare:
    """r(T) <= bound, common fixed directions divided out; mean-square stability is bound 1."""

    T: SecondMoment
    bound: Fraction = Fraction(1)

    def altered(self, relative: Fraction) -> MeanSquare:
        return replace(self, bound=self.bound * (1 - relative))


Atom = AtMost | Equal | Loewner | MeanSquare


def at_most(lhs: Any, rhs: Any) -> AtMost:
    """lhs <= rhs."""
    return AtMost(lhs, rhs)


def below(lhs: Any, rhs: Any) -> AtMost:
    """lhs < rhs."""
    return AtMost(lhs, rhs, strict=True)


def equal(lhs: Any, rhs: Any) -> Equal:
    """lhs = rhs."""
    return Equal(lhs, rhs)


def loewner(lower: Any, upper: Any) -> Loewner:
    """lower <= upper in the Loewner order."""
    return Loewner(lower, upper)


def mean_square_stable(T: SecondMoment) -> MeanSquare:
    """E||x_t||^2 stays bounded under the iteration T describes."""
    return MeanSquare(T)


def _scaled(value: Any, factor: Fraction) -> Any:
    """Exact values by the exact factor; floats and numpy arrays by its float."""
    exact = isinstance(value, int | Fraction | Polynomial | Words | Matrix)
    return value * (factor if exact else float(factor))

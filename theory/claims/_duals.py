"""First derivatives of polynomial maps, exactly: x + y t with t^2 = 0, whatever x and y are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Dual:
    """A value and its derivative along one direction: fractions, polynomials or floats."""

    value: Any
    slope: Any

    def __add__(self, other: Any) -> Dual:
        other = dual(other)
        return Dual(self.value + other.value, self.slope + other.slope)

    def __mul__(self, other: Any) -> Dual:
        other = dual(other)
        slope = self.value * other.slope + self.slope * other.value
        return Dual(self.value * other.value, slope)

    def __sub__(self, other: Any) -> Dual:
        return self + -1 * dual(other)

    def __rsub__(self, other: Any) -> Dual:
        return -1 * self + other

    __radd__, __rmul__ = __add__, __mul__


def dual(x: Any) -> Dual:
    """A constant, unless it is a dual number already."""
    return x if isinstance(x, Dual) else Dual(x, 0)


def jacobian(step: Any, *point: Any) -> list[list[Any]]:
    """The derivatives of step(*point), a tuple of polynomials: rows by output, columns by input."""
    size = range(len(point))
    columns = [step(*(Dual(x, int(i == j)) for i, x in enumerate(point))) for j in size]
    return [[dual(column[i]).slope for column in columns] for i in range(len(columns[0]))]

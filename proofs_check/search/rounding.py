"""From floats to fractions: small denominators first, so that the first witness is a readable one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Rounding:
    """To multiples of 1/denominator, or to that many significant decimal digits."""

    denominator: int = 0
    digits: int = 0

    def near(self, value: float) -> Fraction:
        """The nearest number of the grid."""
        if self.digits:
            return Fraction(f"{float(value):.{self.digits - 1}e}")
        return Fraction(round(float(value) * self.denominator), self.denominator)

    def down(self, value: float) -> Fraction:
        """The nearest number of the grid that is not above the value."""
        if not self.digits:
            return Fraction(math.floor(float(value) * self.denominator), self.denominator)
        rounded = self.near(value)
        unit = (
            Fraction(10) ** (math.floor(math.log10(abs(value))) - self.digits + 1) if value else 0
        )
        return rounded - unit if rounded > Fraction(value) else rounded

    @property
    def step(self) -> Fraction:
        """The smallest positive number of the grid, where it has one."""
        return Fraction(1, self.denominator or 10**self.digits)


DENOMINATORS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32, 50, 100, 250, 1000, 10**4, 10**6, 10**8)
ROUNDINGS = (
    *(Rounding(denominator=q) for q in DENOMINATORS),
    *(Rounding(digits=k) for k in (3, 6, 12)),  # whatever the magnitude
)

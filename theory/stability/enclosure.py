"""What is known of a number that is not known exactly."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Enclosure:
    """A number known to lie in [lower, upper]."""

    lower: float
    upper: float

    def allows(self, value: float) -> bool | None:
        """Whether value <= the number; None where the enclosure cannot tell."""
        if value <= self.lower:
            return True
        return False if value > self.upper else None

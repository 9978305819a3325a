"""What one check found, and which verdict a set of findings earns. Standard library only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from theory.core import Verdict


class Outcome(StrEnum):
    """What a check did to the claim."""

    PROVES = "proves"  # an exact certificate replayed
    REFUTES = "refutes"  # an exact witness replayed
    SUPPORTS = "supports"  # nothing against it, and the check's positive control fired
    CONSISTENT = "consistent"  # came out as it must; earns nothing by itself
    FAILS = "fails"  # the check itself came out wrong: nothing may rest on it
    UNDECIDED = "undecided"  # nothing found, and no control shows that anything would have been


@dataclass(frozen=True)
class Evidence:
    """One finding: which check, what it did, a sentence with its number."""

    check: str  # controls | certificate | search | triple
    outcome: Outcome
    sentence: str
    certificate: str | None = None  # the file that replays it


# The order in which findings decide: the first outcome present names the verdict.
_EARNS = (
    (Outcome.REFUTES, Verdict.REFUTED),
    (Outcome.FAILS, Verdict.INCONCLUSIVE),
    (Outcome.PROVES, Verdict.PROVED),
    (Outcome.UNDECIDED, Verdict.INCONCLUSIVE),
    (Outcome.SUPPORTS, Verdict.AGREES),
)


def decide(findings: Sequence[Evidence]) -> tuple[Verdict, Evidence | None]:
    """The verdict and the finding that decides it.

    An exact refutation outweighs everything but a proof; a proof needs every control and comparison
    to have come out right; AGREES needs support and nothing left undecided. Repetition never
    upgrades anything.
    """
    present = {finding.outcome for finding in findings}
    if {Outcome.PROVES, Outcome.REFUTES} <= present:
        return Verdict.CONTRADICTION, next(f for f in findings if f.outcome is Outcome.REFUTES)
    for outcome, verdict in _EARNS:
        if outcome in present:
            return verdict, next(f for f in findings if f.outcome is outcome)
    return Verdict.INCONCLUSIVE, None


def percent(value: Fraction) -> str:
    """A relative number for a sentence."""
    return f"{float(100 * value):.3g}%"

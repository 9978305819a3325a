"""One claim's hunt: atoms of the conclusion in turn, each followed by its positive control.

Looks double in length. After each look the atom is made stronger by 1% past the least slack known,
and a hunt from the same seed and half as long must refute that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from fractions import Fraction
from itertools import count
from math import isfinite
from typing import Any

from proofs_check import controls, engine
from proofs_check.checker import Replayed, replay
from proofs_check.evidence import percent
from proofs_check.library import Entry
from theory.core import Claim, Kind

Stop = Callable[[], bool]
DONE = object()
FIRST = 2_000  # evaluations of the first look: most false claims need fewer


@dataclass
class Control:
    """What the same search did to the atom altered by that much."""

    alteration: Fraction
    words: str
    evaluations: int
    fired: bool


class Part:
    """One atom of the conclusion, and how far its hunt has come."""

    def __init__(self, index: int | None, claim: Claim, seed: int, stop: Stop) -> None:
        from proofs_check.search.hunt import Hunt, rounds

        self.index, self.claim = index, claim
        self.result = Hunt(stop=stop)
        self.rounds = rounds(claim, self.result, seed=seed)
        self.controls: list[Control] = []

    def look(self, evaluations: int) -> None:
        """Go on to that many evaluations in all, by whole rounds: the order depends on nothing."""
        while self.result.evaluations < evaluations and next(self.rounds, DONE) is not DONE:
            pass

    def sentences(self) -> list[str]:
        """What the controls showed, and what else a reader must know."""
        name = "" if self.index is None else f"then[{self.index}]: "
        told = []
        for control in self.controls:
            after = f"after {control.evaluations:,} evaluations"
            showed = "refutes it" if control.fired else "had not refuted it"
            told.append(
                f"{name}{control.words}, the same search from the same seed {showed} {after}"
            )
        if self.result.inexact:
            told.append(f"{name}{self.result.inexact} float violations had no exact witness")
        return told

    @property
    def says_something(self) -> bool:
        """Whether finding nothing counts: every control fired, and no violation was left hanging."""
        fired = bool(self.controls) and all(control.fired for control in self.controls)
        return fired and not self.result.inexact


class Chase:
    """The hunt for one claim; `certificate` is what it found. Raises `InputError` as `readable`."""

    def __init__(self, item: Entry, seed: int) -> None:
        claim = item.claim
        self.item, self.seed = item, seed
        self.report = engine.Report(item.key, claim, engine.readable(claim))
        if claim.tightest is not None:
            self.report.slacks = controls.tightest(claim)[1]
        self.stop: Stop = lambda: False
        self.parts = [Part(index, part, seed, self._stopped) for index, part in engine.parts(claim)]
        self.on_controls = 0  # evaluations, those of superseded controls too
        self.interrupted = False
        self.certificate: dict[str, Any] | None = None
        self.replayed: Replayed | None = None

    def _stopped(self) -> bool:
        return self.stop()

    @property
    def evaluations(self) -> int:
        """Of the hunt itself, over all atoms."""
        return sum(part.result.evaluations for part in self.parts)

    def run(self, stop: Stop) -> None:
        """Until something is found or the time is up; an interrupt is passed on."""
        self.stop = stop
        try:
            for goal in (FIRST << look for look in count()):
                for part in self.parts:
                    part.look(goal)
                    if part.result.certificate is not None:
                        self.found(
                            engine.of_whole(part.result.certificate, self.report, part.index)
                        )
                        return
                    if not self.stop():
                        self._control(part, goal // 2)
                if self.stop() or not self.parts:
                    return
        except KeyboardInterrupt:
            self.interrupted = True
            raise

    def found(self, certificate: dict[str, Any]) -> None:
        """Keep a certificate; it is replayed first."""
        self.replayed = replay(certificate, self.item.claim)
        self.certificate = certificate

    def _control(self, part: Part, evaluations: int) -> None:
        """Refute what is 1% beyond all that is known; done again when the search has come nearer."""
        from proofs_check.search.hunt import hunt

        if not part.result.satisfying:
            return
        wanted = engine.alterations(self.report, part.index or 0, part.result.nearest)
        for place, alteration in enumerate(wanted):
            last = part.controls[place] if place < len(part.controls) else None
            if last is not None and last.fired and last.alteration == alteration:
                continue
            altered = part.claim.altered(alteration)
            caught = hunt(altered, evaluations=evaluations, seed=self.seed, stop=self.stop)
            self.on_controls += caught.evaluations
            fired = caught.certificate is not None
            if last is not None and last.fired and not fired and self.stop():
                return  # cut short: what an earlier control showed stands, at its own strength
            words = engine.in_words(self.item.claim, alteration)
            part.controls[place : place + 1] = [
                Control(alteration, words, caught.evaluations, fired)
            ]

    def sentence(self) -> str:
        """What came out, with the number of evaluations and the seed."""
        if self.replayed is not None:
            violation = self.replayed.violation
            far = "" if violation is None else f", violated by {percent(violation)}"
            return f"REFUTED{far}: {self.evaluations:,} evaluations, seed {self.seed}"
        return f"{'interrupted: ' * self.interrupted}nothing found{self._worth()}"

    def _worth(self) -> str:
        """What finding nothing says."""
        silent = [part for part in self.parts if not part.says_something]
        if not self.parts:
            return ", for the conclusion is empty: this says nothing"
        if not any(part.result.satisfying for part in self.parts):
            return ", and no point tried met every hypothesis: this says nothing"
        if any(part.result.inexact for part in silent):
            return ", but violations in floats had no exact witness: this decides nothing"
        if silent:
            where = ", ".join(f"then[{part.index}]" for part in silent if part.index is not None)
            of = f" for {where}" if where else ""
            return f", and the control did not fire{of}: this says nothing"
        least = max(control.alteration for part in self.parts for control in part.controls)
        missed = f"a violation of under {percent(least)} may be missed"
        return f", and the control fired; not a proof: {missed}"

    def effort(self) -> str:
        """How much was looked at, and where."""
        from proofs_check.search.charts import extent
        from proofs_check.search.hunt import EXACT_COST

        met = sum(part.result.satisfying for part in self.parts)
        told = f"{self.evaluations:,} evaluations and {self.on_controls:,} of the control"
        if self.item.claim.kind is Kind.EXACT:
            told += f" (a point tried exactly counts as {EXACT_COST})"
        return (
            f"{told}; {met:,} points met the hypotheses; {extent(self.item.claim.domain)}; "
            f"seed {self.seed}"
        )

    def summary(self) -> dict[str, Any]:
        """Everything known, as strict JSON values."""
        shown = self.replayed
        violation = None if shown is None else shown.violation
        return {
            "key": self.item.key,
            "title": self.item.claim.title,
            "hash": self.report.hash,
            "outcome": "nothing found" if shown is None else "refuted",
            "sentence": self.sentence(),
            "effort": self.effort(),
            "seed": self.seed,
            "evaluations": self.evaluations,
            "control_evaluations": self.on_controls,
            "interrupted": self.interrupted,
            "told": None if shown is None else shown.told,
            "violation": None if violation is None else str(violation),
            "certificate": self.certificate,
            "parts": [_of_part(part) for part in self.parts],
        }


def _of_part(part: Part) -> dict[str, Any]:
    result = part.result
    return {
        "atom": part.index,
        "evaluations": result.evaluations,
        "satisfying": result.satisfying,
        "nearest": result.nearest if isfinite(result.nearest) else None,
        "inexact": result.inexact,
        "says_something": part.says_something,
        "controls": [asdict(c) | {"alteration": str(c.alteration)} for c in part.controls],
        "sentences": part.sentences(),
    }

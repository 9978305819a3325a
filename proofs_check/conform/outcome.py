"""What one check found, in numbers, and what all of them say together."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

# Double precision leaves 1e-9 and less on these runs, a small epsilon in a norm 1e-7; another
# convention, or a factor forgotten, moves them by 1e-3 and more.
LIMIT = 1e-6


class Status(StrEnum):
    """How one check ended; only FAILED keeps an optimizer from conforming."""

    OK = "ok"
    FAILED = "FAILED"
    HAZARD = "hazard"  # as published, and still able to end a run
    NOT_RUN = "not run"


@dataclass(frozen=True)
class Check:
    """One number found, the number expected, and what it means where they differ."""

    name: str
    status: Status
    measured: float | None = None
    relation: str = "="  # of measured to expected: = up to LIMIT, <=, < or >
    expected: float | None = None
    meaning: str = ""

    @property
    def line(self) -> str:
        """The check as one line of text."""
        words = {"=": "", "<=": "at most ", "<": "below ", ">": "above "}[self.relation]
        numbers = ""
        if self.expected is not None:
            numbers = f"{_text(self.measured)}, expected {words}{_text(self.expected)}"
        return f"{self.status:<8}{self.name}: " + "; ".join(filter(None, (numbers, self.meaning)))


@dataclass(frozen=True)
class Report:
    """Every check in the order it ran, and the conventions read off an optimizer."""

    library: str
    protocol: str
    conventions: dict[str, str]
    checks: list[Check]

    @property
    def conforms(self) -> bool:
        """Whether no check failed."""
        return all(check.status is not Status.FAILED for check in self.checks)

    def as_json(self) -> dict[str, Any]:
        """The report without NaN and infinity, which become null."""
        rows = [{key: _finite(value) for key, value in asdict(c).items()} for c in self.checks]
        return {
            "conforms": self.conforms,
            "library": self.library,
            "protocol": self.protocol,
            "conventions": self.conventions,
            "checks": rows,
        }


def judge(name: str, measured: float, relation: str, expected: float, meaning: str = "") -> Check:
    """OK where the relation holds, = up to 1e-6; FAILED, with its meaning, elsewhere and for NaN."""
    measured, expected = float(measured) + 0.0, float(expected) + 0.0  # no -0
    holds = {
        "=": abs(measured - expected) <= LIMIT * max(1.0, abs(expected)),
        "<=": measured <= expected,
        "<": measured < expected,
        ">": measured > expected,
    }[relation]
    if holds:
        return Check(name, Status.OK, measured, relation, expected)
    if not math.isfinite(measured) and not meaning:
        meaning = "the run left the finite numbers"
    return Check(name, Status.FAILED, measured, relation, expected, meaning)


def not_run(name: str, reason: str) -> Check:
    """A check that says nothing about this optimizer, and why."""
    return Check(name, Status.NOT_RUN, meaning=reason)


def multiple(factor: float, wrong_way: str, *, lr: float, rho: float) -> str:
    """What a factor that should be one says; `wrong_way` is what a negative one means."""
    told = wrong_way if factor < 0 else ""
    known = {
        1.0: "",
        2.0: "doubled",
        0.5: "halved",
        0.0: "without effect",
        lr: "multiplied by lr once more",
        rho: "multiplied by rho once more",
        1 / lr: "divided by lr",
        1 / rho: "divided by rho",
    }
    for value, words in known.items():
        if abs(abs(factor) - value) <= LIMIT * max(1.0, value):
            return ", ".join(filter(None, (told, words)))
    return ", ".join(filter(None, (told, f"{abs(factor):.6g} times what it should be")))


def _text(value: float | None) -> str:
    return "nothing" if value is None else f"{value:.7g}"


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value

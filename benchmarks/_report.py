"""What a benchmark prints: a table a workload, then what was wanted beside what came out."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks._entrant import Case, difference, speedup

WAITING = 1.05  # wall time this far above process time is printed: the machine was busy


@dataclass(frozen=True)
class Verdict:
    """One line of what was wanted; `least` or, where smaller is better, `most`."""

    what: str
    sign: str  # ">=" or "<="
    wanted: float
    got: float

    @property
    def met(self) -> bool:
        return (operator.ge if self.sign == ">=" else operator.le)(self.got, self.wanted)

    def __str__(self) -> str:
        end = "" if self.met else "   NOT MET"
        return f"  {self.what}: wanted {self.sign} {self.wanted:g}, got {self.got:.3g}{end}"


def table(cases: Sequence[Case]) -> list[Verdict]:
    """Print a row an entrant, ratios against the first; does each agree with the first?"""
    champion, agreements = cases[0], []
    print(f"\n{champion.workload.title}")
    print(
        f"  {'':30}{'runs x steps':>14}{'steps/core-s':>14}{'slower':>11}{'start-up':>10}  differs"
    )
    for case in cases:
        apart = difference(case, champion)
        size = f"{case.workload.runs:,} x {case.workload.steps:,}"
        slower = f"{speedup(champion, case):.3g}x"
        print(
            f"  {case.label:30}{size:>14}{case.rate:>14.3g}{slower:>11}{case.startup:>8.1f} s"
            f"  {apart:7.0e}  {remarks(case)}".rstrip()
        )
        what = f"{case.workload.key}: {case.label} differs from {champion.label}"
        agreements.append(Verdict(what, "<=", case.entrant.tolerance, apart))
    return agreements[1:]


def seconds(cases: Sequence[Case]) -> list[Verdict]:
    """`table` for work that is counted in seconds a run: no ratio is printed of a wrong result."""
    champion, agreements = cases[0], []
    print(f"\n{champion.workload.title}")
    print(f"  {'':30}{'core-seconds':>14}{'slower':>11}  differs")
    for case in cases:
        apart = difference(case, champion)
        what = f"{case.workload.key}: {case.label} differs from {champion.label}"
        agreement = Verdict(what, "<=", case.entrant.tolerance, apart)
        slower = f"{speedup(champion, case):.3g}x" if agreement.met else "-"
        notes = [case.entrant.note] if case.entrant.note else []
        notes += ["run once"] if case.only else []
        print(
            f"  {case.label:30}{1 / case.rate:>14.3g}{slower:>11}  {apart:7.0e}"
            f"  {'; '.join(notes)}".rstrip()
        )
        agreements.append(agreement)
    return agreements[1:]


def remarks(case: Case) -> str:
    """What the entrant chose, and the rate by the wall clock where the machine kept it waiting."""
    found = [case.entrant.note] if case.entrant.note else []
    if case.rate > WAITING * case.wall_rate:
        found.append(f"{case.wall_rate:.3g} steps/s by the wall clock")
    return "; ".join(found)


def ratios(cases: Sequence[Case], wanted: dict[str, float]) -> list[Verdict]:
    """The first case against those named in `wanted`, as far as they took part."""
    champion, found = cases[0], []
    for case in cases[1:]:
        if case.label in wanted:
            what = f"{case.workload.key}: {champion.label} over {case.label}"
            found.append(Verdict(what, ">=", wanted[case.label], speedup(champion, case)))
    return found

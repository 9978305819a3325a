"""Times flatproof's exact mean-square critical step beside what people do, and prints ratios.

`python -m benchmarks.stability`; README.md says how to read what it prints.
"""

from __future__ import annotations

import argparse
import platform
import sys

from benchmarks import _alone  # sets threads before NumPy loads
from benchmarks import _spectra as spectra
from benchmarks._entrant import Case, compete, growth
from benchmarks._peak import measured
from benchmarks._report import Verdict, ratios, seconds
from benchmarks._rows import rows

ROUNDS, QUICK_ROUNDS = 5, 2
READING, QUICK_READING = 0.3, 0.0  # seconds that one reading takes at least
OURS, ARPACK = spectra.Flatproof, spectra.Samples
FREE = [OURS, spectra.Matrices, ARPACK, spectra.Block, spectra.Power]
DENSE = [spectra.Dense, spectra.General, spectra.Symmetric]
TABLES = {  # the first is the champion
    "small": [*FREE, *DENSE],
    "medium": FREE,
    "tall": [OURS, spectra.Matrices, ARPACK],
    "wide": [OURS, ARPACK],
}
WANTED = {  # times faster than those
    "small": {spectra.General.name: 4000, spectra.Dense.name: 300, spectra.Symmetric.name: 300}
}
CHILDREN = {"tall": True, "huge": False}  # with a comparison to dgemm or without
DGEMM = 0.8  # of its speed
GIGABYTES = 6.0


def main() -> int:
    """0 if results agree and, unless quick, what was wanted came out; else 1."""
    options = _parser().parse_args()
    quick = options.quick
    rounds = QUICK_ROUNDS if quick else ROUNDS
    _alone.take_one_processor()
    print(f"One core of {platform.processor() or platform.machine()}, {rounds} rounds, medians.")
    agreements: list[Verdict] = []
    wanted: list[Verdict] = []
    for key in TABLES:
        if options.workload in (None, key):
            agreed, found = _raced(key, rounds, quick)
            agreements += agreed
            wanted += found
    for key, against in CHILDREN.items():
        if options.workload in (None, key):
            wanted += _alone_in_a_process(key, rounds if against else 0, quick)
    if options.workload in (None, "grown"):
        wanted += _grown(rounds, quick)
    apart = [verdict for verdict in agreements if not verdict.met]
    print(f"\n{len(agreements) - len(apart)} of {len(agreements)} results agree", *apart, sep="\n")
    if quick:
        print("Sizes too small to judge speed.")
        return 1 if apart else 0
    print("What was wanted", *wanted, sep="\n")
    return 0 if not apart and all(verdict.met for verdict in wanted) else 1


def _raced(key: str, rounds: int, quick: bool) -> tuple[list[Verdict], list[Verdict]]:
    """(agreements, speeds) of one table."""
    workload = rows(key, quick)
    cases = [Case(kind(), workload) for kind in TABLES[key]]
    compete(cases, rounds, QUICK_READING if quick else READING)
    agreements = seconds(cases)
    right = [case for case, agreed in zip(cases[1:], agreements, strict=True) if agreed.met]
    return agreements, ratios([cases[0], *right], WANTED.get(key, {}))


def _alone_in_a_process(key: str, rounds: int, quick: bool) -> list[Verdict]:
    one = measured(key, rounds, quick)
    print(f"\n{rows(key, quick).title}, in a process of its own")
    print(
        f"  {one.seconds:.3g} s, {one.applications} applications, enclosed to {one.width:.0e},"
        f" {one.gigabytes:.3g} GB at most, {one.rows:.2g} of them the Jacobian"
    )
    found = [
        Verdict(f"{key}: relative width of the enclosure", "<=", spectra.ACCURACY, one.width),
        Verdict(f"{key}: gigabytes", "<=", GIGABYTES, one.gigabytes),
    ]
    if rounds:
        print(f"  {100 * one.share:.3g} % of the speed of dgemm")
        found.append(Verdict(f"{key}: speed over that of dgemm", ">=", DGEMM, one.share))
    return found


def _grown(rounds: int, quick: bool) -> list[Verdict]:
    """Longer times for twice the size, and as many applications for sixteen times the samples."""
    keys = ("medium", "twice n", "twice d", "many")
    cases = {key: Case(OURS(), rows(key, quick)) for key in keys}
    compete(list(cases.values()), rounds, QUICK_READING if quick else READING)
    base, many = cases["medium"], cases["many"]
    print(f"\n{base.label}, growth from {base.workload.title}")
    for key in keys[1:]:
        print(f"  {cases[key].workload.title}: {growth(base, cases[key]):.3g} times longer")
    few, more = (case.entrant.edge.applications for case in (base, many))
    what = f"applications at n = {many.workload.n:,}, {few} at n = {base.workload.n:,}"
    return [Verdict(what, "<=", few, more)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks.stability", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that it runs")
    parser.add_argument("--workload", choices=[*TABLES, "huge", "grown"], help="this one alone")
    return parser


if __name__ == "__main__":
    sys.exit(main())

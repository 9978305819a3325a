"""Runs flatproof and its peers on the same work, side by side, and prints ratios.

`python -m benchmarks.simulate`; README.md says how to read what it prints.
"""

from __future__ import annotations

import argparse
import importlib
import platform
import sys
from typing import Any

from benchmarks import _alone, _cores  # the first sets threads before NumPy and JAX load
from benchmarks._entrant import Case, Entrant, compete, growth
from benchmarks._report import Verdict, ratios, table
from benchmarks._workload import workloads

ROUNDS, QUICK_ROUNDS = 5, 2
READING, QUICK_READING = 0.3, 0.0  # seconds that one reading takes at least
BLOCKS, NETWORK_BLOCKS = (256, 64, 16), (8, 4, 1)  # runs mapped together that optax may choose from

PACKAGES = ("numba", "optax", "torch")  # of peers, which may be absent
# The rows of a table: module, what is in it, arguments. The first that is there is the champion.
OURS = ("_ours", "Flatproof", {})
OPTAX = ("_optax", "Optax", {"opaque": True})
ALTERNATING = ("_optax", "Optax", {"name": "optax, alternating updates", "opaque": False})
BEST_OPTAX = ("_optax", "Optax", {"name": "optax, best block", "blocks": BLOCKS, "opaque": True})
BEST_NETWORK = (*BEST_OPTAX[:2], {**BEST_OPTAX[2], "blocks": NETWORK_BLOCKS})
KERNELS = [OURS, ("_kernel", "Kernel", {}), ("_numba", "Kernel", {})]
PEERS = [
    OPTAX,
    BEST_OPTAX,
    ALTERNATING,
    ("_numpy", "OverRuns", {}),
    ("_numpy", "OverRuns", {"name": "NumPy, over 256 runs", "block": 256}),
    ("_numpy", "Loop", {}),
    ("_torch", "OverRuns", {}),
    ("_torch", "Loop", {}),
]
NETWORKS = [OURS, ("_kernel", "NetworkKernel", {}), OPTAX, BEST_NETWORK]
TABLES = {
    "own": [*KERNELS, *PEERS],
    "shared": [*KERNELS, OPTAX, BEST_OPTAX],
    "wide": [*KERNELS, OPTAX, BEST_OPTAX],
    "narrow-net": NETWORKS,
    "wide-net": NETWORKS,
}
HAND, PLAIN = "JAX, hand-written kernel", "optax, scan + vmap"
WANTED = {  # steps a core-second of the champion, over those of
    "own": {HAND: 0.9, "numba, Gram kernel": 0.9, PLAIN: 20, "NumPy, over runs": 80},
    "shared": {HAND: 0.9, PLAIN: 50},
    "wide": {HAND: 0.9, PLAIN: 45},
    "narrow-net": {HAND: 0.9, PLAIN: 1.8},
    "wide-net": {HAND: 0.9, PLAIN: 1.8},
}
DOUBLED = 2.1  # times longer that twice the runs or steps may take
TWO_CORES = 1.8


def main() -> int:
    """0 if entrants agree and, unless quick, all was there and what was wanted came out; else 1."""
    options = _parser().parse_args()
    quick, rounds = options.quick, QUICK_ROUNDS if options.quick else ROUNDS
    cpus = _alone.take_one_processor()
    print(f"One core of {platform.processor() or platform.machine()}, {rounds} rounds, medians.")
    agreements: list[Verdict] = []
    speeds: list[Verdict] = []
    absent: set[str] = set()
    for key, rows in TABLES.items():
        if options.workload in (None, key):
            workload = workloads(quick)[key]()
            entrants = [_load(row, absent) for row in rows if not (quick and "name" in row[2])]
            cases = [Case(e, workload) for e in entrants if e and options.only in e.name]
            if cases:
                compete(cases, rounds, QUICK_READING if quick else READING)
                agreements += table(cases)
                speeds += ratios(cases, WANTED[key])
    ours = _load(OURS, absent)
    if options.workload in (None, "grown") and ours and options.only in ours.name:
        speeds += _grown(quick, rounds, absent)
        if len(cpus) > 1:
            for which in ("grown", "shared"):
                median, worst = _cores.gain(which, rounds, cpus, quick)
                print(f"  {which}, two cores against one: {median:.3g} times, at worst {worst:.3g}")
                speeds.append(Verdict(f"{which}: two cores against one", ">=", TWO_CORES, median))
    if absent:
        print("\nNot installed, so left out:", *sorted(absent))
    apart = [verdict for verdict in agreements if not verdict.met]
    print(f"\n{len(agreements) - len(apart)} of {len(agreements)} results agree", *apart, sep="\n")
    if quick:
        print("Sizes too small to judge speed.")
        return 1 if apart else 0
    print("What was wanted", *speeds, sep="\n")
    return 0 if not apart and not absent and all(verdict.met for verdict in speeds) else 1


def _grown(quick: bool, rounds: int, absent: set[str]) -> list[Verdict]:
    large = workloads(quick)["grown"]()
    runs, steps = large.runs // 2, large.steps // 2
    sizes = {"": (runs, steps), "runs": (2 * runs, steps), "steps": (runs, 2 * steps)}
    cases = {what: Case(_load(OURS, absent), large.cut(*size)) for what, size in sizes.items()}
    compete(list(cases.values()), rounds, QUICK_READING if quick else READING)
    print(f"\n{cases[''].label}, {large.title}")
    found = []
    for what in ("runs", "steps"):
        times = growth(cases[""], cases[what])
        print(f"  twice the {what}: {times:.3g} times longer")
        found.append(Verdict(f"grown: cost of twice the {what}", "<=", DOUBLED, times))
    return found


def _load(row: tuple[str, str, dict[str, Any]], absent: set[str]) -> Entrant | None:
    """The entrant, or None where its package is not installed, which `absent` then names."""
    module, kind, arguments = row
    try:
        return getattr(importlib.import_module(f"benchmarks.{module}"), kind)(**arguments)
    except ModuleNotFoundError as error:
        if error.name not in PACKAGES:
            raise
        absent.add(error.name)
        return None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks.simulate", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that it runs")
    parser.add_argument("--only", default="", help="entrants whose name contains this")
    parser.add_argument("--workload", choices=[*TABLES, "grown"], help="this one alone")
    return parser


if __name__ == "__main__":
    sys.exit(main())

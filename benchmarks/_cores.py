"""The same runs on one core and on two, by the clock on the wall, taking turns.

Each side is a process of its own, because the engine counts its processors when it is loaded.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from statistics import median

CORES = (1, 2)


def gain(key: str, rounds: int, cpus: list[int], quick: bool) -> tuple[float, float]:
    """How many times faster two cores are than one on workload `key`: median, and the worst round.

    `cpus` are the processors to use, at least two.
    """
    sides = [_child(key, cpus[:cores], quick) for cores in CORES]
    try:
        for side in sides:
            _answer(side)  # compiled, and the first run done
        seconds = [[_turn(side) for side in sides] for _ in range(rounds)]
    finally:
        for side in sides:
            side.stdin.close()
            side.wait()
            side.stdout.close()
    ratios = [one / two for one, two in seconds]
    return median(ratios), min(ratios)


def _child(key: str, cpus: list[int], quick: bool) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks._cores", key, json.dumps(cpus), json.dumps(quick)]
    env = {k: v for k, v in os.environ.items() if k != "JAX_NUM_CPU_DEVICES"}  # the child's choice
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env
    )


def _turn(side: subprocess.Popen[str]) -> float:
    side.stdin.write("\n")
    side.stdin.flush()
    return _answer(side)


def _answer(side: subprocess.Popen[str]) -> float:
    line = side.stdout.readline()
    if not line:
        raise SystemExit("the process that times several cores ended early")
    return float(line)


def main(key: str, cpus: list[int], quick: bool) -> None:
    """Print the seconds of one run now, and of another for every line that comes in."""
    os.sched_setaffinity(0, cpus)
    from benchmarks._ours import Flatproof
    from benchmarks._workload import workloads

    entrant = Flatproof()
    entrant.prepare(workloads(quick)[key]())
    entrant.run()
    while True:
        begun = time.perf_counter()
        entrant.run()
        print(time.perf_counter() - begun, flush=True)
        if not sys.stdin.readline():
            return


if __name__ == "__main__":
    main(sys.argv[1], *(json.loads(argument) for argument in sys.argv[2:]))

"""What one critical step takes in a process of its own: memory, time, applications, and against dgemm.

Alone, because the memory of a process never shrinks in the record the system keeps of its largest.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from statistics import median

SEVERAL = 3  # products timed a round, the best of which counts


@dataclass(frozen=True)
class Measured:
    """`gigabytes` the process ever held, the input's `rows` of them; `seconds` of process time.

    `width` is that of the enclosure, relative. `share` is how fast the gain is applied, Lanczos and
    certificate included, in the dgemm speed of the same rounds: 4 n r^2 flops an application.
    """

    gigabytes: float
    rows: float
    seconds: float
    width: float
    applications: int
    share: float


def measured(key: str, rounds: int, quick: bool) -> Measured:
    """The workload `key` in a child process; `share` is NaN where `rounds` is 0."""
    command = [sys.executable, "-m", "benchmarks._peak", key, str(rounds), json.dumps(quick)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return Measured(**json.loads(done.stdout))


def main(key: str, rounds: int, quick: bool) -> None:
    """Print a `Measured` as JSON."""
    from benchmarks._rows import rows
    from benchmarks._spectra import Flatproof

    entrant, workload = Flatproof(), rows(key, quick)
    entrant.prepare(workload)
    begun = time.process_time()
    entrant.run()
    seconds = time.process_time() - begun
    most, edge = _largest(), entrant.edge
    found = Measured(
        most,
        workload.jacobian.nbytes / 1e9,
        seconds,
        (edge.upper - edge.lower) / edge.value,
        edge.applications,
        _share(workload.jacobian, rounds) if rounds else float("nan"),
    )
    print(json.dumps(vars(found)))


def _largest() -> float:
    """The most this process ever held, in 10^9 bytes."""
    if os.path.exists("/proc/self/status"):  # getrusage would count what the parent held before
        with open("/proc/self/status", encoding="ascii") as status:
            (line,) = [line for line in status if line.startswith("VmHWM")]
        return int(line.split()[1]) * 1024 / 1e9
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def _share(J, rounds: int) -> float:
    """The gain's flops a second over dgemm's, (n, r) by (r, r): the median of the rounds' ratios."""
    from benchmarks._spectra import ACCURACY
    from theory.stability.mean_square import gain_of
    from theory.stability.minimum import minimum
    from theory.stability.perron import enclose
    from theory.stability.steps import reduced

    steps = reduced(minimum(jacobian=J), batch=1)
    gain, response = gain_of(steps)
    K, rows = response.kernel(response.slope), steps.blocks[:, 0]
    n, r = rows.shape
    ratios = []
    for _ in range(rounds):
        begun = time.process_time()
        top = enclose(gain, K, noise=steps.noise, tolerance=ACCURACY)
        ours = 4 * n * r * r * top.applications / (time.process_time() - begun)
        products = []
        for _ in range(SEVERAL):
            begun = time.process_time()
            rows @ K
            products.append(time.process_time() - begun)
        ratios.append(ours / (2 * n * r * r / min(products)))
    return median(ratios)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3]))

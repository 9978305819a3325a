"""What an entrant is, and how entrants are timed against each other."""

from __future__ import annotations

import time
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import numpy as np


class Entrant:
    """One way to run a workload.

    `prepare` gets the data in (layout of the index streams and compilation included, none of it
    timed); `run` does all steps from the starts and returns "loss" (R,), the full mean loss where
    each run ends, and for a network also "lambda_max" (R, records).
    """

    name: str
    tolerance = 1e-12  # rounding; orbits of SAM on these grids contract, so it does not grow
    most: tuple[int, int] | None = None  # runs and steps a slow entrant is given of the workload
    note = ""  # what `prepare` chose, if it chose
    once = False  # too slow to run every round: its first run is its reading in all of them

    def prepare(self, workload: Any) -> None:
        raise NotImplementedError

    def run(self) -> dict[str, np.ndarray]:
        raise NotImplementedError


@dataclass
class Case:
    """An entrant on its workload, and the readings taken so far, seconds a run."""

    entrant: Entrant
    workload: Any
    label: str = ""
    found: dict[str, np.ndarray] = field(default_factory=dict)
    startup: float = 0.0  # seconds the first run took beyond the median one: compilation
    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    repeats: int = 1
    only: tuple[float, float] | None = None  # seconds by both clocks of an entrant that runs once

    def __post_init__(self) -> None:
        self.label = self.label or self.entrant.name
        if self.entrant.most is not None:
            self.workload = self.workload.cut(*self.entrant.most)

    @property
    def size(self) -> int:
        """Steps of one run of the case, over all its trajectories."""
        return self.workload.runs * self.workload.steps

    def start(self, least: float) -> None:
        """Prepare and run twice: the first run compiles, the second says how often to repeat.

        A reading takes at least `least` seconds: a shorter run is repeated within it. An entrant
        that runs `once` is read here.
        """
        begun = time.perf_counter()
        self.entrant.prepare(self.workload)
        cpu, wall = time.process_time(), time.perf_counter()
        self.found = self.entrant.run()
        first = time.perf_counter() - begun
        if self.entrant.once:
            self.only = time.process_time() - cpu, time.perf_counter() - wall
            return
        begun = time.perf_counter()
        self.entrant.run()
        second = time.perf_counter() - begun
        self.startup = max(first - second, 0.0)
        self.repeats = max(1, int(np.ceil(least / second)))

    def read(self) -> None:
        """One more reading: process time counts all threads, wall time also the waiting."""
        if self.only is not None:
            self.cpu.append(self.only[0])
            self.wall.append(self.only[1])
            return
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(self.repeats):
            self.entrant.run()
        self.cpu.append((time.process_time() - cpu) / self.repeats)
        self.wall.append((time.perf_counter() - wall) / self.repeats)

    @property
    def rate(self) -> float:
        """Steps a core-second, from the median reading."""
        return self.size / median(self.cpu)

    @property
    def wall_rate(self) -> float:
        """Steps a second on the clock on the wall."""
        return self.size / median(self.wall)


def compete(cases: Sequence[Case], rounds: int, least: float) -> None:
    """Every round reads every case once, in an order that is turned round from round to round."""
    for case in cases:
        case.start(least)
    for k in range(rounds):
        for case in cases[:: -1 if k % 2 else 1]:
            case.read()


def speedup(fast: Case, slow: Case) -> float:
    """How many times more steps a core-second `fast` does: the median of the rounds' ratios.

    The two are read within seconds of each other in a round, so what slows the machine for longer
    than that cancels.
    """
    ratios = [b / a for a, b in zip(fast.cpu, slow.cpu, strict=True)]
    return median(ratios) * fast.size / slow.size


def growth(small: Case, large: Case) -> float:
    """How many times longer `large` takes, in process time: the median of the rounds' ratios."""
    return median(b / a for a, b in zip(small.cpu, large.cpu, strict=True))


def difference(case: Case, other: Case) -> float:
    """The largest relative difference between what two cases found; `other`'s size must fit.

    Where they ran different numbers of runs or steps, the entrant of `other` runs `case`'s size.
    """
    expected = other.found
    if case.size != other.size:
        again = copy(other.entrant)
        again.prepare(case.workload)
        expected = again.run()
    pairs = [(case.found[key], expected[key]) for key in case.found]
    return max(float(np.max(np.abs(a - b) / np.maximum(np.abs(a), np.abs(b)))) for a, b in pairs)

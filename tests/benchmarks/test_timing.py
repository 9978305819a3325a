"""How readings become ratios and verdicts, with readings made up; and the program, end to end."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from benchmarks._entrant import Case, Entrant, difference, growth, speedup
from benchmarks._report import Verdict, ratios, remarks, table

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Work:
    """As much of a workload as timing sees."""

    runs: int
    steps: int
    key: str = "work"
    title: str = "some work"

    def cut(self, runs, steps):
        return Work(min(runs, self.runs), min(steps, self.steps))


class Fake(Entrant):
    """Finds losses that depend on the run and the number of steps; `off` makes them wrong."""

    def __init__(self, name, most=None, off=0.0):
        self.name, self.most, self.off = name, most, off

    def prepare(self, workload):
        self.workload = workload

    def run(self):
        return {"loss": (1 + np.arange(self.workload.runs)) * self.workload.steps * (1 + self.off)}


def case(entrant, cpu, wall=None, work=None):
    found = Case(entrant, work or Work(4, 10))
    found.start(0.0)
    found.cpu, found.wall = cpu, wall or cpu
    return found


def test_rates_and_ratios_are_per_step_and_from_medians():
    fast = case(Fake("fast"), [1.0, 2.0, 9.0])
    slow = case(Fake("slow", most=(2, 5)), [4.0, 2.0, 9.0])  # a quarter of the steps
    assert (fast.rate, slow.rate) == (20.0, 2.5)
    assert speedup(fast, slow) == 1.0 * 40 / 10  # rounds: 4, 1 and 1 times longer
    assert growth(fast, slow) == 1.0


def test_results_are_compared_at_the_size_of_the_smaller_case():
    champion = case(Fake("champion"), [1.0])
    assert difference(case(Fake("small", most=(2, 5)), [1.0]), champion) == 0
    wrong = case(Fake("wrong", most=(2, 5), off=1e-6), [1.0])
    assert difference(wrong, champion) == pytest.approx(1e-6, rel=1e-3)


def test_a_wrong_result_is_printed_and_judged(capsys):
    cases = [case(Fake("champion"), [1.0]), case(Fake("wrong", off=1e-6), [2.0])]
    (verdict,) = table(cases)
    assert not verdict.met and "NOT MET" in str(verdict)
    assert "1e-06" in capsys.readouterr().out


def test_only_the_named_peers_are_judged_and_in_the_right_direction():
    cases = [case(Fake("champion"), [1.0]), case(Fake("peer"), [3.0]), case(Fake("other"), [9.0])]
    (met,) = ratios(cases, {"peer": 3.0})
    (missed,) = ratios(cases, {"peer": 3.1})
    assert met.met and not missed.met
    assert Verdict("cost", "<=", 2.1, 2.1).met and not Verdict("cost", "<=", 2.1, 2.2).met


def test_a_wait_is_mentioned_from_five_percent_on():
    assert "wall clock" in remarks(case(Fake("waited"), [1.0], [1.06]))
    assert remarks(case(Fake("ran"), [1.0], [1.04])) == ""


def bench(*arguments):
    command = [sys.executable, "-m", "benchmarks.simulate", "--quick", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_quick_run_ends_well():
    done = bench("--workload", "own")
    assert done.returncode == 0, done.stderr
    assert "flatproof" in done.stdout and "results agree" in done.stdout


@pytest.mark.soak
def test_all_quick_runs_end_well():
    done = bench()
    assert done.returncode == 0, done.stderr
    assert "two cores against one" in done.stdout

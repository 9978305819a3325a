"""Routes to a critical step agree; a wrong one is neither timed against nor passed."""

import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from benchmarks import _spectra as spectra
from benchmarks import stability
from benchmarks._entrant import Case, compete
from benchmarks._peak import measured
from benchmarks._report import seconds
from benchmarks._rows import SIZES, TOY, Rows, rows
from theory.stability.threshold import mean_square_critical_step

ROOT = Path(__file__).parents[2]
ROUTES = [*stability.FREE, *stability.DENSE]


class Given(Rows):
    """A workload whose Jacobian is handed over."""

    def __init__(self, jacobian):
        super().__init__("given", *jacobian.shape)
        self.__dict__["jacobian"] = jacobian


class Off(spectra.Samples):
    """A peer that is wrong by a part in a million, and very slow to be so."""

    name = "wrong"

    def step(self, J):
        return super().step(J) * (1 + 1e-6)


class Counted(spectra.Samples):
    """Counts its runs and is allowed one."""

    name, once, count = "counted", True, 0

    def step(self, J):
        self.count += 1
        return super().step(J)


def found(kind, workload):
    entrant = kind()
    entrant.prepare(workload)
    return entrant.run()["step"][0]


@pytest.mark.parametrize("kind", ROUTES, ids=lambda kind: kind.__name__)
def test_rows_of_one_length_have_the_step_two_over_its_square(kind):
    """G has the eigenvector of ones then, and eta_2 = 2/|a_i|^2, whatever the angles."""
    J = np.random.default_rng(1).normal(size=(20, 5))
    J *= 3 / np.linalg.norm(J, axis=1, keepdims=True)
    assert found(kind, Given(J)) == pytest.approx(2 / 9, rel=spectra.ACCURACY)


@pytest.mark.parametrize("shape", [(24, 5), (16, 16), (16, 20)], ids=["tall", "square", "wide"])
def test_all_routes_agree_with_the_operator_on_symmetric_matrices(shape):
    J = np.random.default_rng(2).normal(size=shape)
    n, d = shape
    expected = mean_square_critical_step(np.full(n, 1 / n), J[:, :, None] * J[:, None, :])
    dense = [] if n < d else [spectra.Dense, spectra.General]  # they divide by the spectrum of A
    for kind in [*stability.FREE, *dense]:
        assert found(kind, Given(J)) == pytest.approx(expected, rel=spectra.ACCURACY), kind


def test_power_iteration_gives_up_where_it_does_not_converge(monkeypatch):
    monkeypatch.setattr(spectra, "POWERS", 2)
    assert np.isnan(found(spectra.Power, rows("small", True)))


def test_a_wrong_result_gets_no_ratio(capsys):
    cases = [
        Case(kind(), rows("small", True)) for kind in (spectra.Flatproof, Off, spectra.Samples)
    ]
    compete(cases, rounds=1, least=0.0)
    wrong, right = seconds(cases)
    assert not wrong.met and right.met
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "wrong" in line]
    assert "x" not in line and "1e-06" in line


def test_a_slow_entrant_runs_once_and_is_read_in_every_round(capsys):
    cases = [Case(kind(), rows("small", True)) for kind in (spectra.Flatproof, Counted)]
    compete(cases, rounds=3, least=0.0)
    assert cases[1].entrant.count == 1
    assert len(cases[1].cpu) == 3 and len(set(cases[1].cpu)) == 1
    seconds(cases)
    assert "run once" in capsys.readouterr().out


@pytest.fixture
def program(monkeypatch):
    """`main` on the toy sizes with the arguments given, without moving the tests to one processor."""
    monkeypatch.setattr(stability._alone, "take_one_processor", list)
    monkeypatch.setattr(stability, "ROUNDS", 1)
    monkeypatch.setattr(stability, "READING", 0.0)
    toys = partial(measured, quick=True)  # a child does not see the sizes set here
    monkeypatch.setattr(stability, "measured", lambda key, rounds, quick: toys(key, rounds))
    for key, size in TOY.items():
        monkeypatch.setitem(SIZES, key, size)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["stability", *arguments])
        return stability.main()

    return run


def test_it_fails_where_a_result_differs_however_fast_the_rest(program, monkeypatch, capsys):
    monkeypatch.setattr(stability, "WANTED", {})
    assert program("--workload", "small") == 0
    monkeypatch.setitem(stability.TABLES, "small", [spectra.Flatproof, Off])
    assert program("--workload", "small") == 1
    assert program("--workload", "small", "--quick") == 1
    assert "0 of 1 results agree" in capsys.readouterr().out


def test_it_fails_where_a_wish_resists(program, monkeypatch, capsys):
    for factor, code in ((1e-9, 0), (1e9, 1)):
        monkeypatch.setitem(stability.WANTED, "small", {spectra.Symmetric.name: factor})
        assert program("--workload", "small") == code
    assert "NOT MET" in capsys.readouterr().out


def test_applications_and_memory_are_judged(program, monkeypatch, capsys):
    program("--workload", "grown")
    assert "applications at n = 960" in capsys.readouterr().out
    monkeypatch.setattr(stability, "GIGABYTES", 0.001)  # less than an interpreter
    assert program("--workload", "huge") == 1
    assert "huge: gigabytes" in capsys.readouterr().out


def test_a_process_of_its_own_holds_its_jacobian_and_not_its_parents_memory():
    ballast = np.ones(40_000_000)  # 320 MB, which the child must not be charged with
    one = measured("huge", 0, True)
    assert one.rows == 8 * np.prod(TOY["huge"]) / 1e9
    assert one.rows < one.gigabytes < ballast.nbytes / 1e9
    assert one.seconds > 0 and 0 <= one.width <= spectra.ACCURACY and np.isnan(one.share)
    assert measured("tall", 1, True).share > 0


def test_a_quick_run_ends_well():
    command = [sys.executable, "-m", "benchmarks.stability", "--quick"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "flatproof, enclosed" in done.stdout and "results agree" in done.stdout

"""`flatproof conform`: exit codes, strict JSON, one line for whatever a user's module does."""

import json
import subprocess
import sys

import pytest

from proofs_check import cli

GOOD = """
from sims.lab import build

def factory(lr, rho):
    print("made")
    return build("sam", lr=lr, rho=rho)

class Shelf:
    inside = factory
"""
WRONG = """
from sims.lab import build

def factory(lr, rho):
    return build("sam", lr=lr, rho=2 * rho)

number = 3

def raises(lr, rho):
    raise RuntimeError("no" + chr(10) + "way")

def leaves(lr, rho):
    raise SystemExit(7)

def makes_a_number(lr, rho):
    return 3

def makes_a_function(lr, rho):
    return lambda parameters: None

class Broken:
    def init(self, x):
        return None

    def step(self, oracle, x, state):
        return 1 / 0

class NoEpsilon:
    def __init__(self, lr, rho):
        self.lr, self.rho = lr, rho

    def init(self, x):
        return None

    def step(self, oracle, x, state):
        g = oracle.grad(x)
        return x - self.lr * oracle.grad(x + self.rho * g / oracle.norm(g)), None

def breaks(lr, rho):
    return Broken()
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A current directory with modules of its own, forgotten afterwards."""
    for name, text in (("conform_good", GOOD), ("conform_wrong", WRONG), ("conform_bad", "1 +")):
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    (tmp_path / "conform_exits.py").write_text("raise SystemExit('no module')", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("conform_")]:
        del sys.modules[name]


def reject(constant):
    raise AssertionError(f"{constant} is not strict JSON")


def test_a_sam_in_the_current_directory_conforms(capsys):
    assert cli.run(["conform", "conform_good:factory"]) == 0
    captured = capsys.readouterr()
    first, *_, last = captured.out.splitlines()
    assert first == "conform_good:factory: flatproof, protocol oracle"
    assert last == "conforms"
    assert "two-cycle: 0.39, expected 0.39" in captured.out
    assert "made" in captured.err and "made" not in captured.out


def test_a_name_inside_a_name_will_do(capsys):
    assert cli.run(["conform", "conform_good:Shelf.inside"]) == 0


def test_one_that_does_not_conform_says_why_in_its_last_line(capsys):
    assert cli.run(["conform", "conform_wrong:factory"]) == 1
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "does not conform: climb, length over rho: rho doubled"


def test_json_is_strict_and_alone(capsys, here):
    assert cli.run(["conform", "conform_wrong:factory", "--json", "-"]) == 1
    shown = json.loads(capsys.readouterr().out, parse_constant=reject)
    assert set(shown) == {
        *("target", "conforms", "library", "protocol", "conventions", "checks"),
    }
    assert shown["conforms"] is False
    rows = {row["name"]: row for row in shown["checks"]}
    assert rows["climb, length over rho"] == {
        "name": "climb, length over rho",
        "status": "FAILED",
        "measured": pytest.approx(2),
        "relation": "=",
        "expected": 1.0,
        "meaning": "rho doubled",
    }
    assert cli.run(["conform", "conform_wrong:factory", "--json", "report.json"]) == 1
    assert "does not conform" in capsys.readouterr().out
    assert json.loads((here / "report.json").read_text(encoding="utf-8")) == shown


def test_a_number_that_is_none_is_null_and_a_hazard(capsys):
    assert cli.run(["conform", "conform_wrong:NoEpsilon", "--json", "-"]) == 0
    shown = json.loads(capsys.readouterr().out, parse_constant=reject)
    (hazard,) = [row for row in shown["checks"] if row["status"] == "hazard"]
    assert hazard["name"].startswith("zero gradient")
    assert hazard["measured"] is None
    assert "0/0" in hazard["meaning"]


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("conform_good", "TARGET: got 'conform_good'"),
        (":factory", "TARGET"),
        ("conform_good:", "TARGET"),
        (".conform_good:factory", "TARGET"),
        ("conform_nowhere:factory", "ModuleNotFoundError"),
        ("conform_bad:factory", "SyntaxError"),
        ("conform_exits:factory", "SystemExit (no module)"),
        ("conform_wrong:factry", "a name that conform_wrong defines"),
        ("conform_wrong:number", "'conform_wrong:number' of type int"),
        ("conform_wrong:raises", "factory(0.07, 0.13): got RuntimeError (no way)"),
        ("conform_wrong:leaves", "SystemExit (7)"),
        ("conform_wrong:makes_a_number", "factory(lr, rho) of type int"),
        ("conform_wrong:makes_a_function", "TARGET: got"),
        ("conform_wrong:breaks", "step: got ZeroDivisionError"),
        ("conform_wrong:Broken", "factory(0.07, 0.13): got TypeError"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(capsys, target, told):
    assert cli.run(["conform", target]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert told in captured.err


def test_an_unknown_protocol_is_bad_input(capsys):
    assert cli.run(["conform", "conform_good:factory", "--protocol", "both"]) == 2
    assert cli.run(["conform", "conform_good:factory", "--protocol", "closure"]) == 2
    assert "asks an oracle" in capsys.readouterr().err


def test_the_module_is_found_from_the_directory_the_command_runs_in(here):
    command = [sys.executable, "-c", "from proofs_check.cli import main; main()"]
    words = ["conform", "conform_wrong:factory"]
    result = subprocess.run([*command, *words], check=False, capture_output=True, text=True)
    assert result.returncode == 1
    assert result.stdout.endswith("rho doubled\n")

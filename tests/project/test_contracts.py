"""The import contracts of pyproject.toml catch what they are there to catch.

Each test copies the code, plants one import and asks `lint-imports` for its opinion.
"""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMAND = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
NAMES = {
    contract["name"]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
        "importlinter"
    ]["contracts"]
}
A_CLAIM, ANOTHER_CLAIM = "theory/claims/sam_two_cycle.py", "theory.claims.sharpness_bound"
AN_OPTIMIZER, ANOTHER_OPTIMIZER = "sims/optimizers/sam.py", "sims.optimizers.sgd"

LAYERS = "proofs_check -> sims -> theory"
ORDER = "the order inside theory"
PREDICTION = "a simulation never sees a prediction"
CLAIMS = "claims stand alone"
OPTIMIZERS = "optimizers stand alone"
MEASURES = "measurements stand alone"
PROBLEMS = "problems stand alone"
CHECKER = "the checker knows no search and no third-party code"
JAX = "jax only in sims, theory.problems and theory.stability.network"
SYMPY = "sympy only in theory.claims and proofs_check"
FLINT = "flint only in theory.stability"
MATPLOTLIB = "matplotlib only in sims.plots and proofs_check.report"
HYPOTHESIS = "hypothesis only in proofs_check.search"
CONVEX = "convex programs and solvers only in proofs_check.search"
PARSER = "the command line's parser only in proofs_check.commands"
PAGE = "the terminal and the page only in proofs_check"
TOOLS = "test tools only in tests"

FAULTS = [
    (LAYERS, "theory/moments.py", "import sims.lab"),
    (LAYERS, "theory/claims/a_new_claim.py", "from sims import lab"),
    (LAYERS, "sims/lab.py", "from proofs_check import engine"),
    (ORDER, "theory/exact/matrix.py", "from theory.moments import largest"),
    (ORDER, "theory/stability/operator.py", f"import {ANOTHER_CLAIM}"),
    (ORDER, "theory/a_new_shelf.py", "import math"),
    (PREDICTION, "sims/lab.py", f"import {ANOTHER_CLAIM}"),
    (PREDICTION, "sims/optimizers/a_new_optimizer.py", "from theory.claims import _theorem9"),
    (CLAIMS, A_CLAIM, f"import {ANOTHER_CLAIM}"),
    (CLAIMS, "theory/claims/a_new_claim.py", f"from {ANOTHER_CLAIM} import CLAIM"),
    (CLAIMS, "theory/claims/_theorem9.py", f"import {ANOTHER_CLAIM}"),  # through a helper
    (OPTIMIZERS, AN_OPTIMIZER, f"import {ANOTHER_OPTIMIZER}"),
    (OPTIMIZERS, "sims/optimizers/a_new_optimizer.py", f"from {ANOTHER_OPTIMIZER} import SGD"),
    (MEASURES, "sims/measures/a_new_measure.py", "import sims.measures.loss"),
    (PROBLEMS, "theory/problems/quadratic.py", "from theory.problems.linear import Linear"),
    (CHECKER, "proofs_check/checker/__init__.py", "from proofs_check.search import slack"),
    (CHECKER, "theory/domains.py", "import numpy"),
    (JAX, "theory/moments.py", "import jax.numpy"),
    (JAX, "proofs_check/engine.py", "import jax"),
    (FLINT, "theory/exact/matrix.py", "import flint"),
    (JAX, "theory/stability/network_minimum.py", "import jax"),
    (SYMPY, "theory/stability/threshold.py", "import sympy"),
    (SYMPY, "sims/lab.py", "import sympy"),
    (MATPLOTLIB, "theory/moments.py", "import matplotlib.pyplot"),
    (MATPLOTLIB, "sims/lab.py", "from matplotlib.figure import Figure"),
    (MATPLOTLIB, "proofs_check/engine.py", "import matplotlib"),
    (HYPOTHESIS, "sims/lab.py", "import hypothesis"),
    (HYPOTHESIS, "proofs_check/engine.py", "from hypothesis import strategies"),
    (CONVEX, "theory/claims/gd_edge.py", "import cvxpy"),
    (CONVEX, "proofs_check/checker/proof.py", "import clarabel"),
    (CONVEX, "proofs_check/engine.py", "import PEPit"),
    (CONVEX, "theory/exact/matrix.py", "import z3"),
    (PARSER, "proofs_check/engine.py", "import cyclopts"),
    (PAGE, "sims/lab.py", "import rich.progress"),
    (PAGE, "theory/core.py", "import jinja2"),
    (TOOLS, "proofs_check/report/page.py", "import playwright.sync_api"),
    (TOOLS, "theory/core.py", "import pytest"),
]
ALLOWED = [
    ("theory/claims/a_new_claim.py", "from theory.claims import _theorem9"),
    ("theory/claims/a_new_claim.py", "import sympy"),
    ("sims/optimizers/a_new_optimizer.py", "from sims.optimizers import _ascent"),
    ("sims/plots/a_new_plot.py", "import matplotlib.figure"),
    ("proofs_check/search/a_new_search.py", "import hypothesis"),
    ("proofs_check/search/a_new_search.py", "import z3"),
    ("proofs_check/report/a_new_figure.py", "import matplotlib.figure"),
]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of everything the contracts read."""
    skip = shutil.ignore_patterns("__pycache__")
    for package in ("theory", "sims", "proofs_check"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=skip)
    (tmp_path / "tests" / "project").mkdir(parents=True)
    for name in ("pyproject.toml", "tests/project/contracts.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def plant(tree: Path, name: str, line: str) -> None:
    """Add an import inside a function, to a file of ours or a new one."""
    path = tree / name
    path.parent.mkdir(exist_ok=True)
    if path.parent != tree:
        (path.parent / "__init__.py").touch()
    with path.open("a", encoding="utf-8") as file:
        file.write(f"\n\ndef planted():\n    {line}\n")


def lint(tree: Path) -> tuple[int, set[str], str]:
    """Exit code, the names of the broken contracts, and all that was said."""
    result = subprocess.run(COMMAND, cwd=tree, check=False, capture_output=True, text=True)
    said = result.stdout + result.stderr
    broken = {
        name for name in NAMES if re.search(rf"^{re.escape(name)} BROKEN", said, re.MULTILINE)
    }
    return result.returncode, broken, said


def test_the_code_as_it_is_keeps_every_contract(tree):
    code, _, said = lint(tree)
    assert code == 0, said
    assert f"{len(NAMES)} kept, 0 broken" in said


@pytest.mark.parametrize(("contract", "name", "line"), FAULTS)
def test_a_planted_import_breaks_its_contract(tree, contract, name, line):
    plant(tree, name, line)
    code, broken, said = lint(tree)
    assert code == 1, said
    assert contract in broken, said


@pytest.mark.parametrize(("name", "line"), ALLOWED)
def test_a_new_file_needs_no_edit(tree, name, line):
    plant(tree, name, line)
    code, _, said = lint(tree)
    assert code == 0, said


def test_every_contract_has_a_planted_fault():
    assert {contract for contract, _, _ in FAULTS} == NAMES

"""What proves needs the standard library only: read from the source, then run with nothing else."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = {"theory", "proofs_check"}
EXACT = (
    "__init__",
    "atoms",
    "catalogue",
    "core",
    "curves",
    "domains",
    "fingerprint",
    "piecewise",
)
REPLAY = ("__init__", "certificate", "cli", "evidence", "library", "output", "summary")
WHOLE = [
    *(ROOT / "theory" / f"{name}.py" for name in EXACT),
    *sorted((ROOT / "theory" / "exact").glob("*.py")),
    *(ROOT / "proofs_check" / f"{name}.py" for name in REPLAY),
    *sorted((ROOT / "proofs_check" / "checker").glob("*.py")),
]
CLAIMS = sorted((ROOT / "theory" / "claims").glob("*.py"))
CERTIFICATES = sorted((ROOT / "proofs_check" / "certificates").glob("*.json"))

ALONE = """
import sys

class Block:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in sys.stdlib_module_names and top not in {"theory", "proofs_check"}:
            raise ModuleNotFoundError(f"blocked: {name}")

sys.meta_path.insert(0, Block())
"""
CHECK = "from proofs_check.cli import main\nmain(['check', *sys.argv[1:]])\n"


def imported(tree: ast.AST, *, inside_functions: bool) -> Iterator[str]:
    """Top-level names of the modules imported, functions' own imports included or not."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0] if node.level == 0 else "a relative import"
        elif inside_functions or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from imported(node, inside_functions=inside_functions)


def foreign(source: str, *, inside_functions: bool) -> set[str]:
    """What a source imports beyond the standard library and this project's exact part."""
    found = set(imported(ast.parse(source), inside_functions=inside_functions))
    return found - sys.stdlib_module_names - OURS


def run_alone(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run code in a Python that can import the standard library and our exact part only."""
    command = [sys.executable, "-c", ALONE + code, *arguments]
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)


@pytest.mark.parametrize("file", WHOLE, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_what_proves_imports_the_standard_library_only(file):
    assert not foreign(file.read_text(encoding="utf-8"), inside_functions=True)


@pytest.mark.parametrize("file", CLAIMS, ids=lambda file: file.stem)
def test_the_top_level_of_a_claim_imports_the_standard_library_only(file):
    assert not foreign(file.read_text(encoding="utf-8"), inside_functions=False)


def test_a_planted_import_is_found():
    source = "class A:\n    import numpy.linalg\ndef f():\n    from sympy import Symbol\n"
    assert foreign(source, inside_functions=False) == {"numpy"}
    assert foreign(source, inside_functions=True) == {"numpy", "sympy"}


@pytest.mark.parametrize("name", ["numpy", "cyclopts", "sims"])
def test_the_block_holds(name):
    result = run_alone(f"import {name}")
    assert result.returncode == 1
    assert f"blocked: {name}" in result.stderr


def test_every_certificate_is_replayed_by_the_standard_library():
    result = run_alone(CHECK, *map(str, CERTIFICATES))
    assert result.returncode == 0, result.stdout + result.stderr
    lines = result.stdout.splitlines()
    assert len(lines) == len(CERTIFICATES) > 0
    for file, line in zip(CERTIFICATES, lines, strict=True):
        assert line.startswith(f"{file}: {file.stem} ")


def test_a_spoiled_certificate_is_rejected_by_the_standard_library(tmp_path):
    spoiled = json.loads(CERTIFICATES[0].read_text(encoding="utf-8")) | {"claim": "0" * 64}
    file = tmp_path / "spoiled.json"
    file.write_text(json.dumps(spoiled), encoding="utf-8")
    result = run_alone(CHECK, str(file), str(CERTIFICATES[0]))
    assert result.returncode == 1
    assert result.stdout.startswith(f"{file}: rejected: ")

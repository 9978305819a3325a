"""Notebooks run from their first cell to their last, and their prose says what they compute."""

import json
import re
import tempfile
from functools import partial
from pathlib import Path

import nbformat
import pytest
from latex2mathml.converter import convert
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from traitlets.config import Config

from proofs_check.notebook import numbers, unsaid

ROOT = Path(__file__).parents[2]
PATHS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PROBE = "02_four_notions_of_stability"  # the one that `make test` runs; `make check` runs all
LIMIT = 60  # seconds for one notebook

# Warnings are errors in the cells and in all they call. Only the kernel is spared, which warns
# about its own shutdown: an error there would be raised after the last cell, in no cell's name.
STRICT = """
import warnings
warnings.simplefilter("error")
warnings.filterwarnings("ignore", category=PendingDeprecationWarning, module=r"ipykernel\\.")
"""
every_notebook = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def code(notebook):
    return ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code"]


@pytest.fixture
def execute(tmp_path, monkeypatch):
    """Runs a notebook's JSON in a fresh kernel with the repository on its path; returns it run."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")  # what jupyter_core asks for in a warning
    for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))

    # Sockets are files: over TCP the kernel prints a warning that others could listen. Their names
    # may have a hundred letters at most, which a test's own folder can exceed.
    with tempfile.TemporaryDirectory(prefix="nb-") as short:
        sockets = Config({"KernelManager": {"transport": "ipc", "ip": f"{short}/k"}})
        yield partial(_execute, sockets)


def _execute(sockets, notebook):
    node = nbformat.reads(json.dumps(notebook), as_version=4)
    node.cells.insert(0, nbformat.v4.new_code_cell(STRICT))
    where = {"metadata": {"path": str(ROOT)}}
    NotebookClient(node, timeout=LIMIT, config=sockets, resources=where).execute()
    return node


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem, marks=[] if path.stem == PROBE else pytest.mark.notebook)
        for path in PATHS
    ],
)
def test_it_runs_and_its_slider_and_figures_appear(path, execute):
    done = execute(read(path))
    shown = [out for c in done.cells if c.cell_type == "code" for out in c.outputs if "data" in out]
    assert any("image/svg+xml" in out["data"] for out in shown)
    assert any("application/vnd.jupyter.widget-view+json" in out["data"] for out in shown)
    assert not [
        out for c in done.cells for out in c.get("outputs", []) if out.get("name") == "stderr"
    ]


def test_the_notebook_that_every_test_run_executes_is_there():
    assert PROBE in [path.stem for path in PATHS]


@pytest.mark.parametrize("kind", ["number", "warning"])
def test_a_planted_wrong_number_or_warning_fails(kind, execute):
    """The first number of the prose, one off in its last digit; and a warning from a cell."""
    source = {
        "number": "from proofs_check.notebook import said\nx = 1.101020514\nsaid('1.1011', x)",
        "warning": "import warnings\nwarnings.warn('planted')",
    }[kind]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    with pytest.raises(CellExecutionError, match=r"the prose says 1\.1011|planted"):
        execute(notebook)


@every_notebook
def test_every_number_in_its_prose_is_checked(path):
    assert unsaid(read(path)) == []


@every_notebook
def test_a_wrong_number_planted_in_its_prose_is_noticed(path):
    notebook = read(path)
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        decimals = [n for n in numbers(source) if "." in n and n in source]
        if cell["cell_type"] == "markdown" and "`said(" not in source and decimals:
            wrong = decimals[0][:-1] + str((int(decimals[0][-1]) + 1) % 10) + "7"
            cell["source"] = source.replace(decimals[0], wrong)
            break
    assert wrong in unsaid(notebook)


@every_notebook
def test_it_is_kept_without_outputs_and_with_stable_ids(path):
    notebook = read(path)
    nbformat.validate(notebook)
    for cell in notebook["cells"]:
        assert not cell.get("outputs") and not cell.get("execution_count")
        assert re.fullmatch(r"[a-z][a-z0-9-]*", cell["id"]), cell["id"]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    assert notebook["metadata"] == {"kernelspec": kernel, "language_info": {"name": "python"}}


@every_notebook
def test_it_has_a_slider_exercises_and_answers_out_of_sight(path):
    notebook = read(path)
    text = "\n".join("".join(cell["source"]) for cell in notebook["cells"])
    assert "interact(" in text
    assert "## Exercises" in text
    assert re.search(
        r"<details>\s*<summary>Answers</summary>\s*\n\s*\n.*</details>", text, re.DOTALL
    )
    assert any("= ..." in source and "attempt(" in source for source in code(notebook))
    for cell in notebook["cells"]:
        if "answer" in cell["metadata"].get("tags", []):
            assert cell["metadata"]["jupyter"]["source_hidden"]


@every_notebook
def test_its_formulas_can_be_typeset(path):
    prose = [c for c in read(path)["cells"] if c["cell_type"] == "markdown"]
    for cell in prose:
        source = "".join(cell["source"])
        assert source.count("$") % 2 == 0
        for formula in re.findall(r"\$\$?([^$]+)\$\$?", source):
            assert "<merror" not in convert(formula)


@every_notebook
def test_its_cells_stay_thin(path):
    """An algorithm belongs in the library: no class, no while, functions of a few lines."""
    for source in code(read(path)):
        assert len(source.splitlines()) <= 36, source
        assert not re.search(r"^\s*(class|while) ", source, re.MULTILINE), source

"""What the repository may hold: its folders, no machine's paths, no registry, no stale outputs."""

import importlib
import json
import re
import subprocess
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ["theory", "sims", "proofs_check"]
FOLDERS = {*PACKAGES, ".ci", "benchmarks", "docs", "notebooks", "tests"}
REGISTRY = r"pypi[.]org|pythonhosted[.]org|npmjs[.](?:org|com)|debian[.]org|anaconda[.](?:org|com)"
MACHINE = r"(?<![\w.~-])/(?:work|root|home|Users)/"  # a path from the root, not a piece of one


def kept_files() -> list[Path]:
    """All files that are tracked, or would be by `git add`."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [ROOT / name for name in names.split("\0") if name and (ROOT / name).is_file()]


FILES = kept_files()


def test_the_top_level_holds_the_known_folders():
    found = {path.relative_to(ROOT).parts[0] for path in FILES if path.parent != ROOT}
    assert {*PACKAGES, "tests"} <= found <= FOLDERS


@pytest.mark.parametrize("pattern", [REGISTRY, MACHINE], ids=["registry", "machine"])
def test_no_file_names_a_registry_or_a_machine(pattern):
    said = [
        f"{path.relative_to(ROOT)}: {found[0]}"
        for path in FILES
        if (found := re.search(pattern, path.read_text(encoding="utf-8", errors="ignore")))
    ]
    assert not said


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (REGISTRY, "index-url = files.python" + "hosted.org"),
        (MACHINE, "open('" + "/home" + "/me/x')"),
        (MACHINE, "cd " + "/root" + "/flatproof"),
    ],
)
def test_a_planted_name_is_found(pattern, text):
    assert re.search(pattern, text)


def test_notebooks_are_kept_without_outputs():
    stale = [
        str(path.relative_to(ROOT))
        for path in FILES
        if path.suffix == ".ipynb"
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        if cell.get("outputs") or cell.get("execution_count")
    ]
    assert not stale


@pytest.mark.parametrize("package", PACKAGES)
def test_no_other_distribution_ships_our_packages(package):
    """An editable install lists no packages, so ours is recognised by where it is loaded from."""
    assert set(packages_distributions().get(package, [])) <= {"flatproof"}
    loaded = importlib.import_module(package)
    assert Path(str(loaded.__file__)) == ROOT / package / "__init__.py"

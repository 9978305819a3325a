"""What is executed has one fingerprint: comments are no part of it, any other edit is."""

import shutil
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from sims import _provenance
from sims._provenance import ROOT, code, data, environment

SAM = "sims.optimizers.sam"


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A copy of the code, which may be edited; its root is returned."""
    for package in ("sims", "theory"):
        shutil.copytree(ROOT / package, tmp_path / package)
    monkeypatch.setattr(_provenance, "ROOT", tmp_path)
    return tmp_path


def edit(tree, name, old, new):
    path = tree / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    _provenance._read.cache_clear()


def test_comments_docstrings_and_layout_are_no_part_of_it(tree):
    before = code(SAM)
    edit(tree, "sims/optimizers/sam.py", '"""', '"""Another first line. ')
    edit(tree, "sims/optimizers/sam.py", "import jax\n", "import jax  # why\n\n\n")
    assert code(SAM) == before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("sims/optimizers/sam.py", "rho: Any = 0.05", "rho: Any = 0.06"),
        ("sims/optimizers/_ascent.py", "1e-12", "1e-16"),  # a helper it imports
        ("theory/core.py", "class Optimizer(Protocol):", "class Optimizer(object):"),
    ],
)
def test_an_edit_of_it_or_of_what_it_imports_is_noticed(tree, name, old, new):
    before = code(SAM)
    edit(tree, name, old, new)
    assert code(SAM) != before


def test_an_edit_elsewhere_is_not_its_business(tree):
    before = code(SAM), code("sims.optimizers.sophiah")
    edit(tree, "sims/optimizers/sophiah.py", "import jax\n", "import jax\n\nEDITED = 1\n")
    assert code(SAM) == before[0]
    assert code("sims.optimizers.sophiah") != before[1]


def test_the_engine_s_fingerprint_covers_its_parts(tree):
    before = code("sims.engine")
    for name in ("_block", "_gram", "_plain", "_draw"):
        edit(tree, f"sims/{name}.py", "import annotations\n", "import annotations\n\nEDITED = 1\n")
        after = code("sims.engine")
        assert after != before
        before = after


def test_the_environment_names_what_last_bits_depend_on():
    found = environment()
    assert {"jax", "jaxlib", "numpy", "scipy", "processor", "instructions"} <= found.keys()
    assert found["xla_threads"] == "1"  # whatever the machine has: see sims/__init__.py
    assert all(isinstance(value, str) for value in found.values())


@dataclass
class Inner:
    """Within a problem."""

    rows: Any


@dataclass
class Outer:
    """A problem."""

    rows: Any
    name: str
    inner: Any = None


def test_data_are_hashed_to_the_last_bit_wherever_they_are():
    rows = np.array([[1.0, 2.0], [3.0, 4.0]])
    moved = rows.copy()
    moved[1, 1] = np.nextafter(4.0, 5.0)
    different = [
        Outer(rows, "a"),
        Outer(moved, "a"),
        Outer(rows.reshape(4, 1), "a"),
        Outer(rows.astype(np.float32), "a"),
        Outer(rows, "b"),
        Outer(rows, "a", Inner(rows)),
        Outer(rows, "a", Inner(moved)),
    ]
    assert len({data(each) for each in different}) == len(different)
    assert data(Outer(rows.T.copy().T, "a")) == data(Outer(rows, "a"))  # another layout in memory

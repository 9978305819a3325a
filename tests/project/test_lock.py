"""The lock: every package by hash, none by address, and all that pyproject.toml asks for."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
# one entry: name==version ; marker \, then a hash a line, then who asked for it
ENTRIES = re.findall(r"^(\S+==[^\\\n]+)\\?(.*(?:\n .*)*)", TEXT, re.MULTILINE)
LOCKED = [Requirement(head) for head, _ in ENTRIES]
WANTED = [
    *PROJECT["project"]["dependencies"],
    *PROJECT["build-system"]["requires"],
    *PROJECT["dependency-groups"]["dev"],
    *(each for extra in PROJECT["project"]["optional-dependencies"].values() for each in extra),
]


def test_the_lock_names_no_address():
    assert "://" not in TEXT


def test_every_line_belongs_to_a_pinned_package():
    stray = [line for line in TEXT.splitlines() if not re.match(r"\S+==| +--hash=| +# ", line)]
    assert not stray
    assert len(ENTRIES) == len(re.findall(r"^\S", TEXT, re.MULTILINE))


@pytest.mark.parametrize(("head", "rest"), ENTRIES, ids=[head.strip() for head, _ in ENTRIES])
def test_every_package_is_pinned_by_hash(head, rest):
    assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", rest)


@pytest.mark.parametrize("wanted", WANTED)
def test_the_lock_satisfies_pyproject(wanted):
    """Several entries for one name are for different versions of Python; each must satisfy."""
    requirement = Requirement(wanted)
    pins = [pin for pin in LOCKED if pin.name == requirement.name]
    assert pins
    for pin in pins:
        (version,) = (each.version for each in pin.specifier)
        assert requirement.specifier.contains(version)

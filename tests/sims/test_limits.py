"""What is left is the least of the machine's, the control group's and the process's own."""

import subprocess
import sys
from pathlib import Path

import pytest

from sims import _limits
from sims._limits import available_memory, require_disk, require_memory, size
from theory.core import InputError

ROOT = Path(__file__).parents[2]


def test_sizes_are_told_in_units_people_use():
    assert [size(n) for n in (0, 1023, 1024, 1536, 3 * 2**30, 2**60)] == [
        "0 bytes",
        "1023 bytes",
        "1 KiB",
        "1.5 KiB",
        "3 GiB",
        "1024 PiB",
    ]


def test_a_need_is_refused_with_both_numbers(tmp_path):
    require_memory("run", 1, "less")
    with pytest.raises(InputError, match=r"^run: got 1 PiB of memory; allowed: the .* free: less$"):
        require_memory("run", 2**50, "less")
    require_disk("out", 1, tmp_path, "less")
    with pytest.raises(InputError, match=r"^out: got 1024 PiB of disk; allowed: the .* free: less"):
        require_disk("out", 2**60, tmp_path, "less")


def test_a_control_group_s_limit_counts_without_what_is_cached(tmp_path, monkeypatch):
    (tmp_path / "memory.max").write_text("5000\n")
    (tmp_path / "memory.current").write_text("4000\n")
    (tmp_path / "memory.stat").write_text("anon 1000\ninactive_file 2500\n")
    monkeypatch.setattr(_limits, "GROUPS", tmp_path)
    assert _limits._left(tmp_path) == 3500
    (tmp_path / "memory.max").write_text("max\n")
    assert _limits._left(tmp_path) == 2**63


def test_a_process_s_own_limit_counts():
    limited = (
        "import resource\n"
        "from sims._limits import available_memory\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))\n"
        "print(available_memory())\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", limited], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert 0 < int(result.stdout) < 2**31
    assert available_memory() > 0

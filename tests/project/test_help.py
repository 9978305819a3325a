"""`--help` answers at once: it loads nothing that computes or draws."""

import subprocess
import sys

import pytest

HEAVY = {"distributed", "hypothesis", "jax", "matplotlib", "numpy", "scipy", "sympy", "xarray"}
LOADED = """
import sys
from proofs_check.cli import main
try:
    main(sys.argv[1:])
except SystemExit as stop:
    sys.stderr.write(" ".join({name.partition(".")[0] for name in sys.modules}))
    raise
"""


@pytest.mark.parametrize("command", ["", "verify", "check", "simulate", "conform"])
def test_help_loads_nothing_heavy(command):
    words = [sys.executable, "-c", LOADED, *command.split(), "--help"]
    result = subprocess.run(words, check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "Usage" in result.stdout
    loaded = set(result.stderr.split())
    assert "proofs_check" in loaded
    assert not loaded & HEAVY

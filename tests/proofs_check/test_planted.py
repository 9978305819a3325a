"""Planted false claims are never let through, and their true twins are."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from proofs_check.checker import replay
from proofs_check.engine import audit
from proofs_check.library import entry_of_file
from theory.core import Verdict

PLANTED = sorted((Path(__file__).parents[1] / "planted").glob("*.py"))
SOUND = {Verdict.PROVED, Verdict.AGREES}


def no_lab():
    raise AssertionError("planted claims observe nothing")


def twin_of(path: Path):
    namespace: dict = {}
    exec(compile(path.read_text(), str(path), "exec"), namespace)
    return namespace["TWIN"]


def test_every_way_of_being_wrong_is_planted():
    assert {p.stem for p in PLANTED} >= {
        "one_percent_off",
        "wrong_sign",
        "wrong_notion",
        "needle",
    }


@pytest.mark.parametrize("path", PLANTED, ids=lambda p: p.stem)
def test_a_planted_false_claim_is_refuted_or_left_open(path):
    item = entry_of_file(path)
    report = audit(item.key, item.claim, (), no_lab)
    assert report.verdict in (Verdict.REFUTED, Verdict.INCONCLUSIVE)
    if report.verdict is Verdict.REFUTED:
        assert report.found is not None
        assert replay(report.found, item.claim).verdict is Verdict.REFUTED


@pytest.mark.parametrize("path", PLANTED, ids=lambda p: p.stem)
def test_the_true_twin_of_a_planted_claim_stands(path):
    report = audit(path.stem, twin_of(path), (), no_lab)
    assert report.verdict in SOUND, [f.sentence for f in report.findings]


def test_a_planted_file_leaves_a_certificate_that_replays_on_its_own(tmp_path):
    path = next(p for p in PLANTED if p.stem == "one_percent_off")
    flatproof = [sys.executable, "-m", "proofs_check"]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    verified = subprocess.run(
        [*flatproof, "verify", str(path), "--out", str(tmp_path)],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
    )
    assert verified.returncode == 1, verified.stderr
    certificate = tmp_path / "one_percent_off.certificate.json"
    replayed = subprocess.run(
        [*flatproof, "check", str(certificate), "--claim", str(path)],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
    )
    assert replayed.returncode == 0, replayed.stdout
    assert "REFUTED" in replayed.stdout

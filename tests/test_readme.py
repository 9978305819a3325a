"""The README is true: its table is the recorded one, its code runs, its commands exist."""

import doctest
import re
from pathlib import Path
from typing import Any

from proofs_check import cli, library, record
from sims._block import MEASURES
from theory import catalogue
from theory.core import Verdict

README = Path(__file__).parents[1] / "README.md"


def test_the_table_is_the_recorded_one():
    text = README.read_text()
    assert record.with_table(text) == text, "run `make record`"


def test_a_stale_table_is_noticed(monkeypatch):
    known = library.recorded()
    known["sharpness_bound"]["deciding"] = "nothing"
    monkeypatch.setattr(library, "recorded", lambda: known)
    text = README.read_text()
    assert record.with_table(text) != text


def test_every_claim_is_recorded_as_it_stands():
    known = library.recorded()
    assert set(known) == {item.key for item in library.entries()}
    for item in library.entries():
        assert library.recorded_verdict(item) in set(Verdict), f"{item.key}: run `make record`"


def test_the_python_examples_run():
    result = doctest.testfile(str(README), module_relative=False)
    assert result.attempted > 5
    assert result.failed == 0


def test_the_example_claim_is_refuted_and_its_certificate_replays(tmp_path, capsys):
    (code,) = re.findall(r"```python\n# my_claim\.py\n(.*?)```", README.read_text(), re.DOTALL)
    mine = tmp_path / "my_claim.py"
    mine.write_text(code)
    assert cli.run(["verify", str(mine), "--out", str(tmp_path)]) == 1
    assert "REFUTED" in capsys.readouterr().out
    certificate = str(tmp_path / "my_claim.certificate.json")
    assert cli.run(["check", certificate, "--claim", str(mine)]) == 0


def test_the_example_theorem_is_proved_and_its_certificate_replays(tmp_path, capsys):
    (code,) = re.findall(r"```python\n# my_theorem\.py\n(.*?)```", README.read_text(), re.DOTALL)
    mine = tmp_path / "my_theorem.py"
    mine.write_text(code)
    assert cli.run(["verify", str(mine), "--out", str(tmp_path)]) == 0
    assert "PROVED" in capsys.readouterr().out
    certificate = str(tmp_path / "my_theorem.certificate.json")
    assert cli.run(["check", certificate, "--claim", str(mine)]) == 0
    assert "my_theorem PROVED" in capsys.readouterr().out


def test_the_example_conjecture_is_refuted_from_scratch(tmp_path, capsys):
    (code,) = re.findall(r"```python\n# my_conjecture\.py\n(.*?)```", README.read_text(), re.DOTALL)
    mine = tmp_path / "my_conjecture.py"
    mine.write_text(code)
    words = ["hunt", str(mine), "--seed", "3", "--budget", "20", "--out", str(tmp_path)]
    assert cli.run(words) == 1
    assert "REFUTED" in capsys.readouterr().out
    certificate = str(tmp_path / "my_conjecture.certificate.json")
    assert cli.run(["check", certificate, "--claim", str(mine)]) == 0


def test_every_command_shown_is_a_command(capsys):
    lines = re.findall(r"^\.venv/bin/flatproof (\w+)", README.read_text(), re.MULTILINE)
    assert len(lines) >= 5
    for command in set(lines):
        assert cli.run([command, "--help"]) == 0


def test_every_make_target_shown_exists():
    makefile = (README.parent / "Makefile").read_text()
    shown = set(re.findall(r"`?make (\w+)", README.read_text()))
    assert {"verify", "test", "check", "record", "bench"} <= shown
    for target in shown:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_example_minimum_prints_its_ladder(tmp_path, capsys, monkeypatch):
    (code,) = re.findall(r"```python\n# my_minimum\.py\n(.*?)```", README.read_text(), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    assert cli.run(["stability", "minimum.npz", "--eta", "1.1"]) == 0
    out = capsys.readouterr().out
    assert "mean-square" in out and "violated" in out


def test_the_example_replays_agree(capsys, monkeypatch):
    (files,) = re.findall(r"^\.venv/bin/flatproof replay (.*)$", README.read_text(), re.MULTILINE)
    monkeypatch.chdir(README.parent)
    assert files == "tests/reference/*.json"
    recorded = sorted(map(str, Path("tests/reference").glob("*.json")))
    assert cli.run(["replay", *recorded]) == 0
    assert capsys.readouterr().out.count("deviation") == len(recorded) == 10


def test_the_example_sweep_runs_and_opens_as_shown(tmp_path, monkeypatch, capsys):
    (config,) = re.findall(r"```toml\n(# sweep\.toml\n.*?)```", README.read_text(), re.DOTALL)
    (code,) = re.findall(
        r"```python\n(from sims\.sweep import sweep\n.*?)```", README.read_text(), re.DOTALL
    )
    monkeypatch.chdir(tmp_path)
    Path("sweep.toml").write_text(config)
    assert cli.run(["simulate", "sweep.toml", "--out", "out/sweep", "--pictures"]) == 0
    assert "phase_diagram_usam.svg" in capsys.readouterr().out
    found: dict[str, Any] = {}
    exec(code, found)
    assert found["data"].attrs["complete"]
    assert set(found["best"].optimizer.values) == {"sgd", "usam", "sam"}
    assert (found["best"] < found["data"].loss.isel(step=0).min()).all()


def test_the_measurements_listed_are_those_there_are():
    (listed,) = re.findall(
        r"one file each in `sims/measures`: (.*?), and `x`", README.read_text(), re.DOTALL
    )
    assert sorted(re.findall(r"`(\w+)`", listed)) == catalogue.keys(MEASURES)


def test_the_problems_listed_are_those_there_are():
    (listed,) = re.findall(r'name = "linear" +# (.*)', README.read_text())
    assert sorted(listed.split(", ")) == catalogue.keys("theory.problems")


def test_the_example_optimizer_conforms_with_a_hazard(tmp_path, monkeypatch, capsys):
    (code,) = re.findall(r"```python\n# my_sam\.py\n(.*?)```", README.read_text(), re.DOTALL)
    (tmp_path / "my_sam.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    assert cli.run(["conform", "my_sam:factory"]) == 0
    assert "hazard" in capsys.readouterr().out.lower()

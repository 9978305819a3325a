"""The command line: exit codes, JSON that is JSON alone, and one clear line for every mistake."""

import json
import sys
from pathlib import Path

import pytest

from proofs_check import cli, library
from theory.core import Verdict

FAST = "third_moment_order"  # refuted by its certificate, so its audit takes no search


def reject(constant):
    raise AssertionError(f"{constant} is not strict JSON")


def strict(text):
    return json.loads(text, parse_constant=reject)


def test_claims_as_json_lists_every_claim_with_its_recorded_verdict(capsys):
    assert cli.run(["claims", "--json", "-"]) == 0
    rows = strict(capsys.readouterr().out)
    assert [row["key"] for row in rows] == [item.key for item in library.entries()]
    for row in rows:
        assert set(row) == {"key", "title", "paper", "kind", "notion", "verdict"}
        assert row["paper"] in {"P1", "P2", "other"}
        assert row["verdict"] in set(Verdict)


def test_claims_as_a_table_names_every_claim(capsys):
    assert cli.run(["claims"]) == 0
    out = capsys.readouterr().out
    for item in library.entries():
        assert item.key in out


def test_show_prints_statement_source_and_verdict(capsys):
    assert cli.run(["show", "second_moment_bound"]) == 0
    out = capsys.readouterr().out
    for part in ("REFUTED", "mean-square", "reconstructed", "curvature_variance_bound", "s_2"):
        assert part in out


def test_verify_as_json_adds_evidence_certificates_and_conventions(capsys):
    assert cli.run(["verify", FAST, "--json", "-"]) == 0
    captured = capsys.readouterr()
    (row,) = strict(captured.out)
    assert row["verdict"] == "REFUTED"
    assert row["evidence"] and row["conventions"]["notion"] == "none"
    (certificate,) = row["certificates"]
    assert certificate["content"]["kind"] == "family"


def test_verify_leaves_json_and_page(tmp_path, capsys):
    out = tmp_path / "with space" / "é"
    assert cli.run(["verify", FAST, "--out", str(out), "--json", str(tmp_path / "v.json")]) == 0
    assert strict((out / "verify.json").read_text()) == strict((tmp_path / "v.json").read_text())
    assert "<html" in (out / "index.html").read_text()
    assert FAST in capsys.readouterr().out


def test_a_verdict_that_differs_from_the_record_exits_1(monkeypatch, capsys):
    known = library.recorded()
    known[FAST]["verdict"] = "PROVED"
    monkeypatch.setattr(library, "recorded", lambda: known)
    assert cli.run(["verify", FAST]) == 1
    assert f"{FAST}: found REFUTED, recorded PROVED" in capsys.readouterr().out


def test_a_claim_changed_since_it_was_recorded_exits_1(monkeypatch, capsys):
    known = library.recorded()
    known[FAST]["hash"] = "0" * 64
    monkeypatch.setattr(library, "recorded", lambda: known)
    assert cli.run(["verify", FAST]) == 1
    assert "recorded nothing" in capsys.readouterr().out


def user_claim(folder: Path, body: str = "") -> Path:
    path = folder / "my_claim.py"
    path.write_text((Path(__file__).parents[1] / "planted" / "needle.py").read_text() + body)
    return path


def test_a_false_claim_of_the_users_exits_1_and_leaves_its_certificate(tmp_path, capsys):
    path = user_claim(tmp_path)
    assert cli.run(["verify", str(path), "--out", str(tmp_path / "out")]) == 1
    certificate = tmp_path / "out" / "my_claim.certificate.json"
    assert cli.run(["check", str(certificate), "--claim", str(path)]) == 0
    assert "my_claim REFUTED" in capsys.readouterr().out


def test_a_certificate_beside_the_users_file_is_replayed(tmp_path, capsys):
    path = user_claim(tmp_path)
    cli.run(["verify", str(path), "--out", str(tmp_path)])
    capsys.readouterr()
    assert cli.run(["verify", str(path), "--json", "-"]) == 1
    (row,) = strict(capsys.readouterr().out)
    assert row["evidence"][-1]["certificate"] == "my_claim.certificate.json"


def test_a_true_claim_of_the_users_exits_0(tmp_path, capsys):
    assert cli.run(["verify", str(user_claim(tmp_path, "\nCLAIM = TWIN\n"))]) == 0
    assert "AGREES" in capsys.readouterr().out


def test_check_rejects_a_certificate_about_another_claim(tmp_path, capsys):
    certificate = library.CERTIFICATES / f"{FAST}.json"
    assert cli.run(["check", str(certificate), "--claim", str(user_claim(tmp_path))]) == 1
    assert "rejected" in capsys.readouterr().out


def test_check_goes_on_after_a_rejection(tmp_path, capsys):
    bad = tmp_path / "bad.json"
    bad.write_text("{}")
    good = library.CERTIFICATES / f"{FAST}.json"
    assert cli.run(["check", str(bad), str(good)]) == 1
    first, second = capsys.readouterr().out.splitlines()
    assert "rejected" in first and "REFUTED" in second


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["nosuch"], ["nosuch"]),
        (["show", "shapness_bound"], ["claim", "shapness_bound", "sharpness_bound"]),
        (["show"], ["KEY"]),
        (["verify", "nosuch"], ["claim", "nosuch", "flatproof claims"]),
        (["verify", "no/such.py"], ["FILE", "no/such.py", "existing"]),
        (["verify", "--jsn", "-"], ["--jsn", "--json"]),
        (["claims", "--json"], ["--json"]),
        (["check"], ["CERT", "at least one"]),
        (["check", "no_such.json"], ["CERT", "no_such.json", "existing"]),
        (["check", "--claim"], ["--claim"]),
        (["check", "--nosuch"], ["--nosuch", "--claim"]),
        (["claims", "--json", "/proc/none/x.json"], ["output", "writable"]),
    ],
)
def test_a_mistake_is_one_line_that_names_it(words, names, capsys):
    assert cli.run(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    for name in names:
        assert name in captured.err


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("x = 1", ["CLAIM"]),
        ("CLAIM = 3", ["CLAIM", "int"]),
        ("1/0", ["ZeroDivisionError"]),
        ("def", ["SyntaxError"]),
        ("raise SystemExit(0)", ["SystemExit"]),
        ("import nosuchmodule", ["nosuchmodule"]),
    ],
)
def test_a_file_that_defines_no_claim_is_one_line(text, names, tmp_path, capsys):
    path = tmp_path / "mine.py"
    path.write_text(text)
    assert cli.run(["verify", str(path)]) == 2
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1
    for name in ["mine.py", *names]:
        assert name in err


@pytest.mark.parametrize(
    "change",
    [
        "from dataclasses import replace\nCLAIM = replace(CLAIM, given=lambda m: m.nosuch)",
        "from dataclasses import replace\nCLAIM = replace(CLAIM, then=lambda m: 3)",
        "from dataclasses import replace\nCLAIM = replace(CLAIM, tightest={'x': 1})",
        "from dataclasses import replace\nCLAIM = replace(CLAIM, tightest={'x': 0.5, 'y': 1})",
        "from dataclasses import replace\nCLAIM = replace(CLAIM, tightest=None)",
    ],
)
def test_a_claim_that_cannot_be_read_is_one_line(change, tmp_path, capsys):
    assert cli.run(["verify", str(user_claim(tmp_path, f"\n{change}\n"))]) == 2
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1
    assert "my_claim.py" in err


def test_help_shows_examples(capsys):
    assert cli.run(["--help"]) == 0
    assert "flatproof verify --out out" in capsys.readouterr().out


def test_an_interrupt_ends_with_130(monkeypatch, capsys):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(library, "entries", interrupted)
    assert cli.run(["claims"]) == 130
    assert capsys.readouterr().err == "flatproof: interrupted\n"


def test_main_exits_with_the_code_of_the_command():
    with pytest.raises(SystemExit) as stop:
        cli.main(["verify", "nosuch"])
    assert stop.value.code == 2
    assert "proofs_check.cli" in sys.modules

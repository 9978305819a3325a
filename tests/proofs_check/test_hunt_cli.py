"""`flatproof hunt`: from scratch, by seed, within a budget, and honest about finding nothing."""

import json
import time
from contextlib import nullcontext
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from proofs_check import chase, cli, engine, hunting, library
from proofs_check.certificate import read
from proofs_check.chase import Chase
from proofs_check.checker import replay
from proofs_check.search.hunt import Hunt, hunt, rounds
from proofs_check.witness_text import lines
from theory.atoms import at_most, equal
from theory.core import Verdict

UNSEEN = sorted((Path(__file__).parents[1] / "planted_unseen").glob("*.py"))
KNOWN = ("one_step_necessary", "second_moment_bound", "third_moment_order")
QUICK = "third_power_three_percent_off"
PROVED = [key for key, row in library.recorded().items() if row["verdict"] == "PROVED"]


def path_of(name):
    return next(path for path in UNSEEN if path.stem == name)


def twin(path, folder):
    """A file with the true twin as its claim."""
    copy = folder / f"{path.stem}_twin.py"
    copy.write_text(path.read_text(encoding="utf-8") + "\nCLAIM = TWIN\n", encoding="utf-8")
    return copy


def ask(capsys, out, *words, code):
    """The rows of a hunt."""
    assert cli.run(["hunt", *map(str, words), "--out", str(out), "--json", "-"]) == code
    captured = capsys.readouterr()
    assert captured.err == ""
    return json.loads(captured.out)


def refuted_from_scratch(capsys, out, target, budget):
    (row,) = ask(capsys, out, target, "--budget", budget, code=1)
    words = row["check"].split()
    assert words[:2] == ["flatproof", "check"] and cli.run(words[1:]) == 0
    assert "REFUTED" in capsys.readouterr().out
    assert read(Path(row["file"])) == row["certificate"]
    return row


def test_a_false_claim_is_refuted_and_the_command_shown_replays_it(tmp_path, capsys):
    row = refuted_from_scratch(capsys, tmp_path, path_of(QUICK), 30)
    assert 0 < Fraction(row["violation"]) <= Fraction(3, 97)  # 1 is what is true, not 97/100
    assert row["evaluations"] > 0


def test_a_shipped_false_claim_is_refuted_without_its_certificate(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(library, "CERTIFICATES", tmp_path / "none")
    refuted_from_scratch(capsys, tmp_path, "one_step_necessary", 10)


@pytest.mark.soak
@pytest.mark.parametrize("target", [*KNOWN, *UNSEEN], ids=lambda t: getattr(t, "stem", t))
def test_a_false_claim_no_search_was_tuned_on_is_refuted_in_a_minute(target, tmp_path, capsys):
    refuted_from_scratch(capsys, tmp_path, target, 60)


@pytest.mark.soak
def test_nothing_is_found_against_what_is_proved_and_every_control_fires(tmp_path, capsys):
    rows = ask(capsys, tmp_path, *PROVED, "--budget", 3 * len(PROVED), code=0)
    for row in rows:
        assert row["parts"] and all(part["says_something"] for part in row["parts"]), row["key"]


@pytest.mark.soak
@pytest.mark.parametrize("path", UNSEEN, ids=lambda p: p.stem)
def test_nothing_is_found_against_a_true_twin_and_the_control_fires(path, tmp_path, capsys):
    (row,) = ask(capsys, tmp_path, twin(path, tmp_path), "--budget", 20, code=0)
    assert all(part["says_something"] for part in row["parts"])


@pytest.fixture
def counted(monkeypatch):
    """The clock counts evaluations: enough for a short look and its controls, on any machine."""
    monkeypatch.setattr(chase, "FIRST", 400)
    monkeypatch.setattr(hunting, "_clock", lambda *_, **__: nullcontext(stop_after(3000)))


@pytest.mark.usefixtures("counted")
def test_finding_nothing_comes_with_its_control(tmp_path, capsys):
    target = twin(path_of(QUICK), tmp_path)
    assert cli.run(["hunt", str(target), "--out", str(tmp_path / "out")]) == 0
    out = capsys.readouterr().out
    assert "nothing found, and the control fired; not a proof" in out
    assert "made 1% stronger, the same search from the same seed refutes it after" in out
    assert "evaluations" in out and "seed 0" in out
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("counted")
def test_an_equality_that_is_true_is_controlled_from_both_sides(tmp_path, capsys):
    target = twin(path_of("power_sum_of_two_roots"), tmp_path)
    (row,) = ask(capsys, tmp_path, target, code=0)
    (part,) = row["parts"]
    assert [c["alteration"] for c in part["controls"]] == ["1/100", "-1/100"]
    assert part["says_something"]


def test_an_equality_that_is_false_is_refuted_where_its_hypotheses_hold(tmp_path, capsys):
    target = path_of("power_sum_of_two_roots")
    row = refuted_from_scratch(capsys, tmp_path, target, 20)
    y, z, tau, beta = (
        Fraction(row["certificate"]["witness"][n]) for n in ("y", "z", "tau", "beta")
    )
    assert (y + z, y * z) == (tau, beta)
    assert y**4 + z**4 != tau**4 - 4 * beta * tau**2 + beta**2


def stop_after(evaluations):
    """A clock that counts calls: one is made before every evaluation."""
    calls = iter(range(10**9))
    return lambda: next(calls) >= evaluations


def chased(name, stop, seed=0):
    item = library.entry_of_file(path_of(name))
    found = Chase(item, seed)
    found.run(stop)
    return found


def test_a_control_that_did_not_fire_is_not_passed_over():
    """Stopped before there was a control."""
    found = Chase(library.entry("sharpness_bound"), 0)
    found.run(stop_after(30))
    assert "no point" not in found.sentence()
    assert "the control did not fire: this says nothing" in found.sentence()
    assert not found.parts[0].says_something


def test_hypotheses_that_nothing_meets_are_reported():
    item = library.entry("sharpness_bound")
    never = replace(item.claim, given=lambda m: (at_most(m.trace(m.I), 0),))
    found = Chase(replace(item, claim=never), 0)
    found.run(stop_after(200))
    assert "no point tried met every hypothesis: this says nothing" in found.sentence()


def test_a_control_is_never_easier_than_what_the_search_has_reached():
    found = Chase(library.entry("third_moment_bound"), 0)
    found.run(stop_after(2500))
    (part,) = found.parts
    reached = 2 * part.result.nearest / (1 + part.result.nearest)
    (control,) = part.controls
    assert control.alteration <= Fraction(reached) + engine.PERCENT + Fraction(1, 10**9)


def test_the_clock_stops_a_hunt_and_changes_nothing_else():
    claim = library.entry("third_moment_order").claim
    whole = hunt(claim, evaluations=30_000, seed=1)
    assert whole.certificate is not None
    late = hunt(claim, evaluations=30_000, seed=1, stop=stop_after(whole.evaluations + 100))
    assert late == whole
    early = hunt(claim, evaluations=30_000, seed=1, stop=stop_after(whole.evaluations // 2))
    assert early.certificate is None and early.evaluations == whole.evaluations // 2
    piecewise = Hunt()
    for _ in rounds(claim, piecewise, seed=1):
        pass
    assert piecewise == whole


def test_a_chase_finds_what_the_audit_finds():
    found = chased(QUICK, lambda: False)
    audited = hunt(found.item.claim, evaluations=engine.EVALUATIONS)
    assert found.certificate == audited.certificate
    assert found.evaluations == audited.evaluations
    assert chased(QUICK, lambda: False, seed=1).certificate != found.certificate


def test_every_atom_of_a_conclusion_is_searched():
    """The first atom is true and would hide the second from a search that stops there."""
    item = library.entry_of_file(path_of("power_sum_of_two_roots"))
    false = item.claim.then
    both = replace(item.claim, then=lambda m: (equal(m.y + m.z, m.tau), *false(m)))
    found = Chase(replace(item, claim=both), 0)
    found.run(lambda: False)
    assert found.certificate is not None and found.certificate["then"]["atom"] == "1"
    assert replay(found.certificate, both).verdict is Verdict.REFUTED


def test_a_budget_is_kept_and_shared(tmp_path, capsys):
    start = time.monotonic()
    keys = ("sharpness_bound", "trace_bound", "gd_edge")
    rows = ask(capsys, tmp_path, *keys, "--budget", 1.5, code=0)
    # Imports and one exact witness with its rounding come on top: under two seconds each.
    assert time.monotonic() - start < 1.5 + 6
    assert [row["key"] for row in rows] == list(keys)
    assert all(row["evaluations"] > 0 for row in rows)


def test_without_a_claim_every_shipped_one_is_hunted(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(hunting, "entries", lambda: [library.entry("gd_edge")])
    assert [row["key"] for row in ask(capsys, tmp_path, "--budget", 0.2, code=0)] == ["gd_edge"]


def test_an_interrupt_keeps_what_was_found(tmp_path, capsys, monkeypatch):
    run = Chase.run

    def until_the_second(self, stop):
        if self.item.key == "gd_edge":
            self.interrupted = True
            raise KeyboardInterrupt
        run(self, stop)

    monkeypatch.setattr(Chase, "run", until_the_second)
    target, report = path_of("power_sum_of_two_roots"), tmp_path / "rows.json"
    words = [str(target), "gd_edge", "trace_bound", "--out", str(tmp_path), "--json", str(report)]
    assert cli.run(["hunt", *words]) == 130
    captured = capsys.readouterr()
    assert "REFUTED" in captured.out and "interrupted: nothing found" in captured.out
    assert captured.err.splitlines() == ["flatproof: interrupted"]
    rows = json.loads(report.read_text(encoding="utf-8"))
    assert [row["outcome"] for row in rows] == ["refuted", "nothing found"]
    claim = library.entry_of_file(target).claim
    assert replay(read(Path(rows[0]["file"])), claim).verdict is Verdict.REFUTED


def test_an_interrupt_while_shrinking_keeps_the_longer_witness(tmp_path, capsys, monkeypatch):
    from proofs_check.search import shrink

    def interrupted(claim, certificate, **how):
        raise KeyboardInterrupt

    monkeypatch.setattr(shrink, "shrink", interrupted)
    assert cli.run(["hunt", str(path_of(QUICK)), "--budget", "30", "--out", str(tmp_path)]) == 130
    assert "REFUTED" in capsys.readouterr().out
    assert (tmp_path / f"{QUICK}.certificate.json").exists()


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["--budget", "0"], ["budget", "'0'", "finite number of seconds above 0"]),
        (["--budget", "-1"], ["budget", "'-1'"]),
        (["--budget", "nan"], ["budget", "'nan'"]),
        (["--budget", "inf"], ["budget", "'inf'"]),
        (["--budget", "soon"], ["budget", "'soon'"]),
        (["--seed", "-1"], ["seed", "'-1'", "whole number, at least 0"]),
        (["--seed", "1.5"], ["seed", "'1.5'"]),
        (["sharpnes_bound"], ["sharpnes_bound", "nearest: sharpness_bound"]),
        (["missing.py"], ["missing.py", "existing"]),
        (["gd_edge", "gd_edge"], ["CLAIM", "two named gd_edge"]),
        (["--out", "/dev/null/there"], ["out", "/dev/null/there", "can be written"]),
        (["--json", "/dev/null/there.json"], ["json", "/dev/null", "can be written"]),
    ],
)
def test_bad_input_is_one_line(words, names, capsys):
    assert cli.run(["hunt", *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    for name in (*names, "allowed"):
        assert name in captured.err


def test_what_a_users_own_functions_raise_is_one_line(tmp_path, capsys):
    mine = tmp_path / "mine.py"
    text = path_of(QUICK).read_text(encoding="utf-8")
    mine.write_text(text.replace("100 * m.eta", "None * m.eta"), encoding="utf-8")
    assert cli.run(["hunt", str(mine), "--budget", "5", "--out", str(tmp_path)]) == 2
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1 and "mine.py" in err and "TypeError" in err


def test_a_point_where_the_conclusion_divides_by_zero_refutes_nothing():
    """eta rounds to 0 on the way; the bound is 1/(eta (eta - 2 rho))."""
    from proofs_check.search.witness import refutation

    claim = library.entry("one_step_second_small_step").claim
    assert refutation(claim, {"factors": [[[0]]], "eta": 0, "rho": 1}) is None


def test_a_witness_is_printed_number_by_number():
    claim = library.entry("second_moment_bound").claim
    certificate = {
        "witness": {
            "factors": [[["1", "1/2"]], [["0", "3"]]],
            "weights": ["1", "3"],
            "eta": "348/12500",
            "rho": "0",
        },
        "then": {"atom": "0", "vector": ["1", "-2"]},
    }
    assert list(lines(certificate, claim)) == [
        "H_1 = [   1  1/2 ]   weight 1/4",
        "      [ 1/2  1/4 ]",
        "H_2 = [ 0  0 ]   weight 3/4",
        "      [ 0  9 ]",
        "eta = 87/3125 (about 0.02784)",
        "rho = 0",
        "v = (1, -2)'",
    ]


def test_looks_double(monkeypatch):
    monkeypatch.setattr(chase, "FIRST", 1000)
    seen = []
    monkeypatch.setattr(chase.Part, "look", lambda self, goal: seen.append(goal))
    stop = iter([False] * 6 + [True] * 9)
    Chase(library.entry("trace_bound"), 0).run(lambda: next(stop))
    assert seen[:3] == [1000, 2000, 4000]

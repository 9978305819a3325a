"""`flatproof stability`: one strict schema, notions always named, one clear line for bad input."""

import json
import os
import pickle
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from proofs_check import cli, library, minimum_file
from proofs_check import stability as command
from sims import _limits
from theory.core import InputError, Notion
from theory.stability.published import AUDITED

ROWS = np.array([[[0.0, 1.0]], [[1.0, -1.0]], [[1.0, 1.0]]])
TOP = {
    "one_step", "mean_square", "almost_sure", "mean", "exact", "moments", "published_bounds", "at_eta",
    "stationary", "conventions",
}  # fmt: skip
LUCK = {"lower", "upper", "confidence", "seed"}
MOMENTS = {"a", "s2", "s3", "s4", "M2", "M3", "M4"}
BOUND = {"name", "claim", "notion", "max_eta", "value", "actual", "holds", "implied"}


def reject(constant):
    raise AssertionError(f"{constant} is not strict JSON")


@pytest.fixture
def minimum(tmp_path):
    """Three rows in the plane: s_2 breaks its bound where the minimum is stable in mean square."""
    path = tmp_path / "minimum.npz"
    np.savez(path, factors=ROWS)
    return str(path)


def answer(capsys, *words):
    assert cli.run(["stability", *words, "--json", "-"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return json.loads(captured.out, parse_constant=reject)


def complaint(capsys, *words):
    """The one line a mistake is told in."""
    assert cli.run(["stability", *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    return captured.err


@pytest.mark.parametrize("eta", [(), ("--eta", "1.1")])
@pytest.mark.parametrize("how", [(), ("--optimizer", "usam", "--rho", "0.2", "--batch", "2")])
def test_json_has_exactly_the_schema(minimum, capsys, eta, how):
    shown = answer(capsys, minimum, *eta, *how)
    assert set(shown) == TOP
    assert set(shown["mean_square"]) == {"lower", "upper"}
    assert set(shown["almost_sure"]) == LUCK
    assert set(shown["moments"]) == MOMENTS
    assert len(shown["published_bounds"]) == (5 if how else 3)
    for bound in shown["published_bounds"]:
        assert set(bound) == BOUND
        assert bound["claim"] in {item.key for item in library.entries()}
        assert bound["notion"] == "mean-square"
        if not eta:
            assert [bound[key] for key in ("value", "actual", "holds", "implied")] == [None] * 4
    if not eta:
        assert shown["at_eta"] is None
        return
    assert list(shown["at_eta"]) == ["one-step", "mean-square", "almost-sure", "mean"]
    for notion, row in shown["at_eta"].items():
        assert set(row) == {"rate", "stable"}
        assert row["stable"] in (True, False, None)
        if notion == Notion.ALMOST_SURE:
            assert set(row["rate"]) == LUCK
        else:
            assert isinstance(row["rate"], float)


def test_defaults_are_sgd_one_sample_with_replacement(minimum, capsys):
    used = answer(capsys, minimum)["conventions"]
    expected = {
        "optimizer": "sgd",
        "eta": None,
        "rho": 0,
        "batch": 1,
        "sampling": "with",
        "ascent": "shared",
        "samples": 3,
        "dimension": 2,
        "rank": 2,
    }
    assert expected.items() <= used.items()


def test_a_known_minimum_in_numbers(minimum, capsys):
    """At 1.1 < 6 - 2 sqrt 6 it is stable in mean square and fails the one-step test and s_2's bound."""
    shown = answer(capsys, minimum, "--eta", "1.1")
    edge = 6 - 2 * 6**0.5
    assert shown["mean_square"]["lower"] < edge < shown["mean_square"]["upper"]
    assert shown["mean_square"]["lower"] == pytest.approx(edge, rel=1e-12)
    assert shown["one_step"] == pytest.approx(1)
    assert shown["mean"] == pytest.approx(2)
    assert shown["moments"]["s2"] ** 2 == pytest.approx(8 / 9)
    assert shown["at_eta"]["mean-square"]["stable"] is True
    assert shown["at_eta"]["one-step"]["stable"] is False
    bounds = {bound["claim"]: bound for bound in shown["published_bounds"]}
    assert bounds["sharpness_bound"]["holds"] is True
    assert bounds["second_moment_bound"]["holds"] is False


def test_implied_is_the_recorded_verdict_of_the_claim(minimum, capsys, monkeypatch):
    given = ("PROVED", "REFUTED", None, "AGREES", "INCONCLUSIVE", "PROVED", "PROVED")
    verdicts = dict(zip(AUDITED, given, strict=True))
    monkeypatch.setattr(library, "recorded_verdict", lambda item: verdicts[item.key])
    how = ("--optimizer", "usam", "--rho", "0.1", "--eta", "0.3")
    bounds = answer(capsys, minimum, *how)["published_bounds"]
    assert [bound["implied"] for bound in bounds] == [True, False, None, True, None]
    bounds = answer(capsys, minimum, *how, "--batch", "2")["published_bounds"]
    assert [bound["implied"] for bound in bounds] == [None] * 5
    small = ("--optimizer", "usam", "--rho", "0.1", "--eta", "0.1")  # eta < 2 rho: other claims
    bounds = answer(capsys, minimum, *small)["published_bounds"]
    assert [bound["implied"] for bound in bounds] == [True, None, True, True, None]


def test_an_unbounded_step_is_null(tmp_path, capsys):
    np.savez(tmp_path / "flat.npz", hessians=np.zeros((2, 1, 1)))
    shown = answer(capsys, str(tmp_path / "flat.npz"), "--eta", "3")
    assert shown["one_step"] is None and shown["mean"] is None
    assert shown["mean_square"] == {"lower": None, "upper": None}
    assert shown["at_eta"]["almost-sure"] == {
        "rate": {"lower": None, "upper": None, "confidence": 1.0, "seed": None},
        "stable": True,
    }


def test_json_goes_to_a_file_where_one_is_named(minimum, tmp_path, capsys):
    target = tmp_path / "with space" / "é.json"
    assert cli.run(["stability", minimum, "--json", str(target)]) == 0
    assert capsys.readouterr().out == ""
    assert set(json.loads(target.read_text(encoding="utf-8"), parse_constant=reject)) == TOP


def test_the_table_names_the_notion_of_every_verdict(minimum, capsys):
    assert cli.run(["stability", minimum, "--eta", "1.1"]) == 0
    out = capsys.readouterr().out
    for part in (
        "unstable in one step",
        "stable in mean square",
        "stable almost surely",
        "stable in the mean",
        "violated",
        "second_moment_bound",
        "B = 1, with replacement",
    ):
        assert part in out
    assert cli.run(["stability", minimum, "--optimizer", "usam", "--rho", "0.1"]) == 0
    assert "per-sample" not in (out := capsys.readouterr().out) and "shared ascent" in out


def test_weights_and_compression_are_read(tmp_path, capsys):
    """A sample of weight 3 is that sample three times."""
    H = np.swapaxes(ROWS, 1, 2) @ ROWS
    np.savez_compressed(tmp_path / "w.npz", hessians=H, weights=[1, 1, 3])
    np.savez(tmp_path / "r.npz", hessians=H[[0, 1, 2, 2, 2]])
    ours, theirs = (answer(capsys, str(tmp_path / name)) for name in ("w.npz", "r.npz"))
    assert ours["one_step"] == pytest.approx(theirs["one_step"], rel=1e-12)
    assert ours["mean_square"]["lower"] == pytest.approx(theirs["mean_square"]["lower"], rel=1e-10)
    assert ours["moments"] == pytest.approx(theirs["moments"], rel=1e-10)


def eyes(place, value):
    """Three identity matrices with one entry replaced."""
    H = np.tile(np.eye(2), (3, 1, 1))
    H[place] = value
    return H


@pytest.mark.parametrize(
    ("arrays", "names"),
    [
        ({"hessians": eyes((1, 0, 1), 0.5)}, ["hessians[1][0,1]", "0.5", "symmetric"]),
        ({"hessians": eyes((2, 1, 1), -1)}, ["hessians[2]", "-1.0", "positive semidefinite"]),
        ({"hessians": eyes((1, 1, 0), np.nan)}, ["hessians[1][1,0]", "nan", "finite"]),
        ({"hessians": eyes((0, 0, 0), np.inf)}, ["hessians[0][0,0]", "inf", "finite"]),
        ({"factors": np.array([[[1.0], [-np.inf]]])}, ["factors[0][1,0]", "-inf", "finite"]),
        ({"hessians": np.ones((0, 2, 2))}, ["hessians", "(0, 2, 2)"]),
        ({"hessians": np.ones((2, 0, 0))}, ["hessians", "(2, 0, 0)"]),
        ({"hessians": np.eye(2)}, ["hessians", "(2, 2)", "(n, d, d)"]),
        ({"hessians": np.ones((1, 2, 3))}, ["hessians", "(1, 2, 3)", "square"]),
        ({"factors": np.ones((2, 2))}, ["factors", "(2, 2)", "(n, k, d)"]),
        ({"hessians": np.ones((1, 1, 1), complex)}, ["hessians", "complex", "real"]),
        ({"hessians": np.array([[["a"]]])}, ["hessians", "<U1", "real"]),
        ({"hessians": np.ones((1, 1, 1), object)}, ["hessians", "object", "real"]),
        ({"hessians": np.ones((1, 1, 1), [("x", "f8")])}, ["hessians", "dtype", "real"]),
        ({"hessians": np.full((1, 1, 1), 1e200)}, ["hessians", "1e+200", "1e+70"]),
        ({"hessians": np.ones((2, 1, 1)), "weights": [1.0, -1.0]}, ["weights[1]", "positive"]),
        ({"hessians": np.ones((2, 1, 1)), "weights": [1.0]}, ["weights", "(1,)", "2 positive"]),
        ({"hessians": np.ones((2, 1, 1)), "weights": [1.0, np.nan]}, ["weights[1]", "nan"]),
        ({"hessians": np.ones((1, 1, 1)), "factors": np.ones((1, 1, 1))}, ["exactly one of"]),
        ({"weights": np.ones(2)}, ["none of the four", "exactly one of hessians"]),
        ({}, ["none of the four", "exactly one of hessians"]),
        ({"hesians": np.ones((1, 1, 1))}, ["'hesians'", "nearest: hessians"]),
        ({"hessians": np.ones((1, 1, 1)), "wieghts": [1]}, ["'wieghts'", "nearest: weights"]),
    ],
)
def test_a_bad_array_is_one_line_that_names_its_place(arrays, names, tmp_path, capsys):
    np.savez(tmp_path / "bad.npz", **arrays)
    said = complaint(capsys, str(tmp_path / "bad.npz"))
    for name in (*names, "allowed"):
        assert name in said


def archive_of(text=b"", name="hessians.npy"):
    def write(path):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(name, text)

    return write


def npy_header(shape, version=b"\x01\x00"):
    """A header alone: no data follow, so only what the header says can be the reason."""
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}".encode()
    return b"\x93NUMPY" + version + len(text).to_bytes(2, "little") + text


@pytest.mark.parametrize(
    ("write", "names"),
    [
        (lambda path: None, ["FILE", "existing"]),
        (lambda path: path.mkdir(), ["FILE", "existing"]),
        (lambda path: path.write_text("hello"), ["FILE", "numpy.savez"]),
        (lambda path: path.write_bytes(b""), ["FILE", "numpy.savez"]),
        (lambda path: path.write_bytes(pickle.dumps([1])), ["FILE", "numpy.savez"]),
        (archive_of(b"not an array"), ["FILE", "undamaged"]),
        (archive_of(), ["FILE", "undamaged"]),
        (archive_of(npy_header("(2, 3, 3)")), ["FILE", "undamaged"]),
        (archive_of(npy_header("(-1, 3, 3)")), ["FILE", "undamaged"]),
        (archive_of(npy_header("(90000, 9000, 9000)")), ["hessians", "TiB of memory"]),
        (archive_of(npy_header("(17179869184,)"), "gram.npy"), ["gram", "GiB of memory"]),
        (archive_of(npy_header("(1, 1, 1)", b"\x03\x00")), ["hessians", "(3, 0)", "plain"]),
        (archive_of(b"", "a/b.npy"), ["'a/b'", "nearest"]),
    ],
)
def test_a_bad_file_is_one_line(write, names, tmp_path, capsys):
    path = tmp_path / "bad.npz"
    write(path)
    said = complaint(capsys, str(path))
    for name in (*names, "allowed"):
        assert name in said


def test_a_key_stored_twice_is_refused(tmp_path, capsys):
    H = np.ones((1, 1, 1))
    np.savez(tmp_path / "twice.npz", hessians=H)
    with zipfile.ZipFile(tmp_path / "twice.npz", "a") as archive:
        archive.writestr("hessians", b"")
    assert "each once" in complaint(capsys, str(tmp_path / "twice.npz"))


def test_damage_is_told_or_harmless_but_never_a_traceback(minimum, tmp_path, capsys):
    """A small file cut short, or with one byte inverted, at places throughout."""
    whole = Path(minimum).read_bytes()
    damaged = tmp_path / "damaged.npz"
    for place in range(0, len(whole), 3):
        damaged.write_bytes(
            whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :]
            if place % 2
            else whole[:place]
        )
        code = cli.run(["stability", str(damaged), "--json", os.devnull])
        assert code in (0, 2)
        assert len(capsys.readouterr().err.splitlines()) == (code == 2)


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["--eta", "nan"], ["eta", "nan", "finite number above 0"]),
        (["--eta", "-1"], ["eta", "-1", "finite number above 0"]),
        (["--eta", "0"], ["eta", "0.0", "finite number above 0"]),
        (["--eta", "inf"], ["eta", "inf", "finite number above 0"]),
        (["--eta", "-inf"], ["eta", "-inf", "finite number above 0"]),
        (["--eta", "fast"], ["eta", "'fast'", "finite number above 0"]),
        (["--eta", "1e300"], ["eta", "1e+300", "at most"]),
        (["--eta"], ["--eta"]),
        (["--optimizer", "usam", "--rho", "-1"], ["rho", "-1", "at least 0"]),
        (["--optimizer", "usam", "--rho", "nan"], ["rho", "nan", "at least 0"]),
        (["--optimizer", "usam", "--rho", "x"], ["rho", "'x'", "at least 0"]),
        (["--rho", "-1"], ["rho", "-1", "at least 0"]),
        (["--rho", "0.1"], ["rho", "0.1", "usam"]),
        (["--batch", "0"], ["batch", "0", "at least 1"]),
        (["--batch", "-1"], ["batch", "-1", "at least 1"]),
        (["--batch", "1.5"], ["batch", "'1.5'", "an integer", "full"]),
        (["--batch", "4", "--sampling", "without"], ["batch", "4", "n = 3"]),
        (["--momentum", "1"], ["momentum", "1.0", "0 up to"]),
        (["--momentum", "nan"], ["momentum", "nan", "0 up to"]),
        (["--weight-decay", "-1"], ["weight-decay", "-1.0", "at least 0"]),
        (["--seed", "-1"], ["seed", "-1", "at least 0"]),
        (["--seed", "x"], ["seed", "'x'", "at least 0"]),
        (["--plot", "/proc/none/x.svg"], ["output", "writable"]),
        (["--optimizer", "adam"], ["--optimizer", "adam", "sgd", "usam"]),
        (["--sampling", "x"], ["--sampling", "x", "with", "without"]),
        (["--ascent", "up"], ["--ascent", "up", "shared", "per-sample"]),
        (["--json", "/proc/none/x.json"], ["output", "writable"]),
        (["--jsn", "-"], ["--jsn"]),
        (["second.npz"], ["second.npz"]),
    ],
)
def test_a_bad_setting_is_one_line_that_names_it(words, names, minimum, capsys):
    said = complaint(capsys, minimum, *words)
    for name in names:
        assert name in said


def test_without_a_file_the_line_asks_for_one(capsys):
    assert "FILE" in complaint(capsys)


def test_unequal_weights_without_replacement_are_refused(tmp_path, capsys):
    np.savez(tmp_path / "w.npz", factors=ROWS, weights=[1, 1, 2])
    said = complaint(capsys, str(tmp_path / "w.npz"), "--batch", "2", "--sampling", "without")
    assert "weights" in said


def test_an_unknown_claim_is_one_line_with_the_nearest(capsys):
    assert cli.run(["show", "second_moment_bond"]) == 2
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1 and "nearest: second_moment_bound" in said


def test_an_oversized_array_is_refused_before_it_is_read(tmp_path, monkeypatch):
    path = tmp_path / "big.npz"
    archive_of(npy_header("(16000, 125, 126)"))(path)

    def read(*_, **__):
        raise AssertionError("the array was read")

    monkeypatch.setattr(minimum_file.np, "load", read)
    monkeypatch.setattr(_limits, "available_memory", lambda: 10**9)
    with pytest.raises(
        InputError, match=r"11\.27 GiB of memory"
    ):  # six copies of 252 million doubles
        minimum_file.read(path)


@pytest.mark.parametrize("form", ["hessians", "factors", "jacobian", "gram"])
def test_one_minimum_in_four_forms_gives_one_answer(form, tmp_path, capsys):
    J = ROWS[:, 0]
    forms = {
        "jacobian": J,
        "factors": ROWS,
        "gram": J @ J.T,
        "hessians": J[:, :, None] * J[:, None],
    }
    np.savez(tmp_path / "m.npz", **{form: forms[form]})
    how = ("--optimizer", "usam", "--rho", "0.3", "--eta", "0.4", "--batch", "2")
    shown = answer(capsys, str(tmp_path / "m.npz"), *how)
    np.savez(tmp_path / "rows.npz", factors=ROWS)
    expected = answer(capsys, str(tmp_path / "rows.npz"), *how)
    assert shown["mean_square"]["lower"] == pytest.approx(
        expected["mean_square"]["lower"], rel=1e-10
    )
    assert shown["moments"] == pytest.approx(expected["moments"], rel=1e-9)
    assert shown["conventions"]["dimension"] == (None if form == "gram" else 2)


@pytest.mark.parametrize(
    ("arrays", "names"),
    [
        ({"jacobian": [[1.0, np.nan]]}, ["jacobian[0][1]", "nan"]),
        ({"jacobian": np.ones(3)}, ["jacobian", "(3,)"]),
        ({"gram": [[1.0, 2.0], [0.0, 1.0]]}, ["gram[0,1]", "symmetric"]),
        ({"gram": [[1.0, 0.0], [0.0, -1.0]]}, ["gram[1,1]", "-1.0"]),
        ({"gram": [[1.0, 2.0], [2.0, 1.0]]}, ["gram", "positive semidefinite"]),
        ({"gram": np.eye(2), "preconditioner": np.ones(2)}, ["preconditioner", "gram"]),
        ({"gram": np.eye(2), "gradients": np.ones((2, 2))}, ["gradients", "gram"]),
        ({"jacobian": np.eye(2), "preconditioner": [1.0, 0.0]}, ["preconditioner[1]", "0.0"]),
        ({"jacobian": np.eye(2), "preconditioner": [1.0]}, ["preconditioner", "(1,)"]),
        ({"jacobian": np.eye(2), "gradients": np.ones((3, 2))}, ["gradients", "(3, 2)"]),
        ({"jacobian": np.eye(2), "gradient": np.eye(2)}, ["'gradient'", "nearest: gradients"]),
        ({"jacobian": np.eye(2), "gram": np.eye(2)}, ["jacobian and gram", "exactly one"]),
    ],
)
def test_a_bad_minimum_is_one_line(arrays, names, tmp_path, capsys):
    np.savez(tmp_path / "bad.npz", **{key: np.asarray(value) for key, value in arrays.items()})
    said = complaint(capsys, str(tmp_path / "bad.npz"))
    for name in (*names, "allowed"):
        assert name in said


def test_momentum_decay_and_preconditioner_are_said_and_bounds_left_out(tmp_path, capsys):
    np.savez(tmp_path / "p.npz", factors=ROWS, preconditioner=[1.0, 4.0])
    how = [str(tmp_path / "p.npz"), "--momentum", "0.9", "--weight-decay", "0.01", "--eta", "0.1"]
    assert cli.run(["stability", *how]) == 0
    out = capsys.readouterr().out
    for part in ("momentum 0.9", "weight decay 0.01", "frozen preconditioner", "none applies here"):
        assert part in out
    assert "none with momentum" in out and "this is eta = 1" in out
    shown = answer(capsys, *how)
    assert shown["one_step"] is None and shown["published_bounds"] == []
    assert shown["at_eta"]["one-step"] == {"rate": None, "stable": None}
    assert shown["conventions"]["eta_ema"] == pytest.approx(1.0)


def test_the_exact_step_lies_in_the_enclosure(minimum, capsys):
    shown = answer(capsys, minimum, "--exact")
    exact, floats = shown["exact"], shown["mean_square"]
    assert floats["lower"] <= exact["lower"] <= exact["upper"] <= floats["upper"]
    assert cli.run(["stability", minimum, "--exact"]) == 0
    assert "in rational arithmetic: in [1.10102051443364" in capsys.readouterr().out


def test_gradients_give_the_stationary_law(tmp_path, capsys):
    """One parameter, curvature one, gradients +-1: S = eta/(2 - eta) at B = 1."""
    np.savez(tmp_path / "g.npz", jacobian=np.ones((2, 1)), gradients=[[1.0], [-1.0]])
    law = answer(capsys, str(tmp_path / "g.npz"), "--eta", "0.5")["stationary"]
    assert law["trace"] == pytest.approx(0.5 / 1.5, rel=1e-12)
    assert law["excess_loss"] == pytest.approx(0.25 / 1.5, rel=1e-12)
    assert law["drift"] == 0
    assert answer(capsys, str(tmp_path / "g.npz"))["stationary"] is None


def test_the_plot_is_the_ladder_as_svg(minimum, tmp_path, capsys):
    target = tmp_path / "with space" / "ladder.svg"
    assert cli.run(["stability", minimum, "--plot", str(target)]) == 0
    text = target.read_text(encoding="utf-8")
    assert text.lstrip().startswith("<?xml") or "<svg" in text
    for part in ("mean-square", "almost-sure", "forbids stable steps"):
        assert part in text
    np.savez(tmp_path / "flat.npz", hessians=np.zeros((1, 1, 1)))
    assert "plot" in complaint_of(capsys, str(tmp_path / "flat.npz"), "--plot", str(target))


def complaint_of(capsys, *words):
    capsys.readouterr()
    return complaint(capsys, *words)


def test_progress_is_told_on_standard_error_once_it_takes_long(minimum, capsys, monkeypatch):
    monkeypatch.setattr(command, "PATIENCE", 0.0)

    def slowly(*_, progress, **__):
        time.sleep(0.2)  # the timer has said "the file" by now
        progress("rates")
        raise InputError("FILE", "x", "y")

    monkeypatch.setattr(command, "analyse", slowly)
    assert cli.run(["stability", minimum]) == 2
    told = capsys.readouterr().err.splitlines()
    assert told[:2] == ["computing the file", "computing rates"]

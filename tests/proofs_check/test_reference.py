"""A recorded run is read whole or refused in one line that names the place."""

import json
from pathlib import Path

import pytest

from proofs_check import cli, reference
from proofs_check.replay import replay_files

REFERENCE = Path(__file__).parents[1] / "reference"
SGD, SAM, NETWORK = "sgd_momentum", "sam_plain", "sam_two_layer"
ADAHESSIAN, SASSHA = "adahessian", "sassha_two_layer"


def recorded(name):
    return json.loads((REFERENCE / f"{name}.json").read_text(encoding="utf-8"))


def saved(run, folder):
    path = folder / "run.json"
    path.write_text(json.dumps(run), encoding="utf-8")
    return path


def at(value, *keys):
    for key in keys:
        value = value[key]
    return value


def change(run, keys, new):
    """Put `new`, or what it makes of the old value, at a place."""
    place = at(run, *keys[:-1])
    place[keys[-1]] = new(place[keys[-1]]) if callable(new) else new
    return run


@pytest.mark.parametrize("path", sorted(REFERENCE.glob("*.json")), ids=lambda path: path.stem)
def test_every_recorded_run_can_be_read(path):
    run = reference.read(path)
    assert [len(tensor) for tensor in run.paths] == [41] * len(run.paths)
    assert run.model.dimension == len(run.start)


BAD = [
    (SGD, ("problem",), "cubic", ["problem", "'cubic'", "quadratic, mlp"]),
    (SGD, ("problem",), 3, ["problem: got 3", "string"]),
    (SGD, ("optimizer",), "sdg", ["optimizer", "'sdg'", "sassha, sgd, shampoo", "nearest: sgd"]),
    (SGD, ("config", "opt", "nesterov"), False, ["config.opt.nesterov", "False", "lr, momentum"]),
    (SGD, ("config", "opt", "rho"), 0.1, ["config.opt.rho", "0.1", "sgd has"]),
    (SGD, ("config", "opt", "\x1b[2J"), 1, [r"config.opt.\x1b[2J"]),
    (SGD, ("config", "opt", "lr"), -0.1, ["lr", "-0.1", "finite number, at least 0"]),
    (SGD, ("config", "opt", "lr"), "0.1", ["lr", "'0.1'", "finite number"]),
    (SGD, ("config", "opt", "lr"), [0.1], ["lr[0]"]),
    (SGD, ("config", "opt", "lr"), float("inf"), ["config.opt.lr", "inf", "finite"]),
    (SGD, ("config",), [], ["config: got []"]),
    (SGD, ("seed",), float("nan"), ["seed", "nan", "finite"]),
    (SGD, ("data", "hessians", 1, 2, 3), float("nan"), ["data.hessians[1][2][3]", "nan"]),
    (SGD, ("data", "hessians", 1, 2), [1.0], ["data.hessians", "rows of equal length"]),
    (SGD, ("data", "hessians", 1, 2, 3), True, ["data.hessians", "numbers"]),
    (SGD, ("data", "hessians", 1, 2, 3), 10**400, ["data.hessians[1][2][3]", "inf"]),
    (SGD, ("data", "hessians"), [], ["data.hessians", "[]"]),
    (SGD, ("data", "x0"), [1.0], ["data.hessians", "(6, 4, 4)", "(n, 1, 1)"]),
    (SGD, ("data", "x0"), "here", ["data.x0", "'here'"]),
    (SGD, ("data", "lam"), 1.0, ["data.lam", "1.0"]),
    (SGD, ("batches", 3, 1), 6, ["batches[3][1]", "6", "0 to 5"]),
    (SGD, ("batches", 3, 1), -1, ["batches[3][1]", "-1"]),
    (SGD, ("batches", 3, 1), 1.0, ["batches[3][1]", "1.0", "integer"]),
    (SGD, ("batches", 3, 1), True, ["batches[3][1]", "True", "integer"]),
    (SGD, ("batches", 3), [], ["batches[3]", "[]"]),
    (SGD, ("batches",), [], ["batches", "[]"]),
    (SGD, ("batches",), lambda old: old[:-1], ["trajectory", "41 entries", "40: one before"]),
    (SGD, ("trajectory", 7, 0, 2), float("nan"), ["trajectory[7][0][2]", "nan"]),
    (SGD, ("trajectory", 7, 0), [1.0], ["trajectory[7][0]", "(1,)", "(4,)"]),
    (SGD, ("trajectory", 7, 0, 2), "1", ["trajectory[7][0]", "(4,)"]),
    (SGD, ("trajectory", 7), [], ["trajectory[7]", "0 tensors", "1, as"]),
    (NETWORK, ("trajectory", 7), lambda old: old[:1], ["trajectory[7]", "1 tensors", "2, as"]),
    (NETWORK, ("data", "W0"), [[1.0]], ["data.W0", "(1, 1)", "(5, 3)"]),
    (NETWORK, ("data", "targets"), [1.0], ["data.targets", "(1,)", "(8,)"]),
    (NETWORK, ("data", "a0"), [[1.0]], ["data.a0", "1 nested lists"]),
    (NETWORK, ("data", "x0"), [1.0], ["data.x0"]),
    (SASSHA, ("probes",), "none", ["probes", "'none'"]),
    (SASSHA, ("probes", 3), 1.0, ["probes[3]", "1.0"]),
    (SASSHA, ("probes", 3), lambda old: old[:1], ["probes[3]", "1 tensors", "2, as"]),
    (SASSHA, ("probes", 3, 1), [1.0], ["probes[3][1]", "(1,)", "(5,)"]),
    (SASSHA, ("probes", 3, 0, 2), [1.0], ["probes[3][0]", "(5, 3)"]),
    (SASSHA, ("probes", 3, 1, 2), float("nan"), ["probes[3][1][2]", "nan"]),
    (SASSHA, ("probes",), lambda old: old[:-1], ["probes", "39 entries", "step 39 draws another"]),
    (SASSHA, ("probes",), lambda old: [*old, old[0]], ["probes", "41 entries", "40, as many"]),
    (SGD, ("probes",), [[[1.0] * 4]], ["probes", "1 entries", "0, as many as the steps draw"]),
    (SASSHA, ("config", "opt", "betas"), [0.9], ["config.opt.betas[1]", "nothing"]),
    (SASSHA, ("config", "opt", "betas", 1), 1.0, ["beta2", "1.0", "[0, 1)"]),
    (SASSHA, ("config", "opt", "lazy_hessian"), 0, ["lazy_hessian", "0", "at least 1"]),
    (SASSHA, ("config", "opt", "n_samples"), 1.5, ["n_samples", "1.5", "whole number"]),
    (ADAHESSIAN, ("config", "opt", "rho"), 0.1, ["config.opt.rho", "adahessian has"]),
]
MISSING = [
    *[(SGD, (key,)) for key in ("problem", "optimizer", "config", "data", "batches", "trajectory")],
    (SGD, ("config", "opt")),
    (SGD, ("config", "opt", "lr")),
    (SAM, ("config", "opt", "rho")),
    *[(SGD, ("data", key)) for key in ("hessians", "x0")],
    *[(NETWORK, ("data", key)) for key in ("inputs", "targets", "W0", "a0")],
]


def refusal(path, capsys):
    """The one line a bad file gets; a good file beside it is not replayed."""
    assert cli.run(["replay", str(REFERENCE / f"{SGD}.json"), str(path)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert str(path) in line and "; allowed: " in line
    return line


@pytest.mark.parametrize(("name", "keys", "new", "told"), BAD)
def test_a_bad_value_is_one_line_that_names_its_place(name, keys, new, told, tmp_path, capsys):
    line = refusal(saved(change(recorded(name), keys, new), tmp_path), capsys)
    for part in told:
        assert part in line


@pytest.mark.parametrize(("name", "keys"), MISSING)
def test_a_missing_key_is_named(name, keys, tmp_path, capsys):
    run = recorded(name)
    del at(run, *keys[:-1])[keys[-1]]
    assert f"{'.'.join(keys)}: got nothing" in refusal(saved(run, tmp_path), capsys)


def test_probes_an_optimizer_needs_may_not_be_left_out(tmp_path, capsys):
    run = recorded(ADAHESSIAN)
    del run["probes"]
    line = refusal(saved(run, tmp_path), capsys)
    assert "probes: got 0 entries; allowed: more: step 0 draws another" in line


def test_keys_that_only_inform_may_be_anything_or_absent(tmp_path):
    run = recorded(NETWORK)
    del run["order"], run["probes"], run["config"]["width"], run["data"]["model"]
    run |= {"seed": "none", "comment": {"by": "hand"}}
    assert replay_files([saved(run, tmp_path)]) == 0


def test_a_file_that_is_no_run_or_no_word_at_all_is_one_line(tmp_path, capsys):
    assert "file: got [1, 2]" in refusal(saved([1, 2], tmp_path), capsys)
    (tmp_path / "run.json").write_bytes(b" " * 20_000_001)
    assert "more than 20000000 bytes" in refusal(tmp_path / "run.json", capsys)
    assert "an existing file" in refusal(tmp_path, capsys)
    assert cli.run(["replay"]) == 2
    assert "at least one recorded run" in capsys.readouterr().err

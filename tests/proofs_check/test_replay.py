"""Recorded runs are repeated to rounding, fresh ones too; one changed number is noticed."""

import json
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs_check import cli, reference
from proofs_check.replay import deviation, hyperparameters, replay_files
from sims import lab
from sims.lab import build
from theory import catalogue
from theory.core import InputError

REFERENCE = Path(__file__).parents[1] / "reference"
OURS = sorted(path.stem for path in REFERENCE.glob("*.json"))
SGD, SAM = "sgd_momentum", "sam_plain"


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


def measured(path):
    run = reference.read(path)
    return deviation(run, build(run.optimizer, **hyperparameters(run.optimizer, run.options)))


# Recorded runs


@pytest.mark.parametrize("name", OURS)
def test_a_recorded_run_is_repeated_to_rounding(name, capsys):
    path = REFERENCE / f"{name}.json"
    assert cli.run(["replay", str(path)]) == 0
    assert measured(path) < 1e-12  # what the format's description promises of a faithful one
    run = recorded(name)
    said = f"{path}: {run['optimizer']} {run['problem']}, 40 steps: deviation "
    (line,) = capsys.readouterr().out.splitlines()
    assert line == f"{said}{measured(path):.1e}"


def test_all_ten_agree_together(capsys):
    assert cli.run(["replay", *(str(REFERENCE / f"{name}.json") for name in OURS)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 10


@pytest.mark.parametrize("name", OURS)
def test_the_compiled_program_takes_the_recorded_steps_too(name):
    """The command steps through NumPy arrays; simulations run the same file under JAX."""
    run = reference.read(REFERENCE / f"{name}.json")
    hyper = hyperparameters(run.optimizer, run.options)
    optimizer = build(run.optimizer, **hyper)
    k, samples = hyper.get("lazy_hessian", 1), hyper.get("n_samples", 1)
    probes = jnp.array(run.probes)

    @jax.jit
    def walk(batches, x):
        def step(carry, batch):
            oracle = run.model.oracle(batch, lambda t, j, kind: probes[t // k * samples + j])
            carry = optimizer.step(oracle, *carry)
            return carry, carry[0]

        return jax.lax.scan(step, (x, optimizer.init(x)), batches)[1]

    x = walk(np.array(run.batches), run.start)
    assert np.allclose(x, np.concatenate(run.paths, axis=1)[1:], rtol=0, atol=1e-12)


# One changed number


def largest(run, moment, tensor):
    values = np.abs(at(run, "trajectory", moment, tensor))
    return tuple(map(int, np.unravel_index(values.argmax(), values.shape)))


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("moment", [0, 17, 40])
def test_one_changed_number_of_the_trajectory_is_noticed(name, moment, tmp_path, capsys):
    run = recorded(name)
    for tensor in range(len(run["trajectory"][0])):
        place = ("trajectory", moment, tensor, *largest(run, moment, tensor))
        change(run, place, lambda old: old * (1 + 2e-10))
        assert cli.run(["replay", str(saved(run, tmp_path))]) == 1
        assert "deviation 2.0e-10, more than 1e-10" in capsys.readouterr().out
        change(run, place, lambda old: old / (1 + 2e-10))
    assert cli.run(["replay", str(saved(run, tmp_path))]) == 0


def nudged(old):
    """A slightly different number, or one large enough to be felt."""
    if isinstance(old, int):
        return 2 * old  # another number of probes
    return 1.0 if old == 1e-15 else old + 1e-6  # a floor far below every curvature


def numbers_of(run):
    """One number of every kind a run has, with what to make of it.

    The recorded Sophia-H run clips every entry of every step but one, entry 1 of step 14.
    """
    options, n = run["config"]["opt"], len(run["data"].get("hessians", run["data"].get("inputs")))
    for option, value in options.items():
        entries = [(index,) for index in range(len(value))] if np.ndim(value) else [()]
        yield from ((("config", "opt", option, *entry), nudged) for entry in entries)
    for key, value in run["data"].items():
        if key != "model":
            yield ("data", key, *[1] * np.ndim(value)), nudged
    late, late_draw = (14, 1) if run["optimizer"] == "sophiah" else (39, len(run["probes"]) - 1)
    for step in (0, late):
        yield ("batches", step, 0), lambda old: (old + 1) % n
    for draw in (0, late_draw)[: len(run["probes"])]:
        for tensor, values in enumerate(run["probes"][draw]):
            yield ("probes", draw, tensor, *[1] * np.ndim(values)), lambda old: -old


@pytest.mark.parametrize("name", OURS)
def test_any_other_changed_number_is_noticed(name, tmp_path):
    for place, other in numbers_of(recorded(name)):
        file = saved(change(recorded(name), place, other), tmp_path)
        if place[-1] in ("lazy_hessian", "n_samples"):
            with pytest.raises(InputError, match=r"probes: got \d+ entries"):
                replay_files([file])
        else:
            assert replay_files([file]) == 1, place


def test_a_run_of_another_optimizer_is_noticed(tmp_path):
    plain = change(recorded(SAM), ("optimizer",), "usam")
    assert replay_files([saved(plain, tmp_path)]) == 1


def test_a_run_of_ours_that_overflows_is_a_deviation_and_no_warning(tmp_path, capsys):
    wild = change(recorded(SGD), ("config", "opt", "lr"), 1e200)
    assert replay_files([saved(wild, tmp_path)]) == 1
    assert "deviation nan, more than" in capsys.readouterr().out


def test_where_the_record_is_zero_ours_must_be(tmp_path):
    rest = {"hessians": [[[1.0]]], "x0": [0.0]}
    run = {"problem": "quadratic", "optimizer": "sgd", "config": {"opt": {"lr": 0.1}}}
    run |= {"data": rest, "batches": [[0]], "trajectory": [[[0.0]], [[0.0]]]}
    assert measured(saved(run, tmp_path)) == 0
    rest["x0"] = [1e-300]
    assert measured(saved(run, tmp_path)) == np.inf


def test_one_deviating_file_among_several_fails_and_all_are_told(tmp_path, capsys):
    wrong = saved(change(recorded(SGD), ("config", "opt", "lr"), 0.2), tmp_path)
    good = [REFERENCE / f"{name}.json" for name in OURS]
    assert replay_files([*good[:2], wrong, *good[2:]]) == 1
    assert len(capsys.readouterr().out.splitlines()) == len(OURS) + 1


# Other runs of the same form


def network_gradients(data, W, a, i):
    x, hidden = data["inputs"][i], np.tanh(W @ data["inputs"][i])
    residual = a @ hidden - data["targets"][i]
    return [residual * np.outer(a * (1 - hidden**2), x), residual * hidden]


def batch_gradient(data, tensors, batch):
    """Means over the batch, sample by sample; one array a tensor."""
    if "hessians" in data:
        return [sum(data["hessians"][i] @ tensors[0] for i in batch) / len(batch)]
    each = [network_gradients(data, *tensors, i) for i in batch]
    return [sum(parts) / len(batch) for parts in zip(*each, strict=True)]


def by_hand(data, tensors, batches, opt):
    """SGD as PyTorch has it (dampening 0, no Nesterov); with a rho, on the gradient of SAM."""
    trajectory, buffers = [tensors], None
    for batch in batches:
        slopes = batch_gradient(data, tensors, batch)
        if "rho" in opt:
            length = np.sqrt(sum((slope**2).sum() for slope in slopes))
            climb = opt["rho"] / (length + 1e-12)
            above = [p + climb * slope for p, slope in zip(tensors, slopes, strict=True)]
            slopes = batch_gradient(data, above, batch)
        decay, momentum = opt.get("weight_decay", 0.0), opt.get("momentum", 0.0)
        slopes = [slope + decay * p for slope, p in zip(slopes, tensors, strict=True)]
        if buffers is None:
            buffers = slopes
        else:
            buffers = [momentum * b + slope for b, slope in zip(buffers, slopes, strict=True)]
        tensors = [p - opt["lr"] * b for p, b in zip(tensors, buffers, strict=True)]
        trajectory.append(tensors)
    return trajectory


def fresh(problem, optimizer, seed):
    """A random run of 5 to 24 steps whose batches differ in size, in the recorded form."""
    rng = np.random.default_rng(seed)
    n, d, width = rng.integers(1, 6, 3)
    if problem == "quadratic":
        factors = rng.normal(size=(n, rng.integers(1, d + 1), d))
        data = {"hessians": np.swapaxes(factors, 1, 2) @ factors / d, "x0": rng.normal(size=d)}
        start = [data["x0"]]
    else:
        data = {"inputs": rng.normal(size=(n, d)), "targets": rng.normal(size=n)}
        start = [rng.normal(size=(width, d)), rng.normal(size=width)]
        data |= {"W0": start[0], "a0": start[1]}
    steps = rng.integers(5, 25)
    batches = [rng.integers(n, size=rng.integers(1, 4)).tolist() for _ in range(steps)]
    opt = {"lr": rng.uniform(0.01, 0.1), "momentum": rng.choice([0.0, 0.5, 0.9])}
    if rng.random() < 0.5:
        opt["weight_decay"] = rng.uniform(0, 0.1)
    if optimizer == "sam":
        opt["rho"] = rng.uniform(0.01, 0.3)
    trajectory = [[p.tolist() for p in t] for t in by_hand(data, start, batches, opt)]
    run = {"problem": problem, "optimizer": optimizer, "config": {"n": int(n), "opt": opt}}
    run["data"] = {key: value.tolist() for key, value in data.items()}
    return run | {"batches": batches, "probes": [], "trajectory": trajectory}


@pytest.mark.parametrize("problem", ["quadratic", "mlp"])
@pytest.mark.parametrize("optimizer", ["sgd", "sam"])
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_fresh_runs_by_an_independent_implementation_agree(
    tmp_path_factory, problem, optimizer, seed
):
    path = saved(fresh(problem, optimizer, seed), tmp_path_factory.getbasetemp())
    assert replay_files([path]) == 0


@pytest.mark.parametrize("option", ["momentum", "weight_decay", "rho"])
def test_the_independent_implementation_is_told_from_ours_with_another_option(option, tmp_path):
    run = fresh("mlp", "sam", 11)
    run["config"]["opt"][option] = run["config"]["opt"].get(option, 0.0) + 0.01
    assert replay_files([saved(run, tmp_path)]) == 1


@pytest.mark.parametrize("bend", [np.diag([3.0, 0.0, 0.0, -1.0]), np.triu(np.ones((4, 4)), 1)])
def test_only_the_symmetric_part_of_a_form_counts_and_it_may_be_indefinite(bend, tmp_path):
    rng = np.random.default_rng(3)
    data = {"hessians": np.array([bend, np.eye(4)]), "x0": rng.normal(size=4)}
    symmetric = data | {"hessians": (data["hessians"] + np.swapaxes(data["hessians"], 1, 2)) / 2}
    batches, opt = [[0, 1], [0], [1]] * 5, {"lr": 0.05}
    trajectory = by_hand(symmetric, [data["x0"]], batches, opt)
    run = {"problem": "quadratic", "optimizer": "sgd", "config": {"opt": opt}, "batches": batches}
    run["data"] = {key: value.tolist() for key, value in data.items()}
    run["trajectory"] = [[p.tolist() for p in tensors] for tensors in trajectory]
    assert replay_files([saved(run, tmp_path)]) == 0


# A new optimizer


def test_a_new_optimizer_is_found_by_its_file_and_declares_the_reference_names(
    tmp_path, monkeypatch
):
    """Here `gain` is the first entry of the reference's list `betas`."""
    folder = tmp_path / "planted_optimizers"
    folder.mkdir()
    (folder / "__init__.py").touch()
    source = Path(catalogue.load(lab.OPTIMIZERS, "sgd").__file__).read_text(encoding="utf-8")
    source = source.replace("class SGD", "class HeavyBall").replace("self.momentum", "self.gain")
    declared = 'gain: Any = field(default=0.9, metadata={"reference": "betas[0]"})'
    source = source.replace("momentum: Any = None", declared)
    source = source.replace("import dataclass\n", "import dataclass, field\n")
    (folder / "heavy_ball.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(lab, "OPTIMIZERS", folder.name)

    run = change(recorded(SGD), ("optimizer",), "heavy_ball")
    run["config"]["opt"]["betas"] = [run["config"]["opt"].pop("momentum")]
    assert replay_files([saved(run, tmp_path)]) == 0
    with pytest.raises(InputError, match=r"betas\[1\]: got 0.99; allowed: heavy_ball has lr, bet"):
        hyperparameters("heavy_ball", {"lr": 0.1, "betas": [0.9, 0.99]})
    with pytest.raises(InputError, match=r"betas\[0\]: got nothing"):
        hyperparameters("heavy_ball", {"lr": 0.1})
    for name in [name for name in sys.modules if name.startswith(folder.name)]:
        del sys.modules[name]

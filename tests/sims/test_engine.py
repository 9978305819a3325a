"""Many runs at once are each the run of a readable loop, bit for bit however they are grouped."""

import numpy as np
import pytest

from sims import _draw, engine
from sims._block import run_blocks
from sims.engine import Setting, Simulation, estimate, simulate
from sims.lab import OPTIMIZERS, build
from sims.optimizers._tensors import fitted
from theory import catalogue
from theory.core import InputError
from theory.problems.linear import generate
from theory.problems.quadratic import generate as quadratics
from theory.problems.two_layer import generate as networks

LINEAR, BOWLS = generate(n=6, d=9), quadratics(n=4, d=3)
NETWORK = networks(n=6, d=2, width=3, held_out=4)
ROOT = 5


def by_a_loop(problem, optimizer, seed, steps, batch):
    """x after every step, on NumPy arrays; samples, probes and start are the engine's."""
    key = _draw.keys(ROOT, [seed])[0]
    x = problem.start(np.random.default_rng([ROOT, seed]))
    drawn = None if batch is None else _draw.sampler(problem.weights, batch, "with")
    probe = _draw.probes(key, problem.dimension)
    optimizer = fitted(optimizer, problem)
    path, state = [x], optimizer.init(x)
    for t in range(steps):
        rows = None if drawn is None else drawn.draw(np, key, np.array(t))
        oracle = problem.oracle(rows, lambda t, j, kind: np.asarray(probe(t, j, kind)))
        x, state = optimizer.step(oracle, x, state)
        path.append(np.asarray(x))
    return np.array(path)


@pytest.mark.parametrize("key", catalogue.keys(OPTIMIZERS))
@pytest.mark.parametrize(("problem", "batch"), [(LINEAR, 1), (BOWLS, None), (NETWORK, 2)])
def test_the_readable_loop_and_the_fast_path_agree(key, problem, batch):
    """To 1e-12 of the largest entry: rounding, over steps that do not amplify it."""
    setting = Setting(problem, build(key, lr=0.01), 12, 3, batch, record=("x", "loss"))
    found = simulate(setting, {}, [3, 8], root=ROOT)
    for row, seed in enumerate((3, 8)):
        path = by_a_loop(problem, build(key, lr=0.01), seed, 12, batch)[::3]
        scale = np.abs(path).max()
        assert np.allclose(found["x"][row], path, rtol=0, atol=1e-12 * scale)
        loss = [problem.oracle().loss(x) for x in path]
        assert np.allclose(found["loss"][row], loss, rtol=1e-11)


CASES = [(LINEAR, "sam", 1), (LINEAR, "sgd", 3), (NETWORK, "sam", 2), (BOWLS, "sassha", 2)]


@pytest.mark.parametrize(("problem", "key", "batch"), CASES)
def test_no_bit_depends_on_order_grouping_or_cores(problem, key, batch, monkeypatch):
    setting = Setting(problem, build(key), 20, 10, batch, record=("loss", "x"), block=4)
    lr, seeds = np.linspace(0.001, 0.1, 30), np.arange(30)
    whole = simulate(setting, {"lr": lr}, seeds)
    order = np.random.default_rng(0).permutation(30)
    mixed = simulate(setting, {"lr": lr[order]}, seeds[order])
    alone = simulate(setting, {"lr": lr[17:18]}, seeds[17:18])
    for cores in (1, 3):
        monkeypatch.setattr(engine, "CORES", cores)
        again = simulate(setting, {"lr": lr}, seeds)
        assert all(np.array_equal(again[name], whole[name]) for name in whole)
    for name, values in whole.items():
        assert np.array_equal(mixed[name], values[order])
        assert np.array_equal(alone[name], values[17:18])


def test_runs_with_one_seed_see_the_same_start_and_samples():
    setting = Setting(LINEAR, build("sgd"), 10, 10, record=("x",), space="plain")
    found = simulate(setting, {"lr": np.full(4, 0.01)}, [1, 1, 2, 1])
    assert np.array_equal(found["x"][0], found["x"][3])
    assert not np.allclose(found["x"][0], found["x"][2])


def test_one_stream_for_many_runs_changes_only_rounding():
    lr = np.linspace(0.001, 0.02, 40)
    for space in ("plain", "gram"):
        setting = Setting(LINEAR, build("sam"), 30, 30, record=("loss",), space=space)
        simulation = Simulation(setting)
        runs = simulation.runs({"lr": lr}, np.full(40, 7), 0)
        own, shared = simulation.run(runs), simulation.run(runs, shared=True)
        assert np.allclose(own["loss"], shared["loss"], rtol=1e-12)


def test_a_grid_of_numbers_is_compiled_once():
    setting = Setting(LINEAR, build("sam", momentum=0.1), 6, 3)
    run_blocks.clear_cache()  # the engine does so too, when it has kept too many
    sizes = []
    for scale in (1, 2, 3):
        lr = scale * np.linspace(0.01, 0.02, 5)
        simulate(setting, {"lr": lr, "rho": lr, "momentum": lr}, np.arange(5) + scale)
        sizes.append(run_blocks._cache_size())
    assert sizes[0] == sizes[1] == sizes[2]


def test_divergence_is_told_at_its_first_step_whatever_is_recorded():
    lr = np.array([0.01, 3.0, 30.0, 300.0])
    for every in (1, 7, 280):
        setting = Setting(LINEAR, build("sgd"), 280, every, space="plain")
        found = simulate(setting, {"lr": lr}, np.zeros(4, dtype=int), root=ROOT)
        assert not np.isnan(found["loss"]).any()
        for run, rate in enumerate(lr):
            with np.errstate(all="ignore"):
                path = by_a_loop(LINEAR, build("sgd", lr=rate), 0, 280, 1)
                lost = np.flatnonzero(~np.isfinite((path**2).sum(axis=1)))
            first = int(lost[0]) if len(lost) else engine.NEVER
            assert found["diverged_at"][run] == first
            after = np.arange(0, 281, every) >= (first if first >= 0 else 281)
            assert np.isinf(found["loss"][run][after]).all()
    assert (found["diverged_at"][0], found["diverged_at"][1] > 0) == (engine.NEVER, True)


def test_an_estimate_needs_no_data_of_its_size_and_grows_with_runs_and_records():
    few = Setting(LINEAR, build("sgd"), 1000, 1000)
    many = Setting(LINEAR, build("sgd"), 1000, 1)
    a_number = 2 * 8  # held as it comes, and in the order of the runs
    assert estimate(many, 10**9) - estimate(many, 10**8) >= 9 * 10**8 * 1001 * a_number
    assert estimate(few, 10**9) < estimate(many, 10**9) / 50


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("steps", {"steps": -1}),
        ("every", {"every": 3}),
        ("record", {"record": ("los",)}),
        ("record", {"record": "loss"}),
        ("batch", {"batch": 0}),
        ("batch", {"batch": 7, "sampling": "without"}),
        ("sampling", {"sampling": "both"}),
        ("space", {"space": "phase"}),
        ("block", {"block": 0}),
        ("block", {"block": 6}),
    ],
)
def test_a_setting_out_of_range_is_refused_by_name(field, change):
    with pytest.raises(InputError) as caught:
        Simulation(Setting(LINEAR, build("sgd"), **({"steps": 10, "every": 5} | change)))
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("field", "hyper", "seeds"),
    [
        ("lr", {"lr": [0.1]}, [0, 1]),
        ("lr", {"lr": [0.1, -0.1]}, [0, 1]),
        ("lr", {"lr": [0.1, np.nan]}, [0, 1]),
        ("radius", {"radius": [0.1, 0.1]}, [0, 1]),
        ("lazy_hessian", {"lazy_hessian": [1, 2]}, [0, 1]),
        ("seeds", {}, [-1]),
        ("seeds", {}, [0.5]),
        ("seeds", {}, []),
    ],
)
def test_runs_out_of_range_are_refused_by_name(field, hyper, seeds):
    with pytest.raises(InputError) as caught:
        simulate(Setting(LINEAR, build("sassha"), 2), hyper, seeds)
    assert caught.value.field == field

"""What the engine holds, compiles and computes is what was asked for, and no more."""

import subprocess
import sys

import jax
import numpy as np
import pytest

from sims import engine
from sims._block import run_blocks
from sims.engine import Setting, Simulation, estimate, simulate
from sims.lab import build
from theory.core import InputError
from theory.problems._oracle import Minibatch, minibatch
from theory.problems.linear import generate
from theory.problems.quadratic import Quadratic
from theory.problems.quadratic import generate as quadratics
from theory.problems.two_layer import generate as networks

LINEAR = generate(n=6, d=9)
looked = []


class Counting(Minibatch):
    """Tells `looked` of every product with a Hessian that is computed, not only traced."""

    def hvp(self, x, v):
        jax.debug.callback(lambda _: looked.append(1), x[0])
        return super().hvp(x, v)


@jax.tree_util.register_dataclass
class Counted(Quadratic):
    """Its oracles count."""

    def oracle(self, batch=None, probes=None):
        return Counting(**vars(minibatch(self, batch, probes)))


@pytest.mark.parametrize("key", ["sassha", "sophiah"])
def test_a_hessian_that_is_not_due_is_not_looked_at(key):
    """A branch turned into a choice between two results would compute both."""
    problem = Counted(*vars(quadratics(n=3, d=2)).values())
    setting = Setting(problem, build(key), 12, 12, block=1)
    run_blocks.clear_cache()
    for every, samples in ((1, 1), (5, 2), (12, 1), (100, 3)):
        looked.clear()
        simulate(setting, {"lazy_hessian": [every], "n_samples": [samples]}, [0])
        jax.effects_barrier()
        assert len(looked) == samples * -(-12 // every)
    assert run_blocks._cache_size() == 1  # whole numbers are traced too


def test_compiled_programs_are_let_go(monkeypatch):
    monkeypatch.setattr(engine, "MOST_PROGRAMS", 2)
    run_blocks.clear_cache()
    first = [simulate(Setting(LINEAR, build("sgd"), steps), {}, [0]) for steps in (1, 2, 3, 4, 5)]
    assert run_blocks._cache_size() <= 3
    again = simulate(Setting(LINEAR, build("sgd"), 1), {}, [0])
    assert np.array_equal(again["loss"], first[0]["loss"])


def test_what_was_asked_before_changes_nothing():
    """With momentum a run holds twice as much: its blocks must not be those of runs without."""
    setting = Setting(LINEAR, build("sgd"), 3, record=("loss", "x"), space="plain")
    heavy = {"lr": np.full(300, 0.1), "momentum": np.linspace(0, 0.9, 300)}
    seeds = np.arange(300)
    fresh, used = Simulation(setting), Simulation(setting)
    used.run(used.runs({"lr": heavy["lr"]}, seeds, 0))
    plans = [s._plan(s.runs(heavy, seeds, 0), False) for s in (fresh, used)]
    assert plans[0] == plans[1] != used._plan(used.runs({}, seeds, 0), False)


def test_more_cells_beside_a_stream_change_no_bit():
    lr = np.linspace(0.001, 0.02, 200)
    for problem, space in ((LINEAR, "gram"), (networks(n=5, d=3, width=20), "plain")):
        setting = Setting(
            problem, build("sam"), 20, 10, 2, record=("loss", "grad_norm"), space=space
        )
        few = simulate(setting, {"lr": np.tile(lr[:40], 2)}, np.repeat([3, 5], 40))
        many = simulate(setting, {"lr": np.tile(lr, 3)}, np.repeat([3, 4, 5], 200))
        for name in few:
            kept = many[name].reshape(3, 200, *many[name].shape[1:])[[0, 2], :40]
            assert np.array_equal(few[name], kept.reshape(few[name].shape))


@pytest.mark.parametrize("width", [33, 64, 200])
def test_a_run_of_a_network_is_the_same_alone_and_anywhere_in_a_crowd(width):
    """Blocks of 16, 2 and 1 runs, and measures whose sums are cut into vectors of eight."""
    problem = networks(n=7, d=16, width=width, held_out=2)
    setting = Setting(
        problem, build("sam"), 4, 2, 3, record=("loss", "grad_norm", "worst_sharpness")
    )
    lr, seeds = np.linspace(0.01, 0.1, 21), np.arange(21)
    whole = simulate(setting, {"lr": lr}, seeds)
    order = np.random.default_rng(width).permutation(21)
    mixed = simulate(setting, {"lr": lr[order]}, seeds[order])
    alone = simulate(setting, {"lr": lr[7:8]}, seeds[7:8])
    for name, values in whole.items():
        assert np.array_equal(mixed[name], values[order])
        assert np.array_equal(alone[name], values[7:8])


@pytest.mark.parametrize("problem", [generate(n=7, d=5, noise=0.3), generate(n=9, d=5, noise=0.3)])
def test_a_block_alone_rounds_as_a_block_among_others(problem):
    """A loop over one block is no loop for XLA: it would fuse what is in it with what is outside."""
    record = ("loss", "grad_norm", "x_norm")
    setting = Setting(problem, build("sgd"), 4, 2, 2, record=record, block=2, space="plain")
    many, one = (simulate(setting, {}, np.arange(runs)) for runs in (40, 1))
    assert all(np.array_equal(one[name][0], many[name][0]) for name in many)


PEAK = """
import numpy as np
from sims import engine
from sims.lab import build
from theory.problems.linear import generate

def held(what):
    line = next(line for line in open("/proc/self/status") if line.startswith(what))
    return int(line.split()[1]) * 1024

small = engine.Setting(generate(n=8, d=64), build("sgd"), 4, 4)
engine.simulate(small, {}, [0])  # whatever a first program needs
wide = engine.Setting(generate(n=8, d=8_000), build("sgd", lr=1e-5), 4, 4)
long = engine.Setting(generate(n=8, d=9), build("sgd"), 1000, 1, record=("loss", "grad_norm"))
for setting, runs in ((wide, 2000), (long, 8000)):
    with open("/proc/self/clear_refs", "w") as memory:
        memory.write("5")  # the peak so far is forgotten
    before = held("VmRSS")
    told = engine.estimate(setting, runs)
    thought = held("VmHWM") - before
    engine.simulate(setting, {}, np.arange(runs))
    print(told, thought, held("VmHWM") - before)
"""

BESIDE = """
import numpy as np
from sims import engine
from sims.lab import build
from theory.problems.linear import generate

engine.CORES = 2
record = ("loss", "grad_norm", "x_norm", "x")
setting = engine.Setting(generate(n=7, d=5), build("shampoo"), 30, 10, 2, record=record)
for _ in range(3):
    engine.simulate(setting, {}, np.arange(600))
"""


def test_the_estimate_is_not_below_the_peak_and_takes_no_such_memory_itself():
    """Resident memory on the way, against estimates of some 100 MB.

    48 MB for what a program takes to compile, which no shape tells; an estimate may be three times
    too large, since not everything is held at once.
    """
    out = subprocess.run([sys.executable, "-c", PEAK], check=True, capture_output=True, text=True)
    for told, thought, peak in (map(int, line.split()) for line in out.stdout.splitlines()):
        assert peak - 48e6 < told < 3 * peak
        assert told > 90e6 and thought < told / 2


def test_memory_does_not_grow_with_the_steps_between_records():
    told = [estimate(Setting(LINEAR, build("sam"), n, n), 1000) for n in (1280, 128_000)]
    assert 0 <= told[1] - told[0] < 128_000  # a chunk's number is kept, not a byte for each step


def test_two_programs_that_call_lapack_do_not_wait_for_each_other():
    """Where XLA has two threads, batches of eigenvalue problems can block both for ever."""
    subprocess.run([sys.executable, "-c", BESIDE], check=True, timeout=120)


@pytest.mark.parametrize(
    ("field", "shown", "change"),
    [
        ("root", "-1", {"root": -1}),
        ("root", "0.5", {"root": 0.5}),
        ("seeds", "-3", {"seeds": [2, -3]}),
        ("seeds", "rows of different lengths", {"seeds": [[1], [1, 2]]}),
        ("seeds", "dtype bool, shape (1,)", {"seeds": [True]}),
        ("beta1", "1.0", {"hyper": {"beta1": np.linspace(0, 1, 500)}, "seeds": np.arange(500)}),
        ("lazy_hessian", "0", {"hyper": {"lazy_hessian": [0, 0]}}),
        ("lazy_hessian", "different numbers", {"hyper": {"lazy_hessian": [1, 2]}}),
        ("lazy_hessian", "dtype float64, shape (2,)", {"hyper": {"lazy_hessian": [1.0, 1.0]}}),
        ("lr", "rows of different lengths", {"hyper": {"lr": [[1.0], [1.0, 2.0]]}}),
        ("lr", "inf", {"hyper": {"lr": [0.1, np.inf]}}),
        ("guard", "values", {"hyper": {"guard": ["damping", "clipping"]}}),
    ],
)
def test_runs_out_of_range_are_answered_in_one_line_with_what_was_found(field, shown, change):
    given = {"hyper": {}, "seeds": [0, 1], "root": 0} | change
    with pytest.raises(InputError) as caught:
        simulate(
            Setting(LINEAR, build("sassha"), 2), given["hyper"], given["seeds"], root=given["root"]
        )
    assert str(caught.value).startswith(f"{field}: got {shown}; allowed: ")
    assert "\n" not in str(caught.value)


def test_the_largest_seeds_and_roots_run():
    largest = 2**63 - 1
    setting = Setting(LINEAR, build("sgd"), 4, record=("x",))
    found = [simulate(setting, {}, [0, largest], root=root)["x"] for root in (0, largest)]
    assert len({end.tobytes() for x in found for end in x[:, -1]}) == 4

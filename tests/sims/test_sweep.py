"""A sweep goes on where it stopped, grows, waits its turn, and is the same whatever happened to it."""

import copy
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from sims import _limits, _provenance, _room
from sims.store import StoreError, digest, open_sweep
from sims.sweep import Watch, sweep
from theory.core import InputError

ROOT = Path(__file__).parents[2]
CONFIG = {
    "problem": {"name": "linear", "n": 4, "d": 6},
    "grid": {"optimizer": ["sgd", "sam"], "lr": [0.1, 0.2, 0.3], "rho": [0.0, 0.1], "seeds": 12},
    "run": {"steps": 6, "every": 3},
}


class Told(Watch):
    """Remembers what it was told."""

    def __init__(self):
        self.there, self.total, self.new, self.lines = 0, 0, 0, []

    def begin(self, done, total):
        self.there, self.total = done, total

    def advance(self, runs):
        self.new += runs

    def say(self, line):
        self.lines.append(line)


def changed(**grid):
    config = copy.deepcopy(CONFIG)
    config["grid"] |= grid
    return config


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    """Blocks of at most 32 runs."""
    monkeypatch.setattr("sims.sweep.MOST_RUNS", 32)


def run(config, out):
    told = Told()
    sweep(config, out=out, watch=told)
    assert told.there + told.new == told.total
    return told


def test_the_second_time_nothing_is_computed(stand_in, tmp_path):
    assert run(CONFIG, tmp_path).there == 0
    before, files = stand_in.runs, sorted(os.listdir(tmp_path / "blocks"))
    assert before == 12 * (3 + 6)
    assert run(CONFIG, tmp_path).new == 0
    assert (stand_in.runs, sorted(os.listdir(tmp_path / "blocks"))) == (before, files)


def test_what_is_lost_or_damaged_is_named_and_computed_again(stand_in, tmp_path):
    run(CONFIG, tmp_path)
    whole = digest(tmp_path)
    lost, damaged = sorted((tmp_path / "blocks").glob("*.npz"))[:2]
    lost.unlink()
    damaged.write_bytes(damaged.read_bytes()[:-1])
    (tmp_path / "blocks" / f"{lost.name}.1.tmp").write_bytes(b"half of")  # as a kill leaves it
    told = run(CONFIG, tmp_path)
    assert 0 < told.new <= 64 and told.there > 0
    (line,) = told.lines
    assert "Computed again" in line and damaged.name in line
    assert digest(tmp_path) == whole
    assert not list((tmp_path / "blocks").glob("*.tmp"))


@pytest.mark.parametrize(
    "more",
    [
        {"seeds": 17},
        {"lr": [0.3, 0.05, 0.1, 0.2]},
        {"optimizer": ["usam", "sam", "sgd"]},
        {"batch": [2, 1]},
        {"seeds": 13, "rho": [0.1, 0.2, 0.0], "batch": [1, "full"]},
    ],
    ids=str,
)
def test_a_grown_sweep_computes_what_was_added_and_equals_a_fresh_one(stand_in, tmp_path, more):
    run(CONFIG, tmp_path / "grown")
    grown = run(changed(**more), tmp_path / "grown")
    assert grown.there == 12 * (3 + 6)
    fresh = run(changed(**more), tmp_path / "fresh")
    assert fresh.total == grown.total
    assert digest(tmp_path / "grown") == digest(tmp_path / "fresh")
    data = open_sweep(tmp_path / "grown").load()
    assert data.identical(open_sweep(tmp_path / "fresh").load())


def test_another_request_for_the_same_folder_says_what_differs(stand_in, tmp_path):
    run(CONFIG, tmp_path)
    for config, field in [
        (changed(lr=[0.1, 0.2]), "grid.lr"),
        (changed(seeds=3), "grid.seeds"),
        (CONFIG | {"run": {"steps": 9, "every": 3}}, "run.steps"),
        (CONFIG | {"problem": {"name": "linear", "n": 5, "d": 6}}, "problem.n"),
    ]:
        with pytest.raises(InputError) as caught:
            sweep(config, out=tmp_path)
        assert caught.value.field == field
    assert run(CONFIG, tmp_path).new == 0


def test_results_of_another_machine_or_other_code_are_not_mixed_in(stand_in, tmp_path, monkeypatch):
    run(CONFIG, tmp_path)
    here = _provenance.environment()
    with monkeypatch.context() as patch:
        patch.setattr(_provenance, "environment", lambda: here | {"jaxlib": "0.0.1"})
        with pytest.raises(InputError, match=r"jaxlib"):
            sweep(changed(seeds=13), out=tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(_provenance, "code", lambda *modules: f"edited {modules[0]}")
        with pytest.raises(InputError, match=r"other code of s"):
            sweep(changed(seeds=13), out=tmp_path)
    assert open_sweep(tmp_path).attrs["complete"]  # reading needs neither


def test_another_process_at_work_is_waited_for(stand_in, tmp_path):
    from filelock import FileLock

    run(CONFIG, tmp_path)
    lock = FileLock(tmp_path / ".lock", thread_local=False)
    holder = threading.Thread(target=lock.acquire)
    holder.start()
    holder.join()

    class Waiting(Told):
        def say(self, line):
            super().say(line)
            threading.Timer(0.05, lock.release).start()

    told = Waiting()
    sweep(CONFIG, out=tmp_path, watch=told)
    assert told.there == told.total
    assert told.lines == [f"Waiting for another process that is at work in {tmp_path}"]


@pytest.mark.parametrize(
    ("config", "field", "told"),
    [
        (CONFIG | {"problem": {"name": "linear", "n": 10**6, "d": 10**6}}, "problem", "21.8"),
        (CONFIG | {"run": {"steps": 10**12}}, "out", "TiB of disk"),
        (changed(seeds=10**7, lr={"from": 0.0, "to": 1.0, "num": 1000}), "out", "GiB of disk"),
        (changed(batch=[1, 9], sampling="without"), "grid.batch", "at most n = 4"),
    ],
)
def test_what_cannot_fit_is_refused_at_once_with_the_estimate(tmp_path, config, field, told):
    with pytest.raises(InputError) as caught:
        sweep(config, out=tmp_path)
    assert caught.value.field == field
    assert told in str(caught.value)
    assert not list((tmp_path / "blocks").glob("*")) and not (tmp_path / "sweep.json").exists()


def test_a_block_larger_than_memory_is_refused_by_the_engine_s_estimate(tmp_path, monkeypatch):
    monkeypatch.setattr(_room, "SMALL_BYTES", 0)  # ask the engine however small it is
    monkeypatch.setattr(_limits, "available_memory", lambda: 10_000)
    with pytest.raises(InputError, match=r"^run: got .*KiB of memory; allowed: the 9.766 KiB free"):
        sweep(CONFIG, out=tmp_path)
    with pytest.raises(InputError, match=r"^workers: got .*GiB of memory"):
        sweep(CONFIG, out=tmp_path, workers=3)
    assert not (tmp_path / "sweep.json").exists()


def test_an_engine_s_refusal_says_for_which_part_of_the_grid(tmp_path):
    config = changed(optimizer="msam", m=2, batch=3)
    with pytest.raises(InputError, match=r"^msam \(batch 3, m 2, sampling with\): "):
        sweep(config, out=tmp_path)


def test_a_full_disk_leaves_what_was_done(stand_in, tmp_path, monkeypatch):
    from sims import _files

    real, left = _files.write, [4]  # the manifest and three blocks

    def write(path, content):
        left[0] -= 1
        if left[0] < 0:
            raise StoreError(f"{path}: cannot be written: No space left on device")
        real(path, content)

    with monkeypatch.context() as patch:
        for module in ("_files", "_manifest"):
            patch.setattr(f"sims.{module}.write", write)
        with pytest.raises(StoreError, match="No space left"):
            sweep(CONFIG, out=tmp_path)
    assert not open_sweep(tmp_path).attrs["complete"]
    assert run(CONFIG, tmp_path).there > 0


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"^out: "):
        sweep(CONFIG, out=tmp_path / "file" / "out")


# --- with the engine itself ----------------------------------------------------------------------

REAL = {
    "problem": {"name": "linear", "n": 4, "d": 6},
    "grid": {"optimizer": "sam", "lr": [0.1, 0.2, 0.3], "rho": [0.0, 0.1], "seeds": 96},
    "run": {"steps": 20, "every": 10, "record": ["loss"]},
}


def test_records_are_those_of_the_readable_loop(tmp_path):
    """One run by hand: its start, its samples and its steps."""
    from sims import _draw
    from sims.lab import build
    from theory.problems._build import problem

    data = sweep(REAL | {"run": {"steps": 4, "root": 3}}, out=tmp_path)
    made = problem("linear", n=4, d=6)
    sampler = _draw.sampler(made.weights, 1, "with")
    optimizer = build("sam", lr=0.2, rho=0.1)
    x = made.start(np.random.default_rng([3, 17]))
    state, losses = optimizer.init(x), [made.oracle(None).loss(x)]
    for t in range(4):
        batch = sampler.draw(np, _draw.keys(3, [17])[0], t)
        x, state = optimizer.step(made.oracle(batch), x, state)
        losses.append(made.oracle(None).loss(x))
    found = data.loss.sel(optimizer="sam", lr=0.2, rho=0.1, seed=17)
    assert np.allclose(found, losses, rtol=1e-12)  # four steps; a sum is rounded in another order


def test_order_block_size_and_growth_change_no_bit(tmp_path, monkeypatch):
    """Blocks of 32 and of 256, in order and backwards, at once and grown."""
    sweep(REAL, out=tmp_path / "first")
    wanted = digest(tmp_path / "first")
    with monkeypatch.context() as patch:
        patch.setattr("sims.sweep.MOST_RUNS", 256)
        sweep(REAL, out=tmp_path / "wide")
    assert digest(tmp_path / "wide") == wanted
    with monkeypatch.context() as patch:
        from sims import sweep as module

        missing = module._missing
        patch.setattr(module, "_missing", lambda *a: reversed(list(missing(*a))))
        sweep(REAL, out=tmp_path / "backwards")
    assert digest(tmp_path / "backwards") == wanted
    for more in ({"seeds": 33}, {"seeds": 96, "rho": [0.0]}, {}):
        grid = {"rho": [0.0]} if "rho" not in more and more else {}
        sweep(REAL | {"grid": REAL["grid"] | grid | more}, out=tmp_path / "grown")
    assert digest(tmp_path / "grown") == wanted


def test_a_grid_that_shares_its_stream_grows_without_a_change(tmp_path, monkeypatch):
    """33 step sizes share a stream in Gram coordinates; the three that are added do, too."""
    monkeypatch.setattr("sims.sweep.MOST_RUNS", 64)
    values = [k / 100 for k in range(36)]
    grid = REAL["grid"] | {"rho": 0.1, "seeds": 3}
    sweep(REAL | {"grid": grid | {"lr": values[:33]}}, out=tmp_path / "grown")
    sweep(REAL | {"grid": grid | {"lr": values}}, out=tmp_path / "grown")
    sweep(REAL | {"grid": grid | {"lr": values[::-1]}}, out=tmp_path / "fresh")
    assert digest(tmp_path / "grown") == digest(tmp_path / "fresh")


def test_a_run_that_diverges_says_when_and_is_inf_from_there(tmp_path):
    config = {
        "problem": {"name": "linear", "n": 4, "d": 6},
        "grid": {"optimizer": "sgd", "lr": [0.1, 1e60], "seeds": 2},
        "run": {"steps": 10, "every": 5, "record": ["loss", "grad_norm"]},
    }
    data = sweep(config, out=tmp_path).load()
    assert (data.diverged_at.sel(lr=0.1) == -1).all()
    late = data.sel(lr=1e60)
    assert ((late.diverged_at > 0) & (late.diverged_at <= 5)).all()
    assert np.isinf(late.loss.sel(step=[5, 10])).all() and np.isinf(late.loss.mean("seed")).any()
    assert np.isfinite(data.loss.sel(lr=0.1)).all()


SCRIPT = """
import sys
from sims import sweep as module
module.MOST_RUNS = 32

class Tell(module.Watch):
    def advance(self, runs):
        print("block", flush=True)

module.sweep({config!r}, out=sys.argv[1], watch=Tell())
print("done", flush=True)
"""


def start(out, config=REAL):
    command = [sys.executable, "-c", SCRIPT.format(config=config), str(out)]
    return subprocess.Popen(
        command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE
    )


def test_killed_at_any_moment_it_goes_on_to_the_same_numbers(tmp_path):
    sweep(REAL, out=tmp_path / "undisturbed")
    blocks = len(os.listdir(tmp_path / "undisturbed" / "blocks"))
    for after in (1, 5):
        process = start(tmp_path / "killed")
        for _ in range(after):
            assert process.stdout.readline() == b"block\n"
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        done = len(list((tmp_path / "killed" / "blocks").glob("*.npz")))
        assert after <= done < blocks
    told = run(REAL, tmp_path / "killed")
    assert 0 < told.there < told.total
    assert digest(tmp_path / "killed") == digest(tmp_path / "undisturbed")


MEMORY = """
import resource, sys
import numpy as np
from sims import engine, sweep as module
from sims.store import digest, open_sweep

def simulate(setting, hyper, seeds, *, root):
    records = setting.steps // setting.every + 1
    return {"loss": np.outer(seeds, np.ones(records)), "diverged_at": np.full(len(seeds), -1)}

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

engine.simulate = simulate
module.MOST_BYTES = 2**20
grid = {"optimizer": "sgd", "lr": [0.1, 0.2], "seeds": 2}
run = {"steps": 999}
config = {"problem": {"name": "linear", "n": 4, "d": 6}, "grid": grid, "run": run}
module.sweep(config, out=sys.argv[1])
digest(sys.argv[1])
first = peak()
data = module.sweep(config | {"grid": grid | {"seeds": 8000}}, out=sys.argv[1])
assert len(digest(sys.argv[1])) == 64
mean = data.loss.isel(lr=0, step=-1).mean("seed")
print(data.loss.nbytes // 2**20, peak() - first, float(mean.item()))
"""


def test_a_large_sweep_streams_in_bounded_memory(tmp_path):
    """122 MiB of results: written, checked, hashed and reduced, 1 MiB at a time."""
    command = [sys.executable, "-c", MEMORY, str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    result = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    held, grown, mean = result.stdout.split()
    assert int(held) == 122
    assert float(mean) == (0 + 7999) / 2
    # a few blocks and the list of them; the allocator keeps a little more than is in use
    assert int(grown) < 40

"""Whoever computes a block, its numbers are the same; a worker that dies costs nothing."""

import os
import signal
import sys
from pathlib import Path

import pytest

from sims import _provenance, engine, scale
from sims._compute import compute, task
from sims._files import StoreError
from sims._plan import Plan
from sims.scale import Slurm, Where, computer
from sims.store import digest, open_sweep
from sims.sweep import Watch, planned, read, run, sweep
from theory.core import InputError

CONFIG = {
    "problem": {"name": "linear", "n": 4, "d": 6},
    "grid": {"optimizer": "sam", "lr": [0.1, 0.2, 0.3], "rho": [0.0, 0.1], "seeds": 96},
    "run": {"steps": 20, "every": 10, "record": ["loss"]},
}


class Quiet(Watch):
    """Calls `after` when the first blocks are done."""

    def __init__(self, after=lambda: None):
        self.after, self.lines = after, []

    def advance(self, runs):
        after, self.after = self.after, lambda: None
        after()

    def say(self, line):
        self.lines.append(line)


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    """Blocks of at most 32 runs."""
    monkeypatch.setattr("sims.sweep.MOST_RUNS", 32)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The digest of the sweep computed in this process."""
    out = tmp_path_factory.mktemp("undisturbed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sims.sweep.MOST_RUNS", 32)
        sweep(CONFIG, out=out)
    return digest(out)


@pytest.fixture(scope="module")
def cluster():
    """Two worker processes, as `--workers 2` starts them."""
    with scale._local_cluster(2) as cluster:
        yield cluster


def test_two_workers_and_one_that_is_killed_give_the_same_numbers(cluster, undisturbed, tmp_path):
    killed = []

    def kill():
        workers = [w.process.pid for w in cluster.workers.values()]
        os.kill(workers[0], signal.SIGKILL)
        killed.append(workers[0])

    run(CONFIG, tmp_path, Where(scheduler=cluster.scheduler_address), Quiet(kill))
    assert killed
    assert digest(tmp_path) == undisturbed


def test_workers_of_one_s_own_are_started_and_stopped(undisturbed, tmp_path):
    sweep(CONFIG, out=tmp_path, workers=1)
    assert digest(tmp_path) == undisturbed


def test_a_worker_s_refusal_arrives_as_it_was_raised(cluster, tmp_path):
    config = CONFIG | {"grid": {"optimizer": "msam", "m": 2, "batch": 3}}
    with pytest.raises(InputError, match=r"^msam .*: size: got 2; allowed: a divisor"):
        run(config, tmp_path, Where(scheduler=cluster.scheduler_address), Quiet())


def test_a_cluster_that_is_lost_leaves_what_was_done(tmp_path, monkeypatch):
    from distributed import LocalCluster

    monkeypatch.setattr(scale, "PATIENCE", "0.5s")
    monkeypatch.setattr(engine, "CORES", engine.CORES)  # the worker is this process, and sets it
    options = {"processes": False, "threads_per_worker": 1, "protocol": "tcp://"}
    options["host"] = "127.0.0.1"
    with LocalCluster(n_workers=1, scheduler_kwargs=scale.NO_DASHBOARD, **options) as own:
        where = Where(scheduler=own.scheduler_address)
        with pytest.raises(StoreError, match="workers were lost"):
            run(CONFIG, tmp_path, where, Quiet(own.close))
    data = open_sweep(tmp_path)
    assert not data.attrs["complete"] and bool(data.done.any())


def test_a_machine_with_other_last_bits_is_refused(monkeypatch):
    plan = Plan(planned(read(CONFIG)))
    one = task(plan, next(iter(plan)))
    here = _provenance.environment()
    with monkeypatch.context() as patch:
        patch.setattr(_provenance, "environment", lambda: here | {"instructions": "avx1024"})
        with pytest.raises(InputError, match=r"worker: got instructions avx1024; allowed: instr"):
            compute(one)
    with pytest.raises(InputError, match="other data"):
        compute(type(one)(**vars(one) | {"data": "0"}))


@pytest.mark.parametrize(
    ("where", "field"),
    [
        ({"workers": -1}, "workers"),
        ({"workers": 1.0}, "workers"),
        ({"workers": True}, "workers"),
        ({"workers": 2, "scheduler": "tcp://127.0.0.1:1"}, "scheduler"),
        ({"slurm": Slurm(), "scheduler": "tcp://127.0.0.1:1"}, "scheduler"),
        ({"slurm": Slurm()}, "workers"),
    ],
)
def test_who_computes_is_said_without_contradiction(where, field):
    with pytest.raises(InputError) as caught:
        Where(**where)
    assert caught.value.field == field


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nowhere"])
def test_a_scheduler_that_does_not_answer_is_named(address, monkeypatch):
    monkeypatch.setattr(scale, "PATIENCE", "0.2s")
    with (
        pytest.raises(InputError, match=f"scheduler: got '{address}'"),
        computer(Where(scheduler=address), print, Path()),
    ):
        pass


def test_without_slurm_it_is_said_before_anything_starts(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with (
        pytest.raises(InputError, match="no sbatch on this machine"),
        computer(Where(1, slurm=Slurm()), print, tmp_path),
    ):
        pass


def test_a_job_with_too_little_memory_is_refused():
    Slurm(memory="4GB").require(4 * 10**9)
    with pytest.raises(InputError, match=r"memory: got 4GB; allowed: 3.8 GiB or more"):
        Slurm(memory="4GB").require(4_080_000_000)
    with pytest.raises(InputError, match="memory: got 'much'"):
        Slurm(memory="much").require(1)


def test_the_job_script_asks_for_what_it_was_told(tmp_path):
    from dask_jobqueue.slurm import SLURMJob

    options = Slurm(partition="short", time="00:10:00", memory="2GB").options(tmp_path / "jobs")
    job = {
        key: options[key]
        for key in options
        if key not in ("scheduler_options", "silence_logs", "processes", "cores", "memory")
    }
    script = SLURMJob(
        scheduler="tcp://127.0.0.1:1", name="job", cores=1, memory="2GB", processes=1, **job
    ).job_script()
    for line in (
        "#SBATCH -p short",
        "#SBATCH -t 00:10:00",
        "#SBATCH --mem=2G",
        "#SBATCH --cpus-per-task=1",
        "export OPENBLAS_NUM_THREADS=1",
    ):
        assert line in script.splitlines()
    assert f"{sys.executable} -m distributed.cli.dask_worker tcp://127.0.0.1:1" in script
    assert "--nthreads 1" in script
    assert str(tmp_path / "jobs") in script

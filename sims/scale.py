"""Who computes a sweep's blocks: this process, processes beside it, or machines elsewhere.

Whoever computes a block, its numbers are the same, so blocks may be computed in any order and,
where a worker dies, again. Results come back to the one process that writes.
"""

from __future__ import annotations

import logging
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing import resource_tracker
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sims._compute import Task, compute, compute_alone
from sims._files import StoreError
from sims._limits import size
from sims._npz import Arrays
from theory.core import InputError

if TYPE_CHECKING:
    from distributed import Client

# A worker is one thread of one process: its libraries must not start more.
ALONE = dict.fromkeys(
    ("JAX_NUM_CPU_DEVICES", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"
)
AHEAD = 2  # blocks a worker has waiting, so that none idles while one travels
NO_DASHBOARD = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}  # the least it can be told
PATIENCE = "30s"  # for a scheduler to answer

Say = Callable[[str], None]
Compute = Callable[[Iterator[Task]], Iterator[tuple[Task, Arrays]]]
"""Tasks in, results out in any order; few are taken before some are given back."""


@dataclass(frozen=True)
class Slurm:
    """What a job asks of Slurm; None leaves it to the cluster's defaults.

    More (an account, a network interface, lines of the job script) is read from dask-jobqueue's
    own configuration, `jobqueue.slurm` in ~/.config/dask.
    """

    partition: str | None = None
    time: str = "01:00:00"
    memory: str = "4GB"

    def options(self, logs: Path) -> dict[str, Any]:
        """How dask-jobqueue is told: jobs of one worker with one thread."""
        from dask import config

        known = config.get("jobqueue.slurm.scheduler-options", None) or {}
        return {
            "queue": self.partition,
            "walltime": self.time,
            "memory": self.memory,
            "cores": 1,
            "processes": 1,
            "job_script_prologue": [f"export {name}={value}" for name, value in ALONE.items()],
            "log_directory": str(logs),
            "scheduler_options": known | NO_DASHBOARD,
            "silence_logs": logging.CRITICAL,
        }

    def require(self, needed: int) -> None:
        """Raise `InputError` where a job's memory is less than a block needs."""
        from dask.utils import parse_bytes

        try:
            enough = parse_bytes(self.memory) >= needed
        except ValueError:
            raise InputError("memory", repr(self.memory), "a size, 4GB for example") from None
        if not enough:
            raise InputError("memory", self.memory, f"{size(needed)} or more: a block needs that")


@dataclass(frozen=True)
class Where:
    """`workers` processes on this machine or, with `slurm`, as many jobs of one worker; 0: here.

    `scheduler` is the address of a dask scheduler whose workers have this package installed.
    Raises `InputError` on what contradicts itself.
    """

    workers: int = 0
    scheduler: str | None = None
    slurm: Slurm | None = None

    def __post_init__(self) -> None:
        if type(self.workers) is not int or self.workers < 0:
            raise InputError("workers", repr(self.workers), "a whole number, at least 0")
        if self.scheduler is not None and (self.workers or self.slurm):
            raise InputError("scheduler", self.scheduler, "nothing beside it: it has its workers")
        if self.slurm is not None and self.workers < 1:
            raise InputError("workers", self.workers, "how many jobs Slurm is to run, at least 1")


@contextmanager
def computer(where: Where, say: Say, logs: Path) -> Iterator[Compute]:
    """The way to compute that was asked for; what it started is stopped at the end.

    `logs` is a folder for what jobs print. Raises `InputError` where it cannot be had.
    """
    if not (where.workers or where.scheduler):
        yield lambda tasks: ((task, compute(task)) for task in tasks)
        return
    from distributed import Client

    with ExitStack() as stack:
        address: Any = where.scheduler
        if where.slurm is not None:
            address = stack.enter_context(_slurm_cluster(where.slurm, where.workers, say, logs))
        elif where.workers:
            address = stack.enter_context(_local_cluster(where.workers))
        try:
            client = stack.enter_context(Client(address, timeout=PATIENCE, set_as_default=False))
        except (OSError, ValueError) as error:
            allowed = f"tcp://HOST:PORT of a dask scheduler ({error})"
            raise InputError("scheduler", repr(address), allowed) from None
        yield lambda tasks: _spread(client, tasks)


def _local_cluster(workers: int) -> Any:
    from distributed import LocalCluster

    options: dict[str, Any] = {
        "processes": True,
        "threads_per_worker": 1,
        "host": "127.0.0.1",
        "scheduler_kwargs": NO_DASHBOARD,
        "silence_logs": logging.CRITICAL,  # a worker that is lost is replaced, without words
        "memory_limit": 0,  # what a block needs was compared with what there is
        "env": ALONE,
    }
    with _deaf_children():
        return LocalCluster(n_workers=workers, **options)


@contextmanager
def _deaf_children() -> Iterator[None]:
    """Ctrl-C reaches this process alone: it stops its workers, which need not say so one by one.

    Threads and processes started here inherit that SIGINT is blocked, and so do workers that those
    threads start later. The resource tracker would unblock it, so it is started before.
    """
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _slurm_cluster(slurm: Slurm, jobs: int, say: Say, logs: Path) -> Any:
    if shutil.which("sbatch") is None:
        raise InputError("slurm", "no sbatch on this machine", "one that can submit Slurm jobs")
    from dask_jobqueue.slurm import SLURMCluster

    cluster: Any = SLURMCluster(**slurm.options(logs))
    say(f"Submitting {jobs} of this job:\n{cluster.job_script().rstrip()}")
    cluster.scale(jobs=jobs)
    return cluster


def _spread(client: Client, tasks: Iterator[Task]) -> Iterator[tuple[Task, Arrays]]:
    """A few blocks for each worker at any time, so that neither here nor there many pile up."""
    from distributed import as_completed

    running: dict[str, Task] = {}
    finished = as_completed(loop=client.loop)

    def fill() -> None:
        workers: Any = client.nthreads()
        room = AHEAD * max(1, len(workers)) - len(running)
        for _, task in zip(range(room), tasks, strict=False):  # in this order: none is lost
            running[task.name] = task
            finished.add(client.submit(compute_alone, task, key=task.name, pure=False))

    try:
        fill()
        for future in finished:
            arrays, done = future.result(), running.pop(future.key)
            del future  # or it would be kept where it was computed
            yield done, arrays
            fill()
    except InputError:
        raise
    except Exception as error:  # a cluster that is lost has many ways to say so
        told = f"{type(error).__name__}: {error}"
        raise StoreError(f"incomplete: the workers were lost ({told}); run it again") from error

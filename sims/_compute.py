"""One block of a sweep, computed from a description that travels between machines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from sims import _provenance
from sims._limits import require_memory
from sims._manifest import canonical
from sims._npz import Arrays
from sims._plan import SHARED, Block, Plan
from theory.core import InputError

DATA_COPIES = 3  # a problem's data while they are generated: drawn, scaled, checked


@dataclass(frozen=True)
class Task:
    """`setting` is what the runs have in common, as JSON; they differ in `hyper` (cells,) and seed.

    `data` and `environment` are what the results must come from.
    """

    name: str
    setting: bytes
    hyper: dict[str, np.ndarray]
    cells: int
    seeds: np.ndarray
    root: int
    shared: bool
    data: str
    environment: dict[str, str]

    @property
    def told(self) -> str:
        """Which part of the grid it is, in words."""
        setting = json.loads(self.setting)
        fixed = ", ".join(f"{name} {value}" for name, value in setting["fixed"].items())
        return f"{setting['optimizer']} ({fixed})"


def task(plan: Plan, block: Block) -> Task:
    """What a worker needs to know to compute a block."""
    config, group = plan.config.plain(), block.group
    common = {"problem": config["problem"], "optimizer": group.optimizer, "fixed": group.fixed}
    run = config["run"]
    return Task(
        name=plan.name(block),
        setting=canonical(common | {"run": {k: v for k, v in run.items() if k != "root"}}),
        hyper=group.values(block.cells),
        cells=len(block.cells),
        seeds=plan.seeds[block.seeds.start : block.seeds.stop],
        root=run["root"],
        shared=block.shared,
        data=plan.manifest.data,
        environment=plan.manifest.environment,
    )


def setting_of(task: Task) -> Any:
    """The engine's setting of a task."""
    return _prepared(task.setting)[0]


def compute(task: Task) -> Arrays:
    """Records (runs, records, ...) and `diverged_at` (runs,), seed by seed.

    A measurement that is not a number at a finite iterate has overflowed, and is recorded as inf.
    Raises `InputError` on a machine whose results would not be equal to the last bit.
    """
    with one_thread():
        return _computed(task)


def _computed(task: Task) -> Arrays:
    from sims.engine import simulate

    here = _provenance.environment()
    for name, wanted in task.environment.items():
        if here.get(name) != wanted:
            raise InputError("worker", f"{name} {here.get(name)}", f"{name} {wanted}, as at first")
    setting, data = _prepared(task.setting)
    if data != task.data:
        raise InputError("worker", "other data", "data equal to those the sweep began with")
    # Fewer cells than the shared stream wants are filled up with the last one.
    count = max(task.cells, SHARED) if task.shared else task.cells
    cell = np.minimum(np.arange(count), task.cells - 1)
    hyper = {name: np.tile(values[cell], len(task.seeds)) for name, values in task.hyper.items()}
    try:
        found = simulate(setting, hyper, np.repeat(task.seeds, count), root=task.root)
    except InputError as error:
        raise InputError(f"{task.told}: {error.field}", *error.parts) from None
    kept = np.tile(np.arange(count) < task.cells, len(task.seeds))
    arrays = {name: _clean(values[kept]) for name, values in found.items()}
    return arrays | {"diverged_at": found["diverged_at"][kept].astype(np.int64)}


def compute_alone(task: Task) -> Arrays:
    """As `compute`, on one thread: as many workers run beside this one as there are cores."""
    from sims import engine

    engine.CORES = 1
    return compute(task)


def _clean(values: np.ndarray) -> np.ndarray:
    real = np.asarray(values, dtype=np.float64)
    return np.where(np.isnan(real), np.inf, real)


@lru_cache(maxsize=8)
def _prepared(text: bytes) -> tuple[Any, str]:
    """The engine's setting, and the hash of its data; built once in a process."""
    from sims.engine import Setting
    from sims.lab import build

    told = json.loads(text)
    problem, data = problem_of(canonical(told["problem"]))
    fixed = dict(told["fixed"])
    batch, sampling = fixed.pop("batch"), fixed.pop("sampling")
    optimizer = build(told["optimizer"], **fixed)
    batch = None if batch == "full" else batch
    return Setting(problem, optimizer, batch=batch, sampling=sampling, **told["run"]), data


@lru_cache(maxsize=1)
def problem_of(text: bytes) -> tuple[Any, str]:
    """A problem from its table as JSON, and the hash of its data."""
    from theory.problems._build import problem

    table = json.loads(text)
    n, d = table.get("n"), table.get("d")
    if type(n) is int and type(d) is int:  # whatever the problem makes of them
        require_memory("problem", DATA_COPIES * 8 * n * d, "a smaller n or d")
    try:
        with one_thread():
            found = problem(**table)
    except InputError as error:
        place = "name" if error.field == "problem" else error.field
        raise InputError(f"problem.{place}", *error.parts) from None
    return found, _provenance.data(found)


@contextmanager
def one_thread() -> Iterator[None]:
    """BLAS on one thread: its last bits depend on how many there are."""
    import scipy.linalg  # noqa: F401  (JAX's LAPACK, which must be loaded to be told)
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"):
        yield

"""Runs a sweep into a folder: what is there already stays, what is missing is computed.

    from sims.sweep import sweep
    data = sweep("config.toml", out="DIR")
    data.loss.sel(optimizer="sam", rho=0.05).mean("seed")

Everything that could fail is checked first: the configuration, the folder, memory and disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sims import _manifest, _provenance
from sims._compute import Task, problem_of, task
from sims._files import TEMPORARY, StoreError
from sims._manifest import Manifest, canonical
from sims._plan import SHARED, Block
from sims._room import require_plan, require_room
from sims._tables import Config, Kind
from sims.config import Source, optimizer_fields, read
from sims.scale import Compute, Slurm, Where, computer
from sims.store import BLOCKS, Folder, open_sweep
from theory.core import InputError

if TYPE_CHECKING:
    import xarray as xr

# A block is what is lost when a run is interrupted, what travels, and what is read at once.
MOST_RUNS = 4096
MOST_BYTES = 32 * 2**20
MOST_WORK = 2**30  # steps times parameters times samples: about a second


class Watch:
    """Told how a sweep is getting on; this one keeps it to itself."""

    def begin(self, done: int, total: int) -> None:
        """`done` of `total` runs were there already."""

    def advance(self, runs: int) -> None:
        """So many more runs are done."""

    def say(self, line: str) -> None:
        """Something a person may want to know."""


def sweep(
    config: Source,
    *,
    out: str | Path,
    workers: int = 0,
    scheduler: str | None = None,
    slurm: Slurm | None = None,
    watch: Watch | None = None,
) -> xr.Dataset:
    """The results of a configuration (a TOML file or a dict), computed into `out` and opened.

    Interrupted, it goes on where it stopped when it is called again; with more values, seeds or
    optimizers on the grid it computes what was added. `workers`, `scheduler`, `slurm`: see
    `sims.scale.Where`; a script that asks for workers needs `if __name__ == "__main__":`.
    Raises `InputError` before anything is computed, `StoreError` where results cannot be kept.
    """
    run(config, Path(out), Where(workers, scheduler, slurm), watch or Watch())
    return open_sweep(out)


def run(config: Source, path: Path, where: Where, watch: Watch) -> int:
    """As `sweep`, without opening the results: how many runs the folder holds."""
    wanted = planned(read(config))
    with _locked(path, watch):
        folder = Folder(path, _agreed(path, wanted))
        require_plan(folder)
        missing = list(_missing(folder, watch))
        if missing:
            require_room(folder, missing, where)
        folder.manifest.save(path)
        runs = folder.plan.runs
        watch.begin(runs - sum(block.runs for block in missing), runs)
        if missing:
            with computer(where, watch.say, path / "jobs") as compute:
                _fill(folder, missing, compute, watch)
        _tidy(folder)
    return runs


def planned(config: Config) -> Manifest:
    """What a folder begun now with this configuration would be about."""
    problem, data = problem_of(canonical(config.plain()["problem"]))
    fields: dict[str, dict[str, Kind]] = {}
    for key in config.grid.optimizer:
        known = optimizer_fields(key)
        fields[key] = {name: known[name] for name in config.grid.fields if name in known}
    modules = [f"sims.measures.{key}" for key in config.run.record]
    modules += ["sims.engine", f"theory.problems.{config.problem.name}"]
    return Manifest(
        config=config,
        fields=fields,
        width=_width(config, problem),
        dimension=problem.dimension,
        data=data,
        environment=_provenance.environment(),
        code={key: _provenance.code(f"sims.optimizers.{key}", *modules) for key in fields},
        extents=(config.grid,),
    )


def _width(config: Config, problem: Any) -> int:
    """Runs a block: a power of two bounded by bytes and, unless that is few, by work."""
    run, samples = config.run, len(problem.weights)
    records = (run.steps // run.every + 1) * sum(
        problem.dimension if key == "x" else 1 for key in run.record
    )
    batch = max(samples if size == "full" else size for size in config.grid.batch)
    work = run.steps * problem.dimension * batch
    most = min(MOST_RUNS, max(SHARED, MOST_WORK // work), MOST_BYTES // (8 * records))
    return 1 << max(1, most).bit_length() - 1


@contextmanager
def _locked(path: Path, watch: Watch) -> Iterator[None]:
    """The folder, for this process alone; another one at work there is waited for."""
    from filelock import FileLock, Timeout

    try:
        (path / BLOCKS).mkdir(parents=True, exist_ok=True)
        lock = FileLock(path / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            watch.say(f"Waiting for another process that is at work in {path}")
            lock.acquire()
    except OSError as error:
        allowed = f"a folder that can be written ({error.strerror})"
        raise InputError("out", repr(str(path)), allowed) from None
    try:
        yield
    finally:
        lock.release()


def _agreed(path: Path, wanted: Manifest) -> Manifest:
    """The manifest of the folder with what is wanted now, or what is wanted where there is none."""
    if not (path / _manifest.NAME).exists():
        return wanted
    return _manifest.load(path).with_grid(wanted)


def _missing(folder: Folder, watch: Watch) -> Iterator[Block]:
    """The blocks that are not there or are damaged; a damaged one is named and removed."""
    for block in folder.plan:
        if folder.has(block):
            try:
                folder.load(block)
                continue
            except StoreError as error:
                watch.say(f"Computed again: {error}")
                folder.file(block).unlink()
        yield block


def _fill(folder: Folder, missing: list[Block], compute: Compute, watch: Watch) -> None:
    under_way: dict[str, Block] = {}

    def tasks() -> Iterator[Task]:
        for block in missing:
            one = task(folder.plan, block)
            under_way[one.name] = block
            yield one

    saved = 0
    for one, arrays in compute(tasks()):
        block = under_way.pop(one.name)
        folder.save(block, arrays)
        saved += 1
        watch.advance(block.runs)
    if saved < len(missing):
        raise StoreError(f"{folder.path}: incomplete: {len(missing) - saved} blocks; run it again")


def _tidy(folder: Folder) -> None:
    """Remove what an interrupted write left, and blocks of an extent that was computed anew."""
    planned = {folder.file(block).name for block in folder.plan}
    for path in folder.blocks.iterdir():
        if path.name.endswith(TEMPORARY) or path.name not in planned:
            path.unlink()

"""Whether a sweep fits this machine, asked before it takes anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sims._compute import problem_of, setting_of, task
from sims._limits import require_disk, require_memory
from sims._manifest import canonical
from sims._plan import Block
from sims._tables import Config
from theory.core import InputError

if TYPE_CHECKING:
    from sims.scale import Where
    from sims.store import Folder

MOST_CELLS = 10_000_000  # combinations of one optimizer's fields; they are listed in memory
PROCESS_BYTES = 400 * 2**20  # an idle worker with JAX loaded, measured
COPIES = 3  # of a block's results while it is written: as computed, in order, as bytes
ARRAYS = 16  # (d, d), (n, d) or (n, n) for each run of a block; no optimizer or measure holds more
SMALL_BYTES = 2**28
ADVICE = "fewer runs, or a larger run.every"


def require_plan(folder: Folder) -> None:
    """Raise `InputError` where the grid is too large for a list or the disk, or cannot be drawn."""
    from sims import _draw

    plan = folder.plan
    weights = _problem(plan.config).weights
    there = sum(path.stat().st_size for path in (folder.blocks).iterdir())
    require_disk("out", plan.runs * folder.run_bytes - there, folder.path, ADVICE)
    for group in plan.groups():
        if group.size > MOST_CELLS:
            told = f"{group.size} combinations of {', '.join(group.traced)}"
            raise InputError("grid", told, f"at most {MOST_CELLS} for one optimizer")
        batch, sampling = group.fixed["batch"], group.fixed["sampling"]
        if batch != "full":
            try:
                _draw.sampler(weights, batch, sampling)
            except InputError as error:
                raise InputError(f"grid.{error.field}", *error.parts) from None


def require_room(folder: Folder, missing: list[Block], where: Where) -> None:
    """Raise `InputError` where the largest block of some optimizer would not fit the memory."""
    samples = len(_problem(folder.manifest.config).weights)

    def size(block: Block) -> int:
        batch = block.group.fixed["batch"]
        return block.runs * (samples if batch == "full" else batch)

    largest: dict[str, Block] = {}
    for block in missing:
        key = block.group.optimizer
        if key not in largest or size(block) > size(largest[key]):
            largest[key] = block
    needed = max(_needed(setting_of(task(folder.plan, b)), b.runs) for b in largest.values())
    needed += COPIES * max(block.runs for block in largest.values()) * folder.run_bytes
    if where.slurm is not None:
        where.slurm.require(needed + PROCESS_BYTES)
    elif where.workers:
        together = where.workers * (needed + PROCESS_BYTES)
        require_memory("workers", together, f"fewer workers, {ADVICE}")
    elif where.scheduler is None:
        require_memory("run", needed, ADVICE)


def _needed(setting: Any, runs: int) -> int:
    """What a block takes at its peak: the engine's estimate, unless a bound is small already.

    The estimate compiles the program once more, which a small sweep need not wait for.
    """
    from sims import engine

    d, n = setting.problem.dimension, len(setting.problem.weights)
    if engine.in_gram(setting):
        require_memory("problem.n", 2 * 8 * n**2, "a smaller n, or run.space = 'plain'")
    bound = 8 * ARRAYS * (d**2 + n * d + n**2) * engine.MOST_IN_BLOCK * engine.CORES
    return bound if bound < SMALL_BYTES else engine.estimate(setting, runs)


def _problem(config: Config) -> Any:
    return problem_of(canonical(config.plain()["problem"]))[0]

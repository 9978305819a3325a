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
    """Raise `InputError` where the largest block would not fit, by the engine's own account."""
    from sims.engine import estimate

    samples = len(_problem(folder.manifest.config).weights)

    def size(block: Block) -> int:
        batch = block.group.fixed["batch"]
        return block.runs * (samples if batch == "full" else batch)

    largest: dict[str, Block] = {}
    for block in missing:
        key = block.group.optimizer
        if key not in largest or size(block) > size(largest[key]):
            largest[key] = block
    tasks = [(task(folder.plan, block), block.runs) for block in largest.values()]
    needed = max(estimate(setting_of(one), runs) for one, runs in tasks)
    needed += COPIES * max(block.runs for block in largest.values()) * folder.run_bytes
    if where.slurm is not None:
        where.slurm.require(needed + PROCESS_BYTES)
    elif where.workers:
        together = where.workers * (needed + PROCESS_BYTES)
        require_memory("workers", together, f"fewer workers, {ADVICE}")
    elif where.scheduler is None:
        require_memory("run", needed, ADVICE)


def _problem(config: Config) -> Any:
    return problem_of(canonical(config.plain()["problem"]))[0]

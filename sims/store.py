"""A folder of results: a manifest, and blocks of runs named by what their numbers depend on.

    DIR/sweep.json          the configuration, and what computed it
    DIR/blocks/<hash>.npz   the runs of one block

A block is written once, whole, and checked whenever it is read. `open_sweep` shows everything as
one labelled Dataset and reads a block only when its numbers are asked for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sims import _manifest, _npz
from sims._files import StoreError
from sims._manifest import Manifest, canonical
from sims._npz import Arrays
from sims._plan import Block, Plan

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["StoreError", "digest", "export_zarr", "open_sweep"]

BLOCKS = "blocks"
DIVERGED = "diverged_at"
ABSENT = -2  # `diverged_at` of a run that is not done; -1 means that it never diverged


class Folder:
    """The blocks of a plan, on disk."""

    def __init__(self, path: str | Path, manifest: Manifest | None = None) -> None:
        self.path, self.blocks = Path(path), Path(path) / BLOCKS
        self.plan = Plan(manifest or _manifest.load(self.path))

    @property
    def manifest(self) -> Manifest:
        """What the folder is about."""
        return self.plan.manifest

    def file(self, block: Block) -> Path:
        """Where a block is, or will be."""
        return self.blocks / f"{self.plan.name(block)}.npz"

    @cached_property
    def present(self) -> set[str]:
        """The files there were when this was first asked."""
        return {path.name for path in self.blocks.glob("*.npz")}

    def has(self, block: Block) -> bool:
        """Whether the block's file was there; whether it is sound is seen when it is read."""
        return self.file(block).name in self.present

    def save(self, block: Block, arrays: Arrays) -> None:
        """Write a block; raises `StoreError` where the disk refuses."""
        _npz.save(self.file(block), self.plan.identity(block), arrays)

    def load(self, block: Block) -> Arrays:
        """The records (runs, records, ...) and `diverged_at` (runs,); raises `StoreError`."""
        shapes = {key: ((block.runs, *rest), "<f8") for key, rest in self.shapes.items()}
        shapes[DIVERGED] = ((block.runs,), "<i8")
        return _npz.load(self.file(block), self.plan.identity(block), shapes)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """What one run has of each record: (records,), and (records, d) for x."""
        run = self.manifest.config.run
        records = run.steps // run.every + 1
        wide = (records, self.manifest.dimension)
        return {key: wide if key == "x" else (records,) for key in run.record}

    @property
    def run_bytes(self) -> int:
        """What one run takes on disk, within a percent."""
        return 8 * (1 + sum(int(np.prod(shape)) for shape in self.shapes.values()))


def open_sweep(path: str | Path) -> xr.Dataset:
    """The results of a folder, complete or not, as one Dataset that reads what is asked for.

    Dimensions: optimizer, every field of the grid, seed, step (and `coordinate`, where x was
    recorded). Variables: the records, `diverged_at` (first step whose iterate is not finite, -1:
    never, -2: not done) and `done`. A field that an optimizer lacks changes nothing for it: its one
    result is shown at every value, so that optimizers can be subtracted from each other. A run that
    is not done reads NaN; records from a divergence on are inf.

    Attributes: `complete`, `config`, `environment`, `fields` (which optimizer has which), as JSON.
    A block is checked whenever it is read: `StoreError` names one that is damaged. Indexing reads
    the blocks it touches; `.chunk()` computes over more than fits memory; a read that is larger
    than the memory available raises `InputError`.
    """
    from sims._view import dataset

    return dataset(Folder(path))


def digest(path: str | Path) -> str:
    """A hash of all results, whatever their order, blocks and history; equal numbers, equal digest.

    The sum of one sha256 for each run, over its place in the grid, its records and its divergence.
    Raises `StoreError` where a block is missing or damaged.
    """
    folder = Folder(path)
    total = 0
    for block in folder.plan:
        arrays = folder.load(block)
        parts = [(name.encode(), arrays[name]) for name in sorted(arrays)]
        for row, place in enumerate(_places(folder.plan, block)):
            one = hashlib.sha256(canonical(place))
            for name, values in parts:
                one.update(name + b":" + values[row].tobytes())
            total += int.from_bytes(one.digest(), "big")
    return f"{total % 2**256:064x}"


def _places(plan: Plan, block: Block) -> Iterator[Any]:
    """Where each run of a block is in the grid."""
    group = block.group
    traced = group.values(block.cells)
    cells = [dict(zip(traced, values, strict=True)) for values in _rows(traced)]
    for seed in plan.seeds[block.seeds.start : block.seeds.stop].tolist():
        for cell in cells or [{}] * len(block.cells):
            yield [group.optimizer, group.fixed | cell, seed]


def _rows(columns: dict[str, np.ndarray]) -> list[tuple[Any, ...]]:
    return list(zip(*(column.tolist() for column in columns.values()), strict=True))


def export_zarr(path: str | Path, target: str | Path) -> None:
    """Write the Dataset as a Zarr store, chunk by chunk, then compare all of it with the blocks.

    A Zarr store shows a chunk that is lost later as fill values (NaN, `done` false), so keep the
    folder; its chunks carry checksums, so a damaged one is an error. Raises `InputError` without
    the zarr package, or where `target` exists; `StoreError` where the two differ.
    """
    from sims._zarr import export

    export(Folder(path), Path(target))

"""How a grid becomes blocks: groups that compile alike, rectangles of cells and seeds, chunks.

A group is one optimizer with one value for each field that changes what is compiled. Its cells are
the combinations of its other fields; its runs are cells times seeds. What a block holds depends on
the sweep's manifest alone, never on who computes it or when: a sweep that grew keeps its first
blocks and gets new ones for the runs that were added.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from sims._manifest import Manifest, canonical
from sims._tables import Grid

# Runs of one seed that the engine's shared stream wants at least; see `sims.engine.together`.
SHARED = 32


@dataclass(frozen=True)
class Group:
    """`fixed` fields, batch and sampling have one value; the product of `traced` are the cells.

    Names and values of `traced` are sorted, whatever order a configuration gives them in.
    """

    optimizer: str
    fixed: dict[str, Any]
    traced: dict[str, tuple[float, ...]]

    @property
    def shape(self) -> tuple[int, ...]:
        """Cells along each traced field."""
        return tuple(map(len, self.traced.values()))

    @property
    def size(self) -> int:
        """How many cells there are."""
        return math.prod(self.shape)

    def values(self, cells: np.ndarray) -> dict[str, np.ndarray]:
        """Each traced field at flat cell indices (c,)."""
        places = np.unravel_index(cells, self.shape) if self.traced else ()
        pairs = zip(self.traced.items(), places, strict=True)
        return {name: np.array(values)[place] for (name, values), place in pairs}


@dataclass(frozen=True)
class Block:
    """`cells` (c,), ascending flat indices, at `seeds`, positions in the sweep's list of seeds.

    Runs are ordered seed by seed. `shared`: the engine is to see enough runs of every seed.
    """

    group: Group
    cells: np.ndarray
    seeds: range
    shared: bool
    identity: dict[str, Any]  # what the numbers depend on, but for the seeds

    @property
    def runs(self) -> int:
        """Cells times seeds."""
        return len(self.cells) * len(self.seeds)


class Plan:
    """The blocks of a sweep, from its manifest alone."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest, self.config = manifest, manifest.config
        seeds = self.config.grid.seeds
        self.seeds = np.arange(seeds) if isinstance(seeds, int) else np.array(seeds)

    @property
    def runs(self) -> int:
        """Runs of the whole sweep, counted without listing them."""
        grid, cells = self.config.grid, 0
        for key in grid.optimizer:
            own = [len(v) for name, v in grid.fields.items() if name in self.manifest.fields[key]]
            cells += math.prod([*own, len(grid.batch), len(grid.sampling)])
        return cells * len(self.seeds)

    def groups(self) -> Iterator[Group]:
        """Every group, optimizer by optimizer."""
        grid = self.config.grid
        for key in grid.optimizer:
            own = self.manifest.fields[key]
            split = {name: v for name, v in grid.fields.items() if own.get(name) == "split"}
            split |= {"batch": grid.batch, "sampling": grid.sampling}
            traced = {
                name: tuple(sorted(values))
                for name, values in sorted(grid.fields.items())
                if own.get(name) == "traced"
            }
            for values in itertools.product(*split.values()):
                yield Group(key, dict(zip(split, values, strict=True)), traced)

    def blocks(self, group: Group) -> Iterator[Block]:
        """The blocks of a group, those of the first seeds first."""
        shared = self._sharing(group.size)
        for cells, seeds in self._rectangles(group):
            chunks = -(-len(cells) // self.manifest.width)
            parts = [
                (part, self._identity(group, part, shared))
                for part in np.array_split(cells, chunks)
            ]
            step = max(1, self.manifest.width // -(-len(cells) // chunks))
            for start in range(seeds.start, seeds.stop, step):
                some = range(start, min(start + step, seeds.stop))
                for part, identity in parts:
                    yield Block(group, part, some, shared, identity)

    def __iter__(self) -> Iterator[Block]:
        return itertools.chain.from_iterable(map(self.blocks, self.groups()))

    def identity(self, block: Block) -> bytes:
        """Canonical JSON of all that the block's numbers depend on; its hash is its name."""
        seeds = self.seeds[block.seeds.start : block.seeds.stop].tolist()
        return canonical(block.identity | {"seeds": seeds})

    def name(self, block: Block) -> str:
        """The name of the block's file."""
        return hashlib.sha256(self.identity(block)).hexdigest()

    def _identity(self, group: Group, cells: np.ndarray, shared: bool) -> dict[str, Any]:
        values = group.values(cells)
        table = np.array([values[name] for name in values], dtype="<f8")
        return self.manifest.origin(group.optimizer) | {
            "fixed": group.fixed,
            "traced": list(values),
            "cells": [len(cells), hashlib.sha256(table.tobytes()).hexdigest()],
            "shared": shared,
        }

    def _rectangles(self, group: Group) -> Iterator[tuple[np.ndarray, range]]:
        """Cells (c,) and seeds that were added together, in the order in which the sweep grew."""
        extents = [self._extent(group, grid) for grid in self.manifest.extents]
        sharing = [self._sharing(cells.sum()) for cells, _ in extents]
        before, count = np.zeros(group.size, dtype=bool), 0
        for k, (cells, seeds) in enumerate(extents):
            if sharing[k] != sharing[-1]:
                continue  # computed another way then; a sweep that never grew has no such part
            if before.any() and seeds > count:
                yield np.flatnonzero(before), range(count, seeds)
            if (cells & ~before).any():
                yield np.flatnonzero(cells & ~before), range(seeds)
            before, count = cells, seeds

    def _sharing(self, cells: int) -> bool:
        return min(cells, self.manifest.width) >= SHARED

    def _extent(self, group: Group, grid: Grid) -> tuple[np.ndarray, int]:
        """Which cells (size,) of a group an earlier grid had, and how many seeds."""
        had = {"batch": grid.batch, "sampling": grid.sampling} | grid.fields
        there = group.optimizer in grid.optimizer and all(
            value in had[name] for name, value in group.fixed.items()
        )
        mask = np.full(group.shape, there)
        for axis, (name, values) in enumerate(group.traced.items()):
            known = np.isin(values, had[name])
            mask &= known.reshape([-1 if a == axis else 1 for a in range(len(group.shape))])
        return mask.reshape(-1), len(grid.seed_list)

"""One labelled Dataset over the blocks of a folder; a block is read when its numbers are asked for."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from xarray.backends import BackendArray
from xarray.core import indexing

from sims._limits import require_memory
from sims._plan import Group
from sims.store import ABSENT, DIVERGED

if TYPE_CHECKING:
    from sims.store import Folder

DONE = "done"


def dataset(folder: Folder) -> xr.Dataset:
    """As `sims.store.open_sweep`."""
    plan, config = folder.plan, folder.manifest.config
    grid = config.grid
    axes = {"optimizer": grid.optimizer} | grid.fields
    fixed = {"batch": grid.batch, "sampling": grid.sampling}
    axes |= {name: v for name, v in fixed.items() if name in grid.model_fields_set}
    dims = (*axes, "seed")
    coordinates: dict[str, Any] = {name: labels(values) for name, values in axes.items()}
    coordinates |= {name: v[0] for name, v in fixed.items() if name not in axes}
    coordinates["seed"] = plan.seeds
    coordinates["step"] = np.arange(0, config.run.steps + 1, config.run.every)
    variables: dict[str, Any] = {}
    for name, rest in folder.shapes.items():
        last = ("step", "coordinate")[: len(rest)]
        variables[name] = (*dims, *last), Lazy(folder, axes, name, rest, np.nan)
    variables[DIVERGED] = dims, Lazy(folder, axes, DIVERGED, (), ABSENT)
    variables[DONE] = dims, Lazy(folder, axes, DONE, (), False)
    return xr.Dataset(
        {
            name: xr.Variable(dims, indexing.LazilyIndexedArray(array))
            for name, (dims, array) in variables.items()
        },
        {name: (name if np.ndim(v) else (), v) for name, v in coordinates.items()},
        {
            "complete": all(map(folder.has, plan)),
            "config": json.dumps(config.plain()),
            "environment": json.dumps(folder.manifest.environment),
            "fields": json.dumps({key: list(own) for key, own in folder.manifest.fields.items()}),
        },
    )


def labels(values: tuple[Any, ...]) -> np.ndarray:
    """A coordinate; values of several kinds (1, "full") stay what they are."""
    kinds = {type(value) for value in values}
    return np.array(values, dtype=None if len(kinds) == 1 else object)


class Lazy(BackendArray):
    """One variable, (optimizer, fields..., seed, rest...), gathered from blocks when indexed."""

    def __init__(
        self, folder: Folder, axes: dict[str, tuple[Any, ...]], name: str, rest: Any, absent: Any
    ) -> None:
        self.folder, self.axes, self.name, self.absent = folder, axes, name, absent
        self.shape = (*map(len, axes.values()), len(folder.plan.seeds), *rest)
        self.dtype = np.asarray(absent).dtype

    def __getitem__(self, key: indexing.ExplicitIndexer) -> np.ndarray:
        outer = indexing.IndexingSupport.OUTER
        return indexing.explicit_indexing_adapter(key, self.shape, outer, self._get)

    def _get(self, key: tuple[Any, ...]) -> np.ndarray:
        """One integer, slice or array of integers for each axis, each on its own."""
        wanted = [
            np.atleast_1d(np.arange(size)[k]) for size, k in zip(self.shape, key, strict=True)
        ]
        kept = [
            len(w) for w, k in zip(wanted, key, strict=True) if not isinstance(k, int | np.integer)
        ]
        return self._gather(wanted).reshape(kept)

    def _gather(self, wanted: list[np.ndarray]) -> np.ndarray:
        shape = tuple(map(len, wanted))
        size = math.prod(shape) * self.dtype.itemsize
        require_memory(self.name, size, "a smaller selection, or .chunk() to compute by pieces")
        out = np.full(shape, self.absent, self.dtype)
        for group in self.folder.plan.groups():
            places = self._places(group, wanted)
            if all(map(len, places)):
                rows = self._rows(group, wanted)
                region = np.ix_(*places, *(np.arange(n) for n in shape[len(self.axes) :]))
                out[region] = rows
        return out

    def _places(self, group: Group, wanted: list[np.ndarray]) -> list[np.ndarray]:
        """Where along each grid axis of what is wanted this group is seen."""
        own = {"optimizer": group.optimizer} | group.fixed
        places = []
        for (name, values), want in zip(self.axes.items(), wanted, strict=False):
            index = values.index(own[name]) if name in own else None
            places.append(np.arange(len(want)) if index is None else np.flatnonzero(want == index))
        return places

    def _ranks(self, name: str) -> np.ndarray:
        """Where each value of a traced field is among them all, sorted."""
        return np.argsort(np.argsort(self.axes[name]))

    def _rows(self, group: Group, wanted: list[np.ndarray]) -> np.ndarray:
        """What is wanted of a group, one long along the axes it does not vary on."""
        names = list(self.axes)
        cells = np.zeros(1, dtype=int)
        if group.traced:
            own = [(k, name) for k, name in enumerate(names) if name in group.traced]
            places = np.ix_(*(self._ranks(name)[wanted[k]] for k, name in own))
            by_name = dict(zip((name for _, name in own), places, strict=True))
            cells = np.ravel_multi_index([by_name[name] for name in group.traced], group.shape)
            cells = cells.reshape(-1)
        seeds, *rest = wanted[len(names) :]
        rows = np.full((len(cells), len(seeds), *map(len, rest)), self.absent, self.dtype)
        for block in self.folder.plan.blocks(group):
            here = np.flatnonzero((seeds >= block.seeds.start) & (seeds < block.seeds.stop))
            if not len(here) or not self.folder.has(block):
                continue
            at = np.searchsorted(block.cells, cells).clip(max=len(block.cells) - 1)
            hit = np.flatnonzero(block.cells[at] == cells)
            if not len(hit):
                continue
            if self.name == DONE:
                rows[np.ix_(hit, here)] = True
                continue
            values = self.folder.load(block)[self.name]
            values = values.reshape(len(block.seeds), len(block.cells), *values.shape[1:])
            some = values[np.ix_(seeds[here] - block.seeds.start, at[hit], *rest)]
            rows[np.ix_(hit, here)] = np.swapaxes(some, 0, 1)
        across = [len(wanted[k]) if name in group.traced else 1 for k, name in enumerate(names)]
        return rows.reshape([*across, *rows.shape[1:]])

"""A sweep as a Zarr store, for tools that read that; written by chunks, then compared with it."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sims._files import TEMPORARY, StoreError
from theory.core import InputError

if TYPE_CHECKING:
    import xarray as xr

    from sims.store import Folder

CHUNK_BYTES = 32 * 2**20


def export(folder: Folder, target: Path) -> None:
    """As `sims.store.export_zarr`."""
    try:
        from zarr.codecs import Crc32cCodec
    except ImportError:
        raise InputError("zarr", "no such package here", "flatproof[zarr] installed") from None
    import xarray as xr

    from sims._view import dataset
    from sims.store import ABSENT

    if target.exists():
        raise InputError("zarr", repr(str(target)), "a place where nothing is yet")
    data = dataset(folder)
    for name, labels in data.coords.items():
        if labels.dtype.kind in "OU":  # 1 and "full": Zarr has no mixed labels
            data = data.assign_coords({name: labels.astype(str).astype(object)})
    traced = {name for group in folder.plan.groups() for name in group.traced}
    chunks = {name: _chunks(values, traced) for name, values in data.data_vars.items()}
    encoding = {
        name: {
            "compressors": (Crc32cCodec(),),  # a chunk that is damaged later is an error
            "chunks": tuple(chunks[name].values()),
            "fill_value": {"f": np.nan, "i": ABSENT, "b": False}[values.dtype.kind],
            "_FillValue": None,
        }
        for name, values in data.data_vars.items()
    }
    pieces = {name: values.chunk(chunks[name]) for name, values in data.data_vars.items()}
    beside = target.with_name(f"{target.name}{TEMPORARY}")  # whole or absent, like every result
    shutil.rmtree(beside, ignore_errors=True)
    try:
        data.assign(pieces).to_zarr(beside, mode="w-", encoding=encoding, consolidated=False)
        with xr.open_zarr(beside, consolidated=False, chunks=None) as written:
            _compare(data, written, chunks)
        beside.rename(target)
    except OSError as error:
        raise StoreError(f"{target}: cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _chunks(values: xr.DataArray, traced: set[str]) -> dict[Any, int]:
    """Cut until a chunk is small: first along axes that blocks do not span either."""
    sizes = dict(values.sizes)
    across = {"seed": 1, "step": 3, "coordinate": 4} | dict.fromkeys(traced, 2)
    for name in sorted(sizes, key=lambda name: across.get(str(name), 0)):
        rest = math.prod(sizes.values()) // sizes[name] * values.dtype.itemsize
        sizes[name] = min(sizes[name], max(1, CHUNK_BYTES // rest))
    return sizes


def _compare(data: xr.Dataset, written: xr.Dataset, chunks: dict[Any, dict[Any, int]]) -> None:
    """Raise `StoreError` unless every number that was written reads back."""
    for name, labels in data.coords.items():
        if not np.array_equal(labels.values, written[name].values):
            raise StoreError(f"zarr: {name} does not read back as it was written")
    for name, values in data.data_vars.items():
        for piece in _pieces(dict(values.sizes), chunks[name]):
            ours, theirs = values.isel(piece).values, written[name].isel(piece).values
            if not np.array_equal(ours, theirs, equal_nan=ours.dtype.kind == "f"):
                raise StoreError(f"zarr: {name} does not read back as it was written")


def _pieces(sizes: dict[Any, int], chunks: dict[Any, int]) -> Iterator[dict[Any, slice]]:
    import itertools

    cuts = [
        [(name, slice(at, at + chunks[name])) for at in range(0, size, chunks[name])]
        for name, size in sizes.items()
    ]
    return (dict(piece) for piece in itertools.product(*cuts))

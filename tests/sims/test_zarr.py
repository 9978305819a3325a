"""A Zarr store holds what the folder holds, and says so when it no longer does."""

import sys

import numpy as np
import pytest
import xarray as xr

from sims import _zarr
from sims.store import StoreError, export_zarr, open_sweep
from sims.sweep import sweep
from theory.core import InputError

CONFIG = {
    "problem": {"name": "linear", "n": 4, "d": 3},
    "grid": {"optimizer": ["sgd", "sam"], "lr": [0.1, 9.0], "batch": [1, "full"], "seeds": 5},
    "run": {"steps": 4, "every": 2, "record": ["loss"]},
}


@pytest.fixture
def path(stand_in, tmp_path):
    sweep(CONFIG, out=tmp_path / "out")
    return tmp_path / "out"


def reopen(target):
    return xr.open_zarr(target, consolidated=False, chunks=None)


def test_it_holds_the_same_numbers_under_the_same_labels(path, tmp_path, monkeypatch):
    monkeypatch.setattr(_zarr, "CHUNK_BYTES", 200)
    target = tmp_path / "sweep.zarr"
    export_zarr(path, target)
    ours, theirs = open_sweep(path), reopen(target)
    assert theirs.loss.encoding["chunks"] == (1, 2, 1, 4, 3)  # 192 bytes; seeds are cut first
    for optimizer in ("sgd", "sam"):
        for batch in (1, "full"):
            place = {"optimizer": optimizer, "lr": 0.1, "seed": 3}
            found = theirs.loss.sel(place | {"batch": str(batch)})
            assert np.array_equal(found, ours.loss.sel(place | {"batch": batch}))
    assert np.array_equal(theirs.diverged_at, ours.diverged_at)
    assert bool(theirs.done.all()) and theirs.attrs["complete"]
    assert [each.name for each in tmp_path.iterdir() if "zarr" in each.name] == [target.name]


def test_a_place_that_is_taken_is_refused(path, tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(InputError, match="zarr"):
        export_zarr(path, tmp_path / "taken")


def test_without_the_package_it_says_what_to_install(path, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "zarr.codecs", None)
    with pytest.raises(InputError, match=r"flatproof\[zarr\]"):
        export_zarr(path, tmp_path / "sweep.zarr")


def test_a_chunk_that_is_lost_while_writing_is_noticed(path, tmp_path, monkeypatch):
    whole = _zarr._compare

    def lose(data, written, chunks):
        for chunk in (tmp_path / "sweep.zarr.tmp" / "loss" / "c").rglob("*"):
            if chunk.is_file():
                chunk.unlink()  # Zarr reads it as fill values
        whole(data, written, chunks)

    monkeypatch.setattr(_zarr, "_compare", lose)
    with pytest.raises(StoreError, match="loss does not read back"):
        export_zarr(path, tmp_path / "sweep.zarr")
    assert [each.name for each in tmp_path.iterdir()] == ["out"]


def test_a_chunk_that_is_damaged_later_is_an_error(path, tmp_path):
    target = tmp_path / "sweep.zarr"
    export_zarr(path, target)
    chunk = next(file for file in (target / "loss" / "c").rglob("*") if file.is_file())
    content = bytearray(chunk.read_bytes())
    content[len(content) // 2] ^= 1
    chunk.write_bytes(content)
    with pytest.raises(ValueError, match=r"(?i)checksum"):
        reopen(target).loss.load()


def test_damage_in_the_folder_is_not_exported(path, tmp_path):
    victim = next((path / "blocks").glob("*.npz"))
    victim.write_bytes(victim.read_bytes()[:-30])
    with pytest.raises(StoreError, match=victim.name):
        export_zarr(path, tmp_path / "sweep.zarr")
    assert not (tmp_path / "sweep.zarr").exists()

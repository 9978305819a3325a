"""What is shown under a label is what was computed for it; what is damaged or missing is never."""

import itertools
import json

import numpy as np
import pytest
import xarray as xr

from sims import _limits, _npz
from sims.store import Folder, StoreError, digest, open_sweep
from sims.sweep import sweep
from theory.core import InputError

CONFIG = {
    "problem": {"name": "linear", "n": 4, "d": 3},
    "grid": {
        "optimizer": ["sgd", "sam", "usam"],
        "lr": [0.1, 0.2, 9.0],
        "rho": [0.0, 0.5],
        "ascent": ["shared", "per-sample"],
        "batch": [1, 2, "full"],
        "seeds": [4, 0, 7],
    },
    "run": {"steps": 4, "every": 2, "record": ["loss", "grad_norm"]},
}


@pytest.fixture
def narrow(monkeypatch):
    """Blocks of at most 4 runs, so that a group has several."""
    monkeypatch.setattr("sims.sweep.MOST_RUNS", 4)


@pytest.fixture
def path(stand_in, narrow, tmp_path):
    sweep(CONFIG, out=tmp_path / "out")
    return tmp_path / "out"


def value(optimizer, lr, rho, ascent, batch, seed):
    """The first loss that `tests/sims/conftest.py` gives this run."""
    climb = 0 if optimizer == "sgd" else rho
    size = 0 if batch == "full" else batch
    chosen = {"sgd": 190_000, "sam": 190_000, "usam": 210_000}[optimizer]
    if optimizer == "usam" and ascent == "per-sample":
        chosen = 420_000
    return seed + 10 * lr + 100 * climb + 1000 * size + chosen


def blocks(path):
    return sorted((path / "blocks").glob("*.npz"))


def test_every_label_shows_its_own_run(path):
    data = open_sweep(path)
    grid = CONFIG["grid"]
    loss, where = data.loss.load(), data.diverged_at.load()
    for labels in itertools.product(*(grid[name] for name in list(grid)[:-1]), grid["seeds"]):
        lr = labels[1]
        at = dict(zip(("optimizer", "lr", "rho", "ascent", "batch", "seed"), labels, strict=True))
        records = value(*labels) * np.array([1.0, 2.0, 3.0])
        records[1:] = np.inf if lr == 9.0 else records[1:]
        assert np.array_equal(loss.sel(at), records)
        assert where.sel(at) == (1 if lr == 9.0 else -1)
    assert np.array_equal(data.grad_norm, -loss)


def test_dimensions_are_the_grid_s_fields_and_the_rest_is_said(path):
    data = open_sweep(path)
    dims = ("optimizer", "lr", "rho", "ascent", "batch", "seed")
    assert data.loss.dims == (*dims, "step")
    assert data.done.dims == data.diverged_at.dims == dims
    assert data.step.values.tolist() == [0, 2, 4]
    assert data.seed.values.tolist() == [4, 0, 7]
    assert data.batch.values.tolist() == [1, 2, "full"]
    assert data.sampling.item() == "with"
    assert data.attrs["complete"] is True
    assert bool(data.done.all())
    config = json.loads(data.attrs["config"])
    assert config["grid"]["lr"] == [0.1, 0.2, 9.0] and config["run"]["root"] == 0
    assert json.loads(data.attrs["fields"])["sgd"] == ["lr"]
    assert "jaxlib" in json.loads(data.attrs["environment"])


def test_selections_of_every_kind_agree_with_loading_it_all(path):
    lazy, whole = open_sweep(path).loss, open_sweep(path).loss.load()
    for pick in (
        {"optimizer": 1, "lr": [2, 0], "seed": slice(None, None, -1)},
        {"rho": [1, 1, 0], "step": -1},
        {"seed": slice(1, 3), "batch": [2]},
        {"lr": slice(0, 0)},
        {"optimizer": xr.DataArray([0, 2], dims="pair"), "lr": xr.DataArray([1, 0], dims="pair")},
    ):
        assert lazy.isel(pick).identical(whole.isel(pick))
    mean = lazy.sel(optimizer="sam", batch="full").mean("seed")
    assert np.array_equal(mean, whole.sel(optimizer="sam", batch="full").mean("seed"))
    assert np.array_equal(lazy.chunk({"seed": 1}).sum("seed"), whole.sum("seed"))


def test_only_the_blocks_of_a_selection_are_read(path, monkeypatch):
    read = []
    whole = _npz.load
    monkeypatch.setattr(_npz, "load", lambda path, *rest: read.append(path) or whole(path, *rest))
    data = open_sweep(path)
    assert repr(data) and bool(data.done.all())
    assert not read
    data.loss.sel(optimizer="sgd", batch=2, seed=0).load()
    assert 0 < len(set(read)) <= 3


def test_one_value_of_x_is_recorded_with_its_coordinates(stand_in, tmp_path):
    config = {
        "problem": {"name": "linear", "n": 4, "d": 3},
        "grid": {"optimizer": "sgd", "lr": [0.1, 0.2], "seeds": 2},
        "run": {"steps": 4, "every": 2, "record": ["x", "loss"]},
    }
    data = sweep(config, out=tmp_path)
    assert data.x.dims == ("optimizer", "lr", "seed", "step", "coordinate")
    assert data.x.shape == (1, 2, 2, 3, 3)
    assert np.array_equal(data.x.isel(coordinate=2), data.loss)
    assert data.batch.item() == 1


def test_what_is_not_done_reads_nan_and_is_said(path):
    gone = blocks(path)[::2]
    for file in gone:
        file.unlink()
    data = open_sweep(path)
    assert data.attrs["complete"] is False
    done = data.done.load()
    assert 0 < done.sum() < done.size
    assert np.array_equal(np.isnan(data.loss).all("step"), ~done)
    assert np.array_equal(data.diverged_at == -2, ~done)
    with pytest.raises(StoreError, match="missing"):
        digest(path)


def test_a_damaged_block_is_named_and_never_shown(path):
    victim = blocks(path)[3]
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 4
    victim.write_bytes(content)
    data = open_sweep(path)
    for read in (data.loss.load, data.diverged_at.load, lambda: digest(path)):
        with pytest.raises(StoreError, match=victim.name):
            read()


def test_exchanged_blocks_are_noticed(path):
    first, second = blocks(path)[:2]
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)
    with pytest.raises(StoreError, match="other runs"):
        open_sweep(path).loss.load()


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda text: text.replace("9.0", "8.0", 1), "checksum"),
        (lambda text: text[:-20], "damaged"),
        (lambda text: "[]", "damaged"),
        (lambda text: "{}", "damaged"),
        (lambda text: "[" * 100_000, "damaged"),
    ],
)
def test_a_damaged_manifest_is_named(path, spoil, told):
    file = path / "sweep.json"
    file.write_text(spoil(file.read_text()))
    with pytest.raises(StoreError, match=told):
        open_sweep(path)


def test_a_folder_without_results_is_named(tmp_path):
    with pytest.raises(StoreError, match="not a folder of results"):
        open_sweep(tmp_path / "absent")


def test_the_digest_depends_on_the_numbers_alone(path, stand_in, tmp_path, monkeypatch):
    grid = CONFIG["grid"]
    turned = {name: values[::-1] for name, values in grid.items()}
    turned = dict(reversed(turned.items()))  # another order of fields, too
    monkeypatch.setattr("sims.sweep.MOST_RUNS", 16)
    sweep(CONFIG | {"grid": turned}, out=tmp_path / "turned")
    assert digest(tmp_path / "turned") == digest(path)

    folder = Folder(path)
    block = next(iter(folder.plan))
    arrays = folder.load(block)
    arrays["loss"][0, 0] = np.nextafter(arrays["loss"][0, 0], np.inf)
    folder.save(block, arrays)
    assert digest(tmp_path / "turned") != digest(path)


def test_a_read_larger_than_memory_is_refused_before_it_allocates(path, monkeypatch):
    monkeypatch.setattr(_limits, "available_memory", lambda: 2000)
    data = open_sweep(path)
    with pytest.raises(InputError, match=r"loss.*free.*\.chunk"):
        data.loss.load()
    assert data.loss.isel(optimizer=0, lr=0, rho=0, ascent=0).load().size == 27

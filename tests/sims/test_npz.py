"""A file of arrays reads back bit for bit, or says that it is damaged."""

import io
import os
import pickle

import numpy as np
import pytest

from sims import _npz
from sims._files import StoreError

ARRAYS = {"loss": np.array([[1.0, np.inf], [-0.0, 5e-324]]), "diverged_at": np.array([-1, 3])}
SHAPES = {"loss": ((2, 2), "<f8"), "diverged_at": ((2,), "<i8")}


@pytest.fixture
def path(tmp_path):
    _npz.save(tmp_path / "block.npz", b"these runs", ARRAYS)
    return tmp_path / "block.npz"


def test_arrays_read_back_bit_for_bit(path):
    found = _npz.load(path, b"these runs", SHAPES)
    assert {name: a.tobytes() for name, a in found.items()} == {
        name: a.tobytes() for name, a in ARRAYS.items()
    }
    assert os.listdir(path.parent) == ["block.npz"]


def test_no_flipped_bit_changes_a_number(path):
    content = path.read_bytes()
    noticed = 0
    for place in range(len(content)):
        for bit in (0, 6):
            spoiled = bytearray(content)
            spoiled[place] ^= 1 << bit
            path.write_bytes(spoiled)
            try:
                found = _npz.load(path, b"these runs", SHAPES)
            except StoreError:
                noticed += 1
            else:  # a time stamp, for example
                assert all(found[name].tobytes() == a.tobytes() for name, a in ARRAYS.items())
    assert noticed > len(content)  # of two flips a byte


def test_a_file_cut_short_is_damaged(path):
    content = path.read_bytes()
    for length in range(0, len(content), 7):
        path.write_bytes(content[:length])
        with pytest.raises(StoreError, match="damaged"):
            _npz.load(path, b"these runs", SHAPES)


@pytest.mark.parametrize(
    ("identity", "shapes", "told"),
    [
        (b"other runs", SHAPES, "other runs"),
        (b"these runs", SHAPES | {"loss": ((2, 3), "<f8")}, "other shapes"),
        (b"these runs", SHAPES | {"loss": ((2, 2), "<f4")}, "other shapes"),
        (b"these runs", {"loss": SHAPES["loss"]}, "other shapes"),
        (b"these runs", SHAPES | {"more": ((2,), "<f8")}, "other shapes"),
    ],
)
def test_a_file_that_holds_something_else_is_refused(path, identity, shapes, told):
    with pytest.raises(StoreError, match=told):
        _npz.load(path, identity, shapes)


def test_nan_is_refused(tmp_path):
    _npz.save(tmp_path / "a.npz", b"", {"loss": np.array([0.0, np.nan])})
    with pytest.raises(StoreError, match="loss holds NaN"):
        _npz.load(tmp_path / "a.npz", b"", {"loss": ((2,), "<f8")})


def test_a_file_cannot_execute_anything(tmp_path):
    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "executed"),)

    bomb = np.array([Bomb()], dtype=object)
    np.savez(tmp_path / "a.npz", loss=bomb, identity=np.frombuffer(b"", np.uint8))
    with pytest.raises(StoreError, match="damaged"):
        _npz.load(tmp_path / "a.npz", b"", {"loss": ((1,), "|O")})
    (tmp_path / "b.npz").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(StoreError, match="damaged"):
        _npz.load(tmp_path / "b.npz", b"", {})
    assert not (tmp_path / "executed").exists()


def test_bytes_after_an_array_are_noticed(tmp_path):
    stream = io.BytesIO()
    np.save(stream, np.zeros(2))
    with pytest.raises(ValueError, match="after"):
        _npz._array(stream.getvalue() + b"more")


def test_a_write_that_fails_leaves_what_was_there(path, monkeypatch):
    before = path.read_bytes()

    def refuse(*_):
        raise OSError(28, "No space left on device")

    for call in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, call, refuse)
            with pytest.raises(StoreError, match="No space left"):
                _npz.save(path, b"new runs", ARRAYS)
        assert path.read_bytes() == before
        assert os.listdir(path.parent) == [path.name]


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(StoreError, match="missing"):
        _npz.load(tmp_path / "absent.npz", b"", {})
    with pytest.raises(StoreError, match="cannot be read"):
        _npz.load(tmp_path, b"", {})

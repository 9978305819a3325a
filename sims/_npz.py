"""Arrays in one .npz file, read back bit for bit or not at all.

Every entry's checksum is compared while it is read, then its shape, its type, and that nothing in
it is NaN. Nothing in a file can be executed: objects are refused.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np

from sims import _files
from sims._files import StoreError

Arrays = dict[str, np.ndarray]
Shapes = dict[str, tuple[tuple[int, ...], str]]
"""Name -> (shape, type as NumPy spells it, "<f8" for example)."""

IDENTITY = "identity"


def save(path: Path, identity: bytes, arrays: Arrays) -> None:
    """Write arrays with the text that says what they are; raises `StoreError` on a full disk."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays, **{IDENTITY: np.frombuffer(identity, np.uint8)})
    _files.write(path, buffer.getvalue())


def load(path: Path, identity: bytes, shapes: Shapes) -> Arrays:
    """Exactly those arrays, little-endian; raises `StoreError` on anything else."""
    try:
        with zipfile.ZipFile(path) as archive:
            found = {name.removesuffix(".npy"): archive.read(name) for name in archive.namelist()}
        arrays = {name: _array(content) for name, content in found.items()}
    except FileNotFoundError:
        raise StoreError(f"{path}: missing") from None
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror}") from None
    except Exception as error:  # zipfile and NumPy raise many kinds on damaged bytes
        raise StoreError(f"{path}: damaged: {error}") from None
    if arrays.pop(IDENTITY, np.empty(0)).tobytes() != identity:
        raise StoreError(f"{path}: holds other runs than its name says")
    if {name: (a.shape, a.dtype.str) for name, a in arrays.items()} != shapes:
        raise StoreError(f"{path}: holds arrays of other shapes or types")
    for name, array in arrays.items():
        if np.isnan(array).any():
            raise StoreError(f"{path}: {name} holds NaN")
    return arrays


def _array(content: bytes) -> np.ndarray:
    stream = io.BytesIO(content)
    array = np.lib.format.read_array(stream, allow_pickle=False)
    if stream.read(1):
        raise ValueError("bytes after the array")
    return array

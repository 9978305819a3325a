"""Reads a minimum from an .npz file, strictly; every mistake in it is one line that names its place."""

from __future__ import annotations

import difflib
import zipfile
import zlib
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from sims._limits import require_memory
from theory.core import InputError
from theory.stability.minimum import FORMS, Minimum, minimum

EXTRA = ("weights", "preconditioner", "gradients")
KEYS = (*FORMS, *EXTRA)
ALLOWED = (
    "exactly one of hessians (n, d, d), factors (n, k, d), jacobian (n, d) and gram (n, n), and if you "
    "like weights (n,), preconditioner (d,), gradients (n, d)"
)
COPIES = 6  # of the largest array, held at once while a minimum is analysed


def read(path: Path) -> Minimum:
    """The minimum in an .npz file; raises `InputError`."""
    try:
        if not path.is_file():
            raise InputError("FILE", repr(str(path)[:200]), "an existing .npz file")
        with zipfile.ZipFile(path) as archive:
            keys = _keys(archive)
            for key, member in keys.items():
                _check_header(archive, key, member)
        with np.load(path, allow_pickle=False) as arrays:
            found: dict[str, Any] = {key: arrays[member] for key, member in keys.items()}
    except InputError:
        raise
    except zipfile.BadZipFile:
        raise InputError(
            "FILE", repr(path.name), "an .npz file, as numpy.savez writes it"
        ) from None
    except (ValueError, OSError, EOFError, RuntimeError, KeyError, zlib.error) as error:
        reason = f"{path.name!r} ({' '.join(str(error).split())[:200]})"
        raise InputError("FILE", reason, "a readable .npz file, undamaged") from None
    with np.errstate(over="ignore"):  # an extended-precision entry beyond double range
        return minimum(**found)


def _keys(archive: zipfile.ZipFile) -> dict[str, str]:
    """{key: the member that holds it}; the keys are what numpy calls them."""
    names = archive.namelist()
    for name in names:
        key = name.removesuffix(".npy")
        if key not in KEYS or names.count(name) > 1 or (key != name and key in names):
            near = difflib.get_close_matches(key, KEYS, n=1, cutoff=0.0)
            hint = f"; nearest: {near[0]}" if near and key not in KEYS else ", each once"
            raise InputError("key", repr(key[:200]), ", ".join(KEYS) + hint)
    keys = {name.removesuffix(".npy"): name for name in names}
    given = [key for key in FORMS if key in keys]
    if len(given) != 1:
        raise InputError("FILE", " and ".join(given) or "none of the four keys", ALLOWED)
    return keys


def _check_header(archive: zipfile.ZipFile, key: str, member: str) -> None:
    """Refuses what is no plain array, or too large, before memory is taken for it."""
    with archive.open(member) as stream:
        version = np.lib.format.read_magic(stream)
        if version not in ((1, 0), (2, 0)):
            raise InputError(key, f"array format {version}", "an array of plain numbers")
        header = np.lib.format.read_array_header_1_0
        if version == (2, 0):
            header = np.lib.format.read_array_header_2_0
        shape, _, dtype = header(stream)
    if dtype.hasobject or dtype.kind not in "iuf":
        raise InputError(key, f"dtype {dtype}", "an array of real numbers")
    require_memory(key, COPIES * prod(shape) * max(dtype.itemsize, 8), "a smaller array")

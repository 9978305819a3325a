"""Files that are either whole or absent, whenever the machine stops."""

from __future__ import annotations

import os
from pathlib import Path

TEMPORARY = ".tmp"


class StoreError(Exception):
    """Results that are damaged or missing; the message names the file."""


def write(path: Path, content: bytes) -> None:
    """Put `content` at `path`: written beside it, flushed to the disk, then renamed.

    Raises `StoreError` where the disk refuses.
    """
    beside = path.with_name(f"{path.name}.{os.getpid()}{TEMPORARY}")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
        _flush_folder(path.parent)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise StoreError(f"{path}: cannot be written: {error.strerror}") from error


def _flush_folder(folder: Path) -> None:
    """A rename is on the disk once its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

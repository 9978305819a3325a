"""Folders are listed, never enumerated by hand: one file is one entry, its name is its key."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType


def keys(package: str) -> list[str]:
    """The keys of a folder, sorted; names that start with an underscore are helpers."""
    folder = importlib.import_module(package)
    return sorted(m.name for m in pkgutil.iter_modules(folder.__path__) if m.name[0] != "_")


def load(package: str, key: str) -> ModuleType:
    """The module of one key. A file that does not import raises; it is never silently absent."""
    return importlib.import_module(f"{package}.{key}")

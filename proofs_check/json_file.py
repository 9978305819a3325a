"""JSON files from elsewhere, read strictly: size, depth, one of each key, finite numbers only.

Every text from a file that a message repeats is escaped and clipped. Standard library only.
"""

from __future__ import annotations

import json
import math
import reprlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from theory.core import InputError

MAX_DEPTH = 16


def read(path: Path, max_bytes: int) -> Any:
    """What the file holds; raises `InputError`, whose field is the place within the file."""
    try:
        value = json.loads(_text(path, max_bytes), object_pairs_hook=_unique, parse_int=_whole)
    except json.JSONDecodeError as error:
        raise InputError("file", f"not JSON: {error}", "one JSON object") from None
    except RecursionError:
        raise InputError("file", "deep nesting", f"at most {MAX_DEPTH} levels") from None
    _check(value, [])
    return value


def place(parts: Iterable[str | int]) -> str:
    """`data.x0[3]` from its parts, keys and indices; `file` from none."""
    words = (f"[{p}]" if isinstance(p, int) else f".{ascii(p)[1:-1][:80]}" for p in parts)
    return "".join(words).removeprefix(".") or "file"


def _text(path: Path, max_bytes: int) -> str:
    """Only a regular file is opened, and no more of it is read than it may have."""
    try:
        if not path.is_file():
            raise InputError("file", "no regular file of that name", "an existing file")
        with path.open("rb") as file:
            content = file.read(max_bytes + 1)
    except OSError as error:
        raise InputError("file", error.strerror, "a readable file") from None
    if len(content) > max_bytes:
        raise InputError("file", f"more than {max_bytes} bytes", f"at most {max_bytes} bytes")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise InputError("file", "bytes that are not UTF-8", "UTF-8 text") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise InputError("file", f"the key {reprlib.repr(key)} twice", "each key once")
        result[key] = value
    return result


def _whole(text: str) -> int | float:
    """An integer that fits 64 bits; a longer one becomes a float, perhaps an infinite one."""
    return int(text) if len(text) < 19 else float(text)


def _check(value: Any, parts: list[str | int]) -> None:
    """Raise unless every number is finite: NaN, Infinity and 1e999 all get through the parser."""
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(place(parts), value, "finite numbers")
    if isinstance(value, dict | list):
        if len(parts) >= MAX_DEPTH:
            raise InputError("file", "deep nesting", f"at most {MAX_DEPTH} levels")
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            _check(item, [*parts, key])

"""Strict JSON and files a user asked for. Standard library only."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from theory.core import InputError


def strict(value: Any) -> str:
    """Strict JSON text: no NaN, no infinity."""
    return json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def emit(value: Any, target: str) -> None:
    """JSON to a file, or alone to standard output where the target is -."""
    if target == "-":
        sys.stdout.write(strict(value))
    else:
        write(Path(target), strict(value))


def write(path: Path, text: str) -> None:
    """Write a file; a place that cannot be written is the user's to mend: `InputError`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(
            "output", repr(str(path)), f"a writable place ({error.strerror})"
        ) from None

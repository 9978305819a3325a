"""`flatproof hunt`: looks for a counterexample from scratch until the time is up.

Committed certificates are not read. What is looked at, and in which order, follows from the seed and
counts evaluations; the clock only says where that ends. So that "nothing found" says something, the
same search from the same seed must refute the claim made slightly stronger.
"""

from __future__ import annotations

import math
import os
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from proofs_check import output
from proofs_check.chase import Chase
from proofs_check.library import Entry, entries
from proofs_check.verification import entry_of
from proofs_check.witness_text import lines
from theory.core import InputError
from theory.domains import Family

REDRAW = 0.2  # seconds between two looks at the progress bar


def hunt(targets: Sequence[str], *, seed: str, budget: str, out: Path, json: str | None) -> int:
    """Run the command; 1 if anything was refuted. An interrupt is raised once all is written."""
    from threadpoolctl import threadpool_limits

    number, seconds = _seed(seed), _budget(budget)
    items = _distinct([entry_of(target) for target in targets]) or entries()
    for field, place in (
        ("out", out),
        ("json", None if json in (None, "-") else Path(json).parent),
    ):
        _require_writable(field, place)
    end, rows, stopped = time.monotonic() + seconds, [], None
    with threadpool_limits(1, user_api="blas"):  # small matrices: threads would only wait
        for index, item in enumerate(items):
            share = (end - time.monotonic()) / (len(items) - index)
            with _user(item):
                chase = Chase(item, number)
                try:
                    _follow(chase, share, out, quiet=json == "-")
                except KeyboardInterrupt as interrupt:
                    stopped = interrupt
            rows.append(_row(chase, out))
            if json != "-":
                print("\n".join(_told(chase, rows[-1])), flush=True)
            if stopped is not None:
                break
    if json is not None:
        output.emit(rows, json)
    if stopped is not None:
        raise stopped
    return int(any(row["outcome"] == "refuted" for row in rows))


def _seed(text: str) -> int:
    try:
        seed = int(text)
    except ValueError:
        seed = -1
    if seed < 0:
        raise InputError("seed", repr(text[:200]), "a whole number, at least 0")
    return seed


def _budget(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise InputError("budget", repr(text[:200]), "a finite number of seconds above 0")
    return seconds


def _distinct(items: list[Entry]) -> list[Entry]:
    """Certificates are named by key: two claims of one name would overwrite each other's."""
    keys = [item.key for item in items]
    twice = [key for key in keys if keys.count(key) > 1]
    if twice:
        raise InputError("CLAIM", f"two named {twice[0]}", "each name once")
    return items


def _require_writable(field: str, folder: Path | None) -> None:
    """Said before the search rather than after it."""
    if folder is None:
        return
    there = next(
        place for place in (folder.absolute(), *folder.absolute().parents) if place.exists()
    )
    if not (there.is_dir() and os.access(there, os.W_OK)):
        raise InputError(field, repr(str(folder)), "a folder that can be written")


@contextmanager
def _user(item: Entry) -> Iterator[None]:
    """What a user's own functions raise is one line; ours keep their traceback."""
    try:
        yield
    except Exception as error:
        if item.file is None:
            raise
        if isinstance(error, InputError):
            raise InputError(f"{item.file.name}: {error.field}", *error.parts) from None
        message = f"{type(error).__name__}: {error}"
        raise InputError(item.file.name, message, "a claim that can be read and searched") from None


def _follow(chase: Chase, seconds: float, out: Path, *, quiet: bool) -> None:
    """Hunt, keep what is found at once, then shrink it and keep that instead."""
    from proofs_check.search.shrink import shrink

    with _clock(chase, seconds, quiet=quiet) as stop:
        chase.run(stop)
        if chase.certificate is None:
            return
        output.write(_file(chase, out), output.strict(chase.certificate))
        if isinstance(chase.item.claim.domain, Family):  # elsewhere rounding has kept it short
            chase.found(shrink(chase.item.claim, chase.certificate, stop=stop))
            output.write(_file(chase, out), output.strict(chase.certificate))


@contextmanager
def _clock(chase: Chase, seconds: float, *, quiet: bool) -> Iterator[Callable[[], bool]]:
    """Whether the time is up; on a terminal a bar shows how much of it is left."""
    start = time.monotonic()
    if quiet or not sys.stderr.isatty():
        yield lambda: time.monotonic() - start >= seconds
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:.0f}%"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task, drawn = progress.add_task(chase.item.key, total=seconds), [start]

        def stop() -> bool:
            now = time.monotonic()
            if now - drawn[0] > REDRAW:
                drawn[0] = now
                told = f"{chase.item.key}: {chase.evaluations:,} evaluations"
                progress.update(task, completed=now - start, description=told)
            return now - start >= seconds

        yield stop


def _file(chase: Chase, out: Path) -> Path:
    return out / f"{chase.item.key}.certificate.json"


def _row(chase: Chase, out: Path) -> dict[str, Any]:
    """What is known of one claim, as strict JSON values."""
    return chase.summary() | {
        "file": str(_file(chase, out)) if chase.certificate else None,
        "check": _command(chase, out) if chase.certificate else None,
    }


def _command(chase: Chase, out: Path) -> str:
    own = () if chase.item.file is None else ("--claim", str(chase.item.file))
    return shlex.join(["flatproof", "check", *own, str(_file(chase, out))])


def _told(chase: Chase, row: dict[str, Any]) -> Iterator[str]:
    """The same for a reader."""
    yield f"{row['key']}: {row['title']}"
    yield f"  {row['sentence']}"
    if chase.certificate is not None:
        yield from (f"    {line}" for line in lines(chase.certificate, chase.item.claim))
        yield f"  {row['told']}"
        yield f"  Wrote {row['file']}; to replay it: {row['check']}"
        return
    yield f"  {row['effort']}"
    for part in row["parts"]:
        yield from (f"  {sentence}" for sentence in part["sentences"])

"""`flatproof verify`: audits in parallel, prints the table, writes what was asked for."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from proofs_check import library, output, summary
from proofs_check.library import Entry
from theory.core import InputError, Verdict

GOOD = {Verdict.PROVED.value, Verdict.PROVED_WITH.value, Verdict.AGREES.value}


def verify(targets: Sequence[str], *, json: str | None, out: Path | None) -> int:
    """Audit the targets (default: all shipped claims); the exit code."""
    items = [entry_of(target) for target in targets] or library.entries()
    checks = [] if targets else _simulations()
    work = _work(items, checks)
    found = list(_progress(work, len(items) + len(checks), quiet=json == "-"))
    rows, values = found[: len(items)], found[len(items) :]
    drawn = _drawn(checks, values)
    if out is not None:
        _leave(rows, items, drawn, out)
    if json is not None:
        output.emit(rows, json)
    if json != "-":
        _tell(rows, items, out)
    alarm = drawn is not None and any(check["alarm"] for check in drawn["checks"])
    if drawn is not None and (alarm or json != "-"):
        from proofs_check.statistics import sentence

        print(sentence(drawn), file=sys.stderr if json == "-" else sys.stdout)
    differs = any(not _as_expected(row, item) for row, item in zip(rows, items, strict=True))
    return int(differs or alarm)


def _tell(rows: list[dict[str, Any]], items: Sequence[Entry], out: Path | None) -> None:
    from proofs_check.report import tables

    tables.print_verdicts(rows)
    for line in _differences(rows, items):
        print(line)
    if out is not None:
        print(f"Wrote {out / 'verify.json'} and {out / 'index.html'}")


def entry_of(target: str) -> Entry:
    """A shipped claim by its key, or a user's own by its file; raises `InputError`."""
    path = Path(target)
    if path.suffix == ".py" or os.sep in target:
        return library.entry_of_file(path)
    return library.entry(target)


def audits(items: Sequence[Entry]) -> Iterator[dict[str, Any]]:
    """One summary per entry, in order. Shipped claims are spread over the cores."""
    return _work(items, [])


def _work(items: Sequence[Entry], checks: Sequence[str]) -> Iterator[Any]:
    """A summary for each entry, then a log e-value for each of the simulations, in order."""
    workers = min(len(items) + len(checks), os.cpu_count() or 1)
    if workers == 1 or any(item.file for item in items):
        yield from map(_audit, items)
        yield from map(_bet, checks)
        return
    # spawn: a forked copy of a process that runs JAX's threads can deadlock
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_one_thread) as pool:
        rows = pool.map(_audit_key, [item.key for item in items])
        values = pool.map(_bet, checks)  # handed in at once, so that no core waits for the last row
        yield from rows
        yield from values


def _simulations() -> list[str]:
    """The simulations that are bet against; an audit of single claims leaves them out."""
    from proofs_check.statistics import names

    return names()


def _bet(name: str) -> float:
    from proofs_check.statistics import bet

    return bet(name)


def _drawn(checks: Sequence[str], values: Sequence[float]) -> dict[str, Any] | None:
    """What the bets against the simulations came to; None where there were none."""
    if not checks:
        return None
    from proofs_check.statistics import report

    return report(dict(zip(checks, values, strict=True)))


def _one_thread() -> None:
    """Small matrices in parallel processes: BLAS threads would only wait for each other."""
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")


def _audit_key(key: str) -> dict[str, Any]:
    return _audit(library.entry(key))


def _audit(item: Entry) -> dict[str, Any]:
    from proofs_check import engine

    try:
        report = engine.audit(item.key, item.claim, item.certificates, _lab)
    except Exception as error:
        if item.file is None:
            raise  # ours to mend, with its traceback
        if isinstance(error, InputError):
            raise InputError(f"{item.file.name}: {error.field}", *error.parts) from None
        message = f"{type(error).__name__}: {error}"
        raise InputError(
            item.file.name, message, "a claim that can be read and simulated"
        ) from None
    return summary.summarise(item, report)


def _lab() -> Any:
    from sims.lab import Lab

    return Lab()


def _progress(rows: Iterator[Any], total: int, *, quiet: bool) -> Iterator[Any]:
    """A live count on a terminal, nothing elsewhere."""
    if quiet or not sys.stderr.isatty():
        yield from rows
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(rows, "Auditing", total=total, console=Console(stderr=True), transient=True)


def _as_expected(row: dict[str, Any], item: Entry) -> bool:
    return row["verdict"] in GOOD if item.file else row["verdict"] == row["recorded"]


def _differences(rows: list[dict[str, Any]], items: Sequence[Entry]) -> Iterator[str]:
    for row, item in zip(rows, items, strict=True):
        if not item.file and not _as_expected(row, item):
            yield f"{row['key']}: found {row['verdict']}, recorded {row['recorded'] or 'nothing'}"


def _leave(
    rows: list[dict[str, Any]], items: Sequence[Entry], drawn: dict[str, Any] | None, out: Path
) -> None:
    """verify.json, statistics.json, the page, and certificates found for claims that have none."""
    from proofs_check.report.page import render

    output.write(out / "verify.json", output.strict(rows))
    if drawn is not None:
        output.write(out / "statistics.json", output.strict(drawn))
    output.write(out / "index.html", render(rows, drawn))
    for row, item in zip(rows, items, strict=True):
        for certificate in row["certificates"]:
            if certificate["name"] is None:
                output.write(
                    out / f"{item.key}.certificate.json", output.strict(certificate["content"])
                )

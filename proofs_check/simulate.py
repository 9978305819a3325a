"""`flatproof simulate`: a sweep with its progress, and how every way it can end is reported."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proofs_check.cli import INTERRUPTED
from theory.core import InputError

if TYPE_CHECKING:
    from sims.sweep import Watch

DAMAGED = 3
SECONDS = 10.0  # between lines where there is no terminal


def simulate(
    config: Path,
    *,
    out: Path,
    workers: str,
    scheduler: str | None,
    slurm: dict[str, str | None] | None,
    check: bool,
    zarr: Path | None,
) -> int:
    """Run a sweep, or check one; the exit code."""
    from sims.store import StoreError

    try:
        if check:
            return _check(config, out, zarr)
        _run(config, out, workers, scheduler, slurm)
        if zarr is not None:
            _export(out, zarr)
    except StoreError as error:
        print(f"flatproof: {error}", file=sys.stderr)
        return DAMAGED
    except KeyboardInterrupt:
        told = f"interrupted: what is done stays in {out}; the same command goes on from there"
        print(f"flatproof: {told}", file=sys.stderr)
        return INTERRUPTED
    return 0


def _run(
    config: Path, out: Path, workers: str, scheduler: str | None, slurm: dict[str, Any] | None
) -> None:
    from sims.scale import Slurm, Where
    from sims.sweep import run

    if not workers.isdecimal():
        raise InputError("--workers", repr(workers), "a number of processes, at least 0")
    job = None if slurm is None else Slurm(**{k: v for k, v in slurm.items() if v is not None})
    with _watching() as watch, _heard(watch):
        runs = run(config, out, Where(int(workers), scheduler, job), watch)
    print(f"{out}: {runs} runs, complete")


def job(slurm: bool, options: dict[str, str | None]) -> dict[str, str | None] | None:
    """What was asked of Slurm; None where it was not asked."""
    if slurm:
        return options
    for name, value in options.items():
        if value is not None:
            raise InputError(f"--{name}", repr(value), "only with --slurm")
    return None


def _check(config: Path, out: Path, zarr: Path | None) -> int:
    """Read every block and print the digest."""
    from sims import store
    from sims.config import read

    if zarr is not None:
        raise InputError("--zarr", repr(str(zarr)), "nothing, beside --check")
    if store.Folder(out).manifest.config.plain() != read(config).plain():
        raise InputError("CONFIG", "another one", f"the one {out} was computed from")
    print(f"{out}: complete, digest {store.digest(out)}")
    return 0


def _export(out: Path, target: Path) -> None:
    from sims.store import export_zarr

    export_zarr(out, target)
    print(f"{target}: written as Zarr and compared with {out}")


@contextmanager
def _heard(watch: Any) -> Iterator[None]:
    """Ctrl-C ends the sweep also where it strikes while an object is deleted.

    Python drops what is raised there, so the next block to be done raises it once more.
    """

    def interrupt(*_: object) -> None:
        watch.interrupted = True
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _watching() -> Iterator[Watch]:
    """A live bar on a terminal, lines elsewhere; both on standard error."""
    if not sys.stderr.isatty():
        yield lines(time.monotonic)
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("Simulating"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield bar(progress, time.monotonic)


def bar(progress: Any, clock: Callable[[], float]) -> Watch:
    """Rich's bar, with runs a second since this command began."""
    from sims.sweep import Watch

    class Bar(Watch):
        interrupted = False

        def begin(self, done: int, total: int) -> None:
            self.began, self.new = clock(), 0
            self.task = progress.add_task("", total=total, completed=done, rate="")

        def advance(self, runs: int) -> None:
            if self.interrupted:
                raise KeyboardInterrupt
            self.new += runs
            rate = _rate(self.new, clock() - self.began)
            progress.update(self.task, advance=runs, rate=rate)

        def say(self, line: str) -> None:
            progress.console.print(line, markup=False, highlight=False)

    return Bar()


def lines(clock: Callable[[], float]) -> Watch:
    """A line at the beginning, at the end, and every ten seconds between."""
    from sims.sweep import Watch

    class Lines(Watch):
        interrupted = False

        def begin(self, done: int, total: int) -> None:
            self.began = self.told = clock()
            self.new, self.done, self.total = 0, done, total
            self.say(f"{done} of {total} runs were there")

        def advance(self, runs: int) -> None:
            if self.interrupted:
                raise KeyboardInterrupt
            self.new += runs
            self.done += runs
            now = clock()
            if self.done < self.total and now - self.told < SECONDS:
                return
            self.told, spent = now, now - self.began
            left = (self.total - self.done) * spent / self.new
            rate = _rate(self.new, spent)
            self.say(f"{self.done} of {self.total} runs, {rate}, {_duration(left)} left")

        def say(self, line: str) -> None:
            print(line, file=sys.stderr, flush=True)

    return Lines()


def _rate(runs: int, seconds: float) -> str:
    return f"{runs / seconds:,.1f} runs/s" if seconds > 0 else ""


def _duration(seconds: float) -> str:
    """h:mm:ss."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}"

"""`flatproof stability`: asks `theory.stability.report` about a minimum and prints the answer.

The notion, sampler and ascent are named wherever a verdict is: nothing is just "stable".
"""

from __future__ import annotations

import math
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from proofs_check import library, output
from proofs_check.minimum_file import read
from proofs_check.report.tables import console
from theory.core import InputError, Notion
from theory.stability.published import AUDITED
from theory.stability.report import Progress, StabilityReport, analyse

STABLE = "mean-square stability"
VERDICTS = {True: "stable", False: "unstable", None: "undecided"}
HOLDS = {True: "holds", False: "violated", None: "-"}
IMPLIED = {True: "yes", False: "no", None: "undecided"}
ADVERB = {
    Notion.ONE_STEP: "in one step",
    Notion.MEAN_SQUARE: "in mean square",
    Notion.ALMOST_SURE: "almost surely",
    Notion.MEAN: "in the mean",
}
PATIENCE = 1.0  # seconds before anything is said about progress
NONNEGATIVE = "a finite number, at least 0"


def stability(
    file: Path, *, json: str | None, plot: Path | None, eta: str | None, batch: str, **how: Any
) -> int:
    """Run the command: a table, or JSON alone; exit code 0 whatever is found."""
    settings: dict[str, Any] = {
        "eta": None if eta is None else _number("eta", eta, float, "a finite number above 0"),
        "batch": None if batch == "full" else _number("batch", batch, int, "an integer or full"),
        "rho": _number("rho", how.pop("rho"), float, NONNEGATIVE),
        "momentum": _number("momentum", how.pop("momentum"), float, "a number from 0 up to 1"),
        "weight_decay": _number("weight-decay", how.pop("weight_decay"), float, NONNEGATIVE),
        "seed": _number("seed", how.pop("seed"), int, "an integer, at least 0"),
    }
    verdicts = {key: library.recorded_verdict(library.entry(key)) for key in AUDITED}
    with _patiently() as progress:
        report = analyse(read(file), **settings, **how, verdicts=verdicts, progress=progress)
    if plot is not None:
        output.write(plot, _picture(report))
    if json is None:
        show(report)
    else:
        output.emit(report.as_json(), json)
    return 0


@contextmanager
def _patiently() -> Iterator[Progress]:
    """Lines on standard error about what is being computed, once a second has passed."""
    stage = {"name": "the file", "late": False}

    def say() -> None:
        stage["late"] = True
        print(f"computing {stage['name']}", file=sys.stderr, flush=True)

    def progress(name: str) -> None:
        stage["name"] = name
        if stage["late"]:
            say()

    timer = threading.Timer(PATIENCE, say)
    timer.daemon = True
    timer.start()
    try:
        yield progress
    finally:
        timer.cancel()


def _picture(report: StabilityReport) -> str:
    """The ladder as SVG."""
    from sims import plots
    from sims.plots import ladder

    if math.isinf(report.mean_square.lower):
        raise InputError(
            "plot", "a minimum that no sample moves", "one with a finite critical step"
        )
    exit_ = report.almost_sure
    edges = {
        Notion.ONE_STEP: report.one_step,
        Notion.MEAN_SQUARE: report.mean_square.upper,
        Notion.MEAN: report.mean,
    }
    exact = {notion.value: float(edge) for notion, edge in edges.items() if edge is not None}
    between = {}
    if exit_.seed is None and exit_.lower == exit_.upper:
        exact[Notion.ALMOST_SURE.value] = exit_.upper
    else:
        how = "" if exit_.seed is None else f", {exit_.confidence:.0%}"
        between[f"{Notion.ALMOST_SURE.value}{how}"] = (exit_.lower, exit_.upper)
    figure = ladder.draw(
        exact,
        between=between,
        necessary={_written(bound.name): bound.max_eta for bound in report.published_bounds},
        title=_headline(report).replace("; ", "\n", 1),
    )
    return plots.svg(figure)


def _written(name: str) -> str:
    """The left side of a bound as it is printed in papers."""
    letters = {"lambda_max": "λmax", "Phi_i": "Φᵢ", "rho": "ρ", "s2": "s₂", "s3": "s₃", "s4": "s₄"}
    for plain, letter in ({"^2": "²", "^3": "³", "^4": "⁴"} | letters).items():
        name = name.replace(plain, letter)
    return name


def _number(field: str, text: str, kind: type, allowed: str) -> Any:
    try:
        return kind(text)
    except ValueError:
        raise InputError(field, repr(text[:200]), allowed) from None


def show(report: StabilityReport) -> None:
    """The ladder of notions, the moments and the published bounds, on standard output."""
    print(_headline(report))
    out = console()
    out.print(_ladder(report))
    print("   ".join(f"{name} = {value:.6g}" for name, value in report.moments.items()))
    for line in _asides(report):
        print(line)
    if not report.published_bounds:
        print("Published bounds are about plain SGD and USAM: none applies here.")
        return
    out.print(_bounds(report))
    print(
        "Published bounds are about one sample a step (B = 1). Whether mean-square stability at eta"
    )
    print("forces one is the recorded verdict of its claim: see flatproof show CLAIM.")


def _headline(report: StabilityReport) -> str:
    """Optimizer, setting and size, in one line."""
    used = report.conventions
    parts = [used["optimizer"] + ("" if used["eta"] is None else f" at eta = {used['eta']:g}")]
    if used["rho"]:
        parts.append(f"rho = {used['rho']:g}, {used['ascent']} ascent")
    if used["momentum"]:
        parts.append(f"momentum {used['momentum']:g}")
    if used["weight_decay"]:
        parts.append(f"weight decay {used['weight_decay']:g}")
    if used["preconditioner"]:
        parts.append("frozen preconditioner")
    full = used["batch"] is None
    batch = "full batch" if full else f"B = {used['batch']}, {used['sampling']} replacement"
    d = "" if used["dimension"] is None else f", d = {used['dimension']}"
    return f"{', '.join(parts)}; {batch}; n = {used['samples']} samples{d}, rank {used['rank']}"


def _asides(report: StabilityReport) -> Iterator[str]:
    """What only some reports have."""
    if report.exact is not None:
        low, high = report.exact.lower, report.exact.upper
        yield f"mean-square critical step, in rational arithmetic: in [{low!r}, {high!r}]"
    law = report.stationary
    if law is not None:
        yield (
            f"stationary: E|x - x*|^2 = {law['trace']:.6g}, largest variance {law['largest']:.6g}, "
            f"excess loss {law['excess_loss']:.6g}, drift {law['drift']:.2g}"
        )
    used = report.conventions
    if used["momentum"] and used["eta"] is not None:
        yield f"with averaged gradients (1 - m) g this is eta = {used['eta_ema']:.6g}"


def _ladder(report: StabilityReport) -> Table:
    table = _table("notion", "critical step", "rate at eta", "verdict at eta")
    square, first = report.mean_square, report.almost_sure
    sure = "" if first.seed is None else f" ({first.confidence:.0%} confidence, seed {first.seed})"
    edges = {
        Notion.ONE_STEP: (
            "none with momentum" if report.one_step is None else _figure(report.one_step)
        ),
        Notion.MEAN_SQUARE: _span(square.lower, square.upper),
        Notion.ALMOST_SURE: f"first exit {_span(first.lower, first.upper, 6)}{sure}",
        Notion.MEAN: _figure(report.mean),
    }
    for notion, edge in edges.items():
        row = {} if report.at_eta is None else report.at_eta[notion.value]
        verdict = f"{VERDICTS[row['stable']]} {ADVERB[notion]}" if row else "-"
        if notion == Notion.ONE_STEP and report.one_step is None:
            verdict = "-"
        table.add_row(notion.value, edge, _rate(row.get("rate")), verdict)
    return table


def _bounds(report: StabilityReport) -> Table:
    table = _table(
        "bounded",
        "largest eta",
        "here",
        "bound",
        "at eta",
        f"forced by {STABLE}",
        f"claim ({STABLE})",
    )
    for bound in report.published_bounds:
        implied = IMPLIED[bound.implied] if bound.holds is not None else "-"
        cells = (_figure(bound.max_eta), _figure(bound.actual), _figure(bound.value))
        table.add_row(Text(bound.name), *cells, HOLDS[bound.holds], implied, bound.claim)
    return table


def _table(*columns: str) -> Table:
    table = Table()
    for name in columns:
        table.add_column(name, overflow="fold")
    return table


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return "unbounded" if math.isinf(value) else f"{value:.6g}"


def _span(lower: float, upper: float, digits: int = 10) -> str:
    """One number where both ends agree in the digits shown."""
    ends = (_figure(lower), _figure(upper))
    return ends[0] if ends[0] == ends[1] else f"in [{lower:.{digits}g}, {upper:.{digits}g}]"


def _rate(rate: Any) -> str:
    if rate is None or isinstance(rate, float):
        return _figure(rate)
    return f"exponent in [{rate.lower:.6g}, {rate.upper:.6g}]"

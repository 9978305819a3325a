"""`flatproof stability`: reads a minimum strictly, asks `theory.stability.report`, prints the answer.

The notion, sampler and ascent are named wherever a verdict is: nothing is just "stable".
"""

from __future__ import annotations

import difflib
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table
from rich.text import Text

from proofs_check import library, output
from proofs_check.report.tables import console
from theory.core import InputError, Notion
from theory.problems.quadratic import Quadratic, quadratic
from theory.stability.published import AUDITED
from theory.stability.report import StabilityReport, analyse

KEYS = ("hessians", "factors", "weights")
ALLOWED = "exactly one of hessians (n, d, d) and factors (n, k, d), and weights (n,) if you like"
MOST_BYTES = 2 * 10**9  # of one array, by its header, before anything is allocated
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


def stability(
    file: Path, *, json: str | None, eta: str | None, rho: str, batch: str, **how: Any
) -> int:
    """Run the command: a table, or JSON alone; exit code 0 whatever is found."""
    settings: dict[str, Any] = {
        "eta": None if eta is None else _number("eta", eta, float, "a finite number above 0"),
        "rho": _number("rho", rho, float, "a finite number, at least 0"),
        "batch": _number("batch", batch, int, "an integer, at least 1"),
    }
    verdicts = {key: library.recorded_verdict(library.entry(key)) for key in AUDITED}
    report = analyse(read(file), **settings, **how, verdicts=verdicts)
    if json is None:
        show(report)
    else:
        output.emit(report.as_json(), json)
    return 0


def _number(field: str, text: str, kind: type, allowed: str) -> Any:
    try:
        return kind(text)
    except ValueError:
        raise InputError(field, repr(text[:200]), allowed) from None


def read(path: Path) -> Quadratic:
    """The problem in an .npz file; every mistake in it is an `InputError` that names its place."""
    try:
        if not path.is_file():
            raise InputError("FILE", repr(str(path)[:200]), "an existing .npz file")
        with zipfile.ZipFile(path) as archive:
            keys = _keys(archive)
            for key, member in keys.items():
                _check_header(archive, key, member)
        with np.load(path, allow_pickle=False) as arrays:
            found = {key: arrays[member] for key, member in keys.items()}
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
        return quadratic(**found)


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
    given = [key for key in KEYS[:2] if key in keys]
    if len(given) != 1:
        raise InputError("FILE", " and ".join(given) or "neither key", ALLOWED)
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
    size = dtype.itemsize
    for axis in shape:
        size *= axis
    if key == "factors" and len(shape) == 3:  # their products are n matrices (d, d)
        size = max(size, 8 * shape[0] * shape[2] ** 2)
    if size > MOST_BYTES:
        raise InputError(key, f"shape {shape}", f"at most {MOST_BYTES / 1e9:g} GB of matrices")


def show(report: StabilityReport) -> None:
    """The ladder of notions, the moments and the published bounds, on standard output."""
    used = report.conventions
    at = "" if used["eta"] is None else f" at eta = {used['eta']:g}"
    climb = f", rho = {used['rho']:g}, {used['ascent']} ascent" if used["rho"] else ""
    print(
        f"{used['optimizer']}{at}{climb}; B = {used['batch']}, {used['sampling']} replacement; "
        f"n = {used['samples']} samples, d = {used['dimension']}, rank {used['rank']}"
    )
    out = console()
    out.print(_ladder(report))
    print("   ".join(f"{name} = {value:.6g}" for name, value in report.moments.items()))
    out.print(_bounds(report))
    print(
        "Published bounds are about one sample a step (B = 1). Whether mean-square stability at eta"
    )
    print("forces one is the recorded verdict of its claim: see flatproof show CLAIM.")


def _ladder(report: StabilityReport) -> Table:
    table = _table("notion", "critical step", "rate at eta", "verdict at eta")
    square = report.mean_square
    edges = {
        Notion.ONE_STEP: _figure(report.one_step),
        Notion.MEAN_SQUARE: _span(square.lower, square.upper),
        Notion.ALMOST_SURE: "no closed form",
        Notion.MEAN: _figure(report.mean),
    }
    for notion, edge in edges.items():
        row = {} if report.at_eta is None else report.at_eta[notion.value]
        verdict = f"{VERDICTS[row['stable']]} {ADVERB[notion]}" if row else "-"
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
    return "unbounded" if value == np.inf else f"{value:.6g}"


def _span(lower: float, upper: float) -> str:
    """One number where both ends agree in the digits shown."""
    ends = (_figure(lower), _figure(upper))
    return ends[0] if ends[0] == ends[1] else f"in [{lower:.10g}, {upper:.10g}]"


def _rate(rate: Any) -> str:
    if rate is None or isinstance(rate, float):
        return _figure(rate)
    return f"exponent in [{rate.lower:.6g}, {rate.upper:.6g}]"

"""Eigenvalues of Hessians, as they are and preconditioned, beside the edge 2/eta each must keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from sims.plots._doors import named, numbers
from sims.plots._style import (
    SERIES,
    blank,
    decades,
    dress,
    key,
    log_room,
    log_ticks,
    name_ends,
    power_of_ten,
    predictions,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

EPS = float(np.finfo(np.float64).eps)
DECADES = 6  # below the largest eigenvalue: so far the axis is logarithmic, then linear
LONG = 30  # spectra with more eigenvalues have a logarithmic axis of ranks, and marks APART
APART = 0.08  # of the axes' diagonal
BINS = 24
TICKS = 4  # on either side of zero, at most


def draw(
    spectra: Mapping[str, np.ndarray],
    *,
    edges: Mapping[str, float] | None = None,
    quantity: str = "eigenvalue",
    title: str = "Spectra, and the edge 2/η of each step size",
) -> Figure:
    """Eigenvalues (d,) by name, largest first, and how they are distributed; up to six names.

    `edges[name]` is a positive 2/eta, a line in the colour of the spectrum of that name if there is
    one, and the key counts the eigenvalues above it. The axis is logarithmic, but linear for sizes
    under 1e-6 of the largest, so that zeros and negative eigenvalues have a place. Raises
    `InputError`.
    """
    values = {
        name: np.sort(numbers(v, f"spectra[{name!r}]", "d"))[::-1]
        for name, v in named(spectra, "spectra", most=len(SERIES)).items()
    }
    lines = {
        name: float(numbers(edge, f"edges[{name!r}]", positive=True))
        for name, edge in named(edges or {}, "edges", most=len(SERIES), least=0).items()
    }
    figure = blank(4.2, title=title)
    ranks, counts = figure.subplots(1, 2, sharey=True, width_ratios=(2, 1))
    dress(ranks, x="rank", y=quantity)
    dress(counts, x="count", y="")
    counts.tick_params(labelleft=False)
    _scale(ranks, np.concatenate([*values.values(), list(lines.values())]))
    longest = max(len(v) for v in values.values())
    ranks.set_xscale("log" if longest > LONG else "linear")
    ranks.set_xlim(*((1, longest) if longest > LONG else (0.5, longest + 0.5)))
    if longest > LONG:
        log_ticks(ranks.xaxis, 1, longest)
    else:
        ranks.xaxis.set_major_locator(MaxNLocator(5, steps=(1, 2, 5, 10), integer=True))
    handles = []
    for (name, v), look in zip(values.items(), SERIES, strict=False):
        handles.append(_spectrum(ranks, counts, name, v, look, lines.get(name)))
    counts.set_xlim(left=0)
    counts.xaxis.set_major_locator(MaxNLocator(3, integer=True))
    _edges(ranks, counts, lines, list(values))
    key(figure, handles)
    return figure


def _scale(axes: Axes, values: np.ndarray) -> None:
    """Logarithmic, through zero if there are values at zero or below it."""
    size = np.abs(values).max() or 1.0
    near = np.abs(values)[np.abs(values) > size * 10.0**-DECADES].min(initial=size)
    low, high = values.min(), max(values.max(), near)
    room = (high / near) ** 0.06 if high > near else 1.5
    if low >= near:
        axes.set_yscale("log")
        axes.set_ylim(*log_room(low, high))
        log_ticks(axes.yaxis, *axes.get_ylim())
        return
    axes.set_yscale("symlog", linthresh=near, linscale=0.6)
    axes.set_ylim(low * room if low <= -near else -near / 2, high * room)
    _ticks(axes, near)


def _ticks(axes: Axes, near: float) -> None:
    """Zero, and powers of ten on both sides of it."""
    low, high = axes.get_ylim()
    powers = [10.0**power for power in decades(near, max(high, -low), TICKS)]
    places = [0.0, *powers, *(-power for power in powers)]
    axes.yaxis.set_major_locator(FixedLocator([place for place in places if low <= place <= high]))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(power_of_ten))


def _spectrum(
    ranks: Axes, counts: Axes, name: str, v: np.ndarray, look: tuple[str, str], edge: float | None
) -> Line2D:
    colour, marker = look
    ranks.plot(
        np.arange(1, len(v) + 1), v, color=colour, linewidth=1.5, label=name,
        marker=marker, markersize=5, markeredgecolor="white", markeredgewidth=0.5,
        markevery=1 if len(v) <= LONG else APART,
    )  # fmt: skip
    transform = ranks.yaxis.get_transform()
    low, high = transform.transform(np.array(ranks.get_ylim()))
    bins = transform.inverted().transform(np.linspace(low, high, BINS + 1))
    found = np.histogram(v, bins)[0]
    counts.stairs(
        found, bins, orientation="horizontal", fill=True, facecolor=colour, alpha=0.25, label=name
    )
    counts.stairs(found, bins, orientation="horizontal", color=colour, linewidth=1.2)
    # LAPACK's eigenvalues carry errors of about d EPS times the largest.
    negative = int((v < -len(v) * EPS * np.abs(v).max()).sum())
    parts = [f"{name}: {len(v)} eigenvalue{'s' * (len(v) != 1)}"]
    parts += [f"{negative} negative"] if negative else []
    parts += [f"{int((v > edge).sum())} above 2/η"] if edge is not None else []
    return Line2D(
        [], [], color=colour, marker=marker, markeredgecolor="white", label=", ".join(parts)
    )


def _edges(ranks: Axes, counts: Axes, lines: Mapping[str, float], spectra: list[str]) -> None:
    names = []
    looks = predictions(lines, spectra)
    for (name, edge), (colour, pattern, sign) in zip(lines.items(), looks, strict=True):
        for axes in (ranks, counts):
            axes.axhline(edge, color=colour, linewidth=1.3, linestyle=pattern, label=name)
        text = f"2/η = {edge:.4g}\nfor {name}" if name in spectra else f"{name} = {edge:.4g}"
        names.append((f"{sign} {text}", edge, colour))
    name_ends(counts, names)

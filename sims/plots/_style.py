"""One look for all figures: 600 pixels wide, colours of Okabe & Ito (2008), names beside curves.

Everything is set on the artists themselves; matplotlib's global settings are neither read as ours
nor changed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import (
    FixedLocator,
    FuncFormatter,
    LogLocator,
    MaxNLocator,
    NullFormatter,
    NullLocator,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

INK = "#222222"
QUIET = "#666666"  # axes and asides; 5.7 : 1 on white
FAINT = "#e4e4e4"
BLUE = "#0072B2"
ORANGE = "#E69F00"
GREEN = "#009E73"
VERMILION = "#D55E00"
SKY = "#56B4E9"
PURPLE = "#CC79A7"

# One colour and one marker a run; the marker still tells them apart where a printer has no colours.
SERIES = (
    (BLUE, "o"), (VERMILION, "s"), (GREEN, "^"), (PURPLE, "D"), (ORANGE, "v"), (SKY, "P"),
)  # fmt: skip
# What is predicted or exact: a pattern, and the sign that stands for it in a name.
PATTERNS = (
    ((0, (5, 2)), "- -"), ((0, (1, 1.5)), "···"), ((0, (6, 2, 1, 2)), "- ·"), ((0, ()), "—"),
)  # fmt: skip

SIZE = 10.0  # points; 14 pixels at 100 dots an inch
READABLE = 4.5  # contrast of text on white that WCAG asks for
LINE = 1.35  # height of a line of text, in font sizes
SMALLEST, LARGEST = 1e-250, 1e250  # what an axis shows: with its room, ends are ordinary numbers
TICKS = 7  # on a long logarithmic axis, at most
LETTER = 0.6  # width of a letter, in font sizes, about
SAMPLE = 4.0  # width of a sample in a key with the space round it, in font sizes


def blank(height: float = 3.6, *, title: str = "") -> Figure:
    """An empty figure, 6 inches wide: 600 pixels at 100 dots an inch."""
    figure = Figure(figsize=(6.0, height), dpi=100, layout="constrained", facecolor="white")
    if title:
        figure.suptitle(title, fontsize=SIZE + 1, color=INK, x=0.01, ha="left")
    return figure


def dress(axes: Axes, *, x: str, y: str) -> None:
    """Names on both axes, no frame at the top and right."""
    axes.set_xlabel(x, fontsize=SIZE, color=INK)
    axes.set_ylabel(y, fontsize=SIZE, color=INK)
    axes.tick_params(labelsize=SIZE - 1, colors=QUIET, labelcolor=INK)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("bottom", "left"):
        axes.spines[side].set_color(QUIET)


def log_room(low: float, high: float) -> tuple[float, float]:
    """Ends of a logarithmic axis that shows `low` to `high` with some room beyond both."""
    first, last = (math.log(min(max(end, SMALLEST), LARGEST)) for end in (low, high))
    room = 0.06 * (last - first) or math.log(1.5)  # a flat picture still has a height
    return math.exp(first - room), math.exp(last + room)


def log_ticks(axis: Axis, low: float, high: float) -> None:
    """Plain numbers on a logarithmic axis from `low` to `high` that is short, else powers of ten."""
    if high < 100 * low:
        axis.set_major_locator(MaxNLocator(5) if high < 5 * low else LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    else:
        # LogLocator looks so far beyond the ends that numbers overflow.
        powers = decades(low, high, TICKS)
        axis.set_major_locator(FixedLocator([10.0**power for power in powers]))
        axis.set_major_formatter(FuncFormatter(power_of_ten))
        axis.set_minor_locator(LogLocator(subs="auto") if powers.step == 1 else NullLocator())
    axis.set_minor_formatter(NullFormatter())


def decades(low: float, high: float, most: int) -> range:
    """The exponents of at most `most` powers of ten from `low` to `high`, evenly apart."""
    first, last = math.ceil(math.log10(low)), math.floor(math.log10(high))
    step = max(1, -(-(last - first) // (most - 1)))
    step = next((nice for nice in (1, 2, 3, 5, 10, 20, 50) if nice >= step), 100)
    return range(-(-first // step) * step, last + 1, step)


def power_of_ten(value: float, _: int = 0) -> str:
    """The label of a tick at a power of ten, at minus one, or at zero."""
    sign = "-" if value < 0 else ""
    return f"${sign}10^{{{round(math.log10(abs(value)))}}}$" if value else "0"


def crosses(axes: Axes, x: Any, row: int, colour: str, label: str) -> None:
    """A cross for each of `x` (k,) in data, above the axes, in one of the rows counted from 0."""
    if len(x) == 0:  # the layout would make room for an empty line in the corner of the page
        return
    axes.plot(
        x, np.full(len(x), 1.025 + 0.045 * row), transform=axes.get_xaxis_transform(),
        color=colour, linestyle="none", marker="x", markersize=5.5, markeredgewidth=1.4,
        clip_on=False, label=label,
    )  # fmt: skip


def predictions(names: Iterable[str], runs: list[str]) -> list[tuple[str, Any, str]]:
    """Colour, pattern and sign of each prediction: dashed in the colour of the runs of its name.

    One that is about no run in particular is black, each with a pattern of its own.
    """
    looks, others = [], 0
    for name in names:
        if name in runs:
            looks.append((SERIES[runs.index(name)][0], *PATTERNS[0]))
        else:
            looks.append((INK, *PATTERNS[others % len(PATTERNS)]))
            others += 1
    return looks


def key(figure: Figure, handles: list[Any]) -> None:
    """What each colour, marker and pattern means, below the figure; artists say it as `label`."""
    longest = max(len(handle.get_label()) for handle in handles)
    columns = int(figure.get_figwidth() * 72 / (SIZE * (LETTER * longest + SAMPLE)))
    figure.legend(
        handles=handles, loc="outside lower left", ncols=max(1, min(3, columns)), frameon=False,
        fontsize=SIZE - 1, labelcolor=INK, handlelength=2.2, columnspacing=1.4, borderpad=0.1,
        borderaxespad=0.3,
    )  # fmt: skip


def shade(colour: str) -> tuple[float, float, float]:
    """The colour, darkened until text in it can be read on white."""
    red, green, blue = to_rgb(colour)
    while contrast((red, green, blue)) < READABLE:
        red, green, blue = 0.95 * red, 0.95 * green, 0.95 * blue
    return red, green, blue


def contrast(colour: Any) -> float:
    """Contrast with white, from 1 to 21, as WCAG defines it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return 1.05 / (0.05 + 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])


def name_ends(axes: Axes, names: Iterable[tuple[str, float, str]]) -> None:
    """Writes (text, y in data, colour) right of the axes, moved apart where they would overlap.

    The limits of y must be final. Texts may have several lines; their order follows y. They stay
    beside the axes as far as there is room.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None
    points = 0.75 * figure.get_figheight() * 72  # the axes' height, about: labels take the rest
    to_fraction = (axes.transData + axes.transAxes.inverted()).transform
    left = axes.get_xlim()[0]
    wanted = sorted((float(to_fraction((left, y))[1]), text, c) for text, y, c in names)
    heights = [LINE * (SIZE - 1) * (text.count("\n") + 1) / points for _, text, _ in wanted]
    centres = inside(apart([w[0] for w in wanted], heights), heights)
    for (_, text, colour), y in zip(wanted, centres, strict=True):
        axes.text(
            1.02, y, text, transform=axes.transAxes, va="center", fontsize=SIZE - 1,
            color=shade(colour), linespacing=1.15,
        )  # fmt: skip


def apart(wanted: list[float], heights: list[float]) -> list[float]:
    """Centres near the ascending `wanted`, no two closer than half of both heights.

    Texts that would touch form a group, which is laid out round the mean of its members.
    """
    groups: list[list[int]] = []
    for i in range(len(wanted)):
        groups.append([i])
        while len(groups) > 1 and _top(groups[-2], wanted, heights) > _bottom(
            groups[-1], wanted, heights
        ):
            last = groups.pop()
            groups[-1] += last
    centres = []
    for group in groups:
        at = _bottom(group, wanted, heights)
        for i in group:
            centres.append(at + heights[i] / 2)
            at += heights[i]
    return centres


def inside(centres: list[float], heights: list[float]) -> list[float]:
    """The same texts pushed up into 0 to 1, then down, no further apart than they must be.

    If together they are taller than that, they stand out below.
    """
    moved, end = list(centres), 0.0
    for i, height in enumerate(heights):
        moved[i] = max(moved[i], end + height / 2)
        end = moved[i] + height / 2
    end = 1.0
    for i in reversed(range(len(moved))):
        moved[i] = min(moved[i], end - heights[i] / 2)
        end = moved[i] - heights[i] / 2
    return moved


def _bottom(group: list[int], wanted: list[float], heights: list[float]) -> float:
    middle = sum(wanted[i] for i in group) / len(group)
    return middle - sum(heights[i] for i in group) / 2


def _top(group: list[int], wanted: list[float], heights: list[float]) -> float:
    return _bottom(group, wanted, heights) + sum(heights[i] for i in group)

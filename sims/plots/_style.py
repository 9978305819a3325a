"""One look for all figures: 600 pixels wide, colours of Okabe & Ito (2008), names beside curves.

Everything is set on the artists themselves; matplotlib's global settings are neither read as ours
nor changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK = "#222222"
QUIET = "#666666"  # axes and asides; 5.7 : 1 on white
FAINT = "#e4e4e4"
BLUE = "#0072B2"
ORANGE = "#E69F00"
GREEN = "#009E73"
VERMILION = "#D55E00"
SKY = "#56B4E9"
PURPLE = "#CC79A7"

SIZE = 10.0  # points; 14 pixels at 100 dots an inch
READABLE = 4.5  # contrast of text on white that WCAG asks for
LINE = 1.35  # height of a line of text, in font sizes


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

    The limits of y must be final. Texts may have several lines; their order follows y.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None
    points = 0.75 * figure.get_figheight() * 72  # the axes' height, about: labels take the rest
    to_fraction = (axes.transData + axes.transAxes.inverted()).transform
    left = axes.get_xlim()[0]
    wanted = sorted((float(to_fraction((left, y))[1]), text, c) for text, y, c in names)
    heights = [LINE * (SIZE - 1) * (text.count("\n") + 1) / points for _, text, _ in wanted]
    for (_, text, colour), y in zip(wanted, apart([w[0] for w in wanted], heights), strict=True):
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


def _bottom(group: list[int], wanted: list[float], heights: list[float]) -> float:
    middle = sum(wanted[i] for i in group) / len(group)
    return middle - sum(heights[i] for i in group) / 2


def _top(group: list[int], wanted: list[float], heights: list[float]) -> float:
    return _bottom(group, wanted, heights) + sum(heights[i] for i in group)

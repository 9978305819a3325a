"""How sharpness a and non-uniformity s_k change with a network's width, with all seeds in view."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from sims.plots._doors import ascending, named, numbers
from sims.plots._seeds import spread
from sims.plots._style import SERIES, blank, crosses, dress, key, log_room, log_ticks
from theory.core import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 2
PANELS = 6  # a page
TICKS = 5  # on a panel: more widths would overlap
ASIDE = 0.12  # of the least ratio of widths, in logarithms: how far all names together stand apart
BEYOND = 10.0  # times the axis's top: where bars without an upper end go

Measured = dict[str, np.ndarray]


def draw(
    width: np.ndarray,
    measured: Mapping[str, Mapping[str, np.ndarray]],
    *,
    x: str = "width m",
    title: str = "Sharpness and non-uniformity against width",
) -> Figure:
    """A panel for each quantity, logarithmic both ways, and in it a curve for each name.

    `measured[quantity][name]` (seeds, m) is positive, at the `width` (m,); a name has the same
    seeds in every panel. Small marks are the seeds, large ones their median, bars their quartiles.
    A value that is not finite is a run that diverged: it counts as infinite, a cross above its
    width marks it, and the key counts such runs. Names stand a little apart sideways. Raises
    `InputError`.
    """
    m = ascending(width, "width", least=0)
    if m[0] == 0:
        raise InputError("width[0]", 0, "a positive number: the axis is logarithmic")
    panels = _checked(len(m), measured)
    order = list(dict.fromkeys(name for names in panels.values() for name in names))
    if len(order) > len(SERIES):
        raise InputError("measured", f"{len(order)} names", f"at most {len(SERIES)}")
    rows = -(-len(panels) // COLUMNS)
    figure = blank(1.0 + 2.2 * rows, title=title)
    columns = min(len(panels), COLUMNS)
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True)
    for place, axes in enumerate(grid.flat):
        if place >= len(panels):
            axes.set_axis_off()
            continue
        quantity, names = list(panels.items())[place]
        last = place + columns >= len(panels)
        dress(axes, x=x if last else "", y=quantity)
        axes.tick_params(labelbottom=last)
        _scale(axes, m, names)
        for name, values in names.items():
            aside = ASIDE * (order.index(name) / len(order) - 0.5)
            _draw_seeds(axes, name, SERIES[order.index(name)], m * _step(m) ** aside, values)
    counts = [_count(name, panels) for name in order]
    key(figure, [_sample(*each) for each in zip(counts, SERIES, strict=False)])
    return figure


def _checked(widths: int, measured: Any) -> dict[str, Measured]:
    """Each quantity's values by name, infinite where a run diverged."""
    panels: dict[str, Measured] = {}
    shapes: dict[str, tuple[int, ...]] = {}
    for quantity, given in named(measured, "measured", most=PANELS).items():
        field = f"measured[{quantity!r}]"
        panels[quantity] = {}
        for name, values in named(given, field, most=len(SERIES)).items():
            shape = shapes.get(name, ("seeds", widths))
            v = numbers(values, f"{field}[{name!r}]", *shape, lost=True, positive=True)
            panels[quantity][name], shapes[name] = v, v.shape
        if not any(np.isfinite(v).any() for v in panels[quantity].values()):
            raise InputError(field, "no finite number", "one at least, to scale the axis")
    return panels


def _step(m: np.ndarray) -> float:
    """The least ratio of neighbouring widths."""
    return float((m[1:] / m[:-1]).min()) if len(m) > 1 else 2.0


def _scale(axes: Axes, m: np.ndarray, names: Measured) -> None:
    values = np.concatenate([v[np.isfinite(v)] for v in names.values()])
    axes.set_xscale("log")
    axes.set_xlim(m[0] / _step(m) ** 0.4, m[-1] * _step(m) ** 0.4)
    axes.set_yscale("log")
    axes.set_ylim(*log_room(values.min(), values.max()))
    log_ticks(axes.yaxis, *axes.get_ylim())
    axes.xaxis.set_major_locator(FixedLocator(list(m[:: -(-len(m) // TICKS)])))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _draw_seeds(
    axes: Axes, name: str, look: tuple[str, str], at: np.ndarray, values: np.ndarray
) -> None:
    colour, marker = look
    top = axes.get_ylim()[1]
    low, median, high = spread(values)
    axes.vlines(
        at, np.minimum(low, BEYOND * top), np.minimum(high, BEYOND * top), color=colour,
        linewidth=1.5, label=f"{name}: quartiles",
    )  # fmt: skip
    axes.plot(
        np.tile(at, len(values)), values.ravel(), color=colour, linestyle="none", marker=marker,
        markersize=2.5, alpha=0.5, markeredgewidth=0, label=f"{name}: seeds",
    )  # fmt: skip
    axes.plot(
        at, np.where(np.isfinite(median), median, np.nan), color=colour, linewidth=1.5,
        marker=marker, markersize=6, markeredgecolor="white", markeredgewidth=0.6, label=name,
    )  # fmt: skip
    _, places = np.nonzero(np.isinf(values))
    crosses(axes, at[places], 0, colour, f"{name}: crosses")


def _count(name: str, panels: dict[str, Measured]) -> str:
    """The name, with its seeds, and how many of its runs diverged in any panel."""
    lost = np.any([np.isinf(names[name]) for names in panels.values() if name in names], axis=0)
    text = f"{name}, {len(lost)} seed{'s' * (len(lost) != 1)}"
    return f"{text}; × {lost.sum()} of {lost.size} runs diverged" if lost.any() else text


def _sample(label: str, look: tuple[str, str]) -> Line2D:
    colour, marker = look
    return Line2D([], [], color=colour, marker=marker, markeredgecolor="white", label=label)

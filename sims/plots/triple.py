"""Measured, exact and bound side by side: the order that a true theorem keeps at every step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sims.plots._doors import numbers
from sims.plots._style import BLUE, INK, SIZE, VERMILION, blank, dress, log_ticks, name_ends, shade

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = (INK, BLUE, VERMILION)
SIGNS = ("○", "—", "- -")


def draw(
    measured: np.ndarray,
    exact: np.ndarray,
    bound: np.ndarray,
    *,
    names: tuple[str, str, str] = ("measured", "exact", "bound"),
    quantity: str = "E f(xₜ)",
    title: str = "Measured, exact and bound",
) -> Figure:
    """Three positive series from t = 0, on a logarithmic axis; they may differ in length.

    `measured` are dots, `exact` a line through them if both are right, `bound` a dashed line. A
    zero is below the axis. Raises `InputError`.
    """
    measured, exact, bound = (
        numbers(series, field, "m", least=0)
        for field, series in (("measured", measured), ("exact", exact), ("bound", bound))
    )
    figure = blank(3.6, title=title)
    axes = figure.add_subplot()
    dress(axes, x="step t", y=quantity)
    axes.set_yscale("log")
    axes.plot(np.arange(len(bound)), bound, color=VERMILION, linewidth=2, linestyle=(0, (5, 2)))
    axes.plot(np.arange(len(exact)), exact, color=BLUE, linewidth=2)
    axes.plot(
        np.arange(len(measured)), measured, color=INK, linestyle="none", marker="o", markersize=5,
        markerfacecolor="none", zorder=3, clip_on=False,
    )  # fmt: skip
    last = max(len(series) for series in (measured, exact, bound)) - 1
    axes.set_xlim(0, max(last, 1))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.margins(y=0.06)
    axes.set_ylim(axes.get_ylim())
    log_ticks(axes.yaxis, *axes.get_ylim())
    ends = []
    for sign, name, series, colour in zip(
        SIGNS, names, (measured, exact, bound), COLOURS, strict=True
    ):
        if len(series) - 1 == last:
            ends.append((f"{sign} {name}", float(series[-1]), colour))
        else:
            _name_in_place(axes, f"{sign} {name}", series, colour)
    name_ends(axes, ends)
    return figure


def _name_in_place(axes: Axes, text: str, series: np.ndarray, colour: str) -> None:
    """Names a series that stops early at its end: below a rising one, above a falling one."""
    rises = len(series) > 1 and series[-1] > series[0]
    axes.annotate(
        text, (len(series) - 1, series[-1]), (7, -5 if rises else 5), textcoords="offset points",
        va="top" if rises else "bottom", fontsize=SIZE - 1, color=shade(colour),
    )  # fmt: skip

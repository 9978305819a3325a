"""Normalised SAM never comes to rest: its orbit settles on two points, +w and -w, and jumps."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from sims.plots._doors import numbers
from sims.plots._style import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    PURPLE,
    QUIET,
    VERMILION,
    blank,
    dress,
    name_ends,
)
from theory.core import InputError

RUNS = (BLUE, GREEN, PURPLE, ORANGE)


def draw(
    x: np.ndarray,
    width: float,
    *,
    title: str = "SAM's iterates settle on the two-cycle ±w",
    coordinate: str = "x along the leading eigenvector",
) -> Figure:
    """One coordinate of each run, `x` (runs, T+1), over predicted lines at plus and minus `width`.

    The predictions are dashed; the first run is drawn on top. Raises `InputError`, also on more
    than four runs: they would share colours.
    """
    x = numbers(np.atleast_2d(x), "x", "runs", "steps")
    if len(x) > len(RUNS):
        raise InputError("x", f"{len(x)} runs", f"at most {len(RUNS)}: more would share colours")
    width = float(numbers(width, "width", least=0))
    figure = blank(3.4, title=title)
    axes = figure.add_subplot()
    dress(axes, x="step t", y=coordinate)
    axes.axhline(0, color=QUIET, linewidth=0.8, zorder=0)
    for sign in (1, -1):
        axes.axhline(sign * width, color=VERMILION, linewidth=1.5, linestyle=(0, (5, 2)), zorder=1)
    steps = np.arange(x.shape[1])
    for i in reversed(range(len(x))):
        colour = RUNS[i % len(RUNS)]
        axes.plot(
            steps, x[i], color=colour, linewidth=0.8, marker="o", markersize=3.5,
            zorder=3 - i / len(x), clip_on=False,
        )  # fmt: skip
    axes.set_xlim(0, max(steps[-1], 1))
    low, high = axes.get_ylim()
    axes.set_ylim(low, high)
    above, below = f"+w = {width:.4g}\npredicted", f"−w = −{width:.4g}\npredicted"
    name_ends(axes, [(above, width, VERMILION), ("minimum", 0, INK), (below, -width, VERMILION)])
    return figure

"""The critical steps of one minimum as a ladder, and where every published bound would put them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from sims.plots._doors import numbers
from sims.plots._style import BLUE, INK, QUIET, SIZE, SKY, VERMILION, blank, dress, shade
from theory.core import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RUNG = 0.3  # inches for one row
TIE = (
    1e-9  # relative: two computed steps this close are equal, and a bound that is attained is true
)


def draw(
    edges: Mapping[str, float],
    *,
    necessary: Mapping[str, float] | None = None,
    sufficient: Mapping[str, float] | None = None,
    between: Mapping[str, tuple[float, float]] | None = None,
    stable: str = "mean-square",
    title: str = "Steps η that each notion and each bound permit",
) -> Figure:
    """A bar from 0 to each critical step in `edges`, then one for each bound, in the order given.

    `edges[stable]` is the truth that bounds are about; a line marks it. A `necessary` bound is the
    largest step it permits: one that ends left of the line forbids stable steps, so it is false and
    drawn in vermilion. A `sufficient` bound is false if it ends right of the line. `math.inf` is no
    limit at all. A step that is only known to lie `between` two numbers is a bar to the first and a
    whisker to the second. Raises `InputError`.
    """
    if stable not in edges:
        raise InputError("stable", repr(stable), ", ".join(edges) or "a name in edges")
    for field, steps in (("edges", edges), ("necessary", necessary), ("sufficient", sufficient)):
        for name, step in (steps or {}).items():
            numbers(step, f"{field}[{name!r}]", finite=False, least=0)
    for name, ends in (between or {}).items():
        numbers(ends, f"between[{name!r}]", 2, finite=False, least=0)
    numbers(edges[stable], f"edges[{stable!r}]", positive=True)  # the line that all is about
    bounds = [(name, step, "necessary") for name, step in (necessary or {}).items()]
    bounds += [(name, step, "sufficient") for name, step in (sufficient or {}).items()]
    rows = [(f"{name}, exact", step, BLUE, "") for name, step in edges.items()]
    rows += [(name, ends[0], BLUE, f"to {ends[1]:.4g}") for name, ends in (between or {}).items()]
    whiskers = dict(zip(range(len(edges), len(rows)), (between or {}).values(), strict=True))
    rows += [_bound(*bound, edges[stable]) for bound in bounds]
    figure = blank(1.5 + RUNG * len(rows), title=title)
    axes = figure.add_subplot()
    dress(axes, x="step size η", y="")
    end = 1.3 * max(step for _, step, _, _ in rows if math.isfinite(step))
    axes.set_xlim(0, end)
    axes.set_ylim(len(rows) - 0.4, -1.1)
    for place, (_, step, colour, note) in enumerate(rows):
        _bar(axes, place, step, colour, note, reach=whiskers.get(place, (0, step))[1])
    axes.set_yticks(range(len(rows)), [name for name, _, _, _ in rows])
    axes.tick_params(axis="y", length=0)
    axes.axvline(edges[stable], color=INK, linewidth=1, linestyle=(0, (4, 2)), zorder=3)
    side = "right" if edges[stable] > 0.6 * end else "left"
    text = f" {stable} edge {edges[stable]:.4g} "
    axes.text(edges[stable], -0.75, text, ha=side, va="center", fontsize=SIZE - 1, color=INK)
    return figure


def _bound(name: str, step: float, kind: str, edge: float) -> tuple[str, float, str, str]:
    """A row: its name, its end, its colour, and what is wrong with it."""
    false = step < (1 - TIE) * edge if kind == "necessary" else step > (1 + TIE) * edge
    wrong = "forbids stable steps" if kind == "necessary" else "permits unstable steps"
    return f"{name}, {kind}", step, VERMILION if false else SKY, wrong if false else ""


def _bar(axes: Axes, place: int, step: float, colour: str, note: str, *, reach: float) -> None:
    end = axes.get_xlim()[1]
    axes.barh(place, min(step, end), height=0.55, color=colour, zorder=2)
    if reach > step:
        axes.plot([min(step, end), min(reach, end)], [place] * 2, color=colour, lw=2, zorder=2)
    text = f"{step:.4g}" + (f"  {note}" if note else "")
    ink = QUIET if colour == SKY else shade(colour)
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
    if step > end:
        axes.text(
            0.985 * end, place, "no limit →", ha="right", va="center", fontsize=SIZE - 1, color=INK,
            zorder=4,
        )  # fmt: skip
        return
    axes.annotate(
        text, (min(reach, end), place), (4, 0), textcoords="offset points", va="center",
        fontsize=SIZE - 1, color=ink, zorder=4, bbox=box,
    )  # fmt: skip

"""Loss against step over many seeds, beside the predicted rate; a run that diverged stays in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sims.plots._doors import ascending, divergence, named, numbers
from sims.plots._seeds import spread, toll
from sims.plots._style import (
    SERIES,
    blank,
    crosses,
    dress,
    log_room,
    log_ticks,
    name_ends,
    predictions,
)
from theory.core import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CEILING = 1e6  # times the largest start: how far up runs that grow may stretch the axis
FLOOR = 0.1  # times the smallest loss: how far down a prediction may stretch it
BEYOND = 10.0  # times the axis's top: where curves that leave it go

Named = Mapping[str, np.ndarray]
End = tuple[str, float, str]  # a name, the height where its curve ends, its colour


def draw(
    steps: np.ndarray,
    loss: Named,
    *,
    diverged_at: Named | None = None,
    predicted: Named | None = None,
    quantity: str = "loss f(xₜ)",
    title: str = "Loss: median and quartiles over seeds",
) -> Figure:
    """A median and a band between quartiles for each of up to six names, on a logarithmic axis.

    `steps` (m,) ascend; `loss[name]` (runs, m) is not negative, and a zero is below the axis. A run
    diverges at its `diverged_at[name]` (runs,), -1 for never, or where its loss is first not
    finite, whichever comes first; from there on it counts as infinite in median and band. It is
    drawn up to its end, marked by a cross above that step, and counted beside the curve's name; a
    median that leaves the axis has its last value there.
    `predicted[name]` (m,) is a dashed curve, in the colour of the runs of that name if there are
    any. Raises `InputError`.
    """
    t = ascending(steps, "steps", least=0)
    runs, ends = _checked(t, loss, diverged_at)
    curves = {
        name: numbers(curve, f"predicted[{name!r}]", len(t), finite=False, least=0)
        for name, curve in named(predicted or {}, "predicted", most=len(SERIES), least=0).items()
    }
    figure = blank(3.8, title=title)
    axes = figure.add_subplot()
    dress(axes, x="step t", y=quantity)
    _scale(axes, t, runs, ends, curves)
    names, row = [], 0
    for (colour, _), name in zip(SERIES, runs, strict=False):
        names.append(_draw_runs(axes, name, colour, row, t, runs[name], ends[name]))
        row += bool(np.isfinite(ends[name]).any())
    names += _draw_curves(axes, t, curves, list(runs))
    low, high = axes.get_ylim()
    name_ends(axes, [(text, min(max(y, low), high), colour) for text, y, colour in names])
    return figure


def _checked(
    t: np.ndarray, loss: Named, diverged_at: Named | None
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """For each name the losses (runs, m), infinite once diverged, and the runs' ends (runs,)."""
    losses, ends = {}, {}
    for name, values in named(loss, "loss", most=len(SERIES)).items():
        losses[name] = numbers(values, f"loss[{name!r}]", "runs", len(t), lost=True, least=0)
    given = named(diverged_at or {}, "diverged_at", most=len(SERIES), least=0, among=losses)
    for name, f in losses.items():
        end = divergence(given.get(name), f"diverged_at[{name!r}]", (len(f),))
        broken = np.isinf(f)
        ends[name] = np.minimum(end, np.where(broken.any(1), t[broken.argmax(1)], np.inf))
        losses[name] = np.where(t >= ends[name][:, None], np.inf, f)
    if not any((np.isfinite(f) & (f > 0)).any() for f in losses.values()):
        raise InputError("loss", "no positive finite number", "one at least, to scale the axis")
    return losses, ends


def _scale(axes: Axes, t: np.ndarray, runs: Named, ends: Named, curves: Named) -> None:
    """All that was measured, unless it grows without end; of predictions, a part."""
    positive = np.concatenate([f[np.isfinite(f) & (f > 0)] for f in runs.values()])
    start = max(f[:, 0][np.isfinite(f[:, 0])].max(initial=0) for f in runs.values())
    # A start at zero, a minimum, is no scale.
    top = min(positive.max(), CEILING * (start or positive.min()))
    bottom = min(positive.min(), top)
    lowest = min((curve.min() for curve in curves.values()), default=bottom)
    bottom = min(bottom, max(lowest, FLOOR * bottom))
    axes.set_yscale("log", nonpositive="clip")
    axes.set_ylim(*log_room(bottom, top))
    log_ticks(axes.yaxis, *axes.get_ylim())
    last = max(t[-1], *(end[np.isfinite(end)].max(initial=0) for end in ends.values()))
    axes.set_xlim(t[0], last if last > t[0] else t[0] + 1)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=(1, 2, 2.5, 5, 10), integer=True))


def _draw_runs(
    axes: Axes, name: str, colour: str, row: int, t: np.ndarray, loss: np.ndarray, ends: np.ndarray
) -> End:
    top = axes.get_ylim()[1]
    low, median, high = (np.minimum(curve, BEYOND * top) for curve in spread(loss))
    axes.fill_between(t, low, high, color=colour, alpha=0.2, linewidth=0, label=f"{name}: band")
    for run in loss[np.isfinite(ends)]:
        axes.plot(t, run, color=colour, linewidth=0.7, alpha=0.7, label=f"{name}: diverged")
    axes.plot(t, median, color=colour, linewidth=2, label=f"{name}: median")
    crosses(axes, ends[np.isfinite(ends)], row, colour, f"{name}: crosses")
    texts = [name, toll(ends)]
    if top < (end := spread(loss)[1][-1]) < np.inf:
        texts.insert(1, f"↑ {end:.1e} at the end")
    return "\n".join(text for text in texts if text), float(median[-1]), colour


def _draw_curves(axes: Axes, t: np.ndarray, curves: Named, runs: list[str]) -> list[End]:
    beyond = BEYOND * axes.get_ylim()[1]
    found = []
    looks = predictions(curves, runs)
    for (name, curve), (colour, pattern, sign) in zip(curves.items(), looks, strict=True):
        axes.plot(
            t, np.minimum(curve, beyond), color=colour, linewidth=1.5, linestyle=pattern,
            label=f"{name}: predicted",
        )  # fmt: skip
        found.append(
            (f"{sign} {name}" + (", predicted" if name in runs else ""), float(curve[-1]), colour)
        )
    return found

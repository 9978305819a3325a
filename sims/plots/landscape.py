"""Where optimizers walk on a function of two variables: their paths over its contours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import BoundaryNorm, LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import Normal, Stroke

from sims.plots._doors import ascending, named, numbers
from sims.plots._style import INK, PATTERNS, QUIET, SERIES, SIZE, blank, dress, key
from theory.core import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GREYS = LinearSegmentedColormap.from_list("greys", ["white", "#9d9d9d"])
LEVELS = 9
FIRST = 1e-3  # the lowest contour above the minimum, as a share of the range of f
FAR = 100.0  # pictures away: a renderer cannot draw a line to 1e300
BOUND = 1e100  # a picture smaller than 1e-200 would still make no quotient overflow
THICKEST, THINNER = 2.8, 0.3  # so that a path on top of another does not hide it
RING = {
    "color": INK, "linestyle": "none", "marker": "o", "markersize": 9, "markerfacecolor": "none",
    "markeredgewidth": 1.5,
}  # fmt: skip
DOTTED = 60  # longer paths have no mark at every step: the marks would be all one sees


def draw(
    x: np.ndarray,
    y: np.ndarray,
    f: np.ndarray,
    paths: Mapping[str, np.ndarray],
    *,
    curves: Mapping[str, np.ndarray] | None = None,
    names: tuple[str, str] = ("x₁", "x₂"),
    quantity: str = "loss f",
    title: str = "Paths on the landscape",
) -> Figure:
    """Contours of `f` (m, n) over `x` (m,) and `y` (n,), and up to six paths (T+1, 2) by name.

    A ring marks where a path starts, a large mark its end; steps have a small mark on short paths.
    A path whose last point is outside of the picture, or that diverges (its first point that is not
    finite ends it), has a cross on its last point inside; the key says which, and at which step.
    `curves[name]` (k, 2), valleys or predictions, are dashed. Raises `InputError`.
    """
    u, v = ascending(x, "x"), ascending(y, "y")
    heights = numbers(f, "f", len(u), len(v))
    if not (min(heights.shape) > 1 and np.ptp(heights) > 0):
        raise InputError(
            "f", f"shape {heights.shape}, range {np.ptp(heights)}", "a grid that varies"
        )
    walks = {
        name: numbers(path, f"paths[{name!r}]", "steps", 2, lost=True)
        for name, path in named(paths, "paths", most=len(SERIES)).items()
    }
    lines = {
        name: numbers(curve, f"curves[{name!r}]", "points", 2)
        for name, curve in named(curves or {}, "curves", most=len(PATTERNS), least=0).items()
    }
    figure = blank(4.0 + 0.2 * (len(walks) + len(lines)), title=title)
    axes = figure.add_subplot()
    dress(axes, x=names[0], y=names[1])
    axes.set_xlim(u[0], u[-1])
    axes.set_ylim(v[0], v[-1])
    _contours(axes, u, v, heights, quantity)
    handles = [Line2D([], [], **RING, label="start")]
    for i, (walk, look) in enumerate(zip(walks.items(), SERIES, strict=False)):
        handles.append(_path(axes, walk, look, THICKEST - THINNER * i))
    handles += [_curve(axes, *each) for each in zip(lines.items(), PATTERNS, strict=False)]
    key(figure, handles)
    return figure


def _contours(axes: Axes, u: np.ndarray, v: np.ndarray, f: np.ndarray, quantity: str) -> None:
    """Levels that come closer towards the minimum, as the ground does in a valley."""
    levels = f.min() + np.ptp(f) * np.concatenate([[0], np.geomspace(FIRST, 1, LEVELS)])
    norm = BoundaryNorm(levels, GREYS.N)
    filled = axes.contourf(u, v, f.T, levels=levels, cmap=GREYS, norm=norm)
    axes.contour(u, v, f.T, levels=levels[1:-1], colors=QUIET, linewidths=0.5)
    bar = axes.figure.colorbar(filled, ax=axes, fraction=0.05, pad=0.03, ticks=levels[::2])
    bar.ax.set_yticklabels([f"{level:.2g}" for level in levels[::2]])
    bar.set_label(quantity, fontsize=SIZE, color=INK)
    bar.ax.tick_params(labelsize=SIZE - 1, colors=QUIET, labelcolor=INK)
    bar.outline.set_edgecolor(QUIET)


def _curve(axes: Axes, curve: tuple[str, np.ndarray], pattern: tuple[Any, str]) -> Line2D:
    name, points = curve
    casing = [Stroke(linewidth=3.3, foreground="white"), Normal()]
    (line,) = axes.plot(
        *points.T, color=INK, linewidth=1.5, linestyle=pattern[0], label=name, zorder=4,
        path_effects=casing,
    )  # fmt: skip
    return line


def _path(
    axes: Axes, path: tuple[str, np.ndarray], look: tuple[str, str], thickness: float
) -> Line2D:
    (name, points), (colour, marker) = path, look
    broken = ~np.isfinite(points).all(axis=1)
    walked = points[: broken.argmax()] if broken.any() else points
    seen, walked = _in_view(axes, walked)
    casing = [Stroke(linewidth=thickness + 1, foreground="white"), Normal()]
    axes.plot(
        *walked.T, color=colour, linewidth=thickness, path_effects=casing, label=f"{name}: path"
    )
    if len(walked) <= DOTTED:
        axes.plot(
            *walked.T, color=colour, linestyle="none", marker=marker, markersize=3,
            label=f"{name}: steps",
        )  # fmt: skip
    axes.plot(*walked[:1].T, **RING, zorder=5, label=f"{name}: start")
    arrives = len(walked) == len(points) and seen[-1]
    last = walked[np.flatnonzero(seen)[-1:]]
    axes.plot(
        *last.T, color=colour, linestyle="none", zorder=6, label=f"{name}: end", markersize=9,
        marker=marker if arrives else "x", markeredgecolor="white" if arrives else colour,
        markeredgewidth=1.0 if arrives else 2.2,
    )  # fmt: skip
    fate = f"{len(points) - 1} step{'s' * (len(points) != 2)}"
    if broken.any():
        fate = f"× diverged at step {len(walked)}"
    elif not arrives:
        fate += ", × ends outside"
    label = f"{name}: {fate}"
    return Line2D([], [], color=colour, marker=marker, markeredgecolor="white", label=label)


def _in_view(axes: Axes, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which points are in the picture, and the points, drawn nearer where they are FAR from it."""
    low, high = np.transpose([axes.get_xlim(), axes.get_ylim()])
    seen = ((points >= low) & (points <= high)).all(axis=1)
    middle = (low + high) / 2
    away = np.clip(points, -BOUND, BOUND) / (high - low)
    size = np.abs(away).max(axis=1, keepdims=True, initial=FAR)
    return seen, np.where(size > FAR, middle + away * (FAR / size) * (high - low), points)

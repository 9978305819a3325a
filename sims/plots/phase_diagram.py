"""What happened at each step eta and radius rho, cell by cell, under the exact boundaries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, ListedColormap, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.patheffects import Normal, Stroke
from matplotlib.ticker import MaxNLocator, NullLocator

from sims.plots._doors import ascending, divergence, named, numbers
from sims.plots._style import (
    BLUE,
    INK,
    PATTERNS,
    QUIET,
    SIZE,
    VERMILION,
    blank,
    dress,
    key,
    log_ticks,
    name_ends,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CONVERGES, STALLS, GROWS, DIVERGED = range(4)
YELLOW = "#F0E442"  # Okabe & Ito's; between blues and reds, and lighter than both
STALLS_HATCH, DIVERGED_HATCH = "//", "\\"
PALE = "#fbe5d6"
FAST_TO_SLOW = LinearSegmentedColormap.from_list("converges", ["#00304d", BLUE, "#d4e9f5"])
SOON_TO_LATE = LinearSegmentedColormap.from_list("diverged", ["#7a2e00", VERMILION, "#f2b48a"])


def draw(
    rho: np.ndarray,
    eta: np.ndarray,
    rate: np.ndarray,
    *,
    diverged_at: np.ndarray | None = None,
    edges: Mapping[str, np.ndarray] | None = None,
    stalls: float = 0.001,
    quantity: str = "loss",
    title: str = "What happens at each step η and radius ρ",
) -> Figure:
    """A cell for each of `rho` (m,) and `eta` (n,), coloured by outcome; up to four curves.

    `rate`, the measured factor of `quantity` a step, and `diverged_at`, the step of divergence, -1
    for never, are (m, n) or (seeds, m, n). Of several seeds a cell shows the median one, the worse
    of two, and diverging sooner is worse; a dot says that some of its seeds diverged and some did
    not. The rate of a run that diverged is not read. A rate within `stalls` of 1 is neither
    convergence nor growth. `edges[name]` (m,) is an exact boundary eta at each rho, infinite
    where there is none. An axis is logarithmic if its values are nearer to geometric than to even.
    Raises `InputError`.
    """
    x, y = ascending(rho, "rho", least=0), ascending(eta, "eta", least=0)
    rates, ends = _checked(rate, diverged_at, (len(x), len(y)))
    curves = {
        name: numbers(edge, f"edges[{name!r}]", len(x), finite=False)
        for name, edge in named(edges or {}, "edges", most=len(PATTERNS), least=0).items()
    }
    tie = float(numbers(stalls, "stalls", least=0))
    figure = blank(4.9, title=title)
    grid = figure.add_gridspec(2, 2, height_ratios=(1, 0.045))
    axes = figure.add_subplot(grid[0, :])
    dress(axes, x="radius ρ", y="step η")
    _scale(axes, "x", x)
    _scale(axes, "y", y)
    factor, end = median_seed(rates, ends)
    outcome = judge(factor, end, tie)
    scales = [figure.add_subplot(grid[1, column]) for column in (0, 1)]
    at = borders(x), borders(y)
    _converging(axes, scales[0], at, factor, outcome == CONVERGES, quantity)
    _diverging(axes, scales[1], at, end, outcome == DIVERGED)
    handles = _flat(axes, at, outcome, f"stalls: factor within {tie:g} of 1")
    handles += _disagreement(axes, x, y, np.isfinite(ends))
    if handles:
        key(figure, handles)
    _edges(axes, x, curves)
    return figure


def judge(rate: np.ndarray, ends: np.ndarray, stalls: float) -> np.ndarray:
    """CONVERGES, STALLS, GROWS or DIVERGED for each rate and end (infinite: none)."""
    slow = np.where(rate > 1 + stalls, GROWS, STALLS)
    return np.where(np.isfinite(ends), DIVERGED, np.where(rate < 1 - stalls, CONVERGES, slow))


def median_seed(rates: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rate and end (m, n) of the middle seed, the worse of two, from (seeds, m, n).

    Seeds are ordered by rate; behind them those that diverged, the soonest last.
    """
    gone = np.isfinite(ends)
    order = np.lexsort((np.where(gone, 0, rates), np.where(gone, -ends, -np.inf)), axis=0)
    middle = order[len(order) // 2][None]
    return np.take_along_axis(rates, middle, 0)[0], np.take_along_axis(ends, middle, 0)[0]


def borders(values: np.ndarray) -> np.ndarray:
    """(m + 1,) halfway between neighbours, and as far beyond the first and the last.

    Halfway is the geometric mean if the values are nearer to geometric than to even.
    """
    if len(values) == 1:
        return values[0] + np.array([-0.5, 0.5]) * (abs(values[0]) or 1.0)
    v = np.log(values) if geometric(values) else values
    half = np.diff(v) / 2
    ends = np.concatenate([[v[0] - half[0]], v[:-1] + half, [v[-1] + half[-1]]])
    return np.exp(ends) if geometric(values) else ends


def geometric(values: np.ndarray) -> bool:
    """Whether positive values differ more evenly in their logarithms than as they are."""
    if len(values) < 3 or values[0] <= 0:
        return False
    gaps, ratios = np.diff(values), np.diff(np.log(values))
    return bool(ratios.max() / ratios.min() < gaps.max() / gaps.min())


def _checked(rate: Any, diverged_at: Any, cells: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Rates and ends, both (seeds, m, n); the rate of a run that has an end is infinite."""
    shape = cells if np.ndim(rate) < 3 else ("seeds", *cells)
    r = numbers(rate, "rate", *shape, lost=True, least=0)
    ends = divergence(diverged_at, "diverged_at", r.shape)
    r = np.where(np.isfinite(ends), np.inf, r)
    numbers(np.where(np.isfinite(ends), 1, r), "rate", *r.shape)  # finite, unless it diverged
    return r.reshape(-1, *cells), ends.reshape(-1, *cells)


def _scale(axes: Axes, axis: str, values: np.ndarray) -> None:
    low, high = borders(values)[[0, -1]]
    axes.set(
        **{f"{axis}scale": "log" if geometric(values) else "linear", f"{axis}lim": (low, high)}
    )
    if geometric(values):
        log_ticks(axes.xaxis if axis == "x" else axes.yaxis, low, high)


def _paint(axes: Axes, at: Any, values: np.ndarray, shown: np.ndarray, **look: Any) -> Any:
    """The `shown` cells (m, n); one picture, so that no seams show between cells."""
    return axes.pcolormesh(*at, np.ma.array(values, mask=~shown).T, rasterized=True, **look)


def _hatch(axes: Axes, at: Any, shown: np.ndarray, pattern: str, colour: Any) -> None:
    """Over cells of one outcome: colours alone would be lost in print."""
    axes.pcolor(
        *at,
        np.ma.array(shown, mask=~shown).T,
        facecolor="none",
        edgecolor=colour,
        linewidth=0,
        hatch=pattern,
        rasterized=True,
    )


def _converging(
    axes: Axes, here: Axes, at: Any, rate: np.ndarray, shown: np.ndarray, quantity: str
) -> None:
    """Cells by their rate, with a scale below."""
    if not shown.any():
        here.set_visible(False)
        return
    cells = _paint(
        axes, at, rate, shown, cmap=FAST_TO_SLOW, norm=Normalize(rate[shown].min(), 1),
        label="converges",
    )  # fmt: skip
    _scale_below(here, cells, f"converges: {quantity} × this a step")
    here.xaxis.set_major_locator(MaxNLocator(3))


def _diverging(axes: Axes, here: Axes, at: Any, ends: np.ndarray, shown: np.ndarray) -> None:
    """Cells by the step of their end, with a scale below."""
    if not shown.any():
        here.set_visible(False)
        return
    steps = np.maximum(ends, 1)  # a start that is not finite has no logarithm
    low, high = steps[shown].min(), max(steps[shown].max(), 2 * steps[shown].min())
    cells = _paint(
        axes, at, steps, shown, cmap=SOON_TO_LATE, norm=LogNorm(low, high), label="diverged"
    )
    _hatch(axes, at, shown, DIVERGED_HATCH, (1, 1, 1, 0.7))
    _scale_below(here, cells, "hatched: diverged at step")
    log_ticks(here.xaxis, low, high)
    if high < 5 * low:
        here.xaxis.set_major_locator(MaxNLocator(3))


def _scale_below(here: Axes, cells: Any, name: str) -> None:
    figure = here.get_figure(root=True)
    assert figure is not None
    bar = figure.colorbar(cells, cax=here, orientation="horizontal")
    bar.outline.set_edgecolor(QUIET)
    here.set_xlabel(name, fontsize=SIZE - 1, color=INK, loc="left")
    here.tick_params(labelsize=SIZE - 1, colors=QUIET, labelcolor=INK)
    here.xaxis.set_minor_locator(NullLocator())


def _flat(axes: Axes, at: Any, outcome: np.ndarray, stalls: str) -> list[Any]:
    """Cells that stall or grow have one colour each, and an entry in the key where they occur."""
    handles = []
    for kind, name, colour in ((STALLS, stalls, YELLOW), (GROWS, "grows, still finite", PALE)):
        if (outcome == kind).any():
            _paint(axes, at, outcome, outcome == kind, cmap=ListedColormap([colour]), label=name)
            look = {"facecolor": colour, "edgecolor": QUIET, "linewidth": 0.8}
            hatch = STALLS_HATCH if kind == STALLS else ""
            handles.append(Patch(**look, hatch=hatch, label=name))
            if hatch:
                _hatch(axes, at, outcome == kind, hatch, QUIET)
    return handles


def _disagreement(axes: Axes, x: np.ndarray, y: np.ndarray, gone: np.ndarray) -> list[Any]:
    places = np.argwhere(gone.any(axis=0) & ~gone.all(axis=0))
    if len(places) == 0:
        return []
    return axes.plot(
        x[places[:, 0]], y[places[:, 1]], linestyle="none", marker="o", markersize=3.5, color=INK,
        markeredgecolor="white", markeredgewidth=0.6, label="some seeds diverged",
    )  # fmt: skip


def _edges(axes: Axes, x: np.ndarray, curves: Mapping[str, np.ndarray]) -> None:
    """Black on a white casing, so that they can be seen on every colour."""
    low, high = axes.get_ylim()
    names = []
    for (name, edge), (pattern, sign) in zip(curves.items(), PATTERNS, strict=False):
        shown = np.where(np.isfinite(edge), edge, np.nan)
        axes.plot(
            x, shown, color=INK, linewidth=1.5, linestyle=pattern, label=name,
            path_effects=[Stroke(linewidth=3.5, foreground="white"), Normal()],
        )  # fmt: skip
        last = shown[np.isfinite(shown)]
        names.append((f"{sign} {name}", min(max(last[-1], low), high) if len(last) else high, INK))
    name_ends(axes, names)

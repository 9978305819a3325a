"""Which published bound is wrong where: a small map of (rho, eta) for each, with the exact edge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from sims.plots._doors import ascending, numbers
from sims.plots._style import FAINT, INK, QUIET, SIZE, SKY, VERMILION, blank, dress
from theory.core import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RIGHT, UNDECIDED, FALSE = range(3)
COLOURS = ("white", SKY, VERMILION)
COLUMNS = 3


def draw(
    rho: np.ndarray,
    eta: np.ndarray,
    edge: np.ndarray,
    *,
    necessary: Mapping[str, np.ndarray] | None = None,
    sufficient: Mapping[str, np.ndarray] | None = None,
    title: str = "Which bound is wrong at which step η and radius ρ",
) -> Figure:
    """A panel a bound over evenly spaced `rho` (m,) and `eta` (n,), and a key in the last one.

    `edge` (m,) is the exact critical step at each rho: below it a minimum is stable. A bound is a
    boolean array (m, n), true where it permits the step. Vermilion: a `necessary` bound forbids a
    stable step, or a `sufficient` one permits an unstable one. Blue: the bound leaves the question
    open. White: bound and truth agree. Raises `InputError`.
    """
    rho, eta = _even(rho, "rho"), _even(eta, "eta")
    edge = numbers(edge, "edge", len(rho), finite=False, least=0)
    kinds = [(name, seen, True) for name, seen in (necessary or {}).items()]
    kinds += [(name, seen, False) for name, seen in (sufficient or {}).items()]
    for name, permits, _ in kinds:
        if np.shape(permits) != (len(rho), len(eta)) or np.asarray(permits).dtype != bool:
            found = f"{np.asarray(permits).dtype} {np.shape(permits)}"
            raise InputError(name, found, f"booleans ({len(rho)}, {len(eta)})")
    rows = -(-(len(kinds) + 1) // COLUMNS)
    figure = blank(0.7 + 1.9 * rows, title=title)
    grid = figure.subplots(rows, COLUMNS, squeeze=False, sharex=True, sharey=True)
    panels = list(grid.flat)
    for axes, (name, permits, is_necessary) in zip(panels, kinds, strict=False):
        _panel(axes, rho, eta, edge, judge(eta, edge, permits, is_necessary))
        kind = "necessary" if is_necessary else "sufficient"
        axes.set_title(f"{name}: {kind}", fontsize=SIZE - 1, color=INK, loc="left")
    engine = figure.get_layout_engine()
    assert engine is not None  # set by `blank`
    engine.set(wspace=0.08)  # pyright: ignore[reportCallIssue]
    for axes in grid[:, 0]:
        axes.set_ylabel("step η", fontsize=SIZE, color=INK)
    for axes in panels[max(0, len(kinds) - COLUMNS) : len(kinds)]:
        axes.set_xlabel("radius ρ", fontsize=SIZE, color=INK)
        axes.tick_params(labelbottom=True)
    for axes in panels[len(kinds) :]:
        axes.set_axis_off()
    _key(panels[len(kinds)])
    return figure


def _even(values: np.ndarray, field: str) -> np.ndarray:
    """Two or more values (m,) at equal distances, as the cells of a picture are."""
    array = ascending(values, field)
    gaps = np.diff(array)
    # Each value is a few roundings of the largest off its place; 8 covers how it was made.
    rounding = 8 * float(np.finfo(np.float64).eps) * np.abs(array).max()
    if len(array) < 2 or np.ptp(gaps) > rounding:
        raise InputError(field, f"gaps {gaps}", "two or more values at equal distances")
    return array


def judge(eta: np.ndarray, edge: np.ndarray, permits: np.ndarray, is_necessary: bool) -> np.ndarray:
    """RIGHT, UNDECIDED or FALSE at every (rho, eta), (m, n)."""
    stable = eta[None, :] < edge[:, None]
    forbids_stable = np.where(stable & ~permits, FALSE if is_necessary else UNDECIDED, RIGHT)
    permits_unstable = np.where(~stable & permits, UNDECIDED if is_necessary else FALSE, RIGHT)
    return np.maximum(forbids_stable, permits_unstable)


def _panel(
    axes: Axes, rho: np.ndarray, eta: np.ndarray, edge: np.ndarray, verdicts: np.ndarray
) -> None:
    half = ((rho[1] - rho[0]) / 2, (eta[1] - eta[0]) / 2)
    extent = (rho[0] - half[0], rho[-1] + half[0], eta[0] - half[1], eta[-1] + half[1])
    axes.imshow(
        verdicts.T, origin="lower", extent=extent, aspect="auto", interpolation="nearest",
        cmap=ListedColormap(COLOURS), vmin=RIGHT, vmax=FALSE,
    )  # fmt: skip
    axes.plot(rho, edge, color=INK, linewidth=1.2)
    axes.set_xlim(rho[0], rho[-1])
    axes.set_ylim(eta[0], eta[-1])
    dress(axes, x="", y="")
    axes.locator_params(nbins=4)


def _key(axes: Axes) -> None:
    """The one place where colours are named, since panels are too small for labels of their own."""
    rows = (
        ("false: contradicts\nthe exact edge", COLOURS[FALSE]),
        ("open: the bound\ndoes not decide", COLOURS[UNDECIDED]),
        ("bound and truth agree", COLOURS[RIGHT]),
    )
    for i, (text, colour) in enumerate(rows):
        y = 0.84 - 0.24 * i
        box = Rectangle(
            (0.02, y - 0.06), 0.13, 0.12, transform=axes.transAxes, facecolor=colour,
            edgecolor=QUIET if colour == "white" else FAINT, linewidth=0.8,
        )  # fmt: skip
        axes.add_patch(box)
        _say(axes, y, text)
    axes.plot([0.02, 0.15], [0.12, 0.12], transform=axes.transAxes, color=INK, linewidth=1.2)
    _say(axes, 0.12, "exact edge: stable\nbelow it")


def _say(axes: Axes, y: float, text: str) -> None:
    axes.text(
        0.2, y, text, transform=axes.transAxes, va="center", fontsize=SIZE - 1, color=INK,
        linespacing=1.15,
    )  # fmt: skip

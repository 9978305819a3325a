"""The figures of a sweep: loss curves, and a phase diagram for each optimizer with a radius.

What is predicted beside what happened is exact for least squares and quadratics under SGD and
unnormalised SAM, with the sweep's own batches: the rate r(T) of E||x_t||^2, and the step sizes
where mean-square and mean stability end. Elsewhere nothing is predicted.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from theory.core import InputError

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

    from theory.stability.steps import Steps

SERIES = 6  # curves a figure can tell apart


def draw(path: Path) -> list[Path]:
    """Write the figures of the sweep in `path` as SVG into `path`/pictures; the files written.

    Raises `InputError` where the sweep recorded no loss.
    """
    from sims import plots
    from sims.store import open_sweep

    data = open_sweep(path)
    if "loss" not in data:
        raise InputError("--pictures", "a sweep without loss", "one that has loss in run.record")
    data, aside = _plane(data)
    figures = {"loss_curves": _curves(data, aside)}
    fields = json.loads(data.attrs["fields"])
    for key in map(str, data.optimizer.values):
        if {"lr", "rho"} <= set(fields[key]) and data.lr.size > 1 and data.rho.size > 1:
            figures[f"phase_diagram_{key}"] = _phases(data.sel(optimizer=key), key, aside)
    folder = path / "pictures"
    folder.mkdir(exist_ok=True)
    for name, figure in figures.items():
        (folder / f"{name}.svg").write_text(plots.svg(figure), encoding="utf-8")
    return [folder / f"{name}.svg" for name in figures]


def _plane(data: xr.Dataset) -> tuple[xr.Dataset, str]:
    """The sweep over optimizer, lr, rho and seed, at the first value of whatever else it varies."""
    kept = {"optimizer", "lr", "rho", "seed", "step", "coordinate"}
    others = [str(name) for name in data.dims if name not in kept]
    data = data.isel(dict.fromkeys(others, 0))
    return data, "".join(f", {name} = {data[name].item()}" for name in others)


def _curves(data: xr.Dataset, aside: str) -> Figure:
    """The best cell of each optimizer: that of the least median last loss."""
    from sims.plots import loss_curves

    losses, ends, predicted = {}, {}, {}
    for key in map(str, data.optimizer.values[:SERIES]):
        own = data.sel(optimizer=key)
        last = own.loss.isel(step=-1).median("seed", skipna=False)
        best = own.isel({str(k): int(v) for k, v in last.argmin(...).items()})
        settings = {name: float(best[name]) for name in ("lr", "rho") if name in data.dims}
        own_fields = json.loads(data.attrs["fields"])[key]
        told = [f"{name} {value:.3g}" for name, value in settings.items() if name in own_fields]
        name = ", ".join([key, *told])
        losses[name], ends[name] = best.loss.values, best.diverged_at.values
        rate = _exact_rate(best, key, settings)
        if rate is not None:
            first = np.median(losses[name][:, 0])
            predicted[f"{key}: r(T)^t"] = first * rate ** best.step.values.astype(float)
    title = f"Loss at each optimizer's best setting{aside}"
    return loss_curves.draw(
        data.step.values, losses, diverged_at=ends, predicted=predicted, title=title
    )


def _phases(data: xr.Dataset, key: str, aside: str) -> Figure:
    from sims.plots import phase_diagram

    data = data.sortby(["lr", "rho"]).transpose("seed", "rho", "lr", "step", ...)
    rho, eta = data.rho.values, data.lr.values
    rate = overall_rate(data.loss.values, data.step.values)
    edges: dict[str, np.ndarray] = {}
    for at, radius in enumerate(rho):
        for name, step in _exact_edges(data, key, float(radius)).items():
            edges.setdefault(name, np.full(len(rho), np.inf))[at] = step
    title = f"{key}: what happens at each step η and radius ρ{aside}"
    ends = data.diverged_at.values
    return phase_diagram.draw(rho, eta, rate, diverged_at=ends, edges=edges, title=title)


def overall_rate(loss: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """(...,), the mean factor a step from the first of `loss` (..., records) to the last one > 0."""
    positive = np.isfinite(loss) & (loss > 0)
    last = len(steps) - 1 - positive[..., ::-1].argmax(axis=-1)
    end = np.take_along_axis(loss, last[..., None], axis=-1)[..., 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        found = (end / loss[..., 0]) ** (1 / np.maximum(steps[last] - steps[0], 1))
    return np.where(np.isfinite(found), found, 1.0)


def _steps(data: xr.Dataset, key: str, rho: float) -> Steps | None:
    """The law of the linearised step, exact for the sweep's batches; None if unknown."""
    from theory.problems._build import problem as build
    from theory.stability.minimum import minimum
    from theory.stability.steps import reduced

    if key not in ("sgd", "usam"):
        return None
    config = json.loads(data.attrs["config"])
    extra = set(config["grid"]) - {"optimizer", "lr", "rho", "batch", "sampling", "seeds", "ascent"}
    settings = dict(config["problem"])
    problem: Any = build(settings.pop("name"), **settings)
    if extra or not (hasattr(problem, "rows") or hasattr(problem, "hessians")):
        return None
    rows = hasattr(problem, "rows")
    form = {"jacobian": problem.rows} if rows else {"hessians": problem.hessians}
    batch = data.batch.item()
    size = None if batch == "full" else int(batch)
    how: dict[str, Any] = {"batch": size, "sampling": str(data.sampling.item())}
    if key == "usam":
        how |= {"rho": rho, "ascent": str(data["ascent"].item()) if "ascent" in data else "shared"}
    return reduced(minimum(**form, weights=problem.weights), **how)


def _exact_rate(data: xr.Dataset, key: str, settings: dict[str, float]) -> float | None:
    from theory.stability.mean_square import rate

    steps = _steps(data, key, settings.get("rho", 0.0))
    return None if steps is None or "lr" not in settings else rate(steps, settings["lr"])


def _exact_edges(data: xr.Dataset, key: str, rho: float) -> dict[str, float]:
    from theory.stability.mean_square import critical, mean_edge

    steps = _steps(data, key, rho)
    if steps is None:
        return {}
    return {
        "mean-square edge, exact": critical(steps).value,
        "mean edge, exact": mean_edge(steps),
    }

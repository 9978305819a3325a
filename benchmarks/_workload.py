"""What every entrant is given: one problem, one grid, one start and one index stream a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import numpy as np

from sims import _draw
from theory.problems.linear import linear
from theory.problems.two_layer import two_layer

TINY = 1e-12  # added to the norm of the climb, as the released implementations of SAM do
ROOT = 20240501  # any fixed number: it keys the data, the streams and the starts of all workloads
EVERY = 50  # steps between two measurements of lambda_max
LANCZOS = 20  # products in one measurement; with 16, narrow networks' is off by 1e-4


@dataclass(frozen=True)
class Workload:
    """`runs` runs of SAM, `steps` steps each; batches of `batch` samples, with replacement.

    `lr`, `rho`, `seeds` (R,); `starts` (R, d); `indices` (R, T, B) int32, or (1, T, B) where one
    stream serves the whole grid.
    """

    key: str
    title: str
    inputs: np.ndarray  # (n, d_in)
    targets: np.ndarray  # (n,)
    lr: np.ndarray
    rho: np.ndarray
    seeds: np.ndarray
    starts: np.ndarray
    indices: np.ndarray

    @property
    def runs(self) -> int:
        return len(self.lr)

    @property
    def steps(self) -> int:
        return self.indices.shape[1]

    @property
    def batch(self) -> int:
        return self.indices.shape[2]

    @property
    def shared(self) -> bool:
        """One stream for all runs: common random numbers over the grid."""
        return len(self.indices) == 1

    def stream(self) -> np.ndarray:
        """(R, T, B), the stream of every run, shared or not."""
        return np.broadcast_to(self.indices, (self.runs, *self.indices.shape[1:]))

    def cut(self, runs: int, steps: int) -> Any:
        """The first runs and steps alone, for entrants that would take minutes."""
        keep = slice(runs)
        return replace(
            self,
            lr=self.lr[keep],
            rho=self.rho[keep],
            seeds=self.seeds[keep],
            starts=self.starts[keep],
            indices=self.indices[keep, :steps],
        )


@dataclass(frozen=True)
class LeastSquares(Workload):
    """f(x) = mean (a_i . x - y_i)^2 / 2, batch 1."""

    @cached_property
    def gram(self) -> np.ndarray:
        """X X' (n, n)."""
        return self.inputs @ self.inputs.T

    def residuals(self) -> np.ndarray:
        """(R, n) at the start: all that a kernel in Gram coordinates needs of it."""
        return self.starts @ self.inputs.T - self.targets

    def losses(self, x: np.ndarray) -> np.ndarray:
        """(R,), the full mean loss at x (R, d)."""
        return ((x @ self.inputs.T - self.targets) ** 2).mean(1) / 2


@dataclass(frozen=True)
class Network(Workload):
    """f(x) = a . tanh(W x) on squared loss / 2; x is W row by row, then a; lambda_max on the way.

    `probe` (d,) is the vector that every measurement of lambda_max starts from.
    """

    width: int
    probe: np.ndarray = field(repr=False)

    @property
    def records(self) -> int:
        """Measurements of lambda_max; the start counts."""
        return self.steps // EVERY + 1


def streams(seeds: np.ndarray, steps: int, batch: int, n: int) -> np.ndarray:
    """(R, steps, batch) int32, uniform over n samples: what the engine draws for these seeds."""
    sampler = _draw.sampler(np.full(n, 1 / n), batch, "with")
    return sampler.draw(np, _draw.keys(ROOT, seeds)[:, None], np.arange(steps))


def starts(problem: Any, seeds: np.ndarray) -> np.ndarray:
    """(R, d), where the engine starts runs of these seeds."""
    return np.array([problem.start(np.random.default_rng([ROOT, seed])) for seed in seeds])


def least_squares(
    key: str, *, d: int, n: int, side: int, repeats: int, steps: int, shared: bool = False
) -> LeastSquares:
    """A side x side grid over (eta, rho), each point `repeats` times, on rows of mean length 1.

    eta a_i . a_i < 2 everywhere, so no run diverges: an orbit amplifies no rounding, and entrants
    that round differently can be compared.
    """
    rng = np.random.default_rng(ROOT)
    rows = rng.standard_normal((n, d)) / d**0.5
    targets = rng.standard_normal(n)
    lr, rho = (a.ravel() for a in np.meshgrid(np.linspace(0.1, 0.9, side), _radii(side)))
    lr, rho = np.repeat(lr, repeats), np.repeat(rho, repeats)
    seeds = np.zeros(len(lr), dtype=np.int64) if shared else np.arange(len(lr))
    how = "one stream for the grid" if shared else "a stream for every run"
    return LeastSquares(
        key,
        f"least squares, d = {d}, n = {n}, batch 1, SAM, {how}",
        rows,
        targets,
        lr,
        rho,
        seeds,
        starts(linear(rows, targets), seeds),
        streams(seeds[:1] if shared else seeds, steps, 1, n),
    )


def network(key: str, *, width: int, side: int, repeats: int, steps: int, batch: int) -> Network:
    """Two-layer tanh on 64 samples of 16 features, a side x side grid, a stream for every run."""
    n, features = 64, 16
    rng = np.random.default_rng(ROOT)
    inputs = rng.standard_normal((n, features))
    targets = np.tanh(inputs @ rng.standard_normal(features)) + 0.1 * rng.standard_normal(n)
    lr, rho = (a.ravel() for a in np.meshgrid(np.linspace(0.6, 3.0, side) / width, _radii(side)))
    lr, rho = np.repeat(lr, repeats), np.repeat(rho, repeats)
    seeds = np.arange(len(lr))
    d = width * (features + 1)
    return Network(
        key,
        f"two-layer tanh, width {width}, d = {d}, n = {n}, batch {batch}, SAM, "
        f"lambda_max every {EVERY} steps",
        inputs,
        targets,
        lr,
        rho,
        seeds,
        starts(two_layer(inputs, targets, width), seeds),
        streams(seeds, steps, batch, n),
        width,
        np.random.default_rng([ROOT, 1]).standard_normal(d),
    )


def _radii(count: int) -> np.ndarray:
    return np.linspace(0.01, 0.1, count)


def workloads(quick: bool) -> dict[str, Callable[[], Any]]:
    """What is run, by key; "grown" has twice the runs and twice the steps of "own"."""
    side, steps, width = (8, 50, 8) if quick else (64, 1000, 64)
    small = partial(least_squares, d=64, n=32, side=side)
    nets = partial(network, side=2 if quick else 4, batch=16)
    return {
        "own": partial(small, "own", repeats=1, steps=steps),
        "shared": partial(small, "shared", repeats=1, steps=steps, shared=True),
        "wide": partial(least_squares, "wide", d=512, n=128, side=side, repeats=1, steps=steps),
        "narrow-net": partial(nets, "narrow-net", width=width, repeats=4, steps=400),
        "wide-net": partial(nets, "wide-net", width=16 * width, repeats=1, steps=100),
        "grown": partial(small, "grown", repeats=2, steps=2 * steps),
    }

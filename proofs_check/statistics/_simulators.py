"""Every way to draw batches that ships, run on a quadratic and bet against (see `_linear`).

Samples have curvatures 20% or 40% apart: near enough that a step size 1% off moves the mean of a
ratio by a good part of its spread, far enough that another sampler does. Steps lie where most
eigenvalues are reflected, so a ratio depends on the step size; growth is near 0 there, which keeps
runs in the range of numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from proofs_check.statistics._budget import Budget
from proofs_check.statistics._e_process import Bounded, log_capital, stopped
from proofs_check.statistics._linear import linear_law, ratios, sampler_distance
from theory.moments import EPS

RUNS, STEPS = 512, 256
EQUAL, UNEQUAL = (1.0, 1.0, 1.0, 1.0), (4.0, 3.0, 2.0, 1.0)
ROOT = 20  # of the keys that batches are drawn by
TOGETHER = 32  # runs that share start and samples in the engine's shared mode
# Gram space holds one residual a row. Where rows depend on each other, rounding of the first steps
# leaves a part that no step shrinks, some EPS of the largest iterate.
HELD = 64 * EPS
NEAR, FAR = 0.2, 0.4  # how far curvatures differ


@dataclass(frozen=True)
class Path:
    """A stochastic simulation as it ships: optimizer, sampler, and the code that runs it.

    `runner` is "engine", "lab", "shared", "gram" or "growth"; the last two in one dimension, where
    a loss, or the growth of a norm, tells what the iterate did.
    """

    name: str
    optimizer: str
    hyper: dict[str, Any]
    batch: int = 1
    sampling: str = "with"
    weights: Sequence[float] = EQUAL
    spread: float = NEAR
    runner: str = "engine"

    @property
    def hessians(self) -> np.ndarray:
        """(4, 2, 2) or (4, 1, 1): eigenvalues within `spread` of 1, in eight directions."""
        around = np.linspace(-1, 1, 4)
        if self.runner in ("gram", "growth"):
            return 1 + self.spread * around[:, None, None]
        turn = np.pi * np.array([0.1, 0.35, 0.75, 0.9])
        U = np.moveaxis(
            np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]), 2, 0
        )
        values = 1 + self.spread * np.stack([around, [0.2, -0.6, -0.1, 0.8]], axis=1)
        return U @ (values[:, :, None] * np.swapaxes(U, 1, 2))

    @property
    def problem(self) -> Any:
        """The quadratic, as least squares where it is to run in Gram space."""
        if self.runner == "gram":
            from theory.problems.linear import linear

            return linear(np.sqrt(self.hessians[:, :, 0]), np.zeros(4), self.weights)
        from theory.problems.quadratic import quadratic

        return quadratic(self.hessians, weights=self.weights)

    def observe(self, optimizer: Any = None) -> np.ndarray:
        """Iterates (steps + 1, runs, d) of `optimizer`, by default the one the path names."""
        from sims.lab import build

        chosen = build(self.optimizer, **self.hyper) if optimizer is None else optimizer
        return np.moveaxis(RUNNERS[self.runner](self, chosen), 1, 0)

    def bets(self, iterates: np.ndarray) -> tuple[Bounded, Bounded]:
        """What there is to bet on, against the exact law of what the path says it does."""
        law = linear_law(
            self.hessians,
            self.weights,
            **self.hyper,
            batch=self.batch,
            sampling=self.sampling,
            drawn=sampler_distance(len(self.weights), self.batch),
        )
        return ratios(law, iterates, held=HELD if self.runner == "gram" else 0.0)


def _setting(path: Path, optimizer: Any, record: str, space: str) -> Any:
    from sims.engine import Setting

    how: dict[str, Any] = {"batch": path.batch, "sampling": path.sampling, "space": space}
    return Setting(path.problem, optimizer, STEPS, record=(record,), **how)


def _engine(path: Path, optimizer: Any) -> np.ndarray:
    from sims.engine import simulate

    setting = _setting(path, optimizer, "x", "plain")
    return simulate(setting, {}, np.arange(RUNS), root=ROOT)["x"]


def _lab(path: Path, optimizer: Any) -> np.ndarray:
    from sims.lab import Lab

    how: dict[str, Any] = {"batch": path.batch, "sampling": path.sampling}
    x0 = np.array([0.6, 0.8])
    return Lab().run(path.problem, optimizer, x0=x0, steps=STEPS, seed=ROOT, runs=RUNS, **how).x


def _shared(path: Path, optimizer: Any) -> np.ndarray:
    """A grid of step sizes over seeds, as in a sweep; runs of one seed draw alike, so one is kept."""
    from sims.engine import simulate

    seeds = np.repeat(np.arange(RUNS // 8), TOGETHER)
    lr = np.tile(float(optimizer.lr) * np.linspace(1, 0.5, TOGETHER), RUNS // 8)
    setting = _setting(path, optimizer, "x", "plain")
    return simulate(setting, {"lr": lr}, seeds, root=ROOT)["x"][::TOGETHER]


def _gram(path: Path, optimizer: Any) -> np.ndarray:
    """In one dimension the full loss is a multiple of x^2."""
    from sims.engine import simulate

    setting = _setting(path, optimizer, "loss", "gram")
    loss = simulate(setting, {}, np.arange(RUNS), root=ROOT)["loss"]
    return np.sqrt(loss)[:, :, None]


def _growth(path: Path, optimizer: Any) -> np.ndarray:
    from sims.growth import log_growths

    how: dict[str, Any] = {"batch": path.batch, "sampling": path.sampling, "seed": ROOT}
    logs = log_growths(path.problem, optimizer, runs=RUNS, steps=STEPS, every=1, **how).logs
    return np.exp(np.cumsum(np.pad(logs, ((0, 0), (1, 0))), axis=1))[:, :, None]


RUNNERS: dict[str, Callable[[Path, Any], np.ndarray]] = {
    "engine": _engine,
    "lab": _lab,
    "shared": _shared,
    "gram": _gram,
    "growth": _growth,
}


PAIRS: dict[str, Any] = {"batch": 2, "spread": FAR}
APART: dict[str, Any] = PAIRS | {"sampling": "without"}
SGD, USAM = {"lr": 1.9}, {"lr": 0.65, "rho": 2.0}
EACH = USAM | {"ascent": "per-sample"}

PATHS = (
    Path("sgd", "sgd", SGD),
    Path("sgd, weighted samples", "sgd", SGD, weights=UNEQUAL, runner="lab"),
    Path("sgd, two samples", "sgd", SGD, **PAIRS),
    Path("sgd, two samples without replacement", "sgd", SGD, **APART),
    Path("sgd, momentum", "sgd", {"lr": 2.4, "momentum": 0.3}),
    Path("sgd, grid on one stream", "sgd", SGD, weights=UNEQUAL, runner="shared"),
    Path("sgd, Gram space", "sgd", {"lr": 2.2}, **APART, runner="gram"),
    Path("usam", "usam", USAM),
    Path("usam, two weighted samples", "usam", USAM, weights=UNEQUAL, **PAIRS),
    Path("usam, two samples without replacement", "usam", USAM, **APART),
    Path("usam, Gram space", "usam", {"lr": 0.78, "rho": 2.0}, weights=UNEQUAL, runner="gram"),
    Path("usam, growth of runs", "usam", {"lr": 0.72, "rho": 2.0}, **PAIRS, runner="growth"),
    Path("usam, each sample climbs", "usam", EACH, **PAIRS),
    Path(
        "usam, each sample climbs, without replacement, momentum and decay",
        "usam",
        EACH | {"lr": 0.7, "momentum": 0.2, "weight_decay": 0.1},
        **APART,
    ),
)

NULL = (
    "given all that happened before in all runs, the batches of a step are independent from run to "
    "run, each drawn by the stated law, and a step is the optimizer's published formula on that batch"
)


def names() -> list[str]:
    """What an audit checks, in order."""
    return [path.name for path in PATHS]


def bet(name: str) -> float:
    """log of the e-value against one path; betting ends once it is enough for an alarm by itself.

    Under the null it reaches log(14/1e-6), 14 the number of paths, with a chance of at most 1e-6/14.
    """
    (path,) = (path for path in PATHS if path.name == name)
    return stopped(log_capital(*path.bets(path.observe())), Budget(len(PATHS)).alone)


def report(found: dict[str, float]) -> dict[str, Any]:
    """statistics.json from names and logarithms of e-values: the alarms e-BH raises, and all else.

    An infinite e-value has `log10_e_value` null.
    """
    budget = Budget(len(found))
    raised = budget.alarms(list(found.values()))
    checks = [
        {
            "name": name,
            "log10_e_value": log / math.log(10) if math.isfinite(log) else None,
            "alarm": bool(alarm),
        }
        for (name, log), alarm in zip(found.items(), raised, strict=True)
    ]
    return {"null": NULL, "rule": "e-BH", "false_alarms": budget.level, "checks": checks}


def sentence(statistics: dict[str, Any]) -> str:
    """A report in one line."""
    checks, level = statistics["checks"], statistics["false_alarms"]
    told = f"simulators: {len(checks)} e-values, largest {max(map(_size, checks), default=0):.3g}, "
    alarms = [check["name"] for check in checks if check["alarm"]]
    within = f"the budget of {np.format_float_scientific(level, trim='-', exp_digits=1)} a run"
    if not alarms:
        return f"{told}none beyond {within}"
    return f"{told}{len(alarms)} beyond {within}: {'; '.join(alarms)}"


def _size(check: dict[str, Any]) -> float:
    log = check["log10_e_value"]
    return math.inf if log is None or log > 300 else 10**log

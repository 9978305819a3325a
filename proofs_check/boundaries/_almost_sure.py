"""The top Lyapunov exponent, lim log||x_t||/t, from independent long runs of the optimizer.

A run's growth per step, its first tenth dropped, is a mean over many steps that soon forget each
other, so over independent runs it is nearly normal: the interval is Student's t over runs, in every
part of the problem (see `_blocks`), with the confidence shared between parts (Bonferroni).

**The confidence is nominal.** It assumes that a run's growth is normal up to what is small beside its
spread (the central limit theorem for products of random matrices, Le Page 1982, which needs parts that
are strongly irreducible and contracting). It is measured in soak tests and proved nowhere. No bound in
the manner of `second_moment` can take its place:

- log||Phi u|| is not bounded below, as a step may leave nothing of u. Among such laws no lower end
  holds at a stated confidence: a share delta of the runs at -C/delta moves the mean by -C, and n runs
  see none of it with chance (1 - delta)^n, which tends to 1 (Bahadur & Savage 1956).
- Where every Phi is invertible it lies in a range R, and truncation gives an upper end in any case.
  But a share 1 - alpha^(1/n) of the runs at the far end is missed with chance alpha, so a bound that
  holds for all laws is at least R log(1/alpha)/n wide: R/12 for 64 runs at 99%, ten times what a scan
  resolves, whatever the number of steps. Such bounds would also cover E log||x_t||/t at one t only,
  not its limit.

The interval does not cover the bias of the start. In a part whose first two exponents lie g apart
E log||x_t|| is a line plus a term that falls like exp(-g t), so the tenth that is dropped removes
it where g steps/10 is large; otherwise take more steps.

Runs at different step sizes see the same samples (common random numbers).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.stats import t as student

from proofs_check.boundaries._blocks import Block, blocks
from proofs_check.boundaries._crossings import Interval, Scan, checked, evaluations, largest, scan
from sims import growth
from sims._draw import whole
from theory.core import Notion

WINDOWS = 10  # of which the first is dropped


def almost_sure(
    problem: Any,
    optimizer: Any,
    etas: Sequence[float],
    *,
    batch: int | None = 1,
    sampling: str = "with",
    seed: int = 0,
    runs: int = 64,
    steps: int = 10_000,
    confidence: float = 0.99,
    halvings: int = 8,
    **hyper: Any,
) -> Scan:
    """Exponents at `etas` and all changes of their sign; the first exit is eta_3 on this grid.

    `optimizer` is a key with hyperparameters, or an object; its lr is replaced. The confidence is
    shared by all exponents that the scan may look at. Raises `InputError`.
    """
    step_sizes, chosen = checked(etas, optimizer, hyper, halvings, confidence)
    level = 1 - (1 - confidence) / evaluations(step_sizes, halvings)
    how: dict[str, Any] = {"batch": batch, "sampling": sampling, "seed": seed}
    how |= {"runs": runs, "steps": steps, "confidence": level}
    parts = blocks(problem)
    return scan(
        Notion.ALMOST_SURE,
        lambda eta: _exponent(parts, chosen, eta, **how),
        step_sizes,
        confidence=confidence,
        seed=seed,
        halvings=halvings,
    )


def exponent(
    problem: Any,
    optimizer: Any,
    eta: float,
    *,
    batch: int | None = 1,
    sampling: str = "with",
    seed: int = 0,
    runs: int = 64,
    steps: int = 10_000,
    confidence: float = 0.99,
    **hyper: Any,
) -> Interval:
    """The top Lyapunov exponent at step size `eta`; settings as for `almost_sure`."""
    (eta,), chosen = checked([eta], optimizer, hyper, 0, confidence)
    how: dict[str, Any] = {"batch": batch, "sampling": sampling, "seed": seed}
    how |= {"runs": runs, "steps": steps, "confidence": confidence}
    return _exponent(blocks(problem), chosen, eta, **how)


def _exponent(
    parts: Sequence[Block], optimizer: Any, eta: float, *, steps: int, confidence: float, **how: Any
) -> Interval:
    """The largest exponent of the parts."""
    whole("steps", steps, 2 * WINDOWS)
    whole("runs", how["runs"], 2)
    now, every = replace(optimizer, lr=np.float64(eta)), steps // WINDOWS
    ends = []
    for part in parts:
        ran = growth.log_growths(part.problem, now, steps=steps, every=every, **how)
        rates = ran.logs[:, 1:].mean(1) / every
        lower, upper = _student(rates, 1 - (1 - confidence) / len(parts))
        rounding = float(ran.rounding.max())
        ends.append((-math.inf if ran.vanished.any() else lower - rounding, upper + rounding))
    return largest(ends, confidence)


def _student(rates: np.ndarray, confidence: float) -> tuple[float, float]:
    """Student's t interval for the mean of independent `rates`."""
    quantile = student.ppf((1 + confidence) / 2, len(rates) - 1)
    width = quantile * rates.std(ddof=1) / len(rates) ** 0.5
    return float(rates.mean() - width), float(rates.mean() + width)

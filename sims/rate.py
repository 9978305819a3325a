"""How fast a loss falls: r in loss ~ C r^t, fitted run by run, with an interval over the runs.

It is the rate of a typical run, log r averaged over runs. The rate of the mean loss is another and
larger number, which no mean over runs can find: rare ones carry it (`mean_of_runs_sees_growth`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from theory.core import InputError
from theory.moments import EPS

TRANSIENT = 0.2  # of the usable records: constants and faster modes die out first
FLOOR = (16 * EPS) ** 2  # of the first loss: a loss is a square, and what is squared errs by EPS
LEAST = 3  # records in a window: two would fit any line


@dataclass(frozen=True)
class Rate:
    """`per_run` (runs,) holds r, NaN where excluded; `estimate` and `low <= r <= high` over runs.

    `diverged` and `too_short` name the excluded runs by index: those with a loss that is not finite,
    and those with fewer than three records in the window. With one run left the interval is
    (0, inf), with none left the estimate is NaN as well.
    """

    per_run: np.ndarray
    estimate: float
    low: float
    high: float
    confidence: float
    diverged: tuple[int, ...]
    too_short: tuple[int, ...]


def linear_rate(
    loss: Any,
    steps: Any,
    *,
    confidence: float = 0.95,
    transient: float = TRANSIENT,
    floor: float = FLOOR,
) -> Rate:
    """r per step from `loss` (runs, records) at `steps` (records,), by least squares on log loss.

    A run's usable records are those before its loss first falls to `floor` times its first value,
    where only rounding is left; of these the first `transient` part is dropped. The interval is
    Student's t on log r over runs, given that they did not diverge. Raises `InputError`.
    """
    values, times = _checked(loss, steps, confidence, transient, floor)
    finite = np.isfinite(values).all(axis=1)
    usable = _usable(values, floor)
    # Record k of m usable ones is kept where k >= transient m.
    window = usable & (np.arange(len(times)) >= transient * usable.sum(axis=1, keepdims=True))
    long_enough = window.sum(axis=1) >= LEAST
    used = finite & long_enough
    slopes = np.full(len(values), np.nan)
    slopes[used] = _slopes(np.where(window, values, 1.0)[used], times, window[used])
    low, middle, high = _interval(slopes[used], confidence)
    return Rate(
        per_run=np.exp(slopes),
        estimate=float(np.exp(middle)),
        low=float(np.exp(low)),
        high=float(np.exp(high)),
        confidence=confidence,
        diverged=tuple(map(int, np.flatnonzero(~finite))),
        too_short=tuple(map(int, np.flatnonzero(finite & ~long_enough))),
    )


def _usable(values: np.ndarray, floor: float) -> np.ndarray:
    """(runs, records), true up to where the loss first reaches the floor or is not finite."""
    with np.errstate(invalid="ignore"):
        sound = np.isfinite(values) & (values > 0) & (values > floor * values[:, :1])
    return np.logical_and.accumulate(sound, axis=1)


def _slopes(values: np.ndarray, times: np.ndarray, window: np.ndarray) -> np.ndarray:
    """(runs,), the slope of log loss over the records in each run's window."""
    count = window.sum(axis=1, keepdims=True)
    centred = np.where(window, times - (window * times).sum(axis=1, keepdims=True) / count, 0.0)
    return (centred * np.log(values)).sum(axis=1) / (centred**2).sum(axis=1)


def _interval(slopes: np.ndarray, confidence: float) -> tuple[float, float, float]:
    """The mean of the slopes between the ends of its Student interval."""
    if len(slopes) == 0:
        return -np.inf, np.nan, np.inf
    middle = float(slopes.mean())
    if len(slopes) == 1:
        return -np.inf, middle, np.inf
    from scipy.stats import t

    error = slopes.std(ddof=1) / len(slopes) ** 0.5
    reach = float(t.ppf((1 + confidence) / 2, len(slopes) - 1) * error)
    return middle - reach, middle, middle + reach


def _checked(loss: Any, steps: Any, confidence: float, transient: float, floor: float) -> Any:
    values, times = np.asarray(loss, dtype=np.float64), np.asarray(steps, dtype=np.float64)
    if values.ndim != 2:
        raise InputError("loss", f"shape {values.shape}", "an array (runs, records)")
    if times.shape != values.shape[1:] or not (np.diff(times) > 0).all():
        raise InputError(
            "steps", f"shape {times.shape}", f"{values.shape[1]} increasing steps, one per record"
        )
    if (values < 0).any():
        raise InputError("loss", values[values < 0][0], "losses of at least 0")
    for name, value, most in (("confidence", confidence, 1), ("transient", transient, 1)):
        if not 0 <= value < most:
            raise InputError(name, value, "a number of at least 0, below 1")
    if not floor >= 0:
        raise InputError("floor", floor, "a number of at least 0")
    return values, times

r"""Whoever bets on a bounded number of known mean cannot expect to win, whenever they stop.

Numbers Y_1, Y_2, ... come one after another. Before Y_k is seen its least and largest value, a <= b,
are known, and the null says that given everything seen before (F_{k-1})

    | E[Y_k | F_{k-1}] - m_k | <= room_k,          a_k <= Y_k <= b_k.

A bet l_k is any function of what F_{k-1} knows. The capital of a gambler who starts with 1,

    K_k = K_{k-1} (1 + l_k (Y_k - m_k) - |l_k| room_k),

is then a supermartingale under the null: E[K_k | F_{k-1}] <= K_{k-1}, because l_k (E Y_k - m_k) is at
most |l_k| room_k. It stays positive if

    -c/(b_k - m_k) <= l_k <= c/(m_k - a_k),   c <= 1/2,

since then l_k (Y_k - m_k) >= -c, and the charge for room is at most c/64 once both gaps are taken to be
at least 64 rooms. (Where b_k - a_k is below that there is nothing to bet on and l_k = 0.) A mean of
such capitals with weights fixed beforehand is another one, so a mixture over bets of both signs looks
both ways. Ville's inequality (1939) bounds it at all times together,

    P( K_k >= 1/alpha for some k ) <= alpha,

and K at any stopping time is an *e-value*: its expectation is at most 1, whatever the sample size and
however the decision to stop was made. No normal approximation, no variance, no fixed length enters.

Rounding. A computed Y' differs from Y by at most what its maker puts into `room`. Y' is clipped to an
interval half as wide again on either side of m, which holds [a, b] and brings it no further from Y,
so its mean is within room and every factor stays above 1 - 3c/2 - c/64, whatever a simulator that
breaks the null hands in. (To clip at a and b themselves would hide values that should not exist.)

Bets. Each is a constant c = 2^-1, ..., 2^-7 of the largest bet allowed, times a sign, times a signal in
[-1, 1] that is known beforehand. With z = (Y - m)/max(m - a, b - m), and numbers arriving step by step,
within a step run by run, the signals are

- steady: 1. A wrong mean (step size, radius, weights, sampler, memory).
- refrain: z of the same run j steps before, j <= 128 the lag whose products z_t z_{t-j} summed to most
  (in size) over all runs until the step before. Steps that repeat, or depend on, earlier ones.
- herd: the sum of z over earlier runs of this step, clipped. Runs that depend on each other.

A second number made of the same draw, with a mean and bounds of its own, may be bet on beside it
(the squares (Y - m)^2: another sampler can keep the mean and change the spread). It joins the mixture
with the steady signal.

A constant shift D of the mean, with variance s^2, makes the best constant bet grow by about D^2/(2 s^2)
a number; the mixture pays log 56 = 4 once. See Waudby-Smith & Ramdas 2024, Ramdas et al. 2023.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from theory.core import InputError
from theory.moments import EPS

SHARES = 0.5 ** np.arange(1, 8)  # c: 1/2 keeps capital above 1/2 a bet; below 2^-7 nothing is won
REACH = 1.5  # gaps from the mean within which values are taken as they are; 1/c would be ruin
GAP = 64  # rooms that a gap is taken to have at least
LAGS = 128  # the longest repetition that is looked for


@dataclass(frozen=True)
class Bounded:
    """Numbers with what was known of each beforehand; all arrays are (steps, runs).

    `values` in [least, most] with mean within `room` of `means`, rounding of `values` included. NaN
    is a number that the null has no place for. Where `live` is False nothing is bet; whether it is
    must be known beforehand.
    """

    values: np.ndarray
    means: np.ndarray
    least: np.ndarray
    most: np.ndarray
    room: np.ndarray
    live: np.ndarray

    def __post_init__(self) -> None:
        shape = np.shape(self.values)
        for name in ("means", "least", "most", "room", "live"):
            if np.shape(getattr(self, name)) != shape or len(shape) != 2:
                found = np.shape(getattr(self, name))
                raise InputError(name, f"shape {found}", f"(steps, runs), as values {shape}")
        known = (self.least <= self.means) & (self.means <= self.most) & (self.room >= 0)
        if not (known | ~self.live).all():
            raise InputError("means", "outside [least, most]", "means between their bounds")


def log_capital(*seen: Bounded) -> np.ndarray:
    """Logarithm of the mixture's capital after each number, (steps * runs,), runs within steps.

    Several `seen` are several numbers made of one draw each, in the same order; all but the first are
    bet on steadily alone. Infinite from the first live NaN on: under the null that never happens.
    """
    logs, count = np.full(np.size(seen[0].values), -np.inf), 0
    for index, numbers in enumerate(seen):
        for won in _outcomes(numbers, all_signals=index == 0):
            for share in SHARES:
                logs = np.logaddexp(logs, np.cumsum(np.log1p(share * won)))
                count += 1
    logs -= np.log(count)
    lost = (seen[0].live & np.isnan(seen[0].values)).ravel()
    if lost.any():
        logs[lost.argmax() :] = np.inf
    return logs


def _outcomes(seen: Bounded, *, all_signals: bool) -> Iterator[np.ndarray]:
    """What each bet at c = 1 wins, number by number: above -2, so that c <= 1/2 leaves something."""
    spread = seen.most - seen.least
    floor = np.maximum(GAP * seen.room, EPS * spread)  # the second where there is no room at all
    below = np.maximum(seen.means - seen.least, floor)
    above = np.maximum(seen.most - seen.means, floor)
    worth = seen.live & (spread > GAP * seen.room)
    off = np.where(worth & ~np.isnan(seen.values), seen.values - seen.means, 0.0)
    off = np.clip(off, -REACH * below, REACH * above)
    z = np.divide(off, np.maximum(below, above), out=np.zeros_like(off), where=worth)
    for signal in _signals(np.clip(z, -1, 1)) if all_signals else [np.ones_like(z)]:
        for direction in (signal, -signal):
            gain, loss = _unit(direction, below, worth), _unit(-direction, above, worth)
            charge = np.where(worth, (gain + loss) * seen.room, 0.0)
            yield ((gain - loss) * off - charge).ravel()


def _unit(signal: np.ndarray, gap: np.ndarray, where: np.ndarray) -> np.ndarray:
    """The bet at c = 1 on the side of the signal's sign, 0 on the other."""
    return np.divide(np.maximum(signal, 0), gap, out=np.zeros_like(gap), where=where)


def _signals(z: np.ndarray) -> Iterator[np.ndarray]:
    """Signals (steps, runs) in [-1, 1], each a function of the z that arrived before."""
    yield np.ones_like(z)
    yield _refrain(z)
    yield np.clip(np.cumsum(z, axis=1) - z, -1, 1)


def _refrain(z: np.ndarray) -> np.ndarray:
    """z at the lag that repeated most until the step before, in the same run."""
    steps, lags = len(z), np.arange(1, min(LAGS, len(z) - 1) + 1)
    score = np.zeros((steps + 1, len(lags)))  # row t: what is known before step t
    for k, lag in enumerate(lags):
        score[lag + 1 :, k] = np.cumsum(np.einsum("tr,tr->t", z[lag:], z[:-lag]))
    found = np.zeros_like(z)
    for t in range(1, steps):
        found[t] = z[t - lags[np.abs(score[t, :t]).argmax()]]
    return found


def stopped(logs: np.ndarray, level: float) -> float:
    """log of the e-value of who stops once the capital reaches 1/level, or else at the end."""
    reached = logs >= -np.log(level)
    return float(logs[reached.argmax() if reached.any() else -1]) if len(logs) else 0.0


def first_reached(logs: np.ndarray, level: float) -> int | None:
    """How many numbers it took until the capital reached 1/level; None if it never did."""
    reached = logs >= -np.log(level)
    return int(reached.argmax()) + 1 if reached.any() else None

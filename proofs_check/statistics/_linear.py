r"""One step of SGD or USAM on a quadratic is z+ = Phi_S z, and ||z+||^2/||z||^2 has a known mean.

With x+ = (1 + m) x - m x_before - eta (A_S + w) x (PyTorch's momentum m and decay w; x_before = x at
the first step) z is (x, x_before), or x alone without momentum. Given the past, u = z/||z|| is
known, and Y = ||Phi_S u||^2 takes finitely many values, one a batch:

    E[Y | past] = u'E[Phi'Phi]u = sum_S p_S ||Phi_S u||^2,
    min_S ||Phi_S u||^2 <= Y <= max_S ||Phi_S u||^2 <= max_S ||Phi_S||^2.

**The null.** At every step, given all that happened before in all runs, the batches of the runs are
independent of each other, each has the stated law p up to `drawn` in total variation, and the state
becomes Phi_S z up to rounding. (So |E Y - mean| <= drawn (max - min) + rounding: the `room` of a
bet.) Batches made by a counting hash are no random numbers; the null is that they behave as if they
were.

The A_S and p come from `theory.stability.operator`, not from the simulator's code: they are what it
is compared with.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from proofs_check.statistics._e_process import Bounded
from theory.core import InputError
from theory.moments import EPS
from theory.stability.operator import step_matrices

IN_RANGE = 1e-100, 1e100  # norms whose squares, times EPS, neither vanish nor overflow
# Roundings of a step, for each of D entries: a few products of length D and B, a root, a quotient.
# Generous, because `drawn` is a thousand times more.
ROUNDINGS = 1024


@dataclass(frozen=True)
class LinearLaw:
    """Chances (m,) of step matrices (m, D, D), acting on (x, x_before) where D = 2d, on x where D = d.

    `drawn` bounds the total variation between the chances and the law that is really drawn from.
    """

    chances: np.ndarray
    steps: np.ndarray
    dimension: int
    drawn: float = 0.0


def linear_law(
    hessians: Any,
    weights: Any,
    *,
    lr: float,
    rho: float = 0.0,
    momentum: float | None = None,
    weight_decay: float = 0.0,
    batch: int = 1,
    sampling: Any = "with",
    ascent: Any = "shared",
    drawn: float = 0.0,
) -> LinearLaw:
    """The law of one step for H_i (n, d, d) and weights (n,). Raises `InputError`."""
    chances, A = step_matrices(
        np.asarray(hessians), weights, rho=rho, batch=batch, sampling=sampling, ascent=ascent
    )
    one = np.eye(A.shape[-1])
    kept = one - lr * (A + weight_decay * one)
    if momentum is None:
        return LinearLaw(chances, kept, len(one), drawn)
    before = np.broadcast_to(one, A.shape)
    blocks = [[kept + momentum * one, -momentum * before], [before, 0 * before]]
    return LinearLaw(chances, np.block(blocks), len(one), drawn)


def sampler_distance(n: int, batch: int) -> float:
    """What `sims._draw` promises: a sample's chance, or a rank's, is off by at most (n + 1)/2^32.

    Half the sum over n of them for one draw, and B times that for a batch.
    """
    return batch * n * (n + 1) / 2**33


def ratios(law: LinearLaw, path: np.ndarray, *, held: float = 0.0) -> tuple[Bounded, Bounded]:
    """Y of every step of iterates x (steps + 1, runs, d), and (Y - E Y)^2, to bet on.

    `held` is the error of an iterate relative to the largest of its run so far, where a simulator
    holds sums that may cancel; in one dimension, since directions are taken as they are. Bets on a
    run end for good before the first step that begins outside the range of numbers. Raises
    `InputError`.
    """
    x = np.asarray(path, dtype=np.float64)
    if x.ndim != 3 or x.shape[2] != law.dimension or len(x) < 2:
        allowed = f"iterates (steps + 1, runs, {law.dimension}), one step at least"
        raise InputError("path", f"shape {x.shape}", allowed)
    z, size, live = _states(law, x)
    before = np.where(live, size[:-1], 1.0)
    u = np.where(live[:, :, None], z[:-1], 0.0) / before[:, :, None]
    with np.errstate(over="ignore", invalid="ignore"):
        values = (size[1:] / before) ** 2
    squares = (np.einsum("mij,trj->trmi", law.steps, u) ** 2).sum(3)
    first = _bounded(values, squares, law.chances, live)
    terms = 1 + np.abs(law.steps - np.eye(z.shape[2])).sum(2).max()
    largest = np.maximum.accumulate(np.where(live, before, 0), axis=0)
    step = (ROUNDINGS * z.shape[2] * EPS + 2 * held * largest / before) * terms
    spread = first.most - first.least
    room = (2 * np.sqrt(first.most) + step) * step + ROUNDINGS * EPS * first.most
    room = room + law.drawn * spread
    away = (squares - first.means[:, :, None]) ** 2
    with np.errstate(over="ignore", invalid="ignore"):
        second = _bounded((values - first.means) ** 2, away, law.chances, live)
    # Y - mean errs by at most two rooms, and is at most the spread; `drawn` is in a room already.
    return replace(first, room=room), replace(second, room=5 * spread * room + 4 * room**2)


def _states(law: LinearLaw, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """States z (steps + 1, runs, D), their norms, and which steps (steps, runs) may be bet on."""
    z = x
    if law.steps.shape[1] > law.dimension:
        z = np.concatenate([x, np.concatenate([x[:1], x[:-1]])], axis=2)
    with np.errstate(over="ignore", invalid="ignore"):
        size = np.linalg.norm(z, axis=2)
    inside = (size[:-1] > IN_RANGE[0]) & (size[:-1] < IN_RANGE[1])
    return z, size, np.logical_and.accumulate(inside, axis=0)


def _bounded(
    values: np.ndarray, each: np.ndarray, chances: np.ndarray, live: np.ndarray
) -> Bounded:
    """Numbers that take the values `each` (steps, runs, m) with these chances."""
    least, most = each.min(2), each.max(2)
    means = np.clip(each @ chances, least, most)  # a mean of equal numbers rounds past them
    return Bounded(values, means, least, most, np.zeros_like(means), live)

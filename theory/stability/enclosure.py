"""Where each critical step certainly lies, whatever rounding did, for x+ = (I - eta A_S) x.

The chain 2/max lambda_max(A_S) <= one-step <= mean-square <= mean = 2/lambda_max(E A_S) holds for
any sampler and ascent, so its two ends bound every enclosure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from theory.core import Notion
from theory.moments import EPS, door_tolerance, rank_tolerance
from theory.stability.operator import quotient
from theory.stability.threshold import CriticalSteps, almost_sure_rate


@dataclass(frozen=True)
class Enclosure:
    """A number known to lie in [lower, upper]."""

    lower: float
    upper: float

    def allows(self, value: float) -> bool | None:
        """Whether value <= the number; None where the enclosure cannot tell."""
        if value <= self.lower:
            return True
        return False if value > self.upper else None


def critical_enclosures(
    p: np.ndarray,
    A: np.ndarray,
    steps: CriticalSteps,
    *,
    ceiling: float,
    counted: float,
    dropped: float,
) -> dict[Notion, Enclosure]:
    """An enclosure of every critical step in `steps`, those of the law p (m,), A (m, d, d).

    No A_S has an eigenvalue above `ceiling`; `counted` EPS is the relative error, in the norm, that
    input, batches and probabilities may carry, `dropped` what `dropped_share` says of the input. An
    edge is 2/mu with mu the largest <X, D X>/<X, C X>. With error e = counted EPS, D errs by
    2e E||A_S||^2, at most 2re ||D|| in rank r, and C by e ||C||. As ||D|| <= mu ||C|| and
    C >= lambda_min(A), mu errs by at most (2r + 1) e cond(A), relatively; 4r leaves room for the
    change of basis, 8 dropped shares for their coupling (its square is what counts). The
    eigensolver adds EPS times its size, r(r+1)/2, for which 4 leaves room.
    """
    lam, r = quotient(p, A)[1], A.shape[-1]
    if len(lam) == 0:
        everywhere = Enclosure(math.inf, math.inf)
        return dict.fromkeys((Notion.ONE_STEP, Notion.MEAN_SQUARE, Notion.MEAN), everywhere)
    dropped = max(dropped, dropped_share(p, A))
    base = 4 * r * counted * EPS
    per_condition = base + 4 * r * 8 * dropped
    room = per_condition * lam[-1] / lam[0] + 2 * r * (r + 1) * EPS
    floor, top = 2 / ceiling / (1 + base), steps.mean * (1 + base)

    def around(edge: float) -> Enclosure:
        upper = edge / (1 - room) if room < 1 else math.inf
        return Enclosure(float(max(edge / (1 + room), floor)), float(min(upper, top)))

    return {
        Notion.ONE_STEP: around(steps.one_step),
        Notion.MEAN_SQUARE: around(steps.mean_square),
        Notion.MEAN: Enclosure(float(steps.mean / (1 + base)), float(top)),
    }


def dropped_share(p: np.ndarray, A: np.ndarray) -> float:
    """The largest share of an A_S's trace that `quotient` drops; infinite if not mere rounding.

    It drops directions whose *mean* curvature is rounding; a heavy sample of tiny weight may still
    curve them, and then only the chain of the four edges can be trusted.
    """
    full, kept = (np.trace(part, axis1=1, axis2=2) for part in (A, quotient(p, A)[2]))
    share = float(((full - kept) / np.where(full > 0, full, 1)).max())
    return max(share, 0.0) if share <= rank_tolerance(A.shape[-1]) else math.inf


def exponent_enclosure(p: np.ndarray, A: np.ndarray, eta: float) -> Enclosure:
    """The top Lyapunov exponent at step eta, with an allowance of 64 d EPS for rounding.

    A step that is singular up to rounding leaves no lower bound.
    """
    lower, upper = almost_sure_rate(p, A, eta)
    size = A.shape[-1]
    factors = np.abs(np.linalg.eigvalsh(np.eye(size) - eta * A))
    if size and (factors.min(axis=1) <= door_tolerance(size) * factors.max(axis=1)).any():
        lower = -math.inf
    slack = 64 * max(size, 1) * EPS
    return Enclosure(lower - slack, upper + slack)

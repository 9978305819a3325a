"""What an optimizer under test is told, and where it asked: every gradient it sees comes from here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from proofs_check.conform.adapters import Session

Gradient = Callable[[np.ndarray], np.ndarray]
SHAPES = ((2, 3), (4,))  # two tensors: a norm over both differs from a norm for each
SIZE = 10
LR, RHO = 0.07, 0.13  # lr, rho, their squares, product and ratio are all different


@dataclass
class Minibatch:
    """The mean of its samples' gradients (d,) -> (d,), remembering every point it was asked at."""

    parts: Sequence[Gradient]
    points: list[np.ndarray] = field(default_factory=list)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        self.points.append(x.copy())
        return sum((part(x) for part in self.parts), np.zeros_like(x)) / len(self.parts)


@dataclass(frozen=True)
class Update:
    """One update, vectors (d,): x before and after, the gradients it was told at x and elsewhere,
    and the points away from x where it asked, in order.
    """

    before: np.ndarray
    after: np.ndarray
    first: np.ndarray
    second: np.ndarray
    points: list[np.ndarray]


def update(session: Session, first: np.ndarray, second: np.ndarray | None = None) -> Update:
    """Let it make one update on made-up gradients: `first` at x, `second` wherever else it asks.

    At points that are not finite a gradient is not, either.
    """
    x = session.x.copy()
    away = first if second is None else second
    batch = Minibatch([lambda p: first if np.array_equal(p, x) else away + 0 * p])
    session.step(batch)
    points: list[np.ndarray] = []
    for point in batch.points:
        if not any(np.array_equal(point, known) for known in (x, *points)):
            points.append(point)
    return Update(x, session.x.copy(), first, away, points)


def fit(columns: Sequence[np.ndarray], target: np.ndarray) -> tuple[np.ndarray, float]:
    """Least-squares coefficients of `target` (m,) on columns (m,), and the relative residual.

    The residual is infinite where anything is not finite.
    """
    X = np.column_stack(columns)
    if not (np.isfinite(X).all() and np.isfinite(target).all()):
        return np.full(X.shape[1], np.nan), np.inf
    found = np.linalg.lstsq(X, target)[0]
    return found, distance(X @ found, target)


def distance(found: np.ndarray, expected: np.ndarray) -> float:
    """||found - expected|| / ||expected||; 0 where both are zero."""
    gap = np.linalg.norm(found - expected)
    return 0.0 if gap == 0 else float(gap / np.linalg.norm(expected))

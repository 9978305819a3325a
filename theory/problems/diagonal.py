r"""A diagonal linear network regresses with $u \circ u - v \circ v$ in place of its coefficients.

$f_i(u, v) = (a_i \cdot (u \circ u - v \circ v) - y_i)^2 / 2$ from $u = v = \alpha 1$. Small
$\alpha$ makes gradient descent prefer sparse solutions, large $\alpha$ those of least squares
(Woodworth et al. 2020).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from theory.core import Probes
from theory.doors import labelled, normalised, number, whole
from theory.problems import _data
from theory.problems._oracle import Minibatch, minibatch, namespace


@dataclass(frozen=True)
class Diagonal:
    """f_i on `rows` (n, d), `targets` (n,), drawn by `weights` (n,); x = (u, v), started at alpha.

    Nothing is checked here, because JAX rebuilds this class from tracers; people come in through
    `diagonal`.
    """

    rows: Any
    targets: Any
    weights: Any
    alpha: Any = 0.1

    @property
    def dimension(self) -> int:
        """2 d, the length of (u, v)."""
        return 2 * self.rows.shape[-1]

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """u, then v."""
        return [(self.rows.shape[-1],)] * 2

    @property
    def samples(self) -> tuple[Any, ...]:
        """Row and target."""
        return self.rows, self.targets

    def losses(self, x: Any, rows: Any, targets: Any) -> Any:
        """(B,), half the squared residuals."""
        return (rows @ self.coefficients(x) - targets) ** 2 / 2

    def gradient(self, x: Any, shares: Any, rows: Any, targets: Any) -> Any:
        """(2 u b, -2 v b) with b (d,) the gradient in the coefficients."""
        back = (shares * (rows @ self.coefficients(x) - targets)) @ rows
        xp = namespace(x, back)
        return 2 * x * xp.concatenate([back, -back])

    def coefficients(self, x: Any) -> Any:
        """u u - v v (d,), what the rows are multiplied by."""
        u, v = x[: x.shape[0] // 2], x[x.shape[0] // 2 :]
        return u * u - v * v

    def oracle(self, batch: Any = None, probes: Probes | None = None) -> Minibatch:
        """The mean loss over the indices `batch` (B,); None: the weighted mean."""
        return minibatch(self, batch, probes)

    def start(self, rng: np.random.Generator) -> np.ndarray:
        """Every entry alpha, so that the coefficients start at 0: the same for all runs."""
        return np.full(self.dimension, float(self.alpha))


def diagonal(rows: Any, targets: Any, weights: Any = None, alpha: Any = 0.1) -> Diagonal:
    """A checked `Diagonal` on `rows` (n, d) and `targets` (n,), started at `alpha` > 0.

    `weights` (n,) are positive, need not sum to one and default to equal ones. Raises `InputError`.
    """
    A, y = labelled(rows, targets)
    return Diagonal(A, y, normalised(weights, len(A)), number(alpha, "alpha", above=0))


def generate(
    *,
    seed: int = 0,
    n: int = 16,
    d: int = 32,
    nonzeros: int = 3,
    alpha: float = 0.1,
    noise: float = 0.0,
    weights: Any = None,
) -> Diagonal:
    """n standard normal rows in d dimensions whose targets depend on few of them.

    y_i = a_i . b + noise N(0, 1), where `nonzeros` coefficients of b, which ones is random, are
    1/sqrt(nonzeros) and the others 0, so that |b| = 1. Raises `InputError` naming the setting.
    """
    size = whole(d, "d")
    few = whole(nonzeros, "nonzeros", 1, size)
    rows = _data.gaussian(_data.stream(seed, "inputs"), whole(n, "n"), size)
    truth = np.zeros(size)
    truth[_data.stream(seed, "truth").permutation(size)[:few]] = few**-0.5
    targets = _data.blurred(rows @ truth, noise, 0, _data.stream(seed, "noise"))
    return diagonal(rows, targets, weights, alpha)

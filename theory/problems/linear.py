"""Linear least squares: a linear model fits numbers, f_i(x) = (a_i . x - y_i)^2 / 2.

The per-sample Hessians a_i a_i' have rank one, and gradients are combinations of the rows a_i, so
everything that happens depends on the Gram matrix and the start alone. With more parameters than
samples the model interpolates, whatever the noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from theory.core import InputError, Probes
from theory.doors import choice, labelled, normalised, real, whole
from theory.problems import _data
from theory.problems._oracle import Minibatch, minibatch


@dataclass(frozen=True)
class Linear:
    """f(x) = sum_i w_i (a_i . x - y_i)^2 / 2 on `rows` (n, d), `targets` (n,), `weights` (n,).

    Nothing is checked here, because JAX rebuilds this class from tracers; people come in through
    `linear`.
    """

    rows: Any
    targets: Any
    weights: Any

    @property
    def dimension(self) -> int:
        """d, the length of x."""
        return self.rows.shape[-1]

    @property
    def samples(self) -> tuple[Any, ...]:
        """Row and target."""
        return self.rows, self.targets

    def losses(self, x: Any, rows: Any, targets: Any) -> Any:
        """(B,), half the squared residuals."""
        return (rows @ x - targets) ** 2 / 2

    def gradient(self, x: Any, shares: Any, rows: Any, targets: Any) -> Any:
        """Residuals times rows; one sample costs two passes over its row."""
        return (shares * (rows @ x - targets)) @ rows

    def oracle(self, batch: Any = None, probes: Probes | None = None) -> Minibatch:
        """The mean loss over the indices `batch` (B,); None: the weighted mean."""
        return minibatch(self, batch, probes)

    def gram(self) -> Any:
        """X X' (n, n), all that stability and dynamics see of the rows."""
        return self.rows @ self.rows.T

    def solution(self, x0: Any = None) -> np.ndarray:
        """The minimiser (d,) nearest to `x0` (d,), by default to 0: where SGD from x0 would stop.

        It interpolates where the rows are linearly independent.
        """
        start = np.zeros(self.dimension) if x0 is None else real(x0, "x0", "a real vector (d,)", 1)
        if len(start) != self.dimension:
            raise InputError("x0", f"shape {start.shape}", f"({self.dimension},)")
        root = np.sqrt(self.weights)
        residuals = root * (self.targets - self.rows @ start)
        return start + np.linalg.lstsq(root[:, None] * self.rows, residuals)[0]

    def start(self, rng: np.random.Generator) -> np.ndarray:
        """x_0 from N(0, I/d), of mean square length 1."""
        return rng.normal(size=self.dimension) / self.dimension**0.5


def linear(rows: Any, targets: Any, weights: Any = None) -> Linear:
    """A checked `Linear` on `rows` (n, d) and `targets` (n,).

    `weights` (n,) are positive, need not sum to one and default to equal ones. Raises `InputError`.
    """
    A, y = labelled(rows, targets)
    return Linear(A, y, normalised(weights, len(A)))


def generate(
    *,
    seed: int = 0,
    n: int | None = None,
    d: int | None = None,
    data: str = "gaussian",
    condition: float = 1.0,
    noise: float = 0.0,
    weights: Any = None,
) -> Linear:
    """A random regression problem, or one on scikit-learn's bundled data.

    - "gaussian": n = 16 rows in d = 32 dimensions from N(0, diag(l)), l falling geometrically from
      1 to 1/condition; targets a_i . x + noise N(0, 1) with x from N(0, I/d).
    - "digits": n of 1797 images, d = 64; is the digit even (+1) or odd (-1)? `noise` is the
      fraction of labels flipped.
    - "diabetes": n of 442 patients, d = 10; progression, standardised, + noise N(0, 1).

    Raises `InputError` naming the setting.
    """
    if choice(data, "data", ("gaussian", *_data.BUNDLED)) == "gaussian":
        size, width = whole(16 if n is None else n, "n"), whole(32 if d is None else d, "d")
        rows = _data.gaussian(_data.stream(seed, "inputs"), size, width, condition)
        answers = rows @ _data.stream(seed, "truth").normal(size=width) / width**0.5
    else:
        for field, value, free in (("d", d, None), ("condition", condition, 1.0)):
            if value != free:
                raise InputError(field, value, f"nothing with data = {data!r}, which fix it")
        rows, answers = _data.shuffled(data, seed, n)
        if data == "digits":
            answers = answers % 2
    targets = _data.blurred(answers, noise, 2, _data.stream(seed, "noise"))
    return linear(rows, _data.encoded(targets, 1), weights)

r"""A matrix is written as a product of two: a two-layer linear network learns $W_2 W_1 = M$.

A sample is an input $z$ and what is seen of $M z$: its loss is $|s \circ (W_2 W_1 z - b)|^2 / 2$,
with $s$ the 0/1 pattern of seen entries. Three kinds of samples are in use:

- whole columns of $M$ (unit vectors $z$, the same as whitened inputs): the mean loss is
  $\|W_2 W_1 - M\|_F^2$ over twice the number of columns;
- random inputs, n of them, fixed (Vaswani et al. 2019, who vary the inner width);
- single entries, which is matrix completion.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from theory.core import InputError, Probes
from theory.doors import choice, normalised, number, real, whole
from theory.problems import _data
from theory.problems._oracle import Minibatch, minibatch, namespace

SEEN = ("columns", "gaussian", "entries")


@dataclass(frozen=True)
class MatrixFactorization:
    """`inputs` (n, columns), `targets` (n, rows), the 0/1 pattern `seen` (n, rows), `weights` (n,).

    x is W1 (width, columns) row by row, then W2 (rows, width). `scale` multiplies a random start.
    Nothing is checked here, because JAX rebuilds this class from tracers; people come in through
    `matrix_factorization`.
    """

    inputs: Any
    targets: Any
    seen: Any
    weights: Any
    scale: Any
    width: int = field(metadata={"static": True})  # a shape: no array of the data knows it

    @property
    def dimension(self) -> int:
        """width (columns + rows), the length of the parameter vector."""
        return self.width * (self.inputs.shape[-1] + self.targets.shape[-1])

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """W1, then W2."""
        return [(self.width, self.inputs.shape[-1]), (self.targets.shape[-1], self.width)]

    @property
    def samples(self) -> tuple[Any, ...]:
        """Input, target and what is seen of it."""
        return self.inputs, self.targets, self.seen

    def factors(self, x: Any) -> tuple[Any, Any]:
        """W1 (width, columns) and W2 (rows, width)."""
        (_, columns), (rows, _) = self.shapes
        end = self.width * columns
        return x[:end].reshape(self.width, columns), x[end:].reshape(rows, self.width)

    def outputs(self, x: Any, inputs: Any) -> Any:
        """(B, rows), W2 W1 z."""
        first, second = self.factors(x)
        return inputs @ first.T @ second.T

    def losses(self, x: Any, inputs: Any, targets: Any, seen: Any) -> Any:
        """(B,), half the squared length of what is seen of the residual."""
        return ((seen * (self.outputs(x, inputs) - targets)) ** 2).sum(-1) / 2

    def gradient(self, x: Any, shares: Any, inputs: Any, targets: Any, seen: Any) -> Any:
        """W2' R Z' for W1 and R Z' W1' for W2, R the seen residuals times their shares."""
        first, second = self.factors(x)
        hidden = inputs @ first.T
        pulls = shares[:, None] * seen * (hidden @ second.T - targets)
        parts = [(pulls @ second).T @ inputs, pulls.T @ hidden]
        return namespace(*parts).concatenate([part.ravel() for part in parts])

    def oracle(self, batch: Any = None, probes: Probes | None = None) -> Minibatch:
        """The mean loss over the indices `batch` (B,); None: the weighted mean."""
        return minibatch(self, batch, probes)

    def start(self, rng: np.random.Generator) -> np.ndarray:
        """Entries of W1 from N(0, 1/columns), of W2 from N(0, 1/width), all times scale."""
        return self.scale * np.concatenate(
            [(rng.normal(size=shape) / shape[1] ** 0.5).ravel() for shape in self.shapes]
        )


def matrix_factorization(
    inputs: Any, targets: Any, width: int, seen: Any = None, weights: Any = None, scale: Any = 1.0
) -> MatrixFactorization:
    """A checked `MatrixFactorization` on `inputs` (n, columns) and `targets` (n, rows).

    `seen` (n, rows) holds 1 where a target counts and 0 elsewhere; None means all count. `weights`
    (n,) are positive, need not sum to one and default to equal ones. Raises `InputError`.
    """
    Z = real(inputs, "inputs", "a real array (n, columns), no axis empty", 2)
    B = real(targets, "targets", "a real array (n, rows), no axis empty", 2)
    if len(B) != len(Z):
        raise InputError("targets", f"shape {B.shape}", f"({len(Z)}, rows), one row per input")
    allowed = f"zeros and ones, shape {B.shape}"
    S = np.ones(B.shape) if seen is None else real(seen, "seen", allowed, 2)
    if S.shape != B.shape:
        raise InputError("seen", f"shape {S.shape}", allowed)
    if not np.isin(S, (0, 1)).all():
        raise InputError("seen", "other numbers", allowed)
    size = number(scale, "scale")
    return MatrixFactorization(Z, B, S, normalised(weights, len(Z)), size, whole(width, "width"))


def generate(
    *,
    seed: int = 0,
    rows: int = 4,
    columns: int = 6,
    rank: int = 2,
    width: int = 4,
    seen: str = "columns",
    n: int | None = None,
    condition: float = 1.0,
    noise: float = 0.0,
    scale: float = 1.0,
    weights: Any = None,
) -> MatrixFactorization:
    """A random M (rows, columns) of that rank, its singular values from 1 down to 1/condition.

    Its singular vectors are uniform, its singular values fall geometrically. The samples: all
    columns; n inputs from N(0, I) with seen = "gaussian" (default 4 columns' worth); or n distinct
    entries with seen = "entries" (default all). What is seen has errors noise N(0, 1). Raises
    `InputError` naming the setting.
    """
    r, c = whole(rows, "rows"), whole(columns, "columns")
    k = whole(rank, "rank", 1, min(r, c))
    spread = np.geomspace(1, 1 / number(condition, "condition", least=1), k)
    draw = _data.stream(seed, "truth")
    left, right = (np.linalg.qr(draw.normal(size=(size, k)))[0] for size in (r, c))
    inputs, pattern = _inputs(choice(seen, "seen", SEEN), n, r, c, _data.stream(seed, "inputs"))
    exact = inputs @ (right * spread) @ left.T
    targets = _data.blurred(exact, noise, 0, _data.stream(seed, "noise"))
    return matrix_factorization(inputs, targets, width, pattern, weights, scale)


def _inputs(
    seen: str, n: Any, rows: int, columns: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (n, columns) and the pattern (n, rows) of what is seen behind them."""
    if seen == "columns":
        if n is not None:
            raise InputError("n", n, "nothing with seen = 'columns': there are as many as columns")
        return np.eye(columns), np.ones((columns, rows))
    if seen == "gaussian":
        count = whole(4 * columns if n is None else n, "n")
        return rng.normal(size=(count, columns)), np.ones((count, rows))
    count = whole(rows * columns if n is None else n, "n", 1, rows * columns)
    row, column = np.divmod(rng.permutation(rows * columns)[:count], columns)
    return np.eye(columns)[column], np.eye(rows)[row]

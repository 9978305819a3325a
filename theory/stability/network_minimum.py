"""At a minimum of a network the law of SGD needs the samples' Gauss-Newton factors, and no more.

`NetworkMinimum` holds them as NumPy arrays, says how far the point is from an interpolating minimum
and how much of the Hessian the factors leave out. What computes them: `theory.stability.network`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse.linalg import eigsh

from theory.stability.gain import symmetric_operator

if TYPE_CHECKING:
    from theory.stability.report import StabilityReport

# Of the outputs' scale. What is neglected at interpolation (gradients, residual times second
# derivative) is proportional to it; networks trained in single precision get to 1e-4 or so.
LARGEST_SHIFT = 1e-3
# Mean gradient over root mean square of the samples' own. In t steps the mean moves the iterate by t
# times its size, the noise by sqrt(t) times its own: the noise leads for a million steps.
LARGEST_DRIFT = 1e-3
DENSE = 100  # up to this size all columns cost no more than Lanczos' products do
EIGENVALUE = 1e-6  # relative; six digits are more than a ratio of curvatures is read to


class NotInterpolating(UserWarning):
    """Some sample's gradient is not zero, so that SGD does not come to rest here."""


class NotAMinimum(NotInterpolating):
    """The mean gradient is not zero: the mean loss has no minimum here."""


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkMinimum:
    """n samples, k outputs, P parameters: H_i = F_i'F_i, and gradients g_i = F_i'w_i.

    Of `full` (n, k, P), the F_i, and `block_gram` (n k, n k), their rows' inner products, one is
    None. `residuals` (n, k) are the w_i; `weights` (n,) sum to one. `output_shifts` (n,), in units
    of the outputs, is |g_i| |J_i| / lambda_max(H_i), J_i the outputs' Jacobian: the quadratic model
    of f_i is least at a distance of at least |g_i| / lambda_max(H_i), and |J_i| turns that into
    outputs. For squared loss it is |g_i| / sqrt(lambda_max(H_i)), at most the distance of outputs
    from targets. `scale` is the targets' root mean square (1 if they are zero), or 1 for logits.
    `left_out`, a `LinearOperator` (P, P), applies Hess f - mean H_i. Gradients have units of loss
    and factors of sqrt(loss) per unit of the parameters.
    """

    full: np.ndarray | None
    block_gram: np.ndarray | None
    residuals: np.ndarray
    weights: np.ndarray
    gradient_norms: np.ndarray
    mean_gradient_norm: float
    output_shifts: np.ndarray
    scale: float
    left_out: Any

    @cached_property
    def factors(self) -> np.ndarray:
        """(n, k, P), or (n, k, r) in r coordinates in which all inner products are the same.

        The latter where only the Gram matrix was kept: K = U diag(l) U' has the rows of
        U sqrt(diag(l)). Eigenvalues below rounding of K are dropped.
        """
        if self.full is not None:
            return self.full
        values, vectors = np.linalg.eigh(self.gram)
        kept = values > len(values) * np.finfo(float).eps * max(values[-1], 0.0)
        root = vectors[:, kept] * np.sqrt(values[kept])
        return root.reshape(*self.residuals.shape, -1)

    @property
    def jacobian(self) -> np.ndarray | None:
        """(n, P), one row for each sample, where there is one output; None where there are more."""
        return self.factors[:, 0] if self.residuals.shape[1] == 1 else None

    @cached_property
    def gram(self) -> np.ndarray:
        """(n k, n k): inner products of all rows of all factors; for k = 1 it is K = J J'."""
        if self.block_gram is not None:
            return self.block_gram
        rows = self.factors.reshape(self.residuals.size, -1)
        return rows @ rows.T

    @cached_property
    def gradients(self) -> np.ndarray:
        """(n, P), of the samples' losses, in the coordinates of `factors`."""
        return (self.residuals[:, None] @ self.factors)[:, 0]

    @property
    def interpolates(self) -> bool:
        """Whether every output shift is at most `LARGEST_SHIFT` of the scale.

        At a hard label cross-entropy has no finite minimum: gradient and curvature vanish at the
        same rate, and the shift stays about one logit however small the loss is.
        """
        return bool((self.output_shifts <= LARGEST_SHIFT * self.scale).all())

    @property
    def stationary(self) -> bool:
        """Whether it interpolates, or the samples' gradients cancel to `LARGEST_DRIFT` of them."""
        return self.interpolates or self.mean_gradient_norm <= LARGEST_DRIFT * self._noise

    @cached_property
    def sharpness(self) -> float:
        """a = lambda_max of mean H_i, to six digits."""
        roots = np.repeat(np.sqrt(self.weights), self.residuals.shape[1])
        if self.block_gram is not None:
            gram = self.block_gram
            return spectral_norm(
                symmetric_operator(len(gram), lambda v: roots * (gram @ (roots * v)))
            )
        rows = self.factors.reshape(len(roots), -1)
        if len(roots) <= rows.shape[1]:
            down = symmetric_operator(len(roots), lambda v: roots * (rows @ (rows.T @ (roots * v))))
            return spectral_norm(down)
        squares = roots**2
        return spectral_norm(
            symmetric_operator(rows.shape[1], lambda v: rows.T @ (squares * (rows @ v)))
        )

    @cached_property
    def beyond_gauss_newton(self) -> float:
        """The spectral norm of Hess f - mean H_i, which the factors leave out, to six digits."""
        return spectral_norm(self.left_out)

    @property
    def beyond_ratio(self) -> float:
        """`beyond_gauss_newton` over `sharpness`: the share of curvature the edges do not see."""
        left = self.beyond_gauss_newton
        return left / self.sharpness if self.sharpness else float("inf") if left else 0.0

    def arrays(self) -> dict[str, np.ndarray]:
        """What `flatproof stability` reads: `gram`, or `jacobian`, or `factors`, and beside it
        `weights` if they differ, `gradients` if it does not interpolate.

        A Gram matrix has no room for gradients: with them, `jacobian` in the coordinates of
        `factors` stands in for it.
        """
        if self.residuals.shape[1] > 1:
            found = {"factors": self.factors}
        elif self.block_gram is not None and self.interpolates:
            found = {"gram": self.gram}
        else:
            found = {"jacobian": self.factors[:, 0]}
        if not (self.weights == self.weights[0]).all():
            found["weights"] = self.weights
        if not self.interpolates:
            found["gradients"] = self.gradients
        return found

    def save(self, path: str | Path) -> None:
        """Write `arrays` to an npz file."""
        with Path(path).open("wb") as file:  # given a name, savez would add a suffix to it
            np.savez(file, **self.arrays())  # pyright: ignore[reportArgumentType]

    def stability(self, **settings: Any) -> StabilityReport:
        """`theory.stability.report.analyse` of these arrays; settings are its own."""
        from theory.stability.minimum import minimum
        from theory.stability.report import analyse

        return analyse(minimum(**self.arrays()), **settings)

    def complaint(self) -> NotInterpolating | None:
        """What keeps this from being an interpolating minimum, with numbers; None if nothing."""
        if self.interpolates:
            return None
        if not self.stationary:
            share = self.mean_gradient_norm / self._noise
            return NotAMinimum(
                f"not a minimum: the mean gradient is {self.mean_gradient_norm:.3g}, {share:.2g} of "
                f"the samples' own (root mean square {self._noise:.3g}; allowed: {LARGEST_DRIFT:g})"
            )
        return NotInterpolating(
            f"not interpolating: outputs are up to {self.output_shifts.max():.3g} from where their "
            f"sample's loss is least (allowed: {LARGEST_SHIFT * self.scale:.3g}); gradients are kept"
        )

    @property
    def _noise(self) -> float:
        """The root mean square of the samples' gradients."""
        return float(np.sqrt(self.weights @ self.gradient_norms**2))


def spectral_norm(operator: Any) -> float:
    """max |lambda| of a symmetric operator (N, N), by Lanczos on its square, to six digits.

    The square has its top where either end of the operator is, so that a tie between the two ends
    does not slow it down. Raises `scipy.sparse.linalg.ArpackNoConvergence` if it does not converge.
    """
    size = operator.shape[0]
    if size <= DENSE:
        return float(np.abs(np.linalg.eigvalsh(operator @ np.eye(size))).max())
    start = np.random.default_rng(0).normal(size=size)
    scale = np.linalg.norm(operator @ start) / np.linalg.norm(start)
    if scale == 0:  # with probability one it is the zero operator, at which ARPACK stops
        return 0.0
    # ARPACK's test is absolute below 1e-11, hence the scale
    square = symmetric_operator(size, lambda v: (operator @ (operator @ v)) / scale**2)
    how: dict[str, Any] = {"tol": EIGENVALUE, "return_eigenvectors": False}
    top = eigsh(square, k=1, which="LA", v0=start, **how)
    return float(scale * np.sqrt(top[0]))

r"""Where SGD hovers around a minimum that does not interpolate: its stationary covariance.

With per-sample gradients g_i left at x*, mean zero, x+ - x* = Phi (x - x*) - eta g_S, and x, Phi and
g_S are independent of the past, so S = T(S) + eta^2 p S_g, S_g = mean g_i g_i': without momentum and
decay (2 C - eta D) S = eta p S_g. In the terms of `theory.stability.response`, S = K o (D(S) + p S_g),
which conjugate gradients solve, as the loop gain is below 1 inside the mean-square critical step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse.linalg import cg

from theory.core import InputError
from theory.stability.gain import symmetric_operator
from theory.stability.mean_square import noise_of
from theory.stability.minimum import Minimum
from theory.stability.response import Response
from theory.stability.steps import Span, Steps

INSIDE = (
    1e-6  # of a gradient's norm, outside the range of A: sqrt(EPS) and room for flat directions
)
SOLVED = 1e-12  # relative residual of the solution
UNSTABLE = "a step below the mean-square critical one"


@dataclass(frozen=True)
class Stationary:
    """The stationary law of x - x*, in the coordinates p^{1/2} x of a preconditioner p.

    `trace` is E||x - x*||^2, `largest` the largest variance of a direction, `excess_loss` E f - f* =
    tr(H S)/2 on the quadratic model, `drift` the norm of the mean gradient over the root mean square
    of the per-sample ones: 0 at a minimum. `covariance` (r, r) is in the eigenbasis of A.
    """

    trace: float
    largest: float
    excess_loss: float
    drift: float
    covariance: np.ndarray


def stationary(minimum: Minimum, steps: Steps, eta: float) -> Stationary:
    """The stationary covariance of SGD at step `eta`, below the mean-square critical step.

    `steps` is the law `reduced(minimum, ...)` with rho = 0. Raises `InputError` if `minimum` has no
    gradients, if they leave the range of A (then nothing holds x back there and no stationary law
    exists), if eta is not stable, or if `steps` is the law of something else.
    """
    if minimum.gradients is None or minimum.factors is None:
        raise InputError("gradients", "none", "per-sample gradients (n, d) at the minimum")
    g, w = minimum.gradients, steps.weights
    own = minimum.factors
    if minimum.preconditioner is not None:
        root = np.sqrt(minimum.preconditioner)
        g, own = g / root, own / root
    centre = w @ g
    typical = float(np.sqrt(w @ (g * g).sum(axis=1)))
    span = Span.of(own, w)
    if not np.array_equal(span.lam, steps.lam):
        raise InputError("steps", "another law", "that of SGD (rho = 0) near the same minimum")
    inside = span.coordinates(g - centre)
    outside = (g - centre) ** 2
    left = np.sqrt(max(float(w @ (outside.sum(axis=1) - (inside**2).sum(axis=1))), 0.0))
    if left > INSIDE * typical:
        found = f"{left / typical:.3g} of their size in directions that no sample curves"
        raise InputError("gradients", found, "gradients in the range of the mean Hessian")
    noise = (inside.T * w) @ inside
    S = _solved(steps, noise, eta)
    values = np.linalg.eigvalsh(S)
    return Stationary(
        trace=float(values.sum()),
        largest=float(values.max(initial=0.0)),
        excess_loss=float(steps.lam @ np.diag(S)) / 2,
        drift=float(np.linalg.norm(centre)) / typical if typical else 0.0,
        covariance=S,
    )


def _solved(steps: Steps, noise: np.ndarray, eta: float) -> np.ndarray:
    """S (r, r) with S = K o (D(S) + p S_g) in the scaled coordinates, then scaled back.

    D = E A_S . A_S holds all of the noise, so that K is the response of p = 1.
    """
    if steps.rank == 0 or steps.deterministic:
        return np.zeros_like(noise)
    response = Response(steps.lam, 1.0, steps.momentum, steps.decay)
    if 1 / eta <= response.mean_inverse_step:
        raise InputError("eta", eta, UNSTABLE)
    root, scale = np.sqrt(response.kernel(response.at_step(eta))), np.sqrt(steps.lam)
    D = noise_of(steps)

    def without_feedback(z: np.ndarray) -> np.ndarray:
        X = root * z.reshape(noise.shape)
        return z - (root * D((X + X.T) / 2)).ravel()

    drive = root * (steps.share * noise / scale / scale[:, None])
    operator = symmetric_operator(noise.size, without_feedback)
    z, failed = cg(operator, drive.ravel(), rtol=SOLVED, maxiter=10_000)
    S = root * z.reshape(noise.shape)
    if failed or np.linalg.eigvalsh(S)[0] < -1e-8 * np.abs(S).max():
        raise InputError("eta", eta, UNSTABLE)
    return S / scale / scale[:, None]

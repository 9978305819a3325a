r"""The largest eigenvalue of a positive map, enclosed from both sides.

Lanczos finds value and eigenvector. Two facts make an enclosure of them, for a map G that is similar to
a symmetric operator and takes PSD stacks to PSD stacks:

- below, the Rayleigh quotient of any vector;
- above, Collatz-Wielandt: any V > 0 with G V <= sigma V, in the PSD order, shows lambda_max <= sigma.

The eigenvector is the best V, unless some of its entries vanish (orthogonal rows, clusters that hardly
touch). Then V = (sigma - G)^{-1} I serves, sigma just above the eigenvalue: V >= I/sigma everywhere,
whatever G's components, and sigma V - G V = I leaves room for rounding in every block.

Rounding: each gain says how far its blocks may be off for a relative error tau (`Gain.room`). In tau a
sum of N terms is given 6 sqrt(N) EPS/2, the probabilistic bound that holds for errors of mean zero
(Higham & Mary 2019; it fails with probability 3e-8), not the worst case N EPS/2; what the eigenbasis
leaves is measured (`Steps.noise`).

That is an error E of A in the norm, ||E|| <= tau l_1, and still no condition number enters, though
flat directions are known to few digits. What is enclosed is an eigenvalue of C^{-1} D, C(X) = AX + XA
the damping; to first order E moves the response X by -C^{-1}(EX + XE), at most 2 ||E|| ||X|| C^{-1}(I)
in the PSD order, and C^{-1}(I) = A^{-1}/2. In coordinates scaled by A^{1/2} that is I/2, as is, up to a
factor, the slack of V = (sigma - G)^{-1} I; read at F_i it is F_i A^{-1} F_i'/2, half the leverage of
block i. So every block is charged in proportion to its room. Exactly, C is that of A + E, and its
inverse larger by up to 1/(1 - tau l_1/l_r), which matters only next to the rank cut.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse.linalg import cg

from theory.moments import EPS
from theory.stability.explicit import explicit
from theory.stability.gain import Gain, symmetric_operator

CYCLE, CYCLES = 48, 12  # Lanczos vectors kept, restarts
FIRST = 4  # the step whose residual is looked at first; fewer have not been seen to suffice
ROUNDING = 6 * EPS / 2


@dataclass(frozen=True)
class Top:
    """lambda_max in [lower, upper]; `vector` is the eigenvector found, `applications` what it took."""

    value: float
    lower: float
    upper: float
    vector: np.ndarray
    applications: int


def lanczos(
    gain: Gain, K: np.ndarray, start: np.ndarray, tolerance: float, ratio: float = 0.0
) -> tuple[float, np.ndarray, int]:
    """(value, unit eigenvector, applications) of the largest eigenvalue of `gain.symmetric`.

    Stops when the residual is `tolerance` of the value, or no longer shrinks; with 1 x 1 blocks also
    when each entry of the residual is `ratio` of its entry of value times vector, which is all that
    Collatz-Wielandt asks. All vectors of a cycle are kept and orthogonalised twice; the next cycle
    starts from the best one.
    """
    z, used, before = start / np.linalg.norm(start), 0, math.inf
    apply = explicit(gain, K) or (lambda x: gain.symmetric(x.reshape(start.shape), K).ravel())
    if start.shape[-1] > 1:
        ratio = 0.0
    value = residual = 0.0
    for _ in range(CYCLES):
        value, z, residual, count = _cycle(apply, z, tolerance, ratio)
        used += count
        if residual <= tolerance * abs(value) or residual > 0.9 * before:
            break
        before = residual
    return value, z, used


def _cycle(
    apply: Callable[[np.ndarray], np.ndarray], z: np.ndarray, tolerance: float, ratio: float
) -> tuple[float, np.ndarray, float, int]:
    """(value, unit vector, residual, applications); the residual counts as 0 where `ratio` holds."""
    most = min(CYCLE, z.size)
    Q = np.empty((most + 1, z.size))
    T = np.zeros((most + 1, most + 1))
    Q[0] = z.ravel()
    value, best, residual, j, seen, due = 0.0, Q[0], math.inf, 0, 0, FIRST
    target = max(tolerance, ratio)
    for j in range(most):
        w = apply(Q[j])
        T[j, j] = w @ Q[j]
        for _ in range(2):
            w -= (Q[: j + 1] @ w) @ Q[: j + 1]
        size = math.sqrt(w @ w)
        T[j, j + 1] = T[j + 1, j] = size
        last = j == most - 1 or size <= 4 * EPS * abs(T[: j + 1, : j + 1]).max()
        if last or j == due:
            before = residual
            values, vectors = np.linalg.eigh(T[: j + 1, : j + 1])
            value, weights = float(values[-1]), vectors[:, -1]
            residual = abs(size * weights[-1])
            due, seen = j + _wait(before, residual, target * abs(value), j - seen), j
            if last or residual <= target * abs(value):
                best = weights @ Q[: j + 1]
                close = np.abs(w) * abs(weights[-1]) <= ratio * abs(value) * np.abs(best)
                residual = 0.0 if close.all() else residual
                if last or residual <= tolerance * abs(value):
                    break
        Q[j + 1] = w / size
    return value, (best / np.linalg.norm(best)).reshape(z.shape), residual, j + 1


def _wait(before: float, residual: float, target: float, since: int) -> int:
    """Steps until the next look at the residual: half of those that it seems to need."""
    if before == math.inf:
        return 2
    if not target < residual < before:
        return 1
    return max(1, int(since * math.log(residual / target) / math.log(before / residual) / 2))


def enclose(
    gain: Gain,
    K: np.ndarray,
    *,
    noise: float = 0.0,
    start: np.ndarray | None = None,
    tolerance: float = 1e-10,
) -> Top:
    """lambda_max of `gain` at response K (r, r), to `tolerance` relative where rounding allows.

    `noise` is the relative error that lies in the gain already. The enclosure holds whatever Lanczos
    found; what it costs beyond Lanczos is one application, or some twenty where entries vanish.
    """
    first = ones(gain) if start is None else start
    value, z, used = lanczos(gain, K, first, tolerance / 100, tolerance / 2)
    lower, upper, count = certify(gain, K, z, noise=noise, tolerance=tolerance)
    return Top(value, lower, upper, z, used + count)


def ones(gain: Gain) -> np.ndarray:
    """The identity in every block, in the middle of the cone."""
    m, k, _ = gain.shape
    return np.broadcast_to(np.eye(k), (m, k, k)).copy()


def certify(
    gain: Gain, K: np.ndarray, z: np.ndarray, *, noise: float, tolerance: float
) -> tuple[float, float, int]:
    """(lower, upper, applications) from the unit vector z that Lanczos found."""
    tau = _tau(gain, K, noise)
    V, image, used = gain.cone(z, K), gain.symmetric(z, K), 1
    value = float(np.vdot(z, image))
    lower = value - tau * gain.quadratic_room(V, K, value)
    if V.shape[-1] == 1 and (V.min() > 0 or V.max() < 0):  # then G V is known
        V, W = np.abs(V), np.abs(gain.cone(image, K))
    else:
        V, used = _into_cone(V), 2
        W = gain.positive(V, K)
    room = tau * gain.room(V, W, K)
    upper = _ratio(V, W, room)
    one = _identity(gain, K)
    # What rounding leaves of the second vector, whose size is that of z over sigma - lambda.
    excess = max(tolerance / 8, 8 * float(room.max()) * abs(float(np.vdot(one, z))) / value)
    if upper <= value * (1 + max(tolerance, excess)):
        return lower, upper, used
    better, count = _resolvent(gain, K, z, one, value, tau, excess)
    return lower, min(upper, better), used + count


def _tau(gain: Gain, K: np.ndarray, noise: float) -> float:
    """The relative error of one application, its sums and what lies in the gain already."""
    return ROUNDING * (2 * math.sqrt(gain.terms) + 2 * math.sqrt(len(K)) + 10) + noise


def _into_cone(V: np.ndarray) -> np.ndarray:
    """The PSD part of an eigenvector that is PSD, or its negative, but for rounding."""
    if V.shape[-1] == 1:
        return np.abs(V)
    values, vectors = np.linalg.eigh(V)
    return (vectors * np.abs(values)[:, None, :]) @ np.swapaxes(vectors, 1, 2)


def _ratio(V: np.ndarray, W: np.ndarray, room: np.ndarray) -> float:
    """The least sigma with W + room <= sigma V; infinite where V is not positive."""
    if V.shape[-1] == 1:
        v, w = V[:, 0, 0], W[:, 0, 0]
        return float(((w + room) / v).max()) if v.min() > 0 else math.inf
    values, vectors = np.linalg.eigh(V)
    if values.min() <= 1e-14 * values.max():
        return math.inf
    half = vectors / np.sqrt(values)[:, None, :]
    inside = np.swapaxes(half, 1, 2) @ (W + room[:, None, None] * np.eye(V.shape[-1])) @ half
    return float(np.linalg.eigvalsh(inside)[:, -1].max())


def _resolvent(
    gain: Gain,
    K: np.ndarray,
    z: np.ndarray,
    one: np.ndarray,
    value: float,
    tau: float,
    excess: float,
) -> tuple[float, int]:
    """(sigma, applications): the least sigma tried that V = (sigma - G)^{-1} I certifies.

    sigma starts at (1 + excess) times the eigenvalue `value`, and `one` becomes I in the cone.
    """
    overlap = float(np.vdot(one, z))
    small = 1e-3 * float(one[one != 0].min())  # of I, in the cone
    used = 0

    def matvec(x: np.ndarray) -> np.ndarray:
        nonlocal used
        used += 1
        return sigma * x - gain.symmetric(x.reshape(z.shape), K).ravel()

    best = math.inf
    for _ in range(6):
        sigma = value * (1 + excess)
        operator = symmetric_operator(z.size, matvec)
        first = (overlap / (sigma - value)) * z.ravel()
        x, _ = cg(operator, one.ravel(), x0=first, rtol=0, atol=small, maxiter=60)
        V = gain.cone(x.reshape(z.shape), K)
        W = gain.positive(V, K)
        best = min(best, _ratio(V, W, tau * gain.room(V, W, K)))
        used += 1
        if best <= sigma * (1 + EPS):
            break
        excess *= 16
    return best, used


def _identity(gain: Gain, K: np.ndarray) -> np.ndarray:
    """The argument of `symmetric` whose image in the cone is I in every block."""
    one = ones(gain)
    back = gain.cone(one, K)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(one != 0, one * one / np.where(one != 0, back, 1), 0.0)

r"""Rare paths carry E||x_t||^2; drawn as often as they count, they leave only bounded averages.

Let T*(P) = sum_S p_S Phi_S'P Phi_S for the step matrices Phi_S of an irreducible iteration, and let
T*(P) = r P with P positive definite (Perron-Frobenius on the cone of PSD matrices). Put
h(x) = x'Px. Then E h(Phi x) = r h(x): h(x_t)/r^t is a martingale, and

    q_S(u) = p_S h(Phi_S u) / (r h(u))

are probabilities. Along a path drawn by q the product of p_S/q_S telescopes to
r^t h(x_0)/h(x_t), so that, E_h meaning under q and u_t = x_t/||x_t||,

    E||x_t||^2 = E_h[ prod (p_S/q_S) ||x_t||^2 ] = r^t h(x_0) E_h[1/(u_t'Pu_t)].

What is averaged lies in [1/l_max(P), 1/l_min(P)] at every t, where plain means of ||x_t||^2 have a
variance that grows without bound relative to their mean: in one dimension with factors 1/10 and 3
E x_t^2 grows like 4.505^t although x_t -> 0 almost surely, and no mean over runs shows it.

Nothing measured takes r or P on trust. Runs are weighted by the p_S/q_S they were drawn with, so the
identity E||x_t||^2 = E_q[weight] holds for *any* positive definite P, with total weights
Z(u) = sum_S p_S h(Phi_S u) / h(u) in place of r:

    log weight_t = sum_{s<t} log Z(u_s) + log h(u_0) - log h(u_t).

Z(u) lies between the least and largest eigenvalue of T*(P) relative to P, and so does r (Collatz and
Wielandt). Hence |log weight_t / t - log r| <= log cond(P)/t + log(Z_max/Z_min), surely: for each
run, and for the logarithm of the mean over runs. For the P computed here the second term is
rounding; a wrong P would widen the interval, never move it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from theory.core import InputError
from theory.moments import EPS
from theory.stability.operator import symmetric_square

MOST_DIMENSIONS = 40  # x and memory of one part; P needs products of (D(D+1)/2)^2 matrices
SQUARINGS = 60  # T^(2^60): gaps down to rounding


@dataclass(frozen=True)
class Transform:
    """P (D, D), cond(P), the least h of a unit vector and the largest, and the same of Z.

    `definite` is False where P is singular to rounding: then nothing is bounded. `cancelled` is how
    much longer than its result a step's terms are, in mean square.
    """

    P: np.ndarray
    h: tuple[float, float]
    Z: tuple[float, float]
    cancelled: float

    @property
    def definite(self) -> bool:
        """Whether rounding in P, EPS times its norm, leaves half the digits of every h."""
        return self.h[0] > math.sqrt(EPS) * self.h[1]

    @property
    def condition(self) -> float:
        """cond(P)."""
        return self.h[1] / self.h[0]

    def rounding(self, t: Any) -> Any:
        """How far below and above log weights after t steps, and the bounds on them, may belong.

        A step's products err by D EPS times their terms; what P makes of that, relative to h, is up
        to cond(P) times more. Adding t logarithms rounds partial sums of up to t |log Z| each.
        """
        share = 64 * len(self.P) * EPS * self.condition * self.cancelled
        down = -math.log1p(-share) if share < 1 else math.inf
        sums = EPS * (t * max(abs(math.log(z)) for z in self.Z) + math.log(self.condition))
        return np.array([t * (down + sums), t * (math.log1p(share) + sums)])


def h_transform(chances: np.ndarray, Phi: np.ndarray) -> Transform | None:
    """The transform for steps Phi (m, D, D); None where T = 0. Raises `InputError`.

    P is the limit of T*^k(I) up to scale, reached by squaring: positive definite if any
    eigenmatrix of r is.
    """
    size = Phi.shape[-1]
    if size > MOST_DIMENSIONS:
        raise InputError("problem", f"{size} dimensions", f"at most {MOST_DIMENSIONS} in one part")
    P = _limit(chances, Phi)
    if not P.any():
        return None
    values, vectors = np.linalg.eigh(P)
    ends = float(values[0]), float(values[-1])
    if values[0] <= 0:
        return Transform(P, (0.0, ends[1]), (0.0, math.inf), math.inf)
    root = vectors / np.sqrt(values)
    image = np.einsum("m,mia,ij,mjb->ab", chances, Phi, P, Phi, optimize=True)
    met = np.linalg.eigvalsh(root.T @ image @ root)
    terms = 1 + np.linalg.norm(np.eye(size) - Phi, axis=(1, 2))
    least = max(float(met[0]), np.finfo(float).tiny)
    return Transform(P, ends, (least, float(met[-1])), float(chances @ terms**2 / least) ** 0.5)


def _limit(chances: np.ndarray, Phi: np.ndarray) -> np.ndarray:
    """T*^(2^k)(I) / trace for growing k until it stays."""
    size = Phi.shape[-1]
    a, b = np.tril_indices(size)
    identity = (a == b).astype(float)
    T = symmetric_square(chances, Phi).T
    found = identity / size
    for _ in range(SQUARINGS):
        norm = np.linalg.norm(T)
        if norm == 0:
            return np.zeros((size, size))
        T = T / norm
        last, found = found, T @ identity
        found = found / (found @ identity)
        if np.abs(found - last).max() <= 4 * len(a) * EPS:
            break
        T = T @ T
    P = np.zeros((size, size))
    P[a, b] = P[b, a] = np.where(a == b, found, found * math.sqrt(0.5))
    return P

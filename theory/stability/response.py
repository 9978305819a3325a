r"""How the mean step answers noise: entry by entry, by a positive semidefinite kernel.

In the eigenbasis of A the mean step with momentum m and decay w makes of mode a, q_a = eta (l_a + w),
a filter h_a with z^2 - (1 + m - q_a) z + m. White noise of second moment eta^2 Y leaves
X = eta^2 R o Y,

    1/R_ab = (1 - m)(q_a + q_b) - (1 - m)/(1 + m) q_a q_b + m (q_a - q_b)^2 / (1 - m^2),

R_ab = sum_t h_a(t) h_b(t), a Gram matrix. The noise of batches, p (mean A_i X A_i - A X A), is split:
-p A X A is put on the damping side, 1/K = 1/R + p eta^2 l_a l_b, and p mean A_i X A_i stays the source.

K is positive semidefinite for every p in [0, 1] and m in [0, 1) wherever its diagonal is positive:
on vectors that sum to zero, 1/K acts as -(sum_a e_a l_a)^2 eta^2 ((1 + m^2)/(1 - m^2) - p) <= 0, so 1/K
is conditionally negative definite, and then exp(-t/K) is positive semidefinite for every t > 0
(Schoenberg), as is K, their integral over t. Entries off the diagonal follow: 1/K_ab is at least the
mean of 1/K_aa and 1/K_bb.

Critical step: with K' = eta^2 l_a l_b K (coordinates scaled by A^{1/2}) the step is stable in mean
square iff p lambda_max(G[K']) <= 1, G of `theory.stability.gain`. 1/K' = (a_ab/eta - b_ab)/(l_a l_b)
with a_ab > 0, so <V, G V> = sum K'_ab Y_ab^2 grows with eta, and with it the eigenvalue: the stable set
is an interval, with momentum too.

Rate: the same holds for T/r, that is for filters h_a(t) r^{-(t+1)/2}: r(T) is the largest r, above the
square of the mean step's rate, where the loop gain is 1. (It tends to 0 as r grows, and where it is 1,
r is an eigenvalue of T.) Without momentum the gain decreases in r, as -dK/dr is K o K up to a factor.
With momentum m (q_a - q_b)^2 r/(r^2 - m^2) falls in r, and far beyond the edge the gain may rise first.

Everything is ours; p = 1, m = w = 0 is Mulayoff & Michaeli 2024.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Response:
    """`lam` (r,) the eigenvalues of A, ascending, p, momentum and decay; methods return arrays (r, r).

    They are symmetric to the last bit: beside a pole an EPS is a large share of the response.
    """

    lam: np.ndarray
    share: float
    momentum: float = 0.0
    decay: float = 0.0

    @property
    def fixed(self) -> bool:
        """Whether the kernel at a critical step is the same whatever the step."""
        return self.share == 1 and self.momentum == 0 and self.decay == 0

    @property
    def mean_inverse_step(self) -> float:
        """1/eta_4 = (l_1 + w)/(2 (1 + m)), where E x_t stops being bounded."""
        return float(self.lam[-1] + self.decay) / (2 * (1 + self.momentum))

    @property
    def slope(self) -> np.ndarray:
        """a_ab = (1 - m)(l_a + l_b + 2 w)."""
        moved = self.lam + self.decay
        return (1 - self.momentum) * (moved[:, None] + moved)

    def at_step(self, eta: float) -> np.ndarray:
        """1/K' times l_a l_b at a step eta below the mean critical one."""
        return self.at_excess(1 / eta - self.mean_inverse_step)

    def at_excess(self, x: Any) -> np.ndarray:
        """1/K' times l_a l_b at 1/eta = 1/eta_4 + x, x >= 0: a sum of terms >= 0, so none cancels.

        With L = l + w, a_ab/eta_4 - b_ab is (1 - m)/(1 + m) (L_a (L_1 - L_b) + L_b (L_1 - L_a))/2
        + m (L_a - L_b)^2/(1 - m^2) + p l_a l_b.
        """
        m, moved = self.momentum, self.lam + self.decay
        below = moved[:, None] * (moved[-1] - moved)
        base = (1 - m) / (1 + m) / 2 * (below + below.T)
        if m:
            base += m / (1 - m * m) * (moved[:, None] - moved) ** 2
        return base + self.share * self.lam[:, None] * self.lam + x * self.slope

    def at_rate(self, r: Any, eta: float) -> np.ndarray:
        """1/K' times l_a l_b for the growth factor r of second moments at step eta."""
        own = self.share * np.outer(self.lam, self.lam)
        q = eta * (self.lam + self.decay)
        m = self.momentum
        if m == 0:
            return (r - np.outer(1 - q, 1 - q)) / eta**2 + own
        root = np.sqrt(r)
        b, gap = m / r, (r - m) / r  # gap is 1 - b
        # 1 + b - (1 + m - q)/root, the q of the filter at r, with the digits of q for r near one
        t = ((r - 1) / (root + 1) * (root - m) + root * q) / r
        spread = b * (q[:, None] - q) ** 2 / (r * gap * (2 - gap))
        inverse = gap * (t[:, None] + t) - gap / (2 - gap) * np.outer(t, t) + spread
        return r * inverse / eta**2 + own

    def kernel(self, denominators: np.ndarray) -> np.ndarray:
        """K' (r, r)."""
        return np.outer(self.lam, self.lam) / denominators

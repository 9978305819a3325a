r"""The gain of one output as an explicit n x n matrix, where that is cheaper than applying it.

With K = sum_q c_q c_q' and rows U (n, r), orthonormal as columns, the symmetric gain is
G = sum_q S P_q o P_q S with P_q = U diag(c_q) U' and S the scale. The response K is a Cauchy matrix
(without momentum and decay) over the spread R of the mean's eigenvalues, so pivoted Cholesky needs
about log(1/EPS) log(8 R)/pi^2 terms (Beckermann & Townsend 2017). Each is a symmetric product of
n^2 r flops; an application is 2 n r^2. Interpolating models have n = r and R near 1: a dozen terms
replace any number of applications.

What is left out of K is below 16 EPS of its largest entry, which the sums round by anyway. The matrix
finds the eigenvector; enclosures apply the gain itself.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import get_blas_funcs, get_lapack_funcs

from theory.moments import EPS
from theory.stability.gain import SMALL, Gain, Kernel

dsyrk, dsymv = get_blas_funcs(("syrk", "symv"), dtype=np.float64)
(dpstrf,) = get_lapack_funcs(("pstrf",), dtype=np.float64)

USUAL = 12  # applications that Lanczos takes at least, but for special cases
LEFT = 16 * EPS  # pivots below are rounding, and add as many terms again without adding digits
BYTES = 2 * 10**9  # of three matrices


def explicit(gain: Gain, K: np.ndarray) -> Callable[[np.ndarray], np.ndarray] | None:
    """x (n,) -> `gain.symmetric` of it; None where forming the matrix would not pay."""
    if not isinstance(gain, Kernel) or gain.shape[1] > 1 or gain.rows.size < SMALL:
        return None
    n, r = len(gain.rows), len(K)
    most = 2 * r * USUAL // n - 1
    if most < 2 or 24 * n * n > BYTES:
        return None
    C, pivots, rank, _ = dpstrf(K, tol=LEFT * float(np.diag(K).max()), lower=1)
    if rank > most:
        return None
    factors = np.empty((rank, r))
    factors[:, pivots - 1] = np.tril(C)[:, :rank].T
    lower = _summed(gain.rows[:, 0], factors)
    lower *= gain.scale * gain.scale[:, None]
    return lambda x: dsymv(1.0, lower, x, lower=1)


def _summed(U: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """The lower half of sum_q P_q o P_q, zeros above; in the order of columns, as BLAS has it."""
    projector = dsyrk(1.0, U.T, trans=1, lower=1)
    total = np.zeros_like(projector)
    for c in factors:
        shift = max(0.0, -float(c.min()))  # makes the product one of a matrix with itself
        P = dsyrk(1.0, (U * np.sqrt(c + shift)).T, trans=1, lower=1)
        if shift:
            P -= shift * projector
        P *= P
        total += P
    return total

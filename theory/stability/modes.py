"""What is certain about the top Lyapunov exponent: exact modes, and bounds on the other parts.

Exact: full batches, and modes that no sample couples to another, where the batches can be listed.
Bounds: from the determinant below, from products of a few steps above.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from theory.stability.irreducible import Law, batches, fixed, law, matrices, scalars
from theory.stability.mean_log import first_crossing, mean_log

MOST_VALUES = 4096  # eigenvalues whose determinant is searched exactly; more are put on a grid
FARTHEST, GRID = 1e4, 200  # that reaches so many times as far, in so many points: 5% apart
WORDS, WORD_SIZE = 4096, 8  # products of steps are listed up to this many, of this size at most


@dataclass(frozen=True)
class Modes:
    """Scalar modes whose exponents are exact: `q` (m, s) drawn with `p` (m,), or held fixed (f,)."""

    p: np.ndarray
    q: np.ndarray
    held: np.ndarray
    momentum: float

    def exponent(self, eta: float) -> float:
        """The largest exponent of the modes; -inf where there is none."""
        drawn = mean_log(self.p, self.q, eta) if self.q.size else np.empty(0)
        both = np.concatenate([drawn, _log_radius(self.held, eta, self.momentum)])
        return float(both.max(initial=-math.inf))

    def exit(self, lower: float) -> float:
        """The first step size where some mode grows; exact."""
        held = self.held.max(initial=0.0)
        first = float(2 * (1 + self.momentum) / held) if held > 0 else math.inf
        for j in np.argsort(-(self.p @ self.q**2)) if self.q.size else ():
            first = min(first, first_crossing(self.p, self.q[:, j], lower, first))
        return first


def _log_radius(q: np.ndarray, eta: float, momentum: float) -> np.ndarray:
    """log of the spectral radius of [[1 + b - eta q, -b], [1, 0]], b the momentum, per mode."""
    trace = 1 + momentum - eta * q
    root = np.sqrt(np.maximum(trace**2 - 4 * momentum, 0))
    with np.errstate(divide="ignore"):  # log 0 = -inf is the answer
        return np.log(np.maximum((np.abs(trace) + root) / 2, math.sqrt(momentum)))


def divide(steps: Any) -> tuple[Modes, Law | None]:
    """The modes that are exact, and the law of all other parts; None where none is left."""
    momentum, none = float(steps.momentum), np.empty((1, 0))
    n = len(steps.weights)
    whole = steps.batch is None or n == 1 or (not steps.replacement and steps.batch == n)
    lam = np.asarray(steps.lam, float)
    if whole or not len(lam):
        return Modes(np.ones(1), none, lam + steps.decay, momentum), None
    drawn = law(steps)
    still = fixed(drawn)
    held = scalars(drawn.part(still), np.full((1, n), 1 / n))[0] if still.any() else np.empty(0)
    loose = (drawn.sizes == 1) & ~still
    listed = batches(drawn) if loose.any() and not momentum else None
    if listed is None:
        modes, exact = Modes(np.ones(1), none, held, momentum), still
    else:
        q = scalars(drawn.part(loose), listed[1])
        modes, exact = Modes(listed[0], q, held, momentum), still | loose
    return modes, None if exact.all() else drawn.part(~exact)


def bounds(rest: Law, eta: float) -> tuple[np.ndarray, np.ndarray]:
    """Certain (lower, upper) bounds (P,) on the exponents of the parts.

    Lower: a part's exponents sum to E log|det|, so the top one is at least their mean. Upper:
    E log||product of t steps||/t, for the lengths t with few enough words.
    """
    count = len(rest.starts)
    if rest.momentum:  # the pair's step has |det| = momentum^r
        return np.full(count, math.log(rest.momentum) / 2), np.full(count, math.inf)
    lower, upper = np.full(count, -math.inf), np.full(count, math.inf)
    for j in range(count):
        spectrum = spectra(rest.part(np.array([j])))
        if spectrum is not None:
            p, q = spectrum
            lower[j] = mean_log(p, q, eta).mean()
            upper[j] = _words(rest.part(np.array([j])), eta)
    return lower, upper


def spectra(part: Law) -> tuple[np.ndarray, np.ndarray] | None:
    """(p (m,), eigenvalues (m, r) of A_S + decay) of one part; None where batches are many."""
    listed = batches(part)
    if listed is None:
        return None
    r, k = part.F.shape[2], part.F.shape[1]
    if part.batch == 1 and part.metric is None and k < r:
        values = np.linalg.eigvalsh(part.F @ np.swapaxes(part.F, 1, 2))
        padded = np.concatenate([np.zeros((len(values), r - k)), values], 1)
        return listed[0], np.maximum(padded, 0) + part.decay
    A = matrices(part, listed[1])
    return None if A is None else (listed[0], np.linalg.eigvalsh((A + np.swapaxes(A, 1, 2)) / 2))


def _words(part: Law, eta: float) -> float:
    """The least E log||Phi_t ... Phi_1||_2 / t over lengths t; subadditivity makes it a bound."""
    listed, r = batches(part), part.F.shape[2]
    A = None if listed is None or r > WORD_SIZE else matrices(part, listed[1])
    if listed is None or A is None:
        return math.inf
    p, steps = listed[0], np.eye(r) - eta * A
    chance, product, best, length = p, steps, math.inf, 1
    while True:
        with np.errstate(divide="ignore"):
            logs = np.log(np.linalg.norm(product, 2, axis=(1, 2)))
        best = min(best, float(np.dot(chance, logs)) / length)
        if len(chance) * len(p) > WORDS or length == 12:
            return best
        chance, length = np.outer(chance, p).ravel(), length + 1
        product = np.einsum("aij,bjk->abik", product, steps).reshape(-1, r, r)


def determinant_exit(rest: Law, lower: float, upper: float) -> float:
    """A step above `lower` at which some part's exponents have a positive sum; inf if none known."""
    if rest.momentum:  # their sum is log(momentum) r < 0 at every step
        return math.inf
    for j in range(len(rest.starts)):
        found = spectra(rest.part(np.array([j])))
        if found is None:
            continue
        p, q = found
        masses, values = np.repeat(p / q.shape[1], q.shape[1]), q.ravel()
        if np.count_nonzero(values) <= MOST_VALUES:
            upper = min(upper, first_crossing(masses, values, lower, upper))
            continue
        for eta in lower * np.geomspace(1, FARTHEST, GRID)[1:]:
            if eta >= upper or mean_log(masses, values, float(eta)) > 0:
                upper = min(upper, float(eta))
                break
    return upper

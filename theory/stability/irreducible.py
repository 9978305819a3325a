"""The steps of a batch fall apart into the subspaces that all its matrices leave alone.

x_t is then a sum of runs that never meet, one in each part, and the exponent is the largest of the
parts'. Across parts exponents may tie, as they do by symmetry for diag(1, 3) and diag(3, 1), and
then log||x_t|| exceeds its line by a multiple of sqrt(t), which no burn-in removes; inside a part
the top exponent is as a rule simple.

In the eigenbasis of a generic combination every common invariant subspace is spanned by basis
vectors: two of them belong together if some matrix links them. (Where the combination has a
multiple eigenvalue, equal parts may stay together. They are driven alike, so nothing is lost.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations, combinations_with_replacement
from typing import Any

import numpy as np
from scipy.sparse.csgraph import connected_components
from scipy.special import gammaln, xlogy

# Relative to a sample's norm. Eigenvectors err by EPS over their gaps, which a random combination
# rarely has below 1e-5; a link this weak moves r by its square.
LINK = 1e-10
ALIKE = 1e-12  # relative spread of a scalar mode over samples that rounding alone explains
MOST_BATCHES = 4096  # enumerated where no more
MOST_ENTRIES = 1_000_000  # of an array of all batches, or of the pieces that links are found in


@dataclass(frozen=True)
class Law:
    """The drawn step in a basis that shows its parts: coordinates of a part lie side by side.

    `F` (n, k, r) are the factors, `starts` (P,) the first coordinate of every part, `metric` (r, r)
    is rho M, or None without a shared climb. The batch holds `batch` samples.
    """

    F: np.ndarray
    starts: np.ndarray
    weights: np.ndarray
    batch: int
    replacement: bool
    metric: np.ndarray | None
    momentum: float
    decay: float

    @property
    def sizes(self) -> np.ndarray:
        """The number of coordinates of every part (P,)."""
        return np.diff(self.starts, append=self.F.shape[2])

    def part(self, chosen: np.ndarray) -> Law:
        """The law of some parts alone, by a mask or indices over parts."""
        kept = np.zeros(len(self.starts), bool)
        kept[chosen] = True
        picked, sizes = np.flatnonzero(np.repeat(kept, self.sizes)), self.sizes[kept]
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(int)
        metric = None if self.metric is None else self.metric[np.ix_(picked, picked)]
        F = np.ascontiguousarray(self.F[:, :, picked])
        rest = (self.weights, self.batch, self.replacement, metric, self.momentum, self.decay)
        return Law(F, starts, *rest)


def law(steps: Any) -> Law:
    """The law of `steps`, in the basis of its parts; without its full batch, which is no chance."""
    F = np.asarray(steps.blocks, float)
    metric = None if steps.climb is None else steps.climb.rho * np.asarray(steps.climb.metric)
    V, labels = _parts(F, metric)
    order = np.argsort(labels, kind="stable")
    V, labels = V[:, order], labels[order]
    starts = np.flatnonzero(np.diff(labels, prepend=-1))
    metric = None if metric is None else V.T @ metric @ V
    weights = np.asarray(steps.weights, float)
    rest = (steps.batch, steps.replacement, metric, steps.momentum, steps.decay)
    return Law(F @ V, starts, weights / weights.sum(), *rest)


def _parts(F: np.ndarray, metric: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """(V (r, r), the part of every column (r,))."""
    n, _, r = F.shape
    norms = np.einsum("ikr,ikr->i", F, F)
    scaled = F / np.sqrt(np.where(norms > 0, norms, np.inf))[:, None, None]
    rng = np.random.default_rng(0)
    combined = (scaled * np.sqrt(rng.uniform(1, 2, (n, 1, 1)))).reshape(-1, r)
    generic = combined.T @ combined
    if metric is not None:
        generic = generic + rng.uniform(1, 2) * metric / np.linalg.norm(metric)
    V = np.linalg.eigh(generic)[1]
    turned, linked = scaled @ V, np.zeros((r, r), bool)
    rows = max(1, MOST_ENTRIES // r**2)
    for start in range(0, n, rows):
        piece = turned[start : start + rows]
        linked |= (np.abs(np.swapaxes(piece, 1, 2) @ piece) > LINK).any(0)
        if linked.all():
            break
    if metric is not None:
        linked |= np.abs(V.T @ metric @ V) > LINK * np.linalg.norm(metric)
    return V, connected_components(linked, directed=False)[1]


def fixed(part: Law) -> np.ndarray:
    """Which parts (P,) are one-dimensional and the same whatever is drawn."""
    first = part.starts
    q = (part.F[:, :, first] ** 2).sum(1)
    return (part.sizes == 1) & (np.ptp(q, axis=0) <= ALIKE * q.max(0))


def batches(part: Law) -> tuple[np.ndarray, np.ndarray | None] | None:
    """Every batch: (probabilities (m,), shares (m, n) of the samples); None where there are many.

    The shares are None for batches of one, in place of the identity.
    """
    n, size = len(part.weights), part.batch
    if size == 1:
        return part.weights, None
    drawn = n + size - 1 if part.replacement else n
    count = math.comb(drawn, size)
    if count > MOST_BATCHES or count * n > MOST_ENTRIES:
        return None
    listed = (combinations_with_replacement if part.replacement else combinations)(range(n), size)
    members = np.array(list(listed))
    counts = np.zeros((count, n))
    np.add.at(counts, (np.arange(count)[:, None], members), 1)
    if not part.replacement:
        return np.full(count, 1 / count), counts / size
    orders = gammaln(size + 1) - gammaln(counts + 1).sum(1)
    return np.exp(orders + xlogy(counts, part.weights).sum(1)), counts / size


def scalars(part: Law, shares: np.ndarray | None) -> np.ndarray:
    """A_S + decay (m, r) of one-dimensional parts, for batches with `shares` (m, n)."""
    q = (part.F**2).sum(1)
    h = q if shares is None else shares @ q
    climb = 0 if part.metric is None else h**2 * np.diag(part.metric)
    return h + climb + part.decay


def matrices(part: Law, shares: np.ndarray | None) -> np.ndarray | None:
    """A_S + decay (m, r, r) for batches with `shares` (m, n); None where that is a large array."""
    r = part.F.shape[2]
    if max(len(part.F), 0 if shares is None else len(shares)) * r * r > MOST_ENTRIES:
        return None
    single = np.swapaxes(part.F, 1, 2) @ part.F
    H = single if shares is None else np.tensordot(shares, single, 1)
    A = H if part.metric is None else H + H @ part.metric @ H
    return A + part.decay * np.eye(r)

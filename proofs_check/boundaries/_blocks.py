"""A quadratic falls apart into the subspaces that all its H_i leave alone; each is its own problem.

SGD and USAM keep every such subspace, so x_t is a sum of runs that never meet, one in each. The
exponent and the growth rate of the whole are the largest of the parts'. Inside a part, none of
whose subspaces is kept, the top exponent is as a rule simple and P of the h-transform is definite;
across parts exponents may tie, as they do by symmetry for diag(1, 3) and diag(3, 1), and then
log||x_t|| exceeds its line by a multiple of sqrt(t), which no burn-in removes.

In the eigenbasis of a generic combination of the H_i every common invariant subspace is spanned by
basis vectors: two of them belong together if some H_i links them. (Where that combination has a
multiple eigenvalue, equal parts may stay together. They are driven alike, so nothing is lost.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse.csgraph import connected_components

from theory.core import InputError
from theory.problems.quadratic import Quadratic
from theory.stability.operator import quotient

# Relative to a sample's norm. Eigenvectors err by EPS over their gaps, which a random combination
# rarely has below 1e-5; a link this weak moves r by its square.
LINK = 1e-10


@dataclass(frozen=True)
class Block:
    """x = basis v, and the problem in v: `basis` (d, k) has orthonormal columns."""

    basis: np.ndarray
    problem: Quadratic


def blocks(problem: Any) -> tuple[Block, ...]:
    """The parts of a quadratic, without the common null space; none if nothing is curved."""
    if not (hasattr(problem, "hessians") and hasattr(problem, "weights")):
        name = type(problem).__name__
        raise InputError("problem", name, "a quadratic: theory.problems.quadratic.quadratic")
    H, weights = np.asarray(problem.hessians, float), np.asarray(problem.weights, float)
    Q, _, reduced = quotient(weights, H)
    if not Q.shape[1]:
        return ()
    norms = np.linalg.norm(reduced, axis=(1, 2), keepdims=True)
    shares = np.random.default_rng(0).uniform(1, 2, size=norms.shape)
    scaled = shares / np.where(norms > 0, norms, np.inf)
    _, V = np.linalg.eigh((scaled * reduced).sum(0))
    turned = V.T @ reduced @ V
    count, which = connected_components((np.abs(turned) > LINK * norms).any(0), directed=False)
    parts = [V[:, which == k] for k in range(count)]
    return tuple(Block(Q @ W, Quadratic(_part(reduced, W), weights)) for W in parts)


def _part(H: np.ndarray, W: np.ndarray) -> np.ndarray:
    found = W.T @ H @ W
    return (found + np.swapaxes(found, 1, 2)) / 2

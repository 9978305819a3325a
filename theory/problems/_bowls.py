"""Quadratic bowls with their own centres, seen with probe vectors laid down beforehand.

Claims hand it to the simulator where a statement needs a minimum away from 0, samples whose minima
differ, or a mean over every probe vector there is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from theory.core import Probes
from theory.problems._oracle import Minibatch, minibatch


@dataclass(frozen=True)
class Bowls:
    """f_i(x) = (x - c_i)'H_i(x - c_i)/2.

    `hessians` (n, d, d) need not be PSD, `centres` (n, d), `weights` (n,) sum to one. Step t is
    shown row t of `vectors` (steps, d) for a probe, whichever is asked for. Nothing is checked.
    """

    hessians: Any
    centres: Any
    weights: Any
    vectors: Any

    @property
    def dimension(self) -> int:
        """d, the length of x."""
        return self.hessians.shape[-1]

    @property
    def samples(self) -> tuple[Any, ...]:
        return self.hessians, self.centres

    def losses(self, x: Any, hessians: Any, centres: Any) -> Any:
        """(B,), (x - c_i)'H_i(x - c_i)/2."""
        away = x - centres
        return ((hessians @ away[:, :, None])[:, :, 0] * away).sum(1) / 2

    def oracle(self, batch: Any = None, probes: Probes | None = None) -> Minibatch:
        """The mean loss over the indices `batch` (B,); None: f itself. `probes` is not used."""
        return minibatch(self, batch, lambda t, j, kind: self.vectors[t])


def bowls(hessians: Any, centres: Any = None, vectors: Any = None) -> Bowls:
    """Equally likely bowls of the given Hessians (n, d, d), centred at 0 unless told otherwise."""
    H = np.asarray(hessians, float)
    n, d = H.shape[:2]
    c = np.zeros((n, d)) if centres is None else np.asarray(centres, float)
    probes = np.zeros((1, d)) if vectors is None else np.asarray(vectors, float)
    return Bowls(H, c, np.full(n, 1 / n), probes)

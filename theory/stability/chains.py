"""Independent chains of the normalised state estimate the top Lyapunov exponent of each part.

lambda = E h(u), u the direction of x_t in its stationary law and h(u) = E log||Phi u|| over the
batches (Furstenberg & Kifer 1983). Where the batches can be listed h is evaluated exactly every few
steps, which removes the noise of the next draw: it often has a hundred times the variance of the
rest. Elsewhere the growth itself is averaged. Either is a mean over many steps that soon forget
each other, so over independent chains it is nearly normal: the interval is Student's t.

The first half of a pass is dropped: the law of u tends to the stationary one like exp(-g t), g the
gap between a part's first two exponents, and before that like 1/t where many lie close together.
Where the quarters still differ by more than chance explains (or at all, in fewer than r^2 steps) the
interval is widened by four times that: a 1/t tail is off by three times it, an exponential that
halves by 1.5 times. This is a precaution, no proof: exponents that nearly tie may settle unseen.

All step sizes see the same start and the same batches (common random numbers). Parts never meet, so
one run serves all of them, each normalised by itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import t as student

from theory.moments import EPS
from theory.stability.irreducible import Law, batches, matrices

EVERY = 4  # steps between normalisations: factors up to 1e30 a step do not overflow
SETTLED, TAIL = 1, 4  # of three quarters, how many are dropped; see above
# In multiply-adds, what else takes time: a step (Python, the draws), a chain's step (calls into
# BLAS), a logarithm. Measured once; they decide how a budget is shared, not what is computed.
OVERHEAD, PER_CHAIN, LOGARITHM = 60_000, 1_500, 60
ENTRIES = 16_384  # numbers that the chains of one pass hold, so that they stay in cache
CHAINS = (8, 512)  # fewest, most
FEWEST_STEPS, FEWEST_LOOKS = 200, 5  # of a pass, and of a quarter
DRAWN = 100_000  # random numbers that are made at a time
# Fewer chains let a pass have this many steps, and this many r^2; COLD times that from the start.
WANTED_STEPS, COLD = (400, 2), 4
# What shrinks by more in a window lost its digits to cancellation and may as well have vanished.
LOST = 1e4 * EPS


@dataclass(frozen=True)
class Pass:
    """Growth per step (3, chains, P, E) in the later quarters of a pass, and where it ended."""

    rates: np.ndarray
    lost: np.ndarray  # (P, E) whether cancellation may hide that the part vanished
    long: bool  # at least r^2 steps: quarters that agree within chance have settled
    end: np.ndarray  # (2, chains, r, E): x_t and x_{t-1}, normalised

    def intervals(self, confidence: float) -> tuple[np.ndarray, np.ndarray]:
        """(lower, upper), each (P, E), of every exponent; each holds with `confidence`."""
        chains = self.rates.shape[1]
        root, kept = math.sqrt(chains), self.rates[SETTLED:]
        with np.errstate(invalid="ignore"):  # parts that vanished: their mean is -inf
            means, drifts = kept.mean(0), np.diff(self.rates, axis=0)
            center, error = means.mean(0), means.std(0, ddof=1) / root
            chance = 2 * drifts.std(1, ddof=1) / root if self.long else 0.0
            excess = np.abs(drifts.mean(1)) - chance
        tail = TAIL * np.maximum(np.maximum(excess[-1], excess[-2] / 2), 0)
        width = student.ppf((1 + confidence) / 2, chains - 1) * error + tail
        width = np.where(np.isfinite(center), width + self.end.shape[2] * EPS, 0.0)
        return np.where(self.lost, -math.inf, center - width), center + width


class Chains:
    """Chains of a law; successive calls draw afresh from one generator."""

    def __init__(self, law: Law, seed: int) -> None:
        self.law, self.rng = law, np.random.default_rng(seed)
        listed = batches(law)
        r, held = law.F.shape[2], law.batch * law.F.shape[1]
        self.p: Any = None if listed is None else listed[0]
        dense = None if listed is None else matrices(law, listed[1])
        pays = law.metric is not None or r <= 2 * held
        self.A = dense if dense is not None and pays else None
        self.factors: Any = None
        if law.batch == 1 and law.metric is None:
            self.factors = law.F
        elif dense is not None:
            values, vectors = np.linalg.eigh(dense - law.decay * np.eye(r))
            roots = np.sqrt(np.maximum(values, 0))
            self.factors = roots[:, :, None] * np.swapaxes(vectors, 1, 2)
        self.pieces = [] if self.factors is None else self._pieces()

    def _pieces(self) -> list[tuple[int, np.ndarray, np.ndarray]]:
        """(first coordinate, F (m, k, s), FF' (m, k, k)) of every part."""
        pieces = []
        for start, size in zip(self.law.starts, self.law.sizes, strict=True):
            F = np.ascontiguousarray(self.factors[:, :, start : start + size])
            pieces.append((int(start), F, F @ np.swapaxes(F, 1, 2)))
        return pieces

    def run(self, etas: np.ndarray, budget: float, end: np.ndarray | None = None) -> Pass | None:
        """One pass at `etas` (E,) of at most `budget` operations; None where that is too little.

        It goes on from `end`, the last states of an earlier pass at nearby step sizes, or starts in
        random directions.
        """
        r, E = self.law.F.shape[2], len(etas)
        wanted = max(WANTED_STEPS[0], WANTED_STEPS[1] * r**2) * (COLD if end is None else 1)
        affordable = (budget / (2 * wanted) - OVERHEAD) / self._cost(E)  # 2: looks cost the same
        most = min(ENTRIES / (r * E), affordable, CHAINS[1])
        chains = max(int(most), CHAINS[0])
        each, gap = chains * self._cost(E) + OVERHEAD, EVERY
        looks = self.factors is not None
        if looks:  # they may cost as much as all steps
            look = chains * self._look_cost(E) + OVERHEAD
            gap = max(1, math.ceil(look * 3 / (4 * each)))
            gap = gap if gap <= EVERY else EVERY * math.ceil(gap / EVERY)
            looks = gap * 4 * FEWEST_LOOKS <= budget / (2 * each)
        gap = gap if looks else EVERY
        count = int(budget / (each * (2 if looks else 1)))
        if count < FEWEST_STEPS:
            return None
        if end is None:
            end = np.empty((2, chains, r, E))
            end[:] = self.rng.normal(size=(2, chains, r, 1))
        else:
            end = end[:, np.arange(chains) % end.shape[1]]
        return self._run(np.asarray(etas, float), count // (4 * gap), gap, looks, end)

    def _cost(self, E: int) -> float:
        """Operations of one step of one chain at E step sizes."""
        law, r = self.law, self.law.F.shape[2]
        if self.A is not None:
            return PER_CHAIN + r * E * (r + 8) + r * r
        held = law.batch * law.F.shape[1]
        climb = 0 if law.metric is None else r + 2 * held
        drawn = 0 if law.replacement or law.batch == 1 else 10 * len(law.weights)
        return PER_CHAIN + r * E * (2 * held + climb + 8) + held * r + drawn

    def _look_cost(self, E: int) -> float:
        """Operations of one exact mean of one chain."""
        m, k, r = np.shape(self.factors)
        moved = 2 if self.law.momentum or self.law.decay else 1
        return PER_CHAIN + m * E * (k * (moved * r + k + 4) + LOGARITHM)

    def _run(self, etas: np.ndarray, blocks: int, gap: int, looks: bool, end: np.ndarray) -> Pass:
        """4 quarters of `blocks` blocks of `gap` steps; the growth is averaged, or `looks` are."""
        law, (x, before) = self.law, (end[0].copy(), end[1].copy())
        shape = (x.shape[0], len(law.starts), len(etas))
        rates, lost = np.zeros((4, *shape)), np.zeros(shape, bool)
        window, draws = min(gap, EVERY), self._draws(len(x))
        for block in range(4 * blocks):
            quarter = block // blocks
            for _ in range(gap // window):
                for _ in range(window):
                    x, before = self._step(x, before, next(draws), etas)
                logs = self._normalise(x, before)
                lost |= logs < math.log(LOST)
                if not looks:
                    rates[quarter] += logs / (blocks * gap)
            if looks and quarter:
                logs, hidden = self._mean_growth(x, before, etas)
                rates[quarter] += logs / blocks
                lost |= hidden
        long = 4 * blocks * gap >= x.shape[1] ** 2
        return Pass(rates[1:], np.asarray(lost.any(0)), long, np.stack([x, before]))

    def _draws(self, chains: int) -> Iterator[np.ndarray]:
        """Without end: what one step draws; made many steps at a time."""
        law = self.law
        each = law.batch if law.replacement else len(law.weights)
        many = min(max(DRAWN // (chains * each), EVERY), 256)
        while True:
            yield from self._draw(many, chains)

    def _draw(self, steps: int, chains: int) -> np.ndarray:
        """(steps, chains) batches, by number where all are listed, or (steps, chains, B) samples."""
        law, n = self.law, len(self.law.weights)
        if self.A is not None:
            return self.rng.choice(len(self.A), (steps, chains), p=self.p)
        if law.replacement or law.batch == 1:
            return self.rng.choice(n, (steps, chains, law.batch), p=law.weights)
        keys = self.rng.random((steps, chains, n))
        return np.argpartition(keys, law.batch - 1, axis=2)[:, :, : law.batch]

    def _step(
        self, x: np.ndarray, before: np.ndarray, drawn: np.ndarray, etas: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """(x_{t+1}, x_t)."""
        law = self.law
        pull = self._pull(x, drawn)
        pull *= etas
        if not law.momentum:
            x -= pull
            return x, before
        before *= -law.momentum
        before += (1 + law.momentum) * x
        before -= pull
        return before, x

    def _pull(self, x: np.ndarray, drawn: np.ndarray) -> np.ndarray:
        """(A_S + decay) x for states x (chains, r, E)."""
        law = self.law
        if self.A is not None:
            return self.A[drawn] @ x
        F = law.F[drawn].reshape(len(x), -1, x.shape[1])
        turned = np.swapaxes(F, 1, 2)
        pull = turned @ (F @ x / law.batch)
        if law.metric is not None:
            pull += turned @ (F @ (law.metric @ pull) / law.batch)
        return pull + law.decay * x if law.decay else pull

    def _normalise(self, x: np.ndarray, before: np.ndarray) -> np.ndarray:
        """The logarithms (chains, P, E) by which the parts of the state have grown, divided out."""
        law = self.law
        squares = x * x
        if law.momentum:
            squares += before * before
        single = len(law.starts) == 1
        sums = squares.sum(1, keepdims=True) if single else np.add.reduceat(squares, law.starts, 1)
        norms = np.sqrt(sums)
        with np.errstate(divide="ignore"):  # a part that vanished has grown by -inf
            logs = np.log(norms)
        shares = 1 / np.where(norms > 0, norms, 1.0)
        shares = shares if single else np.repeat(shares, law.sizes, axis=1)
        x *= shares
        if law.momentum:
            before *= shares
        return logs

    def _mean_growth(
        self, x: np.ndarray, before: np.ndarray, etas: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """(E log of the next step's growth, whether cancellation may hide a zero in it), of parts.

        With c = (1 + b - eta decay) x - b x_{t-1}, b the momentum, and A_S = F'F:
        ||c - eta F'F x||^2 = ||c||^2 - 2 eta (Fc)'(Fx) + eta^2 (Fx)'FF'(Fx).
        """
        law, logs, hidden = self.law, [], []
        moved = bool(law.momentum or law.decay)
        for start, F, gram in self.pieces:
            stop = start + F.shape[2]
            part = x[:, start:stop]
            c, held = part, (part * part).sum(1)
            if moved:
                c = (1 + law.momentum - etas * law.decay) * part
                c -= law.momentum * before[:, start:stop]
            Fx = self._apply(F, part)
            Fc = self._apply(F, c) if moved else Fx
            FFFx = gram * Fx if gram.shape[1] == 1 else gram @ Fx
            size = ((c * c).sum(1) if moved else held)[:, None]
            grown = size - 2 * etas * (Fc * Fx).sum(2) + etas**2 * (Fx * FFFx).sum(2)
            old = held
            if law.momentum:
                old = held + (before[:, start:stop] ** 2).sum(1)
                size, grown = size + held[:, None], grown + held[:, None]
            hidden.append((grown < LOST * size).any(1) | (old == 0))
            # A sum that cancelled is off by EPS of its terms: raised to that, the mean errs upwards.
            grown = np.maximum(grown, EPS * size) / np.where(old > 0, old, 1.0)[:, None]
            with np.errstate(divide="ignore"):
                logs.append(np.einsum("m,cme->ce", self.p, np.log(grown)) / 2)
        return np.stack(logs, 1), np.stack(hidden, 1)

    @staticmethod
    def _apply(F: np.ndarray, x: np.ndarray) -> np.ndarray:
        """F_i x (chains, m, k, E) for all factors (m, k, r) and states (chains, r, E)."""
        m, k, r = F.shape
        return (F.reshape(m * k, r) @ x).reshape(len(x), m, k, x.shape[2])

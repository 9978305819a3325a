"""Bounds hold whatever error of the stated norm the mean A carries: planted, in the worst direction.

Truth is the engine's own edge of the law as it is, known to ten digits; the error is 1e-6.
"""

from dataclasses import replace

import numpy as np
import pytest

from theory.stability import mean_square
from theory.stability.mean_square import critical, kernel_of, space_of
from theory.stability.minimum import minimum
from theory.stability.steps import Climb, Steps, reduced


def moved(steps: Steps, E: np.ndarray, tau: float) -> Steps | None:
    """The same samples, A mistaken for A + E; None where a direction would be lost."""
    if steps.lam[0] < 10 * tau * steps.lam[-1]:
        return None
    lam, Q = np.linalg.eigh(np.diag(steps.lam) + E)
    climb = steps.climb and Climb(steps.climb.rho, Q.T @ steps.climb.metric @ Q)
    return replace(steps, blocks=steps.blocks @ Q, lam=lam, climb=climb, noise=steps.noise + tau)


def mistaken(seed: int, tau: float) -> tuple[Steps, Steps] | None:
    """A law and the same under an error of A of norm tau l_1, most often the worst there is."""
    rng = np.random.default_rng(seed)
    n, k, d = int(rng.integers(2, 6)), int(rng.integers(1, 3)), int(rng.integers(2, 5))
    F = rng.normal(size=(n, k, d)) * 10.0 ** -rng.uniform(0, rng.choice([0, 1, 3]), d)
    if rng.random() < 0.5:
        F = F * 10.0 ** -rng.uniform(0, 2, (n, 1, 1))
    if rng.random() < 0.3:
        F = np.eye(d)[np.arange(n) % d][:, None] * rng.uniform(0.1, 2, (n, 1, 1))
    steps = reduced(
        minimum(factors=F),
        rho=[0.0, 0.3][rng.integers(2)],
        batch=int([1, 1, 2, 3, 1000, 10**6][rng.integers(6)]),
        momentum=[0.0, 0.5, 0.5, 0.9, 0.99][rng.integers(5)],
        weight_decay=[0.0, 0.1][rng.integers(2)],
    )
    one = np.eye(steps.rank)
    direction = [one[-1], one[-1], one[0], rng.normal(size=steps.rank)][rng.integers(4)]
    direction /= np.linalg.norm(direction)
    E = rng.choice([-1, 1]) * tau * steps.lam[-1] * np.outer(direction, direction)
    other = moved(steps, E, tau)
    return other and (steps, other)


def held_although_mistaken(form, patch, seeds) -> bool:
    checked, tau = 0, 1e-6
    for seed in seeds:
        pair = mistaken(seed, tau)
        if pair is None or (pair[0].climb is not None and form is kernel_of):
            continue
        patch.setattr(mean_square, "gain_of", form)
        truth, edge = (critical(steps) for steps in pair)
        checked += 1
        if not edge.lower <= truth.upper or not truth.lower <= edge.upper:
            return False
    assert checked > len(seeds) / 4
    return True


@pytest.mark.parametrize("form", [kernel_of, space_of])
def test_the_bounds_hold_whatever_error_of_that_norm_the_mean_carries(form, monkeypatch):
    assert held_although_mistaken(form, monkeypatch, range(300))


def test_they_would_not_if_the_step_were_not_charged_for_it(monkeypatch):
    narrowed = mean_square._narrowed
    monkeypatch.setattr(
        mean_square, "_narrowed", lambda e, loop, p, first, _: narrowed(e, loop, p, first, 0.0)
    )
    assert not held_although_mistaken(kernel_of, monkeypatch, range(1000))

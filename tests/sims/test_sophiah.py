"""Sophia-H's steps, worked by hand."""

import numpy as np
import pytest

from sims.lab import build
from theory.problems.quadratic import Quadratic

MIXED = Quadratic(np.array([[[4.0, 0], [0, -4.0]]]), np.ones(1))
HOW = {"lr": 0.1, "beta1": 0.5, "beta2": 0.75, "clip_threshold": 2.0}


def walk(x, steps, probes, **how):
    optimizer, left = build("sophiah", **HOW | how), list(np.array(probes, dtype=float))
    points, state = [np.array(x, dtype=float)], optimizer.init(np.array(x, dtype=float))
    for _ in range(steps):
        oracle = MIXED.oracle(None, lambda t, j, kind: left.pop(0))
        x, state = optimizer.step(oracle, points[-1], state)
        points.append(x)
    assert not left
    return np.array(points)


def test_averages_start_at_zero_and_are_not_corrected():
    # D = .25 * 4, m = .5 * 4 * .8: 1.6/(2 * 1) = .8; the other coordinate is at rest
    x = walk([0.8, 0.0], 1, [[1, 1]])
    assert x[1] == pytest.approx([0.8 - 0.08, 0.0], rel=1e-14)


def test_a_step_is_at_most_lr_and_exactly_lr_where_the_curvature_is_negative():
    # m = (2 * 3, -2 * .001): clipped, and over eps: both are lr, against the sign of m
    x = walk([3.0, 0.001], 1, [[1, 1]])
    assert x[1] == pytest.approx([2.9, 0.101], rel=1e-14)


def test_between_refreshes_curvature_is_kept_and_decay_is_decoupled():
    # D = 1 throughout; m = 1.2, then .6 + 2 x
    x = walk([0.6, 0.0], 2, [[1, 1]], lazy_hessian=2, weight_decay=0.5)[:, 0]
    first = 0.95 * 0.6 - 0.1 * 0.6
    second = 0.95 * first - 0.1 * (0.6 + 2 * first) / 2
    assert x == pytest.approx([0.6, first, second], rel=1e-14)


def test_a_refresh_is_averaged_with_those_before():
    # D = 1, then .75 + 1; m = 1.2, then .6 + 2 x
    x = walk([0.6, 0.0], 2, [[1, 1], [-1, 1]], lazy_hessian=1)[:, 0]
    second = 0.54 - 0.1 * (0.6 + 2 * 0.54) / (2 * 1.75)
    assert x == pytest.approx([0.6, 0.54, second], rel=1e-14)


def test_eps_is_a_floor_of_the_scaled_curvature():
    # max(2 * 1, 8) = 8
    x = walk([0.8, 0.0], 1, [[1, 1]], eps=8.0)
    assert x[1, 0] == pytest.approx(0.8 - 0.1 * 1.6 / 8, rel=1e-14)

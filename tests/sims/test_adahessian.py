"""AdaHessian's steps, worked by hand."""

import math

import numpy as np
import pytest

from sims.lab import build
from theory.problems.quadratic import Quadratic, quadratic

PAIR = quadratic([[[2.0]], [[6.0]]])


def walk(problem, x, probes, batches, **how):
    optimizer, left = build("adahessian", **how), list(np.array(probes, dtype=float))
    points, state = [np.array(x, dtype=float)], optimizer.init(np.array(x, dtype=float))
    for batch in batches:
        oracle = problem.oracle(batch, lambda t, j, kind: left.pop(0))
        x, state = optimizer.step(oracle, points[-1], state)
        points.append(x)
    assert not left
    return np.array(points)


def test_two_steps_by_hand():
    # sample 0: m^ = 2, D^ = 4. Sample 1: m = .5 * 1 + .5 * 6x, D = .75 * 1 + .25 * 36
    how = {"lr": 0.1, "beta1": 0.5, "beta2": 0.75, "eps": 1.0, "weight_decay": 0.5}
    x = walk(PAIR, [1.0], [[1], [-1]], [[0], [1]], **how)[:, 0]
    first = 0.95 - 0.1 * 2 / 3
    m, D = (0.5 + 3 * first) / 0.75, (0.75 + 9) / (1 - 0.75**2)
    assert x == pytest.approx([1, first, 0.95 * first - 0.1 * m / (math.sqrt(D) + 1)], rel=1e-14)


def test_the_square_is_of_the_mean_over_probes():
    # z * Hz is 3 for (1, 1) and -1 for (1, -1): the mean is 1, that of squares 5
    problem = Quadratic(np.array([[[1.0, 2.0], [2.0, 1.0]]]), np.ones(1))
    x = walk(problem, [1, 1], [[1, 1], [1, -1]], [None], lr=0.1, eps=0, n_samples=2)
    assert x[1] == pytest.approx([1 - 0.3] * 2, rel=1e-14)


def test_between_refreshes_the_last_estimate_is_averaged_in_again():
    # estimates 2 (sample 0, held for two steps), then 6: D = .25 (4 * .75^2 + 4 * .75 + 36)
    how = {"lr": 0.1, "beta1": 0, "beta2": 0.75, "eps": 0, "lazy_hessian": 2}
    x = walk(PAIR, [1.0], [[1], [1]], [[0], [1], [1]], **how)[:, 0]
    second = 0.9 - 0.1 * 6 * 0.9 / 2
    D = 0.25 * (4 * 0.75**2 + 4 * 0.75 + 36) / (1 - 0.75**3)
    third = second - 0.1 * 6 * second / math.sqrt(D)
    assert x == pytest.approx([1, 0.9, second, third], rel=1e-14)

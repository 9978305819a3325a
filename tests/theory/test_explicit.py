"""The gain as a matrix is the gain, and is formed only where that is cheaper."""

import numpy as np
import pytest

from theory.stability import explicit as module
from theory.stability.explicit import explicit
from theory.stability.gain import Kernel, Space
from theory.stability.mean_square import critical, gain_of
from theory.stability.minimum import minimum
from theory.stability.perron import enclose
from theory.stability.response import Response
from theory.stability.steps import reduced

N = 140  # just large enough that a matrix is considered


def gain(n=N, d=400, weights=None):
    J = np.random.default_rng(3).normal(size=(n, d))
    return gain_of(reduced(minimum(jacobian=J, weights=weights), batch=1))


def responses(lam):
    """Of single samples, of pairs, and of pairs with some momentum, at a step well below critical."""
    for p, momentum in ((1.0, 0.0), (0.5, 0.0), (0.5, 0.05)):
        one = Response(lam, p, momentum)
        yield one.kernel(one.at_step(0.25 / float(lam[-1])))


def rough(symmetric, matrix, n):
    """The largest difference over three vectors, relative; about n EPS where both are right."""
    vectors = np.random.default_rng(4).normal(size=(3, n))
    return max(
        np.abs(matrix(x) - symmetric(x.reshape(n, 1, 1)).ravel()).max()
        / np.abs(symmetric(x.reshape(n, 1, 1))).max()
        for x in vectors
    )


@pytest.mark.parametrize("weighted", [False, True])
def test_the_matrix_is_the_gain(weighted):
    weights = np.random.default_rng(5).uniform(0.5, 2, N) if weighted else None
    own, response = gain(weights=weights)
    for K in responses(response.lam):
        matrix = explicit(own, K)
        assert matrix is not None
        assert rough(lambda Z, K=K: own.symmetric(Z, K), matrix, N) < 1e-13


def test_a_term_left_out_is_seen(monkeypatch):
    own, response = gain()
    K = response.kernel(response.slope)
    summed = module._summed
    monkeypatch.setattr(module, "_summed", lambda U, factors: summed(U, factors[:-4]))
    assert rough(lambda Z: own.symmetric(Z, K), explicit(own, K), N) > 1e-13


def test_enclosures_hold_although_the_matrix_is_wrong(monkeypatch):
    """They apply the gain itself; a bad vector only widens them."""
    own, response = gain()
    K = response.kernel(response.slope)
    right = enclose(own, K)
    summed = module._summed
    monkeypatch.setattr(module, "_summed", lambda U, factors: summed(U, factors[:2]))
    wrong = enclose(own, K)
    assert wrong.lower <= right.upper and right.lower <= wrong.upper
    assert wrong.upper - wrong.lower > right.upper - right.lower


def test_it_is_left_alone_where_applying_is_cheaper():
    K = np.ones((60, 60))
    rows = np.linalg.qr(np.random.default_rng(6).normal(size=(600, 60)))[0][:, None, :]
    assert explicit(Kernel(rows, np.ones(600)), K) is None  # many more samples than directions
    assert explicit(Kernel(rows[:, :, :10], np.ones(600)), K[:10, :10]) is None  # small
    blocks = np.linalg.qr(np.random.default_rng(6).normal(size=(400, 400)))[0].reshape(200, 2, 400)
    assert explicit(Kernel(blocks, np.ones(200)), np.ones((400, 400))) is None  # two outputs
    assert explicit(Space(np.ones(60), lambda X: X, 60, 1.0, 0.0), K) is None
    own, _ = gain()
    assert explicit(own, np.eye(N)) is None  # a response of full rank has N terms


def test_the_critical_step_is_the_same_either_way(monkeypatch):
    J = np.random.default_rng(7).normal(size=(N, 300))
    steps = reduced(minimum(jacobian=J), batch=3, momentum=0.5)
    fast = critical(steps)
    monkeypatch.setattr(module, "SMALL", 10**9)
    slow = critical(steps)
    assert fast.value == pytest.approx(slow.value, rel=1e-12)
    assert max(fast.lower, slow.lower) <= min(fast.upper, slow.upper)

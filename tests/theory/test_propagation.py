"""Propagated moments equal sums over every index sequence, exactly and in floats."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from theory.exact import Matrix
from theory.stability.operator import step_matrices
from theory.stability.propagation import expected_loss, second_moments
from theory.stability.threshold import mean_square_critical_step, mean_square_rate

ROWS = ([1, 2], [0, 3], [1, -1])
WEIGHTS = [Fraction(1, 6), Fraction(1, 3), Fraction(1, 2)]
ETA, RHO = Fraction(1, 4), Fraction(1, 7)
EXACT = [Matrix([r]).T @ Matrix([r]) for r in ROWS]
FLOATS = np.array([np.outer(r, r) for r in ROWS], float)
MEAN = WEIGHTS[0] * EXACT[0] + WEIGHTS[1] * EXACT[1] + WEIGHTS[2] * EXACT[2]


def enumerated(A: list[Matrix], steps: int) -> tuple[Fraction, Fraction]:
    """E||x||^2 and E f(x) after `steps` steps, from (1, -2), one sequence at a time."""
    square = loss = Fraction(0)
    for word in product(range(3), repeat=steps):
        x, chance = Matrix.column([1, -2]), Fraction(1)
        for i in word:
            x, chance = x - ETA * (A[i] @ x), chance * WEIGHTS[i]
        square += chance * (x.T @ x).rows[0][0]
        loss += chance * (x.T @ MEAN @ x).rows[0][0] / 2
    return square, loss


def test_exact_propagation_equals_enumeration_of_all_sequences():
    p, A = step_matrices(EXACT, WEIGHTS, rho=RHO)
    squares = second_moments(p, A, ETA, [1, -2], 4)
    losses = expected_loss(p, A, ETA, [1, -2], 4, hessian=MEAN)
    assert len(squares) == len(losses) == 5
    for t in range(5):
        assert (squares[t], losses[t]) == enumerated(A, t)


@pytest.mark.parametrize("ascent", ["shared", "per-sample"])
def test_floats_follow_the_exact_values(ascent):
    x0 = np.array([1.0, -2.0])
    how = {"batch": 2, "ascent": ascent}
    p, A = step_matrices(EXACT, WEIGHTS, rho=RHO, **how)
    q, B = step_matrices(FLOATS, np.array(WEIGHTS, float), rho=float(RHO), **how)
    exact = second_moments(p, A, ETA, [1, -2], 12)
    assert all(isinstance(value, Fraction) for value in exact)
    ours = second_moments(q, B, float(ETA), x0, 12)
    assert ours.shape == (13,)
    assert np.allclose(ours, np.array(exact, float), rtol=1e-12, atol=0)
    exact = expected_loss(p, A, ETA, [1, -2], 12, hessian=MEAN)
    H = np.tensordot(np.array(WEIGHTS, float), FLOATS, 1)
    ours = expected_loss(q, B, float(ETA), x0, 12, hessian=H)
    assert np.allclose(ours, np.array(exact, float), rtol=1e-12, atol=0)


def test_zero_steps_give_the_start():
    p, A = step_matrices(EXACT, WEIGHTS)
    assert second_moments(p, A, ETA, [1, -2], 0) == [5]


@pytest.mark.parametrize("share", [0.97, 1.03])
def test_growth_settles_at_the_spectral_radius(share):
    p, A = step_matrices(FLOATS, np.full(3, 1 / 3))
    eta = share * mean_square_critical_step(p, A)
    path = second_moments(p, A, eta, np.array([1.0, -2.0]), 300)
    assert path[-1] / path[-2] == pytest.approx(mean_square_rate(p, A, eta), rel=1e-6)
    assert (path[-1] < path[-2]) == (share < 1)

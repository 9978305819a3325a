"""The product of two numbers, worked by hand."""

import numpy as np
import pytest

from theory.core import InputError
from theory.problems.factorization import factorization, generate


def test_value_slope_and_curvature_worked_by_hand():
    """At (2, 3): r = 5, loss 25/2, gradient 5 (3, 2), Hessian [[9, 11], [11, 4]]."""
    oracle, x = factorization().oracle(), np.array([2.0, 3.0])
    assert oracle.loss(x) == 12.5
    assert np.array_equal(oracle.grad(x), [15.0, 10.0])
    columns = [oracle.hvp(x, e) for e in np.eye(2)]
    assert np.array_equal(columns, [[9.0, 11.0], [11.0, 4.0]])


def test_sharpness_along_the_minima_is_a_function_of_their_imbalance():
    """u = 2, v = 1/2: Q = 15/4, sqrt(Q^2 + 4) = 17/4."""
    oracle, x = factorization().oracle(), np.array([2.0, 0.5])
    H = np.array([oracle.hvp(x, e) for e in np.eye(2)])
    assert np.allclose(np.linalg.eigvalsh(H), [0.0, 17 / 4], rtol=1e-14, atol=1e-15)


def test_noise_moves_the_targets_of_samples_and_their_mean_the_minimum():
    problem = factorization([1.0, 2.0], weights=[1, 3])
    assert np.array_equal(problem.oracle(np.array([1])).grad(np.ones(2)), [-1.0, -1.0])
    assert np.allclose(problem.oracle().grad(np.array([1.75, 1.0])), 0)


def test_the_generated_problem_is_the_textbook_one_unless_noise_is_asked_for():
    assert np.array_equal(generate(n=3).targets, np.ones(3))
    assert np.ptp(generate(n=3, noise=0.1).targets) > 0


def test_starts_are_normal_with_the_asked_deviation():
    starts = [generate(scale=2.0).start(np.random.default_rng(s)) for s in range(2000)]
    assert np.std(starts) == pytest.approx(2.0, rel=5 / (2 * 4000) ** 0.5)  # five deviations


@pytest.mark.parametrize(
    ("field", "args"),
    [("targets", ([],)), ("targets", (1.0,)), ("scale", ((1.0,), None, -1.0))],
)
def test_the_door_names_what_it_refuses(field, args):
    with pytest.raises(InputError, match=f"^{field}: "):
        factorization(*args)

"""The diagonal linear network, worked by hand, and its preference for sparse solutions."""

import numpy as np
import pytest

from sims.lab import Lab
from theory.core import InputError
from theory.problems.diagonal import diagonal, generate


def test_value_and_slope_worked_by_hand():
    """u = (1, 2), v = (0, 1): b = (1, 3); row (2, 1), y = 3: r = 2, back = (4, 2)."""
    oracle = diagonal([[2.0, 1.0]], [3.0]).oracle(np.array([0]))
    x = np.array([1.0, 2.0, 0.0, 1.0])
    assert oracle.loss(x) == 2.0
    assert np.array_equal(oracle.grad(x), [8.0, 8.0, 0.0, -4.0])
    assert [list(tensor) for tensor in oracle.tensors(x)] == [[1.0, 2.0], [0.0, 1.0]]


def test_it_starts_at_alpha_where_the_coefficients_are_zero():
    problem = generate(d=5, alpha=0.25)
    x = problem.start(np.random.default_rng(0))
    assert np.array_equal(x, np.full(10, 0.25))
    assert np.array_equal(problem.coefficients(x), np.zeros(5))


def test_the_truth_behind_the_targets_is_sparse_and_of_length_one():
    problem = generate(n=20, d=10, nonzeros=4, seed=3)
    truth = np.linalg.lstsq(problem.rows, problem.targets)[0]
    assert np.allclose(np.sort(truth), [0.0] * 6 + [0.5] * 4, rtol=0, atol=1e-13)


def test_a_small_start_finds_the_sparse_truth_and_a_large_one_does_not():
    found = {}
    for alpha, lr in ((0.01, 0.05), (2.0, 0.005)):
        problem = generate(n=20, d=30, nonzeros=2, seed=1, alpha=alpha)
        x0 = problem.start(np.random.default_rng(0))
        run = Lab().run(problem, "sgd", x0=x0, steps=1000, batch=None, lr=lr)
        # both fit; what is left of the small start fades like alpha^2, slowly
        assert run.loss[0, -1] < 1e-3 * run.loss[0, 0]
        found[alpha] = np.abs(problem.coefficients(run.x[0, -1])).sum()
    truth = 2 * 2**-0.5
    assert found[0.01] < 1.05 * truth < 1.5 * truth < found[2.0]


@pytest.mark.parametrize(
    ("field", "settings"),
    [("nonzeros", {"d": 3, "nonzeros": 4}), ("alpha", {"alpha": 0.0}), ("d", {"d": 0})],
)
def test_settings_that_make_no_sense_are_refused_by_name(field, settings):
    with pytest.raises(InputError, match=f"^{field}: "):
        generate(**settings)


def test_the_door_wants_one_target_per_row():
    with pytest.raises(InputError, match=r"^targets: "):
        diagonal([[1.0]], [1.0, 2.0])

"""Least squares worked by hand: Gram matrix, gradients, the nearest minimiser."""

import numpy as np
import pytest

from sims.lab import Lab
from theory.core import InputError
from theory.problems import _data
from theory.problems.linear import generate, linear

TALL = linear([[1.0], [1.0], [2.0]], [0.0, 3.0, 2.0], weights=[2, 1, 1])
WIDE = linear([[3.0, 0.0, 4.0], [0.0, 1.0, 0.0]], [5.0, 2.0])


def test_one_sample_worked_by_hand():
    """At (1, 1, 1): 7 - 5 = 2, loss 2, gradient 2 (3, 0, 4)."""
    oracle = WIDE.oracle(np.array([0]))
    assert oracle.loss(np.ones(3)) == 2.0
    assert np.array_equal(oracle.grad(np.ones(3)), [6.0, 0.0, 8.0])
    assert np.array_equal(oracle.hvp(np.ones(3), np.array([1.0, 5.0, 0.0])), [9.0, 0.0, 12.0])


def test_the_gram_matrix_holds_the_products_of_rows():
    assert np.array_equal(WIDE.gram(), [[25.0, 0.0], [0.0, 1.0]])


def test_the_weighted_minimiser_worked_by_hand():
    """2 x^2 + (x-3)^2 + (2x-2)^2: 4x + 2x - 6 + 8x - 8 = 0 at x = 1."""
    assert TALL.solution() == pytest.approx(1.0, rel=1e-14)
    assert TALL.oracle().grad(TALL.solution()) == pytest.approx(0, abs=1e-14)


def test_the_nearest_interpolating_point_worked_by_hand():
    """From (2, 0, 0): residual -1 along (3, 0, 4)/25, residual 2 along (0, 1, 0)."""
    assert np.allclose(WIDE.solution([2.0, 0.0, 0.0]), [2 - 3 / 25, 2.0, -4 / 25], rtol=1e-14)


def test_gradient_descent_stops_at_the_solution_nearest_to_its_start():
    problem = generate(n=3, d=6, seed=1)
    x0 = problem.start(np.random.default_rng(0))
    fastest = 1 / np.linalg.eigvalsh(problem.gram() / 3).max()
    x = Lab().run(problem, "sgd", x0=x0, steps=2000, batch=None, lr=fastest).x[0, -1]
    # contracts by 1 - l_min/l_max a step, at least 1/100 here: 2000 steps leave nothing
    assert np.allclose(x, problem.solution(x0), rtol=0, atol=1e-13)
    assert problem.oracle().loss(x) < 1e-25


def test_dependent_rows_that_contradict_each_other_meet_half_way():
    problem = linear([[1.0, 1.0], [1.0, 1.0]], [0.0, 4.0])
    assert np.allclose(problem.solution([1.0, 0.0]), [1.5, 0.5], rtol=1e-14)


def test_without_noise_generated_targets_are_a_linear_function_of_the_rows():
    problem = generate(n=12, d=4, condition=5.0)
    assert problem.oracle().loss(problem.solution()) < 1e-28
    noisy = generate(n=12, d=4, condition=5.0, noise=0.3)
    assert np.array_equal(noisy.rows, problem.rows)
    assert noisy.oracle().loss(noisy.solution()) > 1e-3
    errors = noisy.targets - problem.targets
    assert np.allclose(errors, 0.3 * _data.stream(0, "noise").normal(size=12), rtol=1e-12)


def test_digits_ask_for_parity_and_noise_flips_the_asked_fraction():
    clean, noisy = (generate(data="digits", n=50, noise=noise) for noise in (0.0, 0.2))
    pixels, digits = _data.bundled("digits")
    for row, target in zip(clean.rows, clean.targets, strict=True):
        (which,) = np.flatnonzero((pixels == row).all(axis=1))
        assert target == (1.0 if digits[which] % 2 == 0 else -1.0)
    assert (noisy.targets == -clean.targets).sum() == 10
    assert (noisy.targets == clean.targets).sum() == 40


def test_bundled_data_bring_all_they_have_unless_told():
    assert generate(data="diabetes").rows.shape == (442, 10)
    assert generate(data="digits", n=7).rows.shape == (7, 64)


@pytest.mark.parametrize(
    ("field", "settings"),
    [
        ("d", {"data": "digits", "d": 64}),
        ("condition", {"data": "diabetes", "condition": 2.0}),
        ("data", {"data": "iris"}),
        ("n", {"data": "diabetes", "n": 1000}),
        ("noise", {"noise": -0.1}),
        ("noise", {"noise": "loud"}),
        ("noise", {"data": "digits", "noise": 1.1}),
        ("condition", {"condition": np.inf}),
    ],
)
def test_settings_that_make_no_sense_are_refused_by_name(field, settings):
    with pytest.raises(InputError, match=f"^{field}: "):
        generate(**settings)


@pytest.mark.parametrize(
    ("field", "args"),
    [
        ("rows", ([1.0], [1.0])),
        ("rows[0][1]", ([[1.0, np.nan]], [1.0])),
        ("targets", ([[1.0]], [1.0, 2.0])),
        ("targets", ([[1.0]], [[1.0]])),
        ("weights", ([[1.0]], [1.0], [1.0, 2.0])),
    ],
)
def test_the_door_names_what_it_refuses(field, args):
    with pytest.raises(InputError) as caught:
        linear(*args)
    assert caught.value.field == field


def test_a_solution_needs_a_start_of_the_right_length():
    with pytest.raises(InputError, match=r"^x0: got shape"):
        WIDE.solution([1.0])

"""Matrix factorization: what the three kinds of samples say about the same product."""

import numpy as np
import pytest

from theory.core import InputError
from theory.problems.factorization import factorization
from theory.problems.matrix_factorization import generate, matrix_factorization
from theory.problems.two_layer import two_layer

RNG = np.random.default_rng(0)


def test_one_by_one_is_the_product_of_two_numbers():
    x = np.array([2.0, 3.0])
    ours = matrix_factorization([[1.0]], [[1.0]], 1).oracle()
    assert ours.loss(x) == 12.5
    assert np.array_equal(ours.grad(x), factorization().oracle().grad(x))


def test_all_columns_or_all_entries_see_the_distance_to_the_matrix():
    columns, entries = generate(rows=3, columns=5), generate(rows=3, columns=5, seen="entries")
    x = columns.start(RNG)
    first, second = columns.factors(x)
    M = columns.targets.T
    assert M.shape == (3, 5)
    distance = np.linalg.norm(second @ first - M) ** 2
    assert columns.oracle().loss(x) == pytest.approx(distance / 10, rel=1e-13)
    assert entries.oracle().loss(x) == pytest.approx(distance / 30, rel=1e-13)
    assert len(entries.weights) == 15


def test_an_entry_sees_itself_alone():
    problem = generate(rows=3, columns=5, seen="entries", n=4)
    x = problem.start(RNG)
    first, second = problem.factors(x)
    M = generate(rows=3, columns=5).targets.T
    for i in range(4):
        row, column = problem.seen[i].argmax(), problem.inputs[i].argmax()
        gap = (second @ first - M)[row, column]
        assert problem.oracle(np.array([i])).loss(x) == pytest.approx(gap**2 / 2, rel=1e-12)
    assert len({(*s, *z) for s, z in zip(problem.seen, problem.inputs, strict=True)}) == 4


def test_the_matrix_has_the_asked_rank_and_condition():
    M = generate(rows=5, columns=4, rank=3, condition=100.0).targets.T
    assert np.allclose(np.linalg.svd(M)[1], [1.0, 0.1, 0.01, 0.0], rtol=1e-12, atol=1e-15)


def test_random_inputs_meet_the_same_matrix():
    M = generate(rows=2, columns=3).targets.T
    problem = generate(rows=2, columns=3, seen="gaussian", n=7)
    assert np.allclose(problem.targets, problem.inputs @ M.T, rtol=1e-12, atol=1e-15)


def test_wide_factors_reach_the_matrix_exactly():
    problem = generate(rows=3, columns=4, width=3, noise=0.5)
    exact = np.concatenate([problem.targets.T.ravel(), np.eye(3).ravel()])
    assert problem.oracle().loss(exact) == 0.0


def test_seeing_everything_it_is_the_linear_two_layer_network():
    Z, B = RNG.normal(size=(5, 3)), RNG.normal(size=(5, 2))
    ours = matrix_factorization(Z, B, 4).oracle()
    network = two_layer(Z, B, 4, activation="linear").oracle()
    x = RNG.normal(size=20)
    assert ours.loss(x) == pytest.approx(network.loss(x), rel=1e-13)
    assert np.allclose(ours.grad(x), network.grad(x), rtol=1e-12)


@pytest.mark.parametrize(
    ("field", "settings"),
    [
        ("n", {"n": 3}),
        ("n", {"seen": "entries", "rows": 2, "columns": 2, "n": 5}),
        ("rank", {"rows": 2, "rank": 3}),
        ("seen", {"seen": "rows"}),
        ("condition", {"condition": 0.1}),
        ("width", {"width": 0}),
        ("scale", {"scale": -1}),
    ],
)
def test_settings_that_make_no_sense_are_refused_by_name(field, settings):
    with pytest.raises(InputError, match=f"^{field}: "):
        generate(**settings)


@pytest.mark.parametrize(
    ("field", "args"),
    [
        ("targets", ([[1.0]], [1.0], 1)),
        ("targets", ([[1.0]], [[1.0], [1.0]], 1)),
        ("seen", ([[1.0]], [[1.0]], 1, [[1.0, 0.0]])),
        ("seen", ([[1.0]], [[1.0]], 1, [[0.5]])),
    ],
)
def test_the_door_names_what_it_refuses(field, args):
    with pytest.raises(InputError, match=f"^{field}: "):
        matrix_factorization(*args)

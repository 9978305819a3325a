"""The door lets in exactly the families the theory speaks of, and names what it refuses."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from theory.core import InputError
from theory.problems.quadratic import Quadratic, generate, quadratic

H = np.array([[[2.0, 1.0], [1.0, 1.0]], [[1.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 3.0]]])
X = np.array([0.5, -2.0])


def refused(field: str, *args, **kwargs) -> str:
    with pytest.raises(InputError) as caught:
        quadratic(*args, **kwargs)
    assert caught.value.field == field
    return str(caught.value)


def test_factors_mean_products_with_their_transposes():
    F = np.array([[[1, 2]], [[0, -3]]])
    assert np.array_equal(quadratic(factors=F).hessians, [[[1, 2], [2, 4]], [[0, 0], [0, 9]]])


def test_weights_are_normalised_and_default_to_equal_ones():
    assert np.array_equal(quadratic(H).weights, np.full(3, 1 / 3))
    assert np.allclose(quadratic(H, weights=[1, 1, 2]).weights, [0.25, 0.25, 0.5], rtol=1e-15)
    assert quadratic(H, weights=[1e308] * 3).weights.sum() == pytest.approx(1, rel=1e-15)


def test_rounding_level_asymmetry_is_removed_exactly():
    bent = H.copy()
    bent[0, 0, 1] += 4e-16
    kept = quadratic(bent).hessians
    assert not np.array_equal(bent, np.swapaxes(bent, 1, 2))
    assert np.array_equal(kept, np.swapaxes(kept, 1, 2))


def test_the_refusal_names_sample_and_entry():
    wrong = np.stack([np.eye(2)] * 4)
    wrong[3, 0, 1] = 1e-9
    assert "1e-09 opposite 0.0" in refused("hessians[3][0,1]", wrong)
    wrong[3, 0, 1] = np.nan
    refused("hessians[3][0,1]", wrong)
    wrong[3] = [[1, 2], [2, 1]]
    assert "smallest eigenvalue -1.0" in refused("hessians[3]", wrong)
    refused("factors[1][0,0]", factors=[[[1.0]], [[np.inf]]])


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_definiteness_is_judged_relative_to_each_sample(scale):
    quadratic(np.array([[[1.0, 0.0], [0.0, -1e-17]]]) * scale)
    refused("hessians[0]", np.array([[[1.0, 0.0], [0.0, -1e-12]]]) * scale)


@pytest.mark.parametrize(
    "value",
    [
        np.eye(2),
        np.zeros((0, 2, 2)),
        np.zeros((1, 0, 0)),
        np.ones((1, 2, 3)),
        np.ones((1, 2, 2), complex),
        np.ones((1, 2, 2), bool),
        np.ones((1, 2, 2), object),
        [[[1.0], [1.0, 2.0]]],
        "one",
    ],
)
def test_other_shapes_and_types_are_refused(value):
    refused("hessians", value)


@pytest.mark.parametrize("weights", [[1, 2], [1, 0, 1], [1, -1, 1], [1, np.inf, 1], [[1, 1, 1]]])
def test_weights_are_one_positive_number_per_sample(weights):
    with pytest.raises(InputError, match="weights"):
        quadratic(H, weights=weights)


def test_exactly_one_of_hessians_and_factors_is_given():
    assert "neither" in refused("hessians, factors")
    assert "both" in refused("hessians, factors", H, factors=H)


def test_products_that_overflow_are_refused_by_name():
    refused("factors' products[0][0,0]", factors=[[[1e200]]])


def test_a_batch_counts_its_samples_alike_and_repeats_twice():
    problem = quadratic(H, weights=[1, 2, 3])
    oracle = problem.oracle(np.array([0, 0, 2]))
    mean = (2 * H[0] + H[2]) / 3
    assert np.allclose(oracle.grad(X), mean @ X, rtol=1e-15)
    assert oracle.loss(X) == pytest.approx(X @ mean @ X / 2, rel=1e-15)
    assert oracle.norm(np.array([3.0, 4.0])) == 5.0


def test_the_full_batch_is_the_weighted_mean():
    problem = quadratic(H, weights=[1, 2, 3])
    mean = (H[0] + 2 * H[1] + 3 * H[2]) / 6
    assert np.allclose(problem.oracle().grad(X), mean @ X, rtol=1e-15)
    squared = problem.oracle().each(lambda one: one.grad(one.grad(X)))
    assert np.allclose(squared, (H[0] @ H[0] + 2 * H[1] @ H[1] + 3 * H[2] @ H[2]) @ X / 6)


def test_numpy_and_traced_batches_give_the_same_answers():
    problem, batch = quadratic(H), np.array([1, 0, 0])

    def answers(batch, x):
        oracle = problem.oracle(batch)
        each = oracle.each(lambda one: one.grad(x) * one.norm(one.grad(x)))
        return oracle.loss(x), oracle.grad(x), each

    traced = jax.jit(answers)(batch, jnp.asarray(X))
    many = jax.vmap(answers, (0, None))(jnp.stack([batch, batch]), jnp.asarray(X))
    for plain, one, two in zip(answers(batch, X), traced, many, strict=True):
        assert np.allclose(plain, one, rtol=1e-14)
        assert np.allclose(plain, two[1], rtol=1e-14)


def test_the_dataclass_itself_checks_nothing():
    marker = object()
    assert Quadratic(marker, marker).hessians is marker


def test_importing_the_problem_does_not_import_jax():
    code = "import sys, theory.problems.quadratic; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_generated_hessians_have_the_asked_rank_and_the_promised_mean():
    problem = generate(n=4000, d=3, rank=2, condition=4.0, seed=1)
    assert all(np.linalg.matrix_rank(h) == 2 for h in problem.hessians[:10])
    # entries average n rank products of normal numbers: deviation at most sqrt(2/8000)
    assert np.allclose(
        problem.hessians.mean(0), np.diag([1, 0.5, 0.25]), atol=5 * (2 / 8000) ** 0.5
    )


def test_a_start_is_one_away_from_the_minimum():
    assert np.linalg.norm(generate(d=7).start(np.random.default_rng(0))) == pytest.approx(1)


def test_generated_weights_are_those_of_the_door():
    assert np.array_equal(generate(n=2, weights=[1, 3]).weights, [0.25, 0.75])
    with pytest.raises(InputError, match=r"^rank: got 0"):
        generate(rank=0)

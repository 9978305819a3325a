"""Growth is measured on the optimizer's own steps, one direction and one logarithm at a time."""

import itertools
import math

import numpy as np
import pytest

from sims import _draw, growth
from sims.lab import build
from theory.core import InputError
from theory.problems.linear import linear
from theory.problems.quadratic import quadratic
from theory.stability.operator import step_matrices

PAIR = quadratic([[[1.0]], [[10.0]]])
H = np.array([[[2.0, 1.0], [1.0, 1.0]], [[1.0, -0.5], [-0.5, 2.0]], [[0.3, 0.0], [0.0, 0.1]]])
WEIGHTED = quadratic(H, weights=[1, 2, 3])
EQUAL = quadratic(H)


def sgd(lr: float):
    return build("sgd", lr=lr)


def test_in_one_dimension_growth_is_the_mean_log_of_the_factors_drawn():
    found = growth.log_growths(PAIR, sgd(0.3), seed=4, runs=5, steps=60, every=20).logs
    assert found.shape == (5, 3)
    drawn = _draw.sampler(PAIR.weights, 1, "with")
    keys = _draw.keys(4, np.arange(5))
    indices = drawn.draw(np, keys[:, None], np.arange(60))[:, :, 0]
    logs = np.log(np.abs(1 - 0.3 * np.array([1.0, 10.0])))[indices]
    assert np.allclose(found, logs.reshape(5, 3, 20).sum(2), rtol=1e-12)


def test_growth_adds_up_to_the_length_of_the_iterate():
    found = growth.log_growths(WEIGHTED, sgd(0.2), seed=1, runs=2, steps=12, every=4, batch=2).logs
    drawn = _draw.sampler(WEIGHTED.weights, 2, "with")
    for r in range(2):
        x = WEIGHTED.start(np.random.default_rng([1, r]))
        first = np.linalg.norm(x)
        for t in range(12):
            batch = drawn.draw(np, _draw.keys(1, np.array([r]))[0], t)
            x = x - 0.2 * H[batch].mean(0) @ x
        assert found[r].sum() == pytest.approx(math.log(np.linalg.norm(x) / first), abs=1e-12)


@pytest.mark.parametrize("rounded", [False, True])
def test_a_step_that_leaves_nothing_counts_as_rounding_and_is_told(rounded):
    """1 - .1 * 10 is 0 and 1 - (.1 + 1e-16) * 10 is rounding; both leave 16 EPS instead."""
    found = growth.log_growths(PAIR, sgd(0.1 + 1e-16 * rounded), runs=4, steps=80, every=80)
    drawn = _draw.sampler(PAIR.weights, 1, "with")
    which = drawn.draw(np, _draw.keys(0, np.arange(4))[:, None], np.arange(80))[:, :, 0]
    logs = np.log([0.9, 16 * 2.0**-52])[which].sum(1)
    assert np.allclose(found.logs[:, 0], logs, rtol=1e-12)
    assert found.vanished.all()
    assert not growth.log_growths(PAIR, sgd(0.1001), runs=4, steps=80, every=80).vanished.any()


def test_the_full_batch_grows_by_its_largest_factor():
    found = growth.log_growths(WEIGHTED, sgd(2.0), runs=2, steps=400, every=200, batch=None).logs
    top = np.linalg.eigvalsh(np.tensordot(WEIGHTED.weights, H, 1))[-1]
    assert np.allclose(found[:, 1] / 200, math.log(2 * top - 1), rtol=1e-9)


def test_momentum_is_part_of_the_state():
    """x+ = x - lr b+, b+ = m b + a x: the larger root of z^2 - (1 + m - lr a) z + m."""
    one = quadratic([[[1.0]]])
    optimizer = build("sgd", lr=4.0, momentum=0.5)
    rate = growth.log_growths(one, optimizer, runs=1, steps=400, every=200).logs[0, 1] / 200
    assert rate == pytest.approx(math.log(max(abs(np.roots([1, 4.0 - 1.5, 0.5])))), rel=1e-9)


@pytest.mark.parametrize("sampling", ["with", "without"])
@pytest.mark.parametrize("ascent", ["shared", "per-sample"])
def test_step_matrices_are_those_of_the_theory(sampling, ascent):
    batches = growth.law(EQUAL.weights, 2, sampling)
    optimizer = build("usam", lr=0.2, rho=0.3, ascent=ascent)
    Phi = growth.matrices(EQUAL, optimizer, batches.batches)
    chances, A = step_matrices(
        EQUAL.hessians, EQUAL.weights, rho=0.3, batch=2, sampling=sampling, ascent=ascent
    )
    assert np.allclose(batches.chances, chances, rtol=1e-14)
    assert np.allclose(Phi, np.eye(2) - 0.2 * A, rtol=0, atol=1e-14)


def test_the_law_sums_over_all_orders_of_a_batch():
    found = growth.law([0.5, 0.3, 0.2], 3, "with")
    exact: dict[tuple[int, ...], float] = {}
    for word in itertools.product(range(3), repeat=3):
        key = tuple(sorted(word))
        exact[key] = exact.get(key, 0) + math.prod((0.5, 0.3, 0.2)[i] for i in word)
    assert [tuple(batch) for batch in found.batches] == sorted(exact)
    assert np.allclose(found.chances, [exact[key] for key in sorted(exact)], rtol=1e-13)


def test_weights_are_the_ratio_of_the_laws_times_the_growth():
    """One step from (1, 0): its weight is p_S/q_S ||y_S||^2, and q_S is how often S is drawn."""
    P, runs = np.array([[2.0, 0.3], [0.3, 1.0]]), 4_000
    batches = growth.law(WEIGHTED.weights, 1, "with")
    ran = growth.tilted(
        WEIGHTED, sgd(0.3), batches, P, runs=runs, steps=1, every=1, start=[1.0, 0.0]
    )
    y = np.array([[1.0, 0.0] - 0.3 * h[:, 0] for h in H])
    scores = WEIGHTED.weights * np.einsum("mi,ij,mj->m", y, P, y)
    q = scores / scores.sum()
    weights = np.log(WEIGHTED.weights / q * (y**2).sum(1))
    which = np.abs(ran.log_weights - weights).argmin(1)
    assert np.allclose(ran.log_weights[:, 0], weights[which], rtol=1e-12)
    # five standard deviations of a binomial share
    assert np.allclose(np.bincount(which) / runs, q, rtol=0, atol=5 * 0.5 / runs**0.5)
    assert np.allclose([ran.least, ran.largest], scores.sum() / 2.0, rtol=1e-14)


def test_one_program_serves_all_step_sizes():
    growth._grow.clear_cache()
    growth._tilt.clear_cache()
    batches = growth.law(WEIGHTED.weights, 1, "with")
    for lr in (0.1, 0.2, 0.3):
        growth.log_growths(WEIGHTED, sgd(lr), runs=3, steps=4, every=2)
        growth.tilted(WEIGHTED, sgd(lr), batches, np.eye(2), runs=3, steps=4, every=2)
    assert growth._grow._cache_size() == growth._tilt._cache_size() == 1


@pytest.mark.parametrize("name", ["sam", "msam", "adamw", "sassha", "shampoo"])
def test_optimizers_that_are_not_linear_are_refused(name):
    with pytest.raises(InputError, match="linear"):
        growth.log_growths(EQUAL, build(name), runs=2, steps=4, every=2)


def test_a_minimum_elsewhere_is_refused():
    shifted = linear([[1.0, 0.0], [0.0, 1.0]], [0.0, 1e-3])
    with pytest.raises(InputError, match="linear"):
        growth.log_growths(shifted, sgd(0.1), runs=2, steps=4, every=2)


def test_too_many_batches_are_refused_before_they_are_listed():
    with pytest.raises(InputError, match="batches"):
        growth.law(np.full(50, 0.02), 20, "with")
    with pytest.raises(InputError, match="equal"):
        growth.law([0.5, 0.3, 0.2], 2, "without")


def test_windows_fit_into_the_steps():
    with pytest.raises(InputError, match="every"):
        growth.log_growths(PAIR, sgd(0.1), runs=1, steps=4, every=5)

"""Measures worked out by hand, and in the cases they were built for."""

from functools import partial

import jax
import numpy as np
import pytest

from sims.engine import register
from sims.measures import average_sharpness, lambda_max, s_2, s_3, s_4, trace, worst_sharpness
from sims.measures._at import RADIUS, At
from theory.problems.quadratic import quadratic

RNG = np.random.default_rng(0)


@partial(jax.jit, static_argnums=0)
def compiled(measures, problem, x, probes):
    at = At(problem, problem.oracle(), x, x, lambda j, kind: probes[j])
    return [measure.measure(at) for measure in measures]


def measured(measures, problem, x, probes):
    """Each measure at x, with row j of `probes` as the j-th random vector of either kind."""
    register(problem)
    return [float(value) for value in compiled(tuple(measures), problem, x, probes)]


def opposite(common, apart):
    """Two samples with Hessians diag(common + apart) and diag(common - apart)."""
    both = np.stack([np.add(common, apart), np.subtract(common, apart)])
    return quadratic([np.diag(diagonal) for diagonal in both])


@pytest.mark.parametrize("d", [2, 70])
@pytest.mark.parametrize("delta", [0.5, 2.0**-20, 2.0**-30])
def test_s_k_of_two_opposite_samples(d, delta):
    """1 +- delta: means of powers exceed 1 by delta^2, 3 delta^2 and 6 delta^2 + delta^4.

    At delta = 2^-30 the excess is 1e-18 of what it is the difference of; EPS / delta of it is lost.
    """
    apart = np.full(d, delta / 4)
    apart[0] = delta
    found = measured(
        [s_2, s_3, s_4], opposite(np.ones(d), apart), np.ones(d), RNG.normal(size=(2, d))
    )
    expected = [delta, (3 * delta**2) ** (1 / 3), (6 * delta**2 + delta**4) ** 0.25]
    assert found == pytest.approx(expected, rel=1e-9 + 2e-16 / delta)


@pytest.mark.parametrize("d", [2, 70])
def test_s_k_of_equal_samples_is_exactly_zero(d):
    F = RNG.normal(size=(3, d))
    same = quadratic(factors=np.stack([F, F]), weights=[1, 2])
    assert measured([s_2, s_3, s_4], same, np.ones(d), RNG.normal(size=(2, d))) == [0, 0, 0]


def test_hutch_plus_plus_is_exact_where_the_rank_is_no_larger_than_its_sketch():
    F = RNG.normal(size=(10, 1, 100))
    found = measured(
        [trace], quadratic(factors=F), np.ones(100), RNG.choice([-1.0, 1.0], (32, 100))
    )
    assert found == pytest.approx([np.sum(F**2) / 10], rel=1e-12)


def test_at_a_minimum_sharpness_is_curvature():
    """Worst-case RADIUS^2 lambda_max / 2, average RADIUS^2 tr(H) / (2 d) in the mean over probes."""
    diagonal = np.array([5.0, 3.0, 2.0, 1.0, 0.5, 0.0])
    bowl, probes = quadratic(np.diag(diagonal)[None]), RNG.normal(size=(32, 6))
    worst, mean = measured([worst_sharpness, average_sharpness], bowl, np.zeros(6), probes)
    u = diagonal**15 * probes[0]  # power iteration: 16 points are 15 products apart
    assert worst == pytest.approx(RADIUS**2 / 2 * (diagonal @ u**2) / (u @ u), rel=1e-12)
    assert worst == pytest.approx(RADIUS**2 * 5 / 2, rel=1e-4)
    expected = RADIUS**2 * diagonal.sum() / 12
    # Of a mean of 32 squares z'Hz: Var = 2 ||H||_F^2 / 32; four standard errors.
    assert abs(mean / expected - 1) < 4 * np.sqrt(2 * np.sum(diagonal**2) / 32) / diagonal.sum()


def test_average_sharpness_feels_no_slope():
    """Probes come in pairs: on a quadratic it is the same wherever it is taken, to rounding."""
    bowl, probes = quadratic(factors=RNG.normal(size=(3, 2, 4))), RNG.normal(size=(32, 4))
    near, far = (
        measured([average_sharpness], bowl, x, probes)[0] for x in (np.zeros(4), np.ones(4))
    )
    assert near == pytest.approx(far, rel=1e-10)
    assert near > 0


def test_lambda_max_is_the_largest_and_not_the_largest_in_size():
    saddle = quadratic(np.eye(2)[None])
    object.__setattr__(saddle, "hessians", np.array([[[-7.0, 0.0], [0.0, 2.0]]]))
    assert measured([lambda_max], saddle, np.ones(2), np.ones((1, 2))) == pytest.approx([2.0])

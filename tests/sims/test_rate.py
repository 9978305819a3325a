"""The fitted rate of curves whose rate is known; how often the interval holds it."""

import numpy as np
import pytest

from sims.lab import Lab
from sims.rate import linear_rate
from theory.core import InputError
from theory.problems.quadratic import quadratic

STEPS = np.arange(0, 201, 5)


def decay(*rates, first=1.0):
    """Exact geometric decay at STEPS, a run for each rate."""
    return first * np.array(rates)[:, None] ** STEPS


def test_exact_decay_gives_the_exact_rate_and_an_interval_without_width():
    loss = decay(0.97, 0.97, 0.97) * np.array([[1.0], [40.0], [3e-5]])
    rate = linear_rate(loss, STEPS)
    # Least squares on 33 logs of at most 10: a few EPS of log r = 0.03.
    assert rate.per_run == pytest.approx([0.97] * 3, rel=1e-14)
    assert rate.estimate == pytest.approx(0.97, rel=1e-14)
    assert rate.low <= rate.estimate <= rate.high
    assert rate.high - rate.low < 1e-14
    assert rate.diverged == rate.too_short == ()


def test_growth_has_a_rate_above_one():
    assert linear_rate(decay(1.01, 1.01), STEPS).estimate == pytest.approx(1.01, rel=1e-13)


def test_the_interval_worked_by_hand():
    """log2 r = -1, -2, -3: mean -2, deviation 1, so -2 +- t / sqrt(3).

    With two degrees of freedom t is 0.95 sqrt(2 / (1 - 0.95^2)) = 4.3027.
    """
    steps = np.arange(6)
    rate = linear_rate(0.5 ** np.outer([1, 2, 3], steps), steps)
    reach = 0.95 * np.sqrt(2 / (1 - 0.95**2)) / np.sqrt(3)
    assert rate.estimate == pytest.approx(2.0**-2, rel=1e-12)
    assert (rate.low, rate.high) == pytest.approx((2 ** (-2 - reach), 2 ** (-2 + reach)), rel=1e-12)
    assert linear_rate(0.5 ** np.outer([1, 2, 3], steps), steps, confidence=0.5).low > rate.low


def test_least_squares_is_numpys():
    steps, noise = np.array([0, 1, 3, 4, 9, 10, 20]), np.random.default_rng(0).normal(size=(2, 7))
    rate = linear_rate(np.exp(noise), steps, transient=0)
    assert np.log(rate.per_run) == pytest.approx(np.polyfit(steps, noise.T, 1)[0], rel=1e-12)


def test_the_transient_is_dropped():
    """A fast mode of 1,000 times the size is gone after a fifth of the records."""
    loss = decay(0.97, 0.97) + 1000 * decay(0.5, 0.5)
    assert linear_rate(loss, STEPS).estimate == pytest.approx(0.97, rel=1e-6)
    assert linear_rate(loss, STEPS, transient=0).estimate < 0.965


def test_the_rounding_floor_is_left_out():
    """At 0.5 per step the loss reaches (16 EPS)^2 after 96 steps; what lies there is only rounding."""
    loss = np.maximum(decay(0.5, 0.5), 3e-32 * np.random.default_rng(0).uniform(1, 9, (2, 41)))
    assert linear_rate(loss, STEPS).estimate == pytest.approx(0.5, rel=1e-9)
    assert linear_rate(loss, STEPS, floor=0).estimate > 0.6
    assert linear_rate(decay(0.5, 0.5), STEPS, floor=1e-3, transient=0).too_short == (0, 1)


def test_a_loss_of_zero_ends_the_window():
    loss = decay(0.9, 0.9)
    loss[:, 30:] = 0.0
    assert linear_rate(loss, STEPS, floor=0).estimate == pytest.approx(0.9, rel=1e-13)


def test_diverged_runs_are_named_and_left_out():
    loss = decay(0.9, 1.5, 0.9, 1.5, 0.9)
    loss[1, 12:], loss[3, 40:] = np.inf, np.nan
    rate = linear_rate(loss, STEPS)
    assert rate.diverged == (1, 3)
    assert np.isnan(rate.per_run[[1, 3]]).all()
    assert rate.estimate == pytest.approx(0.9, rel=1e-13)


def test_one_run_says_nothing_of_the_spread_and_none_nothing_at_all():
    alone = linear_rate(decay(0.9), STEPS)
    assert (alone.low, alone.high) == (0, np.inf)
    assert alone.estimate == pytest.approx(0.9, rel=1e-13)
    none = linear_rate(np.full((2, 41), np.inf), STEPS)
    assert (none.low, none.high, none.diverged) == (0, np.inf, (0, 1))
    assert np.isnan(none.estimate)


def test_the_rate_of_sgd_in_one_dimension_is_its_exponent():
    """Factors 1 - 0.1 h, h = 1 or 5: log r = mean of log (1 - 0.1 h)^2 = log 0.45.

    The mean loss falls at (0.81 + 0.25) / 2 = 0.53 instead.
    """
    scalar = quadratic([[[1.0]], [[5.0]]])
    loss = Lab().run(scalar, "sgd", x0=[1.0], steps=200, runs=64, lr=0.1).loss
    rate = linear_rate(loss, np.arange(201), confidence=0.999, floor=0)
    assert rate.low <= 0.45 <= rate.high < 0.53
    assert rate.high - rate.low < 0.03


@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_the_interval_covers_as_often_as_it_says(confidence):
    """Runs with their own rate and correlated noise, 1,500 times: within 4 binomial deviations."""
    rng, times, runs = np.random.default_rng(3), 1500, 6
    log_rates = np.log(0.95) + 0.01 * rng.normal(size=(times, runs, 1))
    noise = np.cumsum(0.05 * rng.normal(size=(times, runs, 41)), axis=2)
    loss = np.exp(log_rates * STEPS + noise)
    rates = [linear_rate(each, STEPS, confidence=confidence, floor=0) for each in loss]
    covered = sum(rate.low <= 0.95 <= rate.high for rate in rates)
    assert abs(covered - confidence * times) < 4 * np.sqrt(times * confidence * (1 - confidence))


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("loss", {"loss": np.ones(41)}),
        ("loss", {"loss": -np.ones((2, 41))}),
        ("steps", {"steps": STEPS[1:]}),
        ("steps", {"steps": STEPS[::-1]}),
        ("confidence", {"confidence": 1.0}),
        ("transient", {"transient": -0.1}),
        ("floor", {"floor": np.nan}),
    ],
)
def test_the_door_names_what_it_refuses(field, change):
    with pytest.raises(InputError) as caught:
        linear_rate(**({"loss": decay(0.9, 0.9), "steps": STEPS} | change))
    assert caught.value.field == field

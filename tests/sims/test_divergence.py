"""A run that leaves the numbers says when, and nothing it records is ever NaN."""

import numpy as np
import pytest

from sims.engine import NEVER, Setting, simulate
from sims.lab import build
from theory.problems.linear import linear
from theory.problems.quadratic import quadratic
from theory.problems.two_layer import generate as networks

# A step of size 1 multiplies by -0.1 or by -30: a walk of log||x|| that drifts away, and back again
# across the largest number whose square is finite.
FACTORS = np.array([1.1, 31.0])
BOWLS = quadratic(FACTORS[:, None, None])
LINES = linear([[1.0, 0.5], [2.0, -5.0]], np.zeros(2))  # independent rows: no residual is spare
STEPS, SEEDS = 1000, np.arange(12)


def lost(x):
    """Where ||x||^2 (steps+1,) is not finite."""
    with np.errstate(over="ignore"):
        return ~np.isfinite((x**2).sum(axis=1))


@pytest.fixture(scope="module")
def paths(by_hand):
    with np.errstate(all="ignore"):
        return [by_hand(BOWLS, build("sgd", lr=1.0), STEPS, seed=int(s)) for s in SEEDS]


@pytest.mark.parametrize("every", [1, 10, 125, 1000])
def test_the_first_step_is_told_though_a_norm_may_come_back(every, paths):
    firsts = np.array([lost(x).argmax() if lost(x).any() else NEVER for x in paths])
    returns = [(lost(x)[:-1] & ~lost(x)[1:]).sum() for x in paths]
    assert (firsts > 0).sum() == 11 and max(returns) > 2  # they do come back, more than once
    setting = Setting(BOWLS, build("sgd", lr=1.0), STEPS, every, record=("loss", "x_norm"))
    found = simulate(setting, {}, SEEDS)
    assert np.array_equal(found["diverged_at"], firsts)
    times = np.arange(0, STEPS + 1, every)
    for run, (x, first) in enumerate(zip(paths, firsts, strict=True)):
        before = (times < first) | (first == NEVER)
        assert np.isposinf(found["loss"][run, ~before]).all()
        assert np.isposinf(found["x_norm"][run, ~before]).all()
        norms = np.abs(x[::every][before, 0])
        assert np.allclose(found["x_norm"][run, before], norms, rtol=1e-10)  # 1000 roundings


@pytest.mark.parametrize("every", [1, 100])
def test_in_gram_space_it_is_the_norm_of_the_residuals(every, by_hand):
    setting = Setting(LINES, build("sgd", lr=1.0), STEPS, every, space="gram")
    found = simulate(setting, {}, SEEDS)["diverged_at"]
    for seed, first in zip(SEEDS, found, strict=True):
        with np.errstate(all="ignore"):
            x = by_hand(LINES, build("sgd", lr=1.0), STEPS, seed=int(seed))
            assert first == lost(x @ LINES.rows.T).argmax() > 0


def test_a_run_that_leaves_does_not_disturb_its_neighbours():
    lr = np.array([0.01, 40.0, 0.02, 1e6, 0.03, 40.0, 1e300, 0.04])
    setting = Setting(BOWLS, build("sgd"), 240, 24, record=("loss", "grad_norm", "x"), block=4)
    found = simulate(setting, {"lr": lr}, np.arange(8))
    stays = lr < 1
    assert np.array_equal(found["diverged_at"] == NEVER, stays)
    alone = simulate(setting, {"lr": lr[stays]}, np.arange(8)[stays])
    for name in ("loss", "grad_norm", "x"):
        assert np.array_equal(found[name][stays], alone[name])
        assert np.isfinite(found[name][stays]).all()


@pytest.mark.parametrize("loss", ["squared", "cross-entropy"])
def test_no_measurement_is_ever_nan(loss):
    problem = networks(n=6, d=3, width=4, activation="relu", loss=loss, outputs=2, held_out=2)
    record = ("loss", "grad_norm", "x_norm", "x", "lambda_max", "trace", "s_2", "hessian_change")
    record += ("average_sharpness", "worst_sharpness")
    lr = np.array([0.01, 1e10, 1e60, 1e100, 1e150, 1e250, 1e308])
    found = simulate(Setting(problem, build("sgd"), 6, 1, 2, record=record), {"lr": lr}, [0] * 7)
    for values in found.values():
        assert not np.isnan(values).any()
    assert found["diverged_at"][0] == NEVER and (found["diverged_at"][5:] > 0).all()


def test_a_measurement_may_overflow_before_its_run_does():
    """||x|| below 1.3e154 has a finite square, and a loss of 1e155^2."""
    steep = quadratic(1e10 * np.eye(2)[None])
    setting = Setting(steep, build("sgd", lr=1e142), 1, record=("loss", "grad_norm", "x_norm"))
    found = simulate(setting, {}, [0])
    assert found["diverged_at"] == NEVER
    assert found["x_norm"][0, 1] == pytest.approx(1e152)
    assert np.isposinf(found["grad_norm"][0, 1]) and np.isposinf(found["loss"][0, 1])
    assert np.isfinite(found["loss"][0, 0])


def test_a_start_that_has_no_norm_was_lost_at_step_0():
    from sims.lab import Lab

    run = Lab().run(BOWLS, "sgd", x0=[[1e200], [1.0]], steps=2, runs=2)
    assert np.isposinf(run.x[0]).all() and np.isposinf(run.loss[0]).all()
    assert np.isfinite(run.x[1]).all()

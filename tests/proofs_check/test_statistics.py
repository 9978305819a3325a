"""Capital is a supermartingale by enumeration, means are those of all words, e-BH keeps its promise."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from proofs_check.statistics import (
    Bounded,
    Budget,
    LinearLaw,
    _e_process,
    e_bh,
    first_reached,
    linear_law,
    log_capital,
    ratios,
    sampler_distance,
    stopped,
)
from sims import _draw
from sims.lab import Lab
from theory.core import InputError
from theory.problems.quadratic import quadratic

ROWS = [[[1.0, 0.0]], [[1.0, 1.5]], [[0.6, -1.2]]]
PROBLEM = quadratic(factors=ROWS, weights=[4, 1, 1])
EPS = np.finfo(float).eps


def coins(values: np.ndarray, *, mean=0.5, room=0.0) -> Bounded:
    """Numbers in [0, 1], all with that mean."""
    full = np.full(np.shape(values), 1.0)
    least, live = 0 * full, full.astype(bool)
    return Bounded(np.asarray(values, float), mean * full, least, full, room * full, live)


# -- the gambler ---------------------------------------------------------------------------------


def expected(chance: float, bounded, steps: int = 4, runs: int = 2) -> np.ndarray:
    """E capital after each number, over every sequence of coins that show 1 with `chance`."""
    total = np.zeros(steps * runs)
    for faces in itertools.product((0.0, 1.0), repeat=steps * runs):
        values = np.array(faces).reshape(steps, runs)
        likely = np.prod(np.where(values > 0, chance, 1 - chance))
        total += likely * np.exp(log_capital(*bounded(values)))
    return total


def with_squares(values):
    """Coins of chance 0.3, and the squares of what they are off by: 0.09 or 0.49."""
    first = coins(values, mean=0.3)
    second = Bounded(
        (first.values - 0.3) ** 2,
        0 * first.means + 0.3 * 0.49 + 0.7 * 0.09,
        0 * first.means + 0.09,
        0 * first.means + 0.49,
        first.room,
        first.live,
    )
    return first, second


def test_nobody_wins_or_loses_in_the_mean_at_any_time():
    """Every signal looks back only, so the expectation over all 2^8 sequences stays 1."""
    assert expected(0.3, with_squares) == pytest.approx(np.ones(8), abs=64 * EPS)
    assert expected(0.5, lambda v: (coins(v),)) == pytest.approx(np.ones(8), abs=64 * EPS)


def test_a_bet_that_knows_its_outcome_is_caught(monkeypatch):
    true = _e_process._signals

    def knowing(z):
        yield from true(z)
        yield z

    monkeypatch.setattr(_e_process, "_signals", knowing)
    assert expected(0.5, lambda v: (coins(v),))[-1] > 1.05


@pytest.mark.parametrize("off", [-0.01, 0.0, 0.01])
def test_a_mean_within_its_room_wins_nothing(off):
    found = expected(0.5 + off, lambda v: (coins(v, room=0.0101),))
    assert (found <= 1).all()
    if off:
        assert expected(0.5 + off, lambda v: (coins(v),))[-1] > 1  # without room it would


def test_one_number_is_worked_by_hand():
    """Mean 1/2, gaps 1/2: a 1 wins c upwards and loses c downwards, c = 2^-1, ..., 2^-7."""
    (log,) = log_capital(coins([[1.0]]))
    assert math.exp(log) == pytest.approx(1, abs=4 * EPS)
    (first, second) = log_capital(coins([[1.0], [1.0]]))
    steady = [(1 + c) ** 2 + (1 - c) ** 2 for c in _e_process.SHARES]
    refrain = [(1 + c) + (1 - c) for c in _e_process.SHARES]
    herd = [2.0] * 7
    assert math.exp(second) == pytest.approx(sum(steady + refrain + herd) / 42, abs=8 * EPS)
    assert first == log


@given(
    st.lists(st.floats(allow_nan=False), min_size=6, max_size=6),
    st.floats(0, 1),
    st.floats(0, 0.1),
)
def test_capital_stays_positive_whatever_a_simulator_hands_in(values, mean, room):
    logs = log_capital(coins(np.reshape(values, (3, 2)), mean=mean, room=room))
    ruin = math.log(1 - 1.5 / 2 - 1 / 64)
    assert np.isfinite(logs).all()
    assert (logs >= ruin * np.arange(1, 7)).all()


def test_no_number_at_all_is_an_alarm_from_there_on():
    logs = log_capital(coins([[0.5, 0.5], [np.nan, 0.5]]))
    assert np.isfinite(logs[:2]).all() and (logs[2:] == np.inf).all()


def test_nothing_is_bet_where_everything_is_known_or_nothing_alive():
    dead = replace(coins([[1.0, 1.0]]), live=np.zeros((1, 2), bool))
    known = replace(coins([[9.0, 9.0]], mean=1.0), least=np.ones((1, 2)))
    for seen in (dead, known):
        assert log_capital(seen) == pytest.approx(np.zeros(2), abs=4 * EPS)


def test_betting_ends_where_it_was_said_to():
    logs = np.log([2.0, 30.0, 1.0])
    assert stopped(logs, 0.05) == pytest.approx(math.log(30))
    assert stopped(logs, 0.01) == pytest.approx(0)
    assert (first_reached(logs, 0.05), first_reached(logs, 0.01)) == (2, None)


@pytest.mark.parametrize("field", ["means", "least", "most", "room", "live"])
def test_shapes_that_differ_are_named(field):
    with pytest.raises(InputError, match=field):
        replace(coins([[1.0]]), **{field: np.ones((2, 1))})


def test_a_mean_outside_its_bounds_is_refused():
    with pytest.raises(InputError, match="between their bounds"):
        coins([[1.0]], mean=1.5)


# -- calibration ---------------------------------------------------------------------------------


def ever(alpha: float, games: int, *, steps: int, runs: int, chance: float = 0.5) -> int:
    """In how many of so many games the capital ever reached 1/alpha."""
    rng, reached = np.random.default_rng(5), 0
    for _ in range(games):
        values = (rng.random((steps, runs)) < chance).astype(float)
        reached += first_reached(log_capital(coins(values)), alpha) is not None
    return reached


def test_false_alarms_are_as_rare_as_stated():
    assert binomtest(ever(0.2, 400, steps=50, runs=4), 400, 0.2, "greater").pvalue > 1e-3
    assert ever(0.2, 20, steps=50, runs=4, chance=0.7) == 20


@pytest.mark.soak
@pytest.mark.parametrize("alpha", [0.5, 0.1, 0.01])
def test_false_alarms_are_as_rare_as_stated_in_many_games(alpha):
    found = ever(alpha, 10_000, steps=200, runs=4)
    assert binomtest(found, 10_000, alpha, "greater").pvalue > 1e-3
    assert found > 0  # it is no bound that nothing ever comes near


# -- the exact law -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "hyper"),
    [
        ("sgd", {"lr": 0.9}),
        ("sgd", {"lr": 0.9, "momentum": 0.5, "weight_decay": 0.2}),
        ("usam", {"lr": 0.5, "rho": 0.4}),
        ("usam", {"lr": 0.5, "rho": 0.4, "momentum": 0.3}),
    ],
)
def test_conditional_means_add_up_to_the_enumerated_second_moment(name, hyper):
    """E||x_{t+1}||^2 is the mean of E[Y | path] ||x_t||^2 over all words, memory included."""
    x0, steps = np.array([1.6, -1.2]), 3
    words = np.array(list(itertools.product(range(3), repeat=steps)))
    chances = PROBLEM.weights[words].prod(1)
    run = Lab().run(PROBLEM, name, x0=x0, indices=words[:, :, None], **hyper)
    law = linear_law(PROBLEM.hessians, PROBLEM.weights, **hyper)
    first, second = ratios(law, np.moveaxis(run.x, 1, 0))
    exact = Lab().enumerate(PROBLEM, name, x0=x0, steps=steps, **hyper).second_moment
    squares = (run.x**2).sum(2).T
    before = np.concatenate([squares[:1], squares[:-1]]) * ("momentum" in hyper)
    whole = (squares + before)[:-1]
    told = (first.means * whole) @ chances - (squares[:-1] @ chances) * ("momentum" in hyper)
    assert told == pytest.approx(exact[1:], rel=256 * EPS)
    # the squares' mean is the variance of Y, over the last letter of words that begin alike
    last = chances.reshape(9, 3) / chances.reshape(9, 3).sum(1, keepdims=True)
    off = (first.values - first.means)[-1].reshape(9, 3)
    assert (last * off).sum(1) == pytest.approx(np.zeros(9), abs=1e-12)
    assert (last * off**2).sum(1) == pytest.approx(second.means[-1].reshape(9, 3)[:, 0], abs=1e-12)


@pytest.mark.parametrize("sampling", ["with", "without"])
@pytest.mark.parametrize("ascent", ["shared", "per-sample"])
def test_pairs_have_the_mean_of_all_ordered_pairs(sampling, ascent):
    problem = quadratic(factors=ROWS)
    pairs = np.array(list(itertools.product(range(3), repeat=2)))
    pairs = pairs if sampling == "with" else pairs[pairs[:, 0] != pairs[:, 1]]
    hyper = {"lr": 0.5, "rho": 0.4, "ascent": ascent}
    run = Lab().run(problem, "usam", x0=[0.6, 0.8], indices=pairs[:, None, :], **hyper)
    how = {"batch": 2, "sampling": sampling}
    law = linear_law(problem.hessians, problem.weights, **hyper, **how)
    first, _ = ratios(law, np.moveaxis(run.x, 1, 0))
    assert first.values.mean() == pytest.approx(first.means[0, 0], rel=64 * EPS)
    assert (first.least[0, 0], first.most[0, 0]) == pytest.approx(
        (first.values.min(), first.values.max()), rel=64 * EPS
    )


def test_the_room_covers_a_law_that_is_off():
    law = LinearLaw(np.array([0.5, 0.5]), np.array([[[2.0]], [[0.0]]]), 1, drawn=0.25)
    first, _ = ratios(law, np.array([[[1.0]], [[2.0]]]))
    # chances 3/4 and 1/4 are 1/4 away in total variation: the mean is 3 instead of 2
    assert first.means[0, 0] == 2 and 1 <= first.room[0, 0] < 1 + 1e-9

    law = LinearLaw(np.array([0.9, 0.1]), np.array([[[2.0]], [[0.0]]]), 1, drawn=0.05)
    _, second = ratios(law, np.array([[[1.0]], [[2.0]]]))
    # Y = 4 or 0, mean 3.6: squares 0.16 and 12.96 have mean 1.44, and 2.08 at chances .85 and .15
    assert second.means[0, 0] == pytest.approx(1.44)
    assert second.room[0, 0] >= 2.08 - 1.44


@pytest.mark.parametrize("signs", list(itertools.product((-1, 1), repeat=3)))
def test_the_room_covers_sums_that_cancelled(signs):
    """Three iterates, each off by 1e-9 of the first, the largest."""
    law = LinearLaw(np.array([0.5, 0.5]), np.array([[[1e-3]], [[0.5]]]), 1)
    path, held = np.array([1.0, 1e-3, 5e-4]), 1e-9
    exact, found = (
        ratios(law, x[:, None, None], held=held) for x in (path, path + held * np.array(signs))
    )
    for true, off in zip(exact, found, strict=True):
        assert (np.abs(true.values - off.values) <= off.room).all()
        assert (off.room < 1e-3 * true.most).all()


def test_a_run_that_leaves_the_range_of_numbers_is_bet_on_no_more():
    law = LinearLaw(np.ones(1), np.array([[[2.0]]]), 1)
    first, _ = ratios(law, np.array([[[1e99]], [[2e99]], [[4e99]], [[np.inf]], [[np.inf]]]))
    assert first.live[:, 0].tolist() == [True, True, True, False]
    assert log_capital(first)[-1] == pytest.approx(0, abs=4 * EPS)
    lost, _ = ratios(law, np.array([[[1.0]], [[np.nan]]]))
    assert log_capital(lost)[-1] == np.inf


@pytest.mark.parametrize("path", [np.zeros((3, 2)), np.zeros((1, 2, 2)), np.zeros((3, 2, 5))])
def test_iterates_of_another_shape_are_refused(path):
    law = linear_law(PROBLEM.hessians, PROBLEM.weights, lr=0.1)
    with pytest.raises(InputError, match="iterates"):
        ratios(law, path)


@pytest.mark.parametrize("weights", [[1.0] * 4, [4.0, 3.0, 2.0, 1.0]])
def test_the_sampler_draws_as_near_to_its_law_as_it_says(weights):
    """Exact chances of one draw: the integers of 2^32 that lead to each sample."""
    w = np.array(weights) / sum(weights)
    drawn = _draw.sampler(w, 1, "with")
    n, edges = 4, [-(-k * 2**32 // 4) for k in range(5)]
    chances = np.zeros(n)
    for place in range(n):
        total = edges[place + 1] - edges[place]
        if drawn.tables is None:
            chances[place] += total
            continue
        kept, other = drawn.tables
        # multiples of n below `kept` among the scaled remainders
        low = min(-(-int(kept[place]) // n), total)
        chances[place] += low
        chances[other[place]] += total - low
    assert np.abs(chances / 2**32 - w).sum() / 2 <= sampler_distance(n, 1)
    assert chances.sum() == 2**32


# -- many e-values -------------------------------------------------------------------------------


def test_e_bh_by_hand():
    """K = 3, alpha = 1/10: one needs 30, two need 15 each, three need 10 each."""
    assert e_bh([1.0, 40.0, 12.0], 0.1).tolist() == [False, True, False]
    assert e_bh([25.0, 1.0, 25.0], 0.1).tolist() == [True, False, True]
    assert e_bh([10.0, 10.0, 10.0], 0.1).tolist() == [True] * 3
    assert e_bh([9.9, 29.9, 14.9], 0.1).tolist() == [False] * 3
    assert e_bh([math.inf, 0.0], 0.1).tolist() == [True, False]
    assert e_bh([], 0.1).tolist() == []


@given(st.lists(st.floats(0, 1e4), min_size=1, max_size=8), st.floats(0.01, 0.9))
def test_e_bh_is_its_definition(values, alpha):
    """The k largest, k the largest number with k e-values of K/(k alpha) or more."""
    count, found = len(values), e_bh(values, alpha)
    enough = [k for k in range(count + 1) if sum(v * k >= count / alpha for v in values) >= k]
    assert found.sum() == max(enough)
    assert sorted(np.array(values)[found]) == sorted(values)[count - max(enough) :]


def test_a_budget_is_kept_by_the_worst_e_values():
    """All at K/alpha in one outcome of chance alpha/K each: alarms have a chance of alpha at most."""
    budget = Budget(4, 0.01)
    log = math.log(4 / 0.01) + 1e-12
    assert budget.alone == 0.0025
    alarms = sum(budget.alarms(np.where(np.arange(4) == j, log, -9.0)).any() for j in range(4))
    assert alarms * budget.alone == pytest.approx(0.01)  # disjoint outcomes: the bound is attained
    assert budget.alarms([log] * 4).all()
    assert budget.alarms([math.log(100) + 1e-12] * 4).all()  # four together need 1/alpha each
    assert not budget.alarms([math.log(100) - 1e-9] * 4).any()
    assert budget.alarms([math.inf, 2000.0, 0.0, -math.inf]).tolist() == [True, True, False, False]


@pytest.mark.parametrize("values", [[-1.0], [math.nan], [[1.0]]])
def test_what_is_no_e_value_is_refused(values):
    with pytest.raises(InputError, match="e_values"):
        e_bh(values, 0.1)


@pytest.mark.parametrize("alpha", [0.0, 1.0, math.nan])
def test_what_is_no_level_is_refused(alpha):
    with pytest.raises(InputError, match="alpha"):
        e_bh([1.0], alpha)


def test_a_budget_counts_what_it_gets():
    with pytest.raises(InputError, match="one for each of 3"):
        Budget(3).alarms([0.0, 0.0])

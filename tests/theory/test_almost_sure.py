"""Exponents and first exits agree with hand computation, transfer operators and plain recursions."""

import math
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import binom

from theory.core import InputError
from theory.stability import chains
from theory.stability.almost_sure import exponent, first_exit
from theory.stability.irreducible import law
from theory.stability.mean_log import first_crossing
from theory.stability.operator import step_matrices
from theory.stability.threshold import almost_sure_rate, mean_square_critical_step, mean_square_rate

COMMON = settings(deadline=None, max_examples=40, derandomize=True)
SEEDS = st.integers(0, 2**32 - 1)


@dataclass(frozen=True)
class Ascent:
    """The shared climb, as steps carry it."""

    rho: float
    metric: np.ndarray


@dataclass(frozen=True)
class Steps:
    """The law of a step, by the fields that are read off."""

    blocks: np.ndarray
    weights: np.ndarray
    lam: np.ndarray
    batch: int | None = 1
    replacement: bool = True
    climb: Ascent | None = None
    momentum: float = 0.0
    decay: float = 0.0


def steps(F: Any, weights: Any = None, **how: Any) -> Steps:
    """Steps of factors (n, k, d) that span the space, in the eigenbasis of E A_i."""
    F = np.asarray(F, float)
    w = np.full(len(F), 1 / len(F)) if weights is None else np.asarray(weights, float)
    lam, V = np.linalg.eigh(np.einsum("n,nki,nkj->ij", w, F, F))
    return Steps(F @ V, w, lam, **how)


def scalar(a: Any, weights: Any = None, **how: Any) -> Steps:
    return steps(np.sqrt(np.reshape(a, (-1, 1, 1))), weights, **how)


def diagonal(q: np.ndarray, seed: int, **how: Any) -> Steps:
    """Commuting A_i with eigenvalues q (n, r), hidden by a rotation of space and of each block."""
    rng, r = np.random.default_rng(seed), q.shape[1]
    turns = np.linalg.qr(rng.normal(size=(len(q) + 1, r, r)))[0]
    return steps(np.sqrt(q)[:, None, :] * turns[:-1] @ turns[-1], **how)


def dense(s: Steps) -> np.ndarray:
    return np.swapaxes(s.blocks, 1, 2) @ s.blocks


def mean_log(eta: float, a: Any, p: Any = None) -> float:
    return float(np.average(np.log(np.abs(1 - eta * np.asarray(a, float))), weights=p))


def transfer(s: Steps, eta: float, points: int = 2000) -> tuple[float, float]:
    """(lower, upper) around the exponent in two dimensions, by iterating f -> E f(direction).

    Starting from the mean growth h, every iterate's minimum and maximum enclose the stationary mean
    of h. Interpolation errs by about (pi/points)^2 where h is smooth.
    """
    angles = np.arange(points) * np.pi / points
    u = np.stack([np.cos(angles), np.sin(angles)])
    moved = u - eta * dense(s) @ u
    h = s.weights @ np.log(np.linalg.norm(moved, axis=1))
    places = np.arctan2(moved[:, 1], moved[:, 0]) % np.pi
    f = h
    for _ in range(400):
        if np.ptp(f) < 1e-7:
            break
        f = s.weights @ np.interp(places, np.append(angles, np.pi), np.append(f, f[0]))
    return f.min(), f.max()


ROWS = np.array([[[1.0, 0.2]], [[-0.7, 1.1]], [[0.4, 1.6]]])
PLANE = steps(ROWS, [0.5, 0.2, 0.3])  # irreducible: nothing about it is exact


def holds(found: Any, value: float, room: float = 1e-6) -> bool:
    return found.lower - room <= value <= found.upper + room


def test_all_three_sign_changes_of_one_and_ten_are_seen_and_the_first_is_the_exit():
    s = scalar([1, 10])
    for eta in (0.05, 0.2, 0.23, 0.5, 0.87, 0.9, 1.0001, 1.1, 1.3):
        found = exponent(s, eta)
        assert found.lower == pytest.approx(mean_log(eta, [1, 10]), abs=1e-13)
        assert (found.lower, found.confidence, found.seed) == (found.upper, 1.0, None)
    assert [exponent(s, e).lower > 0 for e in (0.2, 0.5, 0.9, 1.3)] == [False, True, False, True]
    # (1 - eta)(10 eta - 1) = 1 gives 10 eta^2 - 11 eta + 2 = 0
    by_hand = (11 - math.sqrt(121 - 80)) / 20
    found = first_exit(s, lower=0.1)
    assert found.lower == pytest.approx(by_hand, rel=1e-13)
    assert (found.lower, found.confidence, found.seed) == (found.upper, 1.0, None)


@COMMON
@given(SEEDS, st.integers(1, 6))
def test_the_first_crossing_is_the_first_of_a_fine_grid(seed, m):
    rng = np.random.default_rng(seed)
    p, q = rng.dirichlet(np.ones(m)), np.exp(2 * rng.normal(size=m)) * (rng.random(m) < 0.8)
    found = first_crossing(p, q)
    if not q.any():
        assert found == math.inf
        return
    etas = np.geomspace(0.1 / q.max(), 2e4 / q[q > 0].min(), 40_001)
    values = np.log(np.abs(1 - etas[:, None] * q)) @ p
    before = etas < found * (1 - 1e-12)
    assert (values[before] <= 1e-12).all()
    if found < etas[-1]:  # just past it the function is positive, unless found is a pole's edge
        assert np.dot(p, np.log(np.abs(1 - found * (1 + 1e-9) * q))) > -1e-6


@pytest.mark.parametrize("seed", range(4))
def test_a_hidden_commuting_family_is_exact_mode_by_mode(seed):
    q = np.exp(np.random.default_rng(seed).normal(size=(5, 4)))
    s = diagonal(q, seed)
    eta = 1.5 / q.mean(0).max()
    found = exponent(s, eta)
    assert found.confidence == 1
    assert found.upper == pytest.approx(max(mean_log(eta, a) for a in q.T), abs=1e-10)
    exit_ = first_exit(s, lower=mean_square_critical_step(s.weights, dense(s)))
    grid = np.geomspace(0.1234, 12, 20_001) / q.max()
    growing = [max(mean_log(e, a) for a in q.T) > 0 for e in grid]
    k = growing.index(True)
    assert grid[k - 1] <= exit_.lower == exit_.upper <= grid[k]


@pytest.mark.parametrize("replacement", [True, False])
def test_batches_of_a_commuting_family_are_enumerated(replacement):
    a, eta = np.array([1.0, 2.0, 6.0]), 0.6
    pairs = [(i, j) for i, j in product(range(3), repeat=2) if replacement or i != j]
    by_hand = np.mean([math.log(abs(1 - eta * (a[i] + a[j]) / 2)) for i, j in pairs])
    found = exponent(scalar(a, batch=2, replacement=replacement), eta)
    assert found.upper == pytest.approx(by_hand, abs=1e-13)
    other = exponent(scalar(a, batch=2, replacement=not replacement), eta)
    assert abs(other.upper - by_hand) > 0.01  # ignoring how batches are drawn would be seen


def test_weights_count_in_exact_batches():
    a, w, eta = [1.0, 5.0], [0.8, 0.2], 0.7
    means = {1.0: 0.64, 3.0: 0.32, 5.0: 0.04}
    by_hand = mean_log(eta, list(means), list(means.values()))
    assert exponent(scalar(a, w, batch=2), eta).upper == pytest.approx(by_hand, abs=1e-13)


def test_orthogonal_rows_exit_where_the_longest_one_overshoots():
    norms = np.array([1.0, 2.0, 5.0])
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    s = steps((np.sqrt(norms)[:, None] * turn)[:, None, :])
    found = first_exit(s, lower=0.1)
    assert found.confidence == 1
    assert found.lower == pytest.approx(2 / 5, rel=1e-9)
    assert exponent(s, 0.3).upper == pytest.approx(math.log(0.7) / 3, rel=1e-8)
    assert exponent(scalar([1.0]), 1.0).upper == -math.inf


def test_rows_of_equal_norm_exit_at_the_mean_square_edge_for_certain():
    rows = np.random.default_rng(1).normal(size=(9, 1, 4))
    s = steps(rows * math.sqrt(3) / np.linalg.norm(rows, axis=2, keepdims=True))
    edge = mean_square_critical_step(s.weights, dense(s))
    assert edge == pytest.approx(2 / 3, rel=1e-12)
    found = first_exit(s, lower=edge * (1 - 1e-13))
    assert (found.confidence, found.seed) == (1, None)
    assert found.lower == pytest.approx(found.upper, rel=1e-11)


@pytest.mark.parametrize("eta", [0.3, 0.8, 1.3])
def test_exponents_in_the_plane_are_calibrated_against_a_transfer_operator(eta):
    truth = np.mean(transfer(PLANE, eta))
    looks = [exponent(PLANE, eta, seed=k, confidence=0.8, budget=4e7) for k in range(40)]
    assert {look.confidence for look in looks} == {0.8}
    missed = sum(not holds(look, truth) for look in looks)
    # Fewer misses only mean caution; more than this happens once in 1e6 where 80% is true.
    assert missed <= binom.isf(1e-6, 40, 0.2)
    assert np.median([look.upper - look.lower for look in looks]) < 0.03


def test_first_exits_in_the_plane_hold_the_root_of_the_transfer_operator():
    edge = mean_square_critical_step(PLANE.weights, dense(PLANE))
    root = brentq(lambda e: np.mean(transfer(PLANE, e, 1000)), edge, 2 * edge, xtol=1e-5)
    assert root > 1.03 * edge  # or `lower` itself would do
    for seed in range(8):
        found = first_exit(PLANE, lower=edge, seed=seed, confidence=0.99)
        assert found.lower <= root * (1 + 1e-4) and root * (1 - 1e-4) <= found.upper
        assert found.upper < 1.02 * found.lower
        assert (found.confidence, found.seed) == (0.99, seed)


def disguised(seed: int, scale: float = 1.0) -> Steps:
    """Two planes, mirror images with one exponent (1 times, `scale` times), in a random basis."""
    first = np.concatenate([ROWS, np.zeros_like(ROWS)], 2)
    second = np.concatenate([np.zeros_like(ROWS), math.sqrt(scale) * ROWS[::-1]], 2)
    turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(4, 4)))[0]
    return steps(np.concatenate([first, second], 1) @ turn)


def test_tied_exponents_of_a_reducible_family_are_found_without_bias():
    plain = steps(ROWS)
    truth = np.mean(transfer(plain, 0.9))
    s = disguised(3)
    assert sorted(law(s).sizes) == [2, 2]
    looks = [exponent(s, 0.9, seed=k, confidence=0.9, budget=4e7) for k in range(40)]
    assert sum(not holds(look, truth) for look in looks) <= binom.isf(1e-6, 40, 0.1)


def test_the_part_that_grows_first_decides_the_exit():
    edge = mean_square_critical_step(np.full(3, 1 / 3), dense(steps(ROWS)))
    plain = first_exit(steps(ROWS), lower=edge)
    both = first_exit(disguised(3, scale=2.0), lower=edge / 2)
    assert both.lower <= plain.upper / 2 and plain.lower / 2 <= both.upper


@pytest.mark.parametrize("seed", range(3))
def test_a_rotation_and_an_order_of_the_samples_change_nothing(seed):
    rng = np.random.default_rng(seed)
    order, turn = rng.permutation(3), np.linalg.qr(rng.normal(size=(2, 2)))[0]
    other = steps((PLANE.blocks @ turn)[order], PLANE.weights[order])
    a, b = exponent(PLANE, 0.8), exponent(other, 0.8, seed=seed + 10)
    assert max(a.lower, b.lower) <= min(a.upper, b.upper)
    exact, turned = (
        first_exit(x, lower=0.01)
        for x in (diagonal(np.eye(3) + 1, 0), diagonal(np.eye(3)[order] + 1, seed + 5))
    )
    assert exact.lower == pytest.approx(turned.lower, rel=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_simulated_exponents_lie_between_the_rigorous_bounds_of_another_file(seed):
    rng = np.random.default_rng(seed)
    s = steps(rng.normal(size=(4, 2, 3)))
    eta = mean_square_critical_step(s.weights, dense(s)) * rng.uniform(0.5, 2)
    lower, upper = almost_sure_rate(s.weights, dense(s), eta)
    found = exponent(
        s, eta, seed=seed, at_most=math.log(mean_square_rate(s.weights, dense(s), eta)) / 2
    )
    assert lower - 1e-9 <= found.lower <= found.upper <= upper + 1e-9
    assert exponent(s, eta, at_most=lower).upper <= lower


@pytest.mark.parametrize("eta", [0.2, 1.0, 1.89, 1.91, 3.0])
def test_one_sample_with_momentum_is_its_companion_matrix(eta):
    b, q = 0.9, 2.0
    truth = math.log(max(abs(np.roots([1, -(1 + b - eta * q), b]))))
    for s in (
        scalar([q], momentum=b),
        scalar([q, q], momentum=b),
        scalar([1, 3], batch=None, momentum=b),
    ):
        found = exponent(s, eta)
        assert found.upper == found.lower == pytest.approx(truth, abs=1e-12)
        assert first_exit(s, lower=0.5).upper == pytest.approx(2 * (1 + b) / q, rel=1e-14)


def heavy_ball(s: Steps, eta: float, t: int, runs: int, seed: int) -> tuple[float, float]:
    """(mean, standard error) of the growth of PyTorch's SGD in one dimension, step by step."""
    rng = np.random.default_rng(seed)
    a, x, v, total = s.blocks[:, 0, 0] ** 2, np.ones(runs), np.zeros(runs), np.zeros(runs)
    for k in range(2 * t):
        drawn = a[rng.choice(len(a), (runs, s.batch), p=s.weights)].mean(1)
        v = s.momentum * v + (drawn + s.decay) * x
        x = x - eta * v
        size = np.hypot(x, eta * v)
        x, v = x / size, v / size
        total += np.log(size) if k >= t else 0
    return total.mean() / t, total.std() / t / math.sqrt(runs)


@pytest.mark.parametrize(("batch", "decay"), [(1, 0.0), (2, 0.1)])
def test_momentum_and_decay_in_one_dimension_agree_with_a_plain_recursion(batch, decay):
    s = scalar([1, 10], [0.6, 0.4], momentum=0.5, batch=batch, decay=decay)
    for eta in (0.1, 0.4):
        value, error = heavy_ball(s, eta, 1500, 300, seed=7)
        found = exponent(s, eta, seed=1)
        assert holds(found, value, room=5 * error)
        assert found.upper - found.lower < 0.05
        without = exponent(replace(s, momentum=0.0), eta)
        assert not holds(without, value, room=5 * error)


def test_many_scalar_modes_with_momentum_are_as_good_as_the_worst_alone():
    q = np.array([[1.0, 0.2, 2.0], [10.0, 0.4, 3.0]])
    alone = exponent(scalar(q[:, 0], momentum=0.5), 0.4)
    found = exponent(diagonal(q, 2, momentum=0.5), 0.4, seed=4)
    assert max(alone.lower, found.lower) <= min(alone.upper, found.upper)


@pytest.mark.parametrize("replacement", [True, False])
def test_a_shared_climb_is_the_law_of_its_enumerated_batches(replacement):
    rng = np.random.default_rng(4)
    F, rho = rng.normal(size=(4, 1, 2)), 0.3
    sampling = "with" if replacement else "without"
    p, A = step_matrices(
        np.swapaxes(F, 1, 2) @ F, np.full(4, 0.25), rho=rho, batch=2, sampling=sampling
    )
    listed = steps(np.swapaxes(np.linalg.cholesky(A + 1e-15 * np.eye(2)), 1, 2), p)
    how = {"batch": 2, "replacement": replacement, "climb": Ascent(rho, np.eye(2))}
    climbing = Steps(F, np.full(4, 0.25), np.linalg.eigvalsh(np.tensordot(p, A, 1)), **how)
    for eta in (0.3, 1.0):
        truth = np.mean(transfer(listed, eta))
        assert holds(exponent(climbing, eta), truth)
        assert not holds(exponent(replace(climbing, climb=None), eta), truth)
        assert not holds(
            exponent(replace(climbing, climb=Ascent(rho, np.diag([1, 3]))), eta), truth
        )


def test_a_climb_in_one_dimension_is_exact():
    s = scalar([1.0, 4.0], batch=2, climb=Ascent(0.5, np.array([[2.0]])))
    q = [1 + 1, 2.5 + 2.5**2, 4 + 16]
    found = exponent(s, 0.3)
    assert found.upper == pytest.approx(mean_log(0.3, q, [0.25, 0.5, 0.25]), abs=1e-13)


def test_batches_too_many_to_list_are_drawn_alike():
    """64 equal copies of four rows: batches of two of 256 differ little from two of four."""
    F = np.random.default_rng(9).normal(size=(4, 1, 3))
    few = exponent(steps(F, batch=2), 0.5)
    many = exponent(steps(np.repeat(F, 64, 0), batch=2), 0.5, seed=1)
    assert many.confidence == 0.99
    assert max(few.lower, many.lower) <= min(few.upper, many.upper) + 1e-3
    two = exponent(steps(np.repeat(F, 64, 0), batch=2, replacement=False), 0.5, seed=2)
    assert abs(two.upper - many.upper) < 0.03


PLANTS = {
    "weights ignored": lambda self, t, c: self.rng.integers(3, size=(t, c)),
    "one sample for all": lambda self, t, c: np.zeros((t, c), int),
}


def dominated() -> tuple[Steps, float]:
    """A plane whose directions take some hundred steps to settle, and its exponent."""
    weak = steps(np.array([[[1.0, 0.02]], [[0.0, 0.1]], [[0.9, -0.05]]]))
    return weak, float(np.mean(transfer(weak, 0.5, 8000)))


@pytest.mark.parametrize("fault", PLANTS)
def test_a_wrong_draw_misses_the_transfer_operator(fault, monkeypatch):
    truth = np.mean(transfer(PLANE, 1.3))
    assert holds(exponent(PLANE, 1.3), truth)
    monkeypatch.setattr(chains.Chains, "_draw", PLANTS[fault])
    assert not holds(exponent(PLANE, 1.3), truth)


def test_no_burn_in_from_a_bad_start_misses_and_the_burn_in_mends_it():
    s, truth = dominated()
    ran = chains.Chains(law(s), 0)
    bad = np.zeros((2, 64, 2, 1))
    bad[:, :, np.argmax(law(s).F[0, 0] ** 2)] = 1  # along the direction that shrinks fastest
    early = ran._run(np.array([0.5]), 2, 1, True, bad).rates.mean((0, 1))
    settled = ran.run(np.array([0.5]), 3e8, bad)
    assert settled is not None
    lower, upper = settled.intervals(0.99)
    assert lower[0, 0] <= truth <= upper[0, 0]
    assert not lower[0, 0] <= early[0, 0] <= upper[0, 0]


def test_a_run_too_short_to_settle_says_so():
    """Slow modes take thousands of steps: a short pass must not exclude what a long one finds."""
    rng = np.random.default_rng(5)
    s = steps(rng.normal(size=(60, 1, 30)) * np.exp(rng.normal(size=(60, 1, 1)) / 2))
    eta = mean_square_critical_step(s.weights, dense(s))
    long = exponent(s, eta, budget=8e9, confidence=0.9)
    for seed in range(6):
        short = exponent(s, eta, budget=1e8, seed=seed + 1)
        assert max(short.lower, long.lower) <= min(short.upper, long.upper)
        assert short.upper - short.lower > long.upper - long.lower


def test_a_seed_repeats_and_another_one_differs():
    one, two = (exponent(PLANE, 0.8, seed=5, budget=3e7) for _ in range(2))
    assert one == two != exponent(PLANE, 0.8, seed=6, budget=3e7)
    shares: list[float] = []
    found = first_exit(PLANE, lower=0.5, seed=5, progress=shares.append)
    assert found == first_exit(PLANE, lower=0.5, seed=5)
    assert shares == sorted(shares) and 0 < shares[-1] <= 1


def test_a_budget_too_small_leaves_what_is_certain():
    found = first_exit(PLANE, lower=0.5, budget=10.0)
    assert (found.lower, found.confidence, found.seed) == (0.5, 1.0, None)
    assert mean_log_det(found.upper * (1 + 1e-6)) > 0 >= mean_log_det(found.upper * (1 - 1e-6))
    certain = exponent(PLANE, 0.8, budget=10.0)
    assert certain.confidence == 1
    assert certain.lower <= np.mean(transfer(PLANE, 0.8)) <= certain.upper
    blind = first_exit(replace(PLANE, momentum=0.9), lower=0.01, budget=10.0)
    assert (blind.lower, blind.upper, blind.confidence) == (0.01, math.inf, 1.0)


def mean_log_det(eta: float) -> float:
    return float(PLANE.weights @ np.linalg.slogdet(np.eye(2) - eta * dense(PLANE))[1])


def test_nothing_curved_has_no_exit():
    flat = Steps(np.empty((2, 1, 0)), np.full(2, 0.5), np.empty(0))
    assert first_exit(flat, lower=1.0).upper == math.inf
    assert exponent(flat, 1.0).upper == -math.inf


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: exponent(PLANE, 0.0), "eta"),
        (lambda: exponent(PLANE, math.nan), "eta"),
        (lambda: exponent(PLANE, 1.0, confidence=1.0), "confidence"),
        (lambda: exponent(PLANE, 1.0, budget=0), "budget"),
        (lambda: first_exit(PLANE, lower=0.0), "lower"),
        (lambda: first_exit(PLANE, lower=math.nan), "lower"),
        (lambda: first_exit(PLANE, lower=1.0, confidence=0), "confidence"),
    ],
)
def test_mistakes_are_named(call, field):
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.field == field

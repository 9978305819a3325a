"""Closed forms of the edges agree with bisection, theory's special cases and its witnesses."""

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.exact import Matrix, SecondMoment
from theory.exact.second_moment import radius_at_most
from theory.stability.operator import step_matrices
from theory.stability.threshold import (
    almost_sure_rate,
    critical_steps,
    mean_rate,
    mean_square_critical_step,
    mean_square_rate,
    one_step_critical_step,
    one_step_rate,
)

SEEDS = st.integers(0, 2**32 - 1)
COMMON = settings(deadline=None, max_examples=30, derandomize=True)


def family(seed: int, n: int, d: int, rank: int = 1) -> np.ndarray:
    """Unlike sizes on purpose: equal norms would make notions coincide."""
    rng = np.random.default_rng(seed)
    F = rng.normal(size=(n, rank, d)) * np.exp(rng.normal(size=(n, 1, 1)) / 2)
    return np.swapaxes(F, 1, 2) @ F


def uniform(n: int) -> np.ndarray:
    return np.full(n, 1 / n)


def rows(*vectors) -> np.ndarray:
    return np.array([np.outer(v, v) for v in vectors], float)


def kron_radius(p, A, eta) -> float:
    Phi = np.eye(A.shape[-1]) - eta * A
    return np.abs(
        np.linalg.eigvals(sum(w * np.kron(S, S) for w, S in zip(p, Phi, strict=True)))
    ).max()


def crossing(rate, high: float) -> float:
    """The step below `high` where an increasing-through-one rate crosses one."""
    low = 1e-6 * high
    assert rate(low) < 1 < rate(high)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if rate(middle) < 1 else (low, middle)
    return low


@settings(deadline=None, max_examples=12, derandomize=True)
@given(SEEDS, st.sampled_from(["shared", "per-sample"]), st.integers(1, 2))
def test_edges_are_where_the_rates_cross_one(seed, ascent, batch):
    H = family(seed, 3, 3, rank=2)
    p, A = step_matrices(H, uniform(3), rho=0.1, batch=batch, ascent=ascent)
    edges = critical_steps(p, A)
    bar = np.tensordot(p, A, 1)
    square = np.tensordot(p, A @ A, 1)

    def one_step(eta):
        return np.linalg.eigvalsh(np.eye(3) - 2 * eta * bar + eta**2 * square)[-1]

    top = 2.1 / np.linalg.eigvalsh(bar)[-1]
    assert edges.one_step == pytest.approx(crossing(one_step, top), rel=1e-8)
    by_kron = crossing(lambda eta: kron_radius(p, A, eta), top)
    assert edges.mean_square == pytest.approx(by_kron, rel=1e-8)
    by_mean = crossing(lambda eta: np.abs(np.linalg.eigvals(np.eye(3) - eta * bar)).max(), top)
    assert edges.mean == pytest.approx(by_mean, rel=1e-8)


@COMMON
@given(SEEDS, st.floats(0.1, 1.5))
def test_rates_agree_with_their_definitions(seed, share):
    A, p = family(seed, 4, 3), np.array([0.1, 0.2, 0.3, 0.4])
    eta = share * critical_steps(p, A).mean
    Phi = np.eye(3) - eta * A
    assert mean_square_rate(p, A, eta) == pytest.approx(kron_radius(p, A, eta), rel=1e-9)
    second = np.einsum("m,mij,mik->jk", p, Phi, Phi)
    assert one_step_rate(p, A, eta) == pytest.approx(np.linalg.norm(second, 2), rel=1e-12)
    first = np.einsum("m,mij->ij", p, Phi)
    assert mean_rate(p, A, eta) == pytest.approx(np.linalg.norm(first, 2), rel=1e-12)


@COMMON
@given(SEEDS, st.integers(1, 5), st.integers(1, 4))
def test_the_ladder_and_its_gap_bound(seed, n, d):
    edges = critical_steps(*step_matrices(family(seed, n, d), uniform(n)))
    slack = 1 + 1e-10
    assert edges.one_step <= edges.mean_square * slack
    assert edges.mean_square <= edges.mean * slack
    assert edges.mean_square <= edges.one_step * (1 + math.sqrt(n)) / 2 * slack


@COMMON
@given(SEEDS, st.sampled_from(["with", "without"]), st.floats(0, 0.5))
def test_a_larger_batch_never_lowers_the_mean_square_edge(seed, sampling, rho):
    H = family(seed, 4, 3)
    how = {"rho": rho, "sampling": sampling, "ascent": "per-sample"}
    edges = [
        mean_square_critical_step(*step_matrices(H, uniform(4), batch=B, **how))
        for B in (1, 2, 3, 4)
    ]
    assert all(a <= b * (1 + 1e-10) for a, b in pairwise(edges))
    assert edges[0] < edges[-1]


@COMMON
@given(SEEDS, st.integers(1, 3), st.sampled_from(["with", "without"]))
def test_in_one_dimension_the_edge_is_twice_the_mean_over_the_second_moment(seed, B, sampling):
    a = np.random.default_rng(seed).uniform(0.1, 3, size=4)
    p = 1 / B if sampling == "with" else (4 - B) / (B * 3)
    second = (1 - p) * a.mean() ** 2 + p * (a**2).mean()
    law = step_matrices(a.reshape(4, 1, 1), uniform(4), batch=B, sampling=sampling)
    edges = critical_steps(*law)
    assert edges.mean_square == pytest.approx(2 * a.mean() / second, rel=1e-12)
    assert edges.one_step == pytest.approx(edges.mean_square, rel=1e-12)
    assert edges.mean == pytest.approx(2 / a.mean(), rel=1e-12)


@COMMON
@given(SEEDS, st.floats(0, 0.5))
def test_rows_of_equal_norm_have_their_edge_at_two_over_it(seed, rho):
    v = np.random.default_rng(seed).normal(size=(3, 6))  # a common null space of dimension three
    v *= 1.7 / np.linalg.norm(v, axis=1, keepdims=True)
    edge = mean_square_critical_step(*step_matrices(rows(*v), uniform(3), rho=rho))
    assert edge == pytest.approx(2 / (1.7**2 * (1 + rho * 1.7**2)), rel=1e-10)


def test_a_stable_minimum_breaks_the_printed_nonuniformity_bound():
    law = uniform(3), rows((0, 1), (1, -1), (1, 1))
    assert mean_square_rate(*law, 1.1) < 1 < one_step_rate(*law, 1.1)
    exact = [Matrix([r]).T @ Matrix([r]) for r in ([0, 1], [1, -1], [1, 1])]
    steps = [Matrix.identity(2) - Fraction(11, 10) * A for A in exact]
    assert radius_at_most(SecondMoment([Fraction(1, 3)] * 3, steps), Fraction(1))


def test_the_one_step_notion_is_stricter_than_the_mean_square_one():
    law = uniform(2), rows((1, 1), (1, 0))
    assert mean_square_rate(*law, 9 / 8) < 1 < one_step_rate(*law, 9 / 8)
    assert one_step_critical_step(*law) < 9 / 8 < mean_square_critical_step(*law)


def test_per_sample_ascent_has_the_edge_of_sgd_on_the_raised_hessians():
    H = family(5, 3, 3, rank=2)
    ours = critical_steps(*step_matrices(H, uniform(3), rho=0.2, batch=2, ascent="per-sample"))
    raised = critical_steps(*step_matrices(H + 0.2 * (H @ H), uniform(3), batch=2))
    for name in ("one_step", "mean_square", "mean"):
        assert getattr(ours, name) == pytest.approx(getattr(raised, name), rel=1e-10)
    shared = critical_steps(*step_matrices(H, uniform(3), rho=0.2, batch=2))
    assert abs(shared.mean_square / ours.mean_square - 1) > 1e-3


def test_where_nothing_moves_every_step_is_stable():
    p, A = np.array([0.5, 0.5]), np.zeros((2, 2, 2))
    edges = critical_steps(p, A)
    assert (edges.one_step, edges.mean_square, edges.mean) == (math.inf, math.inf, math.inf)
    assert mean_square_rate(p, A, 3.0) == one_step_rate(p, A, 3.0) == mean_rate(p, A, 3.0) == 0
    assert almost_sure_rate(p, A, 3.0) == (-math.inf, -math.inf)


def test_a_null_space_changes_no_edge_and_no_rate():
    A = family(7, 3, 3, rank=2)
    U = np.linalg.qr(np.random.default_rng(0).normal(size=(6, 6)))[0][:, :3]
    lifted, p = U @ A @ U.T, uniform(3)
    ours, theirs = critical_steps(p, lifted), critical_steps(p, A)
    for name in ("one_step", "mean_square", "mean"):
        assert getattr(ours, name) == pytest.approx(getattr(theirs, name), rel=1e-10)
    for rate in (one_step_rate, mean_square_rate, mean_rate):
        assert rate(p, lifted, 0.1) == pytest.approx(rate(p, A, 0.1), rel=1e-10)
    assert almost_sure_rate(p, lifted, 0.1) == pytest.approx(almost_sure_rate(p, A, 0.1), rel=1e-9)


@pytest.mark.parametrize(("eta", "stable"), [(0.2, True), (0.5, False), (0.9, True)])
def test_the_almost_sure_stable_set_is_not_an_interval(eta, stable):
    lower, upper = almost_sure_rate(uniform(2), np.array([[[1.0]], [[10.0]]]), eta)
    exact = (math.log(abs(1 - eta)) + math.log(abs(1 - 10 * eta))) / 2
    assert lower == pytest.approx(exact, rel=1e-12)
    assert upper == pytest.approx(exact, rel=1e-12)
    assert (upper < 0) == stable


def test_almost_sure_decay_and_mean_square_growth_coexist():
    p, A = uniform(2), np.array([[[0.9]], [[4.0]]])  # |factors| 1/10 and 3
    assert mean_square_rate(p, A, 1.0) == pytest.approx(4.505)
    assert almost_sure_rate(p, A, 1.0)[1] == pytest.approx(math.log(0.3) / 2)


def test_a_step_that_lands_on_zero_has_rate_minus_infinity():
    A = np.array([[[1.0]], [[3.0]]])
    assert almost_sure_rate(uniform(2), A, 1.0) == (-math.inf, -math.inf)
    assert almost_sure_rate(np.ones(1), np.eye(2)[None], 1.0) == (-math.inf, -math.inf)


@pytest.mark.parametrize("eta", [0.3, 2.5])
def test_steps_that_scale_every_direction_alike_have_a_known_exponent(eta):
    A = np.array([np.eye(3), 2 * np.eye(3)])
    exact = (math.log(abs(1 - eta)) + math.log(abs(1 - 2 * eta))) / 2
    assert almost_sure_rate(uniform(2), A, eta) == pytest.approx((exact, exact), rel=1e-12)


@COMMON
@given(SEEDS, st.floats(0.2, 1.4))
def test_the_enclosure_holds_the_exponent_of_a_commuting_family(seed, eta):
    rng = np.random.default_rng(seed)
    U = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    values = rng.uniform(0.1, 2.5, size=(2, 3))
    A = np.array([U @ np.diag(v) @ U.T for v in values])
    exact = np.log(np.abs(1 - eta * values)).mean(axis=0).max()
    lower, upper = almost_sure_rate(uniform(2), A, eta)
    assert lower <= exact + 1e-9
    assert exact <= upper + 1e-9
    assert upper <= math.log(mean_square_rate(uniform(2), A, eta)) / 2 + 1e-12
    shorter = almost_sure_rate(uniform(2), A, eta, words=4)
    assert upper <= shorter[1] + 1e-12
    assert almost_sure_rate(uniform(2), A, eta, words=1)[1] >= shorter[1] - 1e-12


def test_the_enclosure_holds_the_growth_of_a_long_random_product():
    p, A, eta = uniform(3), family(11, 3, 2), 0.4
    steps = np.eye(2) - eta * A
    x, total, length = np.ones(2), 0.0, 20_000
    for i in np.random.default_rng(0).integers(3, size=length):
        x = steps[i] @ x
        total += math.log(np.linalg.norm(x))
        x /= np.linalg.norm(x)
    lower, upper = almost_sure_rate(p, A, eta)
    # The central limit error of the sample mean is a few standard deviations of log||Phi u||.
    assert lower - 0.03 < total / length < upper + 0.03
    assert upper - lower < 1.5

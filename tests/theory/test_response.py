"""The response is the Gram matrix of the mean step's filters, and PSD also with noise moved in."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.stability.response import Response

SEEDS = st.integers(0, 2**32 - 1)
LENGTH = 4000  # of the filters: all here are shorter than 1e-16 by then


def filters(q: np.ndarray, m: float, length: int = LENGTH, rate: float = 1.0) -> np.ndarray:
    """h_a(t) rate^{-t/2} (length, r): x+ = (1 + m - q_a) x - m x-, from one unit of noise."""
    h = np.zeros((length, len(q)))
    h[0], h[1] = 1, (1 + m - q) / np.sqrt(rate)
    for t in range(2, length):
        h[t] = (1 + m - q) / np.sqrt(rate) * h[t - 1] - m / rate * h[t - 2]
    return h


def spectrum(rng: np.random.Generator) -> np.ndarray:
    return np.sort(np.exp(rng.normal(size=rng.integers(1, 7)) * rng.choice([0.1, 1, 5])))


def test_a_filter_worked_by_hand_leaves_the_variance_of_the_formula():
    """m = 0, q = 1/2: h = 1, 1/2, 1/4, ..., the squares add to 4/3; eta = 1, l = 1/2."""
    response = Response(np.array([0.5]), 0.0)
    K = response.kernel(response.at_step(1.0))
    assert K[0, 0] == pytest.approx(0.25 * 4 / 3, rel=1e-15)


@settings(max_examples=60)
@given(SEEDS, st.floats(0, 0.95), st.sampled_from([0.0, 0.1, 1.0]), st.floats(0.05, 0.95))
def test_without_noise_the_response_is_the_sum_over_two_filters(seed, m, w, share):
    lam = np.random.default_rng(seed).uniform(0.2, 3, 4)
    eta = share * 2 * (1 + m) / (lam.max() + w)
    h = filters(eta * (lam + w), m)
    assert np.abs(h[-1]).max() < 1e-16
    expected = eta**2 * np.outer(lam, lam) * (h.T @ h)
    response = Response(lam, 0.0, m, w)
    K = response.kernel(response.at_step(eta))
    # sums of up to 4000 terms that alternate, each to EPS of the largest
    assert K == pytest.approx(expected, rel=1e-9, abs=1e-12 * expected.max())


@settings(max_examples=60)
@given(
    SEEDS, st.floats(0, 0.9), st.sampled_from([0, 0.3]), st.floats(0.05, 1.5), st.floats(1.02, 2)
)
def test_at_a_rate_the_filters_are_discounted_by_it(seed, m, w, share, above):
    lam = np.random.default_rng(seed).uniform(0.2, 3, 4)
    eta = share * 2 * (1 + m) / (lam.max() + w)
    q = eta * (lam + w)
    roots = np.array([np.abs(np.roots([1, -(1 + m - x), m])).max() for x in q])
    r = above * roots.max() ** 2  # the sums converge above the square of the slowest mode
    h = filters(q, m, 2000, r)
    assert np.abs(h[-1]).max() < 1e-7  # 1.02^-1000
    expected = eta**2 * np.outer(lam, lam) * (h.T @ h) / r
    response = Response(lam, 0.0, m, w)
    K = response.kernel(response.at_rate(r, eta))
    assert K == pytest.approx(expected, rel=1e-9, abs=1e-11 * expected.max())


@settings(max_examples=60)
@given(
    SEEDS, st.floats(0, 1), st.floats(0, 0.99), st.sampled_from([0.0, 0.1, 2.0]), st.floats(0.01, 2)
)
def test_at_rate_one_both_readings_agree(seed, p, m, w, share):
    lam = spectrum(np.random.default_rng(seed))
    response = Response(lam, p, m, w)
    eta = share * 2 * (1 + m) / (lam[-1] + w)
    ours, theirs = response.at_rate(1.0, eta), response.at_step(eta)
    scale = np.abs(np.diag(lam + w)).max() / eta  # what cancels in either
    assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-11 * scale / (1 - m))


def semidefinite(K: np.ndarray) -> bool:
    """Whether entries are positive, and eigenvalues too after scaling, but for rounding."""
    if not (np.isfinite(K).all() and (K > 0).all()):
        return False
    root = np.sqrt(np.diag(K))
    return bool(np.linalg.eigvalsh(K / np.outer(root, root))[0] > -1e-11)


BELOW = st.floats(1e-3, 0.999)


@settings(max_examples=400)
@given(SEEDS, st.floats(0, 1), st.floats(0, 0.99), st.sampled_from([0.0, 0.1, 2.0]), BELOW)
def test_the_response_is_positive_semidefinite_below_the_mean_edge(seed, p, m, w, share):
    lam = spectrum(np.random.default_rng(seed))
    response = Response(lam, p, m, w)
    eta = share * 2 * (1 + m) / (lam[-1] + w)
    denominators = response.at_step(eta)
    assert (denominators > 0).all()
    assert semidefinite(response.kernel(denominators))
    mean = float(max(np.abs(np.roots([1, -(1 + m - eta * (x + w)), m])).max() for x in lam)) ** 2
    assert semidefinite(response.kernel(response.at_rate(1.01 * mean, eta)))


@settings(max_examples=100)
@given(SEEDS, st.floats(0, 1), st.floats(0, 0.99), st.sampled_from([0.0, 0.1, 2.0]), BELOW)
def test_the_reciprocal_is_conditionally_negative_definite(seed, p, m, w, share):
    """On e with sum zero: -(eta sum e l)^2 ((1 + m^2)/(1 - m^2) - p), Schoenberg's hypothesis."""
    rng = np.random.default_rng(seed)
    lam = np.sort(rng.uniform(0.2, 3, 5))
    response = Response(lam, p, m, w)
    eta = share * 2 * (1 + m) / (lam.max() + w)
    reciprocal = response.at_step(eta) * eta**2
    e = rng.normal(size=5)
    e -= e.mean()
    expected = -((eta * (e @ lam)) ** 2) * ((1 + m * m) / (1 - m * m) - p)
    size = np.abs(e) @ np.abs(reciprocal) @ np.abs(e)
    assert e @ reciprocal @ e == pytest.approx(expected, abs=1e-12 * size)
    assert expected <= 0


def test_entries_grow_with_the_step():
    """With them the loop gain, so that the stable set is an interval."""
    lam = np.array([0.1, 1.0, 3.0])
    for p in (0.0, 0.4, 1.0):
        for m in (0.0, 0.9):
            response = Response(lam, p, m, 0.2)
            steps = np.linspace(0.01, 0.99, 30) * 2 * (1 + m) / 3.2
            K = np.array([response.kernel(response.at_step(eta)) for eta in steps])
            assert (np.diff(K, axis=0) > 0).all()


def test_without_the_spread_of_momentum_the_response_is_not_the_filters(monkeypatch):
    def dropped(self, x):
        spread = self.momentum / (1 - self.momentum**2) * (self.lam[:, None] - self.lam) ** 2
        return right(self, x) - spread

    right = Response.at_excess
    lam, m = np.array([0.5, 1.0, 2.0]), 0.8
    h = filters(0.7 * lam, m)
    expected = 0.49 * np.outer(lam, lam) * (h.T @ h)
    response = Response(lam, 0.0, m)
    assert response.kernel(response.at_step(0.7)) == pytest.approx(expected, rel=1e-10)
    monkeypatch.setattr(Response, "at_excess", dropped)
    wrong = response.kernel(response.at_step(0.7))
    assert np.diag(wrong) == pytest.approx(np.diag(expected), rel=1e-10)
    assert np.abs(wrong / expected - 1).max() > 0.1


def test_a_spread_of_the_wrong_sign_breaks_the_cone(monkeypatch):
    """Where the check of semidefiniteness has teeth: momentum's share is what Schoenberg needs."""
    lam, m = np.geomspace(0.05, 1, 6), 0.6
    response = Response(lam, 0.5, m)
    assert semidefinite(response.kernel(response.at_step(1.0)))
    right = Response.at_excess
    spread = m / (1 - m * m) * (lam[:, None] - lam) ** 2
    monkeypatch.setattr(Response, "at_excess", lambda self, x: right(self, x) - 2 * spread)
    assert not semidefinite(response.kernel(response.at_step(1.0)))

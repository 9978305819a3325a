"""From a network to the ladder of its minimum, in one call, at sizes people train."""

import warnings

import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.datasets import load_digits

from theory.stability import analyse, from_jax, minimum
from theory.stability.mean_square import critical, rate
from theory.stability.steps import reduced


def network(params, inputs):
    W, a = params
    return jnp.tanh(inputs @ W.T) @ a


def digits(n, width, seed=0):
    """A two-layer network trained on n digits: the last layer by least squares, so it interpolates."""
    data = load_digits()
    images, targets = data.data[:n] / 16, (data.target[:n] - 4.5) / 3
    W = np.random.default_rng(seed).normal(size=(width, images.shape[1])) / 4
    features = np.tanh(images @ W.T)
    a = np.linalg.lstsq(features, targets, rcond=None)[0]
    return (W, a), images, targets


def test_a_network_trained_on_digits_has_its_ladder_in_one_call():
    trained, images, targets = digits(n=100, width=150)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # it interpolates
        report = from_jax(network, trained, images, targets).stability(budget=1.0)
    assert report.conventions["samples"] == report.conventions["rank"] == 100
    assert report.conventions["dimension"] == 150 * 65
    assert 0 < report.one_step <= report.mean_square.upper
    assert report.mean_square.upper <= report.mean * (1 + 1e-12)
    assert report.mean_square.upper / report.mean_square.lower < 1 + 1e-9
    assert report.almost_sure.lower >= report.mean_square.lower


def test_sgd_stays_below_and_leaves_above_the_step_that_is_named():
    """E||x_t||^2 of the linearised step by exact recursion on the rows, and its last growth factor."""
    trained, images, targets = digits(n=12, width=20)
    found = from_jax(network, trained, images, targets)
    J = found.jacobian
    edge = critical(reduced(minimum(jacobian=J))).value
    K = J @ J.T
    V = np.linalg.eigh(K)
    rows = V[1] * np.sqrt(V[0])  # the same inner products in 12 coordinates
    for share, grows in ((0.9, False), (1.1, True)):
        X, eta, growth = np.eye(12) / 12, share * edge, 1.0
        for _ in range(2000):
            Y = rows @ X
            v, Z = np.einsum("ia,ia->i", Y, rows), rows.T @ Y
            X = X - eta * (Z + Z.T) / 12 + eta**2 * (rows.T * v) @ rows / 12
            X = (X + X.T) / 2  # rounding makes an antisymmetric part, which would not decay
            growth = np.trace(X)
            X /= growth
        assert (growth > 1) == grows
        assert growth == pytest.approx(rate(reduced(minimum(jacobian=J)), eta), rel=1e-5)


@pytest.fixture(scope="module")
def wide():
    """200 samples of a network with 220,000 parameters, and its Jacobian."""
    trained, images, targets = digits(n=200, width=3385)
    assert sum(part.size for part in trained) == 220_025
    return from_jax(network, trained, images, targets, gram_only=False)


def test_the_gram_alone_gives_the_jacobians_answer(wide):
    J = wide.jacobian
    full, gram = minimum(jacobian=J), minimum(gram=J @ J.T)
    for how in ({}, {"rho": 1e-3}, {"batch": 8, "sampling": "without"}, {"momentum": 0.9}):
        ours, theirs = reduced(gram, **how), reduced(full, **how)
        edge, other = critical(ours), critical(theirs)
        assert edge.value == pytest.approx(other.value, rel=1e-10)
        assert max(edge.lower, other.lower) <= min(edge.upper, other.upper)
        assert rate(ours, edge.value / 2) == pytest.approx(rate(theirs, edge.value / 2), rel=1e-10)


def test_a_network_of_two_hundred_thousand_parameters_is_reported_from_its_gram(wide):
    J = wide.jacobian
    report = analyse(minimum(gram=J @ J.T), optimizer="usam", rho=1e-3, batch=8, budget=1.0)
    same = analyse(minimum(jacobian=J), optimizer="usam", rho=1e-3, batch=8, budget=1.0)
    assert report.mean_square.lower == pytest.approx(same.mean_square.lower, rel=1e-9)
    assert report.moments == pytest.approx(same.moments, rel=1e-9)
    assert report.one_step == pytest.approx(same.one_step, rel=1e-9)

"""The stationary covariance solves S = T(S) + eta^2 p S_g, by enumeration of batches."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.core import InputError
from theory.stability.mean_square import critical
from theory.stability.minimum import minimum
from theory.stability.operator import step_matrices
from theory.stability.stationary import stationary
from theory.stability.steps import Span, Steps, reduced

SEEDS = st.integers(0, 2**32 - 1)


def fluctuations(g: np.ndarray, w: np.ndarray, batch: int, sampling: Any) -> np.ndarray:
    """E[g_S g_S'] by enumeration: a batch's matrix is the mean of those of its samples, and so is
    every entry, so that diag(g_i) has the batch means of g_i on its diagonal.
    """
    chances, means = step_matrices(
        np.array([np.diag(x) for x in g]), w, batch=batch, sampling=sampling
    )
    g_S = np.einsum("saa->sa", means)
    return np.einsum("s,sa,sb->ab", chances, g_S, g_S)


def dense(F, w, g, p, eta, batch, sampling, m, decay):
    """Covariance (d, d) of p^{1/2}(x - x*) from the linear system of the state (x, eta v)."""
    d = F.shape[-1]
    root = np.sqrt(p)
    chances, A = step_matrices(np.swapaxes(F, 1, 2) @ F, w, batch=batch, sampling=sampling)
    A = A / np.outer(root, root)
    g = (g - w @ g / w.sum()) / root
    one = np.eye(d)
    T = np.zeros((4 * d * d, 4 * d * d))
    for chance, S in zip(chances, A, strict=True):
        G = eta * (S + decay * one)
        Phi = np.block([[one - G, -m * one], [G, m * one]])
        T += chance * np.kron(Phi, Phi)
    N = eta**2 * fluctuations(g, w, batch, sampling)
    N = np.block([[N, -N], [-N, N]])
    S = np.linalg.solve(np.eye(len(T)) - T, N.ravel()).reshape(2 * d, 2 * d)
    return S[:d, :d], np.tensordot(chances, A, 1)


def setting(seed: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(seed)
    n, k, d = rng.integers(3, 6), rng.integers(1, 3), rng.integers(1, 4)
    F, g = rng.normal(size=(n, k, d)), rng.normal(size=(n, d))
    sampling = ["with", "without"][rng.integers(2)]
    w = rng.uniform(0.2, 1, n) if sampling == "with" else np.ones(n)
    p = np.exp(rng.normal(size=d) / 2)
    return F, w / w.sum(), g, p, int(rng.integers(1, 3)), sampling, rng


@settings(max_examples=40)
@given(
    SEEDS, st.sampled_from([(0.0, 0.0), (0.5, 0.0), (0.9, 0.2), (0.0, 0.3)]), st.floats(0.05, 0.9)
)
def test_the_covariance_is_that_of_the_dense_system(seed, inertia, share):
    F, w, g, p, batch, sampling, _ = setting(seed)
    m, decay = inertia
    law = minimum(factors=F, weights=w, preconditioner=p, gradients=g)
    steps = reduced(law, batch=batch, sampling=sampling, momentum=m, weight_decay=decay)
    eta = share * critical(steps).value
    S, A = dense(F, w, g, p, eta, batch, sampling, m, decay)
    ours = stationary(law, steps, eta)
    # 1e-12 of the residual, through a condition number of 1/(1 - loop gain) and of A
    assert ours.trace == pytest.approx(np.trace(S), rel=1e-7)
    assert ours.largest == pytest.approx(np.linalg.eigvalsh(S)[-1], rel=1e-7)
    assert ours.excess_loss == pytest.approx(np.trace(A @ S) / 2, rel=1e-7)
    basis = Span.of(F / np.sqrt(p), w)
    turned = basis.coordinates(np.eye(F.shape[-1]))
    assert turned @ ours.covariance @ turned.T == pytest.approx(S, abs=1e-7 * np.abs(S).max())
    mean = w @ g / np.sqrt(p)
    typical = np.sqrt(w @ ((g / np.sqrt(p)) ** 2).sum(axis=1))
    assert ours.drift == pytest.approx(np.linalg.norm(mean) / typical)


def test_one_dimension_by_hand():
    """a = 1, 3 and g = 1, -1, eta = 1/4: S = eta^2/(1 - E(1 - eta a)^2) = (1/16)/(1 - 5/16) = 1/11."""
    law = minimum(jacobian=np.sqrt([[1.0], [3.0]]), gradients=[[1.0], [-1.0]])
    found = stationary(law, reduced(law), 0.25)
    assert found.trace == pytest.approx(1 / 11, rel=1e-12)
    assert found.largest == pytest.approx(1 / 11, rel=1e-12)
    assert found.excess_loss == pytest.approx(1 / 11, rel=1e-12)  # mean a = 2
    assert found.drift == 0


@pytest.mark.parametrize("momentum", [0.0, 0.8])
def test_the_exact_recursion_converges_to_it(momentum):
    """E z z' of z = (x, eta v) under every batch with its own gradient, until it no longer moves."""
    F, w, g, _, batch, sampling, _ = setting(17)
    g = g - w @ g
    law = minimum(factors=F, weights=w, gradients=g)
    steps = reduced(law, batch=batch, sampling=sampling, momentum=momentum)
    eta = 0.5 * critical(steps).value
    d = F.shape[-1]
    # the augmented step (x, u, 1) carries Phi_S and g_S of the same batch together
    samples = []
    for i in range(len(F)):
        G = np.zeros((d + 1, d + 1))
        G[:d, :d], G[:d, d] = F[i].T @ F[i], g[i]
        samples.append(G)
    chances, batches = step_matrices(np.array(samples), w, batch=batch, sampling=sampling)
    one = np.eye(d)
    maps = []
    for B in batches:
        G, push = eta * B[:d, :d], eta * B[:d, d:]
        Phi = np.block(
            [
                [one - G, -momentum * one, -push],
                [G, momentum * one, push],
                [np.zeros((1, 2 * d)), np.ones((1, 1))],
            ]
        )
        maps.append(Phi)
    X = np.zeros((2 * d + 1, 2 * d + 1))
    X[-1, -1] = 1
    for _ in range(20_000):
        new = np.sum([c * Phi @ X @ Phi.T for c, Phi in zip(chances, maps, strict=True)], axis=0)
        done = np.abs(new - X).max() < 1e-15 * np.abs(new[:-1, :-1]).max()
        X = new
        if done:
            break
    S = X[:d, :d]
    found = stationary(law, steps, eta)
    assert found.trace == pytest.approx(np.trace(S), rel=1e-8)
    assert found.largest == pytest.approx(np.linalg.eigvalsh(S)[-1], rel=1e-8)


def test_more_parameters_than_samples_change_nothing():
    """Gradients of squared losses lie in the rows: g_i = e_i J_i, on the n x n route."""
    rng = np.random.default_rng(3)
    rows, e = rng.normal(size=(4, 4)), rng.normal(size=(4, 1))
    Q = np.linalg.qr(rng.normal(size=(50, 4)))[0].T
    small = minimum(jacobian=rows, gradients=e * rows)
    large = minimum(jacobian=rows @ Q, gradients=e * rows @ Q)
    eta = 0.4 * critical(reduced(small)).value
    ours, theirs = (stationary(law, reduced(law), eta) for law in (small, large))
    for name in ("trace", "largest", "excess_loss", "drift"):
        assert getattr(ours, name) == pytest.approx(getattr(theirs, name), rel=1e-8)


def test_a_full_batch_does_not_hover():
    law = minimum(jacobian=[[1.0], [2.0]], gradients=[[1.0], [-1.0]])
    assert stationary(law, reduced(law, batch=None), 0.1).trace == 0
    assert stationary(law, reduced(law, batch=2, sampling="without"), 0.1).trace == 0


def test_doors_say_what_is_missing_or_outside():
    J = np.array([[1.0, 0.0, 0.0], [1.0, 2.0, 0.0]])
    inside, outside = np.array([[1.0, 1, 0], [-1, 1, 0]]), np.array([[1.0, 1, 0], [-1, 1, 0.1]])
    law = minimum(jacobian=J, gradients=inside)
    edge = critical(reduced(law)).value
    for eta in (edge * (1 + 1e-6), 3 * edge, 100 * edge):
        with pytest.raises(InputError, match="critical") as error:
            stationary(law, reduced(law), eta)
        assert error.value.field == "eta"
    assert stationary(law, reduced(law), edge * (1 - 1e-6)).trace > 1e3
    bare = minimum(jacobian=J)
    with pytest.raises(InputError, match="none") as error:
        stationary(bare, reduced(bare), 0.1)
    assert error.value.field == "gradients"
    beyond = minimum(jacobian=J, gradients=outside)
    with pytest.raises(InputError, match="no sample curves"):
        stationary(beyond, reduced(beyond), 0.1)
    constant = minimum(jacobian=J, gradients=inside + np.array([0.0, 0.0, 0.1]))
    assert stationary(constant, reduced(constant), 0.1).drift > 0.05  # the mean is taken off
    with pytest.raises(InputError, match="SGD"):
        stationary(law, reduced(law, rho=0.1), 0.1)


def test_a_forgotten_share_is_seen(monkeypatch):
    F, w, g, p, _, _, _ = setting(5)
    law = minimum(factors=F, weights=w, preconditioner=p, gradients=g)
    steps = reduced(law, batch=2)
    eta = 0.3 * critical(steps).value
    S, _ = dense(F, w, g, p, eta, 2, "with", 0.0, 0.0)
    assert stationary(law, steps, eta).trace == pytest.approx(np.trace(S), rel=1e-8)
    monkeypatch.setattr(Steps, "share", property(lambda self: 1.0))
    assert stationary(law, steps, eta).trace > 1.1 * np.trace(S)

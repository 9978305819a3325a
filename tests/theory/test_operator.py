"""The operator agrees with brute force, in floats and exactly."""

from fractions import Fraction
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.core import InputError
from theory.exact import Matrix, SecondMoment
from theory.exact.second_moment import radius_at_most
from theory.stability.operator import (
    quotient,
    second_moment_matrix,
    spectral_radius,
    step_matrices,
    symmetric_square,
)

SEEDS = st.integers(0, 2**32 - 1)
COMMON = settings(deadline=None, max_examples=25, derandomize=True)


def family(seed: int, n: int = 3, d: int = 3, rank: int = 1) -> np.ndarray:
    F = np.random.default_rng(seed).normal(size=(n, rank, d))
    return np.swapaxes(F, 1, 2) @ F


def moments(law) -> list[np.ndarray]:
    """E A, E A^2 and E A x A: what the second-moment operator can see of a law."""
    p, A = law
    return [
        np.einsum("m,mij->ij", p, A),
        np.einsum("m,mij,mjk->ik", p, A, A),
        np.einsum("m,mij,mkl->ijkl", p, A, A),
    ]


def same(left, right) -> bool:
    pairs = zip(moments(left), moments(right), strict=True)
    return all(np.allclose(a, b, rtol=1e-11, atol=1e-12) for a, b in pairs)


@pytest.mark.parametrize("ascent", ["shared", "per-sample"])
@pytest.mark.parametrize("sampling", ["with", "without"])
@pytest.mark.parametrize("batch", [1, 2, 3])
def test_multisets_reproduce_the_law_over_ordered_draws(batch, sampling, ascent):
    H, rho = family(1, rank=2), 0.3
    uniform = np.full(3, 1 / 3)
    weights = np.array([0.2, 0.3, 0.5]) if sampling == "with" else uniform
    draws = product(range(3), repeat=batch) if sampling == "with" else permutations(range(3), batch)
    words = np.array(list(draws))
    p = weights[words].prod(axis=1)
    parts = H[words]
    mean = parts.mean(axis=1)
    squares = parts @ parts if ascent == "per-sample" else (mean @ mean)[:, None]
    A = mean + rho * squares.mean(axis=1)
    law = step_matrices(H, weights, rho=rho, batch=batch, sampling=sampling, ascent=ascent)
    assert law[0].sum() == pytest.approx(1, abs=1e-14)
    assert same(law, (p / p.sum(), A))


def test_shared_and_per_sample_ascent_differ_from_two_samples_on():
    H, w = family(2), np.full(3, 1 / 3)
    for batch, agree in ((1, True), (2, False)):
        laws = [
            step_matrices(H, w, rho=0.5, batch=batch, ascent=a) for a in ("shared", "per-sample")
        ]
        assert same(*laws) == agree


def test_per_sample_ascent_is_sgd_on_the_raised_hessians():
    H, w = family(3, rank=2), np.full(3, 1 / 3)
    raised = H + 0.4 * (H @ H)
    for batch in (1, 2):
        law = step_matrices(H, w, rho=0.4, batch=batch, ascent="per-sample")
        assert same(law, step_matrices(raised, w, batch=batch))


def test_the_full_batch_is_one_matrix_with_the_weighted_mean():
    H, w = family(4), np.array([0.5, 0.25, 0.25])
    mean = np.tensordot(w, H, 1)
    p, A = step_matrices(H, w, rho=0.1, batch=None)
    assert np.array_equal(p, [1.0])
    assert np.allclose(A[0], mean + 0.1 * mean @ mean)
    p, A = step_matrices(H, w, rho=0.1, batch=None, ascent="per-sample")
    assert np.allclose(A[0], mean + 0.1 * np.tensordot(w, H @ H, 1))


@pytest.mark.parametrize("ascent", ["shared", "per-sample"])
@pytest.mark.parametrize("sampling", ["with", "without"])
def test_exact_and_floating_enumeration_agree(sampling, ascent):
    rows = [[1, 2], [0, 3], [1, -1]]
    exact = [Matrix([r]).T @ Matrix([r]) for r in rows]
    floats = np.array([np.outer(r, r) for r in rows], float)
    w = [1, 1, 1] if sampling == "without" else [1, 2, 3]
    how = {"batch": 2, "sampling": sampling, "ascent": ascent}
    p, A = step_matrices(exact, [Fraction(x) for x in w], rho=Fraction(1, 5), **how)
    q, B = step_matrices(floats, np.array(w) / sum(w), rho=0.2, **how)
    assert sum(p) == 1
    assert all(isinstance(x, Fraction) for x in p)
    assert np.allclose(np.array(p, float), q, rtol=1e-15)
    assert np.allclose([np.array(M.rows, float) for M in A], B, rtol=1e-14)


def test_large_batches_of_few_samples_keep_their_probabilities():
    p, A = step_matrices(np.array([[[1.0]], [[3.0]]]), np.array([0.25, 0.75]), batch=400)
    assert p.sum() == pytest.approx(1, rel=1e-11)
    variance = p @ (A[:, 0, 0] - 2.5) ** 2
    assert variance == pytest.approx(0.75 / 400, rel=1e-10)  # that of one draw, over B


@pytest.mark.parametrize(
    ("how", "field"),
    [
        ({"batch": 0}, "batch"),
        ({"batch": True}, "batch"),
        ({"batch": 4, "sampling": "without"}, "batch"),
        ({"batch": 1000}, "batch"),
        ({"sampling": "sometimes"}, "sampling"),
        ({"ascent": "up"}, "ascent"),
        ({"rho": -1.0}, "rho"),
        ({"rho": float("nan")}, "rho"),
    ],
)
def test_bad_settings_are_refused_by_name(how, field):
    with pytest.raises(InputError) as caught:
        step_matrices(family(0), np.full(3, 1 / 3), **how)
    assert caught.value.field == field


def test_without_replacement_needs_equal_weights():
    with pytest.raises(InputError, match="weights"):
        step_matrices(family(0), np.array([0.5, 0.3, 0.2]), batch=2, sampling="without")


@COMMON
@given(SEEDS, st.integers(1, 4))
def test_the_symmetric_matrix_has_the_kronecker_products_action_and_radius(seed, d):
    A = family(seed, n=3, d=d, rank=2)
    p = np.array([0.2, 0.3, 0.5])
    Phi = np.eye(d) - 0.3 * A
    T = symmetric_square(p, Phi)
    kron = sum(w * np.kron(S, S) for w, S in zip(p, Phi, strict=True))
    assert np.allclose(T, T.T, atol=1e-12)
    assert spectral_radius(T) == pytest.approx(np.abs(np.linalg.eigvals(kron)).max(), rel=1e-9)
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(d, d))
    X = X + X.T
    i, j = np.tril_indices(d)
    scale = np.where(i == j, 1, np.sqrt(2))
    image = (kron @ X.ravel()).reshape(d, d)
    assert np.allclose(T @ (X[i, j] * scale), image[i, j] * scale, atol=1e-10)


@COMMON
@given(SEEDS)
def test_fixed_directions_are_divided_out(seed):
    A = family(seed, n=2, d=5, rank=1)
    p = np.array([0.5, 0.5])
    Q, lam, reduced = quotient(p, A)
    assert Q.shape == (5, 2)
    assert np.allclose(np.tensordot(p, reduced, 1), np.diag(lam), atol=1e-12 * lam[-1])
    assert np.allclose(Q @ reduced @ Q.T, A, atol=1e-12 * lam[-1])
    with_null = symmetric_square(p, np.eye(5) - 0.01 * A)
    assert spectral_radius(with_null) >= 1 - 1e-12
    assert spectral_radius(second_moment_matrix(p, A, 0.01)) < 1


def test_nothing_is_left_where_no_step_moves_anything():
    p, A = np.array([1.0]), np.zeros((1, 3, 3))
    assert second_moment_matrix(p, A, 0.7).shape == (0, 0)
    assert spectral_radius(second_moment_matrix(p, A, 0.7)) == 0.0


@settings(deadline=None, max_examples=15, derandomize=True)
@given(st.lists(st.integers(-3, 3), min_size=6, max_size=6), st.integers(1, 12))
def test_the_exact_decision_brackets_the_floating_radius(entries, tenths):
    rows = [entries[:2], entries[2:4], entries[4:]]
    exact = [Matrix([r]).T @ Matrix([r]) for r in rows]
    eta = Fraction(tenths, 10)
    p, A = step_matrices(exact, [Fraction(1, 3)] * 3, rho=Fraction(1, 10))
    T = SecondMoment(p, [Matrix.identity(2) - eta * M for M in A])
    floats = np.array([np.array(M.rows, float) for M in A])
    radius = Fraction(spectral_radius(second_moment_matrix(np.full(3, 1 / 3), floats, float(eta))))
    assert radius_at_most(T, radius * (1 + Fraction(1, 10**9)))
    if radius:
        assert not radius_at_most(T, radius * (1 - Fraction(1, 10**9)))

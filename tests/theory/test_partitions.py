"""The sum over set partitions equals the sum over all batches, and the words are its right words."""

import math
from collections.abc import Callable
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.core import InputError
from theory.exact import Matrix, SecondMoment
from theory.moments import EPS
from theory.stability import partitions
from theory.stability.crossing import Crossing
from theory.stability.operator import step_matrices
from theory.stability.partitions import Noise, coefficients, mean_square, moebius, set_partitions

SEEDS = st.integers(0, 2**32 - 1)
COMMON = settings(deadline=None, max_examples=60, derandomize=True)
# A word is at most seven products of r x r matrices, r <= 9 here, and sums over n k <= 15 rows: it
# errs by 7 * 9 + 4 * 15 EPS at most. The coefficients add to less than 2 in absolute value; entries
# instead of norms lose another factor of r: 2 * 9 * 123 < 2500.
ROUNDING = 2500 * EPS

# three samples in two dimensions that do not commute, as integer factors (k rows each)
FACTORS = {
    1: [[[1, 2]], [[0, 3]], [[1, -1]]],
    2: [[[1, 2], [1, 0]], [[0, 3], [2, 1]], [[1, -1]] * 2],
}
METRICS = {"identity": [[1, 0], [0, 1]], "other": [[2, 1], [1, 3]]}
X = np.array([[2.0, -1.0], [-1.0, 1.0]])
LAWS: list[Any] = [("with", (1, 2, 3), batch) for batch in (1, 2, 3, 4, 5)]
LAWS += [("without", (1, 1, 1), batch) for batch in (1, 2, 3)]


def symmetric(rng: np.random.Generator, size: int) -> np.ndarray:
    values = rng.normal(size=(size, size))
    return values + values.T


def exact_law(factors, weights, metric, rho, batch, sampling):
    """(probabilities, A_S, H_S M H_S), A_S = H_S + rho H_S M H_S, by exact enumeration."""
    hessians = [Matrix(F).T @ Matrix(F) for F in factors]
    p, H = step_matrices(hessians, [Fraction(w) for w in weights], batch=batch, sampling=sampling)
    squares = [h @ Matrix(metric) @ h for h in H]
    return p, [h + rho * s for h, s in zip(H, squares, strict=True)], squares


def as_floats(matrix: Matrix) -> np.ndarray:
    return np.array(matrix.rows, float)


def matches_enumeration(sampling: Any, weights, batch, k=1, metric="other") -> bool:
    """Whether D(X) and E[H_S M H_S] are those of the exact law, to rounding."""
    M, rho, factors = METRICS[metric], Fraction(1, 3), FACTORS[k]
    p, A, squares = exact_law(factors, weights, M, rho, batch, sampling)
    where = (np.array(factors, float), np.array(weights) / sum(weights), np.array(M, float))
    got = Noise(*where, float(rho), batch, sampling == "with")(X)
    expected = as_floats(SecondMoment(p, A)(Matrix(X.astype(int).tolist())))
    second = mean_square(*where, batch, sampling == "with")
    wanted = sum(float(q) * as_floats(s) for q, s in zip(p, squares, strict=True))
    size = sum(float(q) * np.linalg.norm(as_floats(a)) ** 2 for q, a in zip(p, A, strict=True))
    near = np.abs(got - expected).max() < ROUNDING * size * np.linalg.norm(X)
    return bool(near and np.allclose(second, wanted, rtol=ROUNDING, atol=0))


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("k", FACTORS)
@pytest.mark.parametrize(("sampling", "weights", "batch"), LAWS)
def test_it_is_the_exact_sum_over_all_batches(sampling, weights, batch, k, metric):
    assert matches_enumeration(sampling, weights, batch, k, metric)


@pytest.mark.parametrize(("sampling", "weights", "batch"), LAWS)
def test_with_the_identity_for_metric_it_is_the_step_operator_of_shared_ascent(
    sampling: Any, weights, batch
):
    F, w = np.array(FACTORS[2], float), np.array(weights) / sum(weights)
    law = step_matrices(F.mT @ F, w, rho=0.3, batch=batch, sampling=sampling, ascent="shared")
    noise = Noise(F, w, np.eye(2), 0.3, batch, sampling == "with")
    assert np.allclose(noise(X), SecondMoment(*law)(X), rtol=ROUNDING, atol=0)
    assert np.allclose(noise.mean, np.tensordot(*law, 1), rtol=ROUNDING, atol=0)
    assert np.allclose(noise.one_step(), SecondMoment(*law)(np.eye(2)), rtol=ROUNDING, atol=0)


@COMMON
@given(
    SEEDS,
    st.integers(1, 5),
    st.integers(1, 3),
    st.integers(1, 6),
    st.integers(1, 5),
    st.booleans(),
    st.sampled_from([0.0, 0.05, 1.0, 20.0]),
)
def test_it_is_the_sum_over_all_batches_for_any_samples(seed, n, k, r, batch, replacement, rho):
    rng = np.random.default_rng(seed)
    batch = batch if replacement else min(batch, n)
    F, M, Y = rng.normal(size=(n, k, r)), symmetric(rng, r), symmetric(rng, r)
    w = rng.random(n) + 0.1 if replacement else np.ones(n)
    H = F.mT @ F
    p, means = step_matrices(H, w, batch=batch, sampling="with" if replacement else "without")
    law = SecondMoment(p, means + rho * (means @ M @ means))
    largest = np.linalg.norm(H, 2, axis=(1, 2)).max()
    size = (largest + rho * largest**2 * np.linalg.norm(M, 2)) ** 2 * np.linalg.norm(Y)
    noise = Noise(F, w / w.sum(), M, rho, batch, replacement)
    assert np.abs(noise(Y) - law(Y)).max() < ROUNDING * size
    squares = np.tensordot(p, means @ M @ means, 1)
    slack = ROUNDING * largest**2 * np.linalg.norm(M, 2)
    assert np.abs(mean_square(F, w, M, batch, replacement) - squares).max() < slack


def word_over_labels(labels, H, w, between) -> np.ndarray:
    """The word averaged over independent labels of its blocks, by summing over all of them."""
    total = np.zeros_like(H[0])
    for chosen in product(range(len(H)), repeat=len(set(labels))):
        word = H[chosen[labels[0]]]
        for label, middle in zip(labels[1:], between, strict=True):
            word = word @ middle @ H[chosen[label]]
        total += math.prod(w[i] for i in chosen) * word
    return total


@pytest.mark.parametrize("labels", [p for slots in (2, 3, 4) for p in set_partitions(slots)])
def test_every_word_is_the_sum_over_its_labels(labels, monkeypatch):
    """A coefficient one for the word and its mirror image, and zero for all others."""
    rng = np.random.default_rng(3)
    F, M, Y, w = rng.normal(size=(3, 2, 3)), symmetric(rng, 3), symmetric(rng, 3), [0.2, 0.3, 0.5]
    order: dict[int, int] = {}
    mirror = tuple(order.setdefault(label, len(order)) for label in labels[::-1])

    def only_this(slots, *_):
        return {p: Fraction(p in (labels, mirror)) for p in set_partitions(slots)}

    monkeypatch.setattr(partitions, "coefficients", only_this)
    monkeypatch.setattr(Noise, "_random", True)  # the all-separate words by the general route too
    between = {2: [Y], 3: [M, Y], 4: [M, Y, M]}[len(labels)]
    words = [word_over_labels(p, F.mT @ F, w, between) for p in {labels, mirror}]
    wanted = np.sum(words, axis=0)
    wanted = wanted + wanted.T if len(labels) == 3 else wanted  # H M H X H and H X H M H
    got = Noise(F, np.array(w), M, 1.0, 2, True)(Y)
    assert np.allclose(got, wanted, rtol=0, atol=ROUNDING * np.abs(wanted).max())


def test_the_coefficients_give_the_exact_moments_of_a_batch():
    """No float: words of matrices that do not commute, over independent labels, in rationals."""
    H = [Matrix(F).T @ Matrix(F) for F in FACTORS[1]]
    M, Y = Matrix(METRICS["other"]), Matrix([[2, -1], [-1, 1]])
    for sampling, weights, batch in LAWS:
        w = [Fraction(x, sum(weights)) for x in weights]
        p, means = step_matrices(H, w, batch=batch, sampling=sampling)
        exact, zero = SecondMoment(p, [h @ M @ h for h in means])(Y), 0 * M
        total = zero
        for labels, c in coefficients(4, 3, batch, sampling == "with").items():
            for chosen in product(range(3), repeat=len(set(labels))):
                a, b, d, e = (H[chosen[label]] for label in labels)
                total += c * math.prod(w[i] for i in chosen) * (a @ M @ b @ Y @ d @ M @ e)
        assert total == exact


def test_coefficients_by_hand():
    """p = 1/B with and (n-B)/(B(n-1)) without; and the third central moment of a mean, which is
    mu_3/B^2 with and mu_3 (n-B)(n-2B)/(B^2(n-1)(n-2)) without (Kendall & Stuart, finite population).
    """
    n, B = 7, 3
    assert coefficients(2, n, B, True)[0, 0] == Fraction(1, B)
    assert coefficients(2, n, B, False)[0, 0] == Fraction(n - B, B * (n - 1))
    assert coefficients(3, n, B, True)[0, 0, 0] == Fraction(1, B**2)
    third = Fraction((n - B) * (n - 2 * B), B**2 * (n - 1) * (n - 2))
    assert coefficients(3, n, B, False)[0, 0, 0] == third
    # {13|24} with replacement: B(B-1) of B^4 fillings
    assert coefficients(4, n, B, True)[0, 1, 0, 1] == Fraction(6, 81)


def test_there_are_as_many_partitions_as_bell_numbers():
    assert [len(set(set_partitions(k))) for k in range(1, 7)] == [1, 2, 5, 15, 52, 203]


def test_moebius_inverts_the_order_of_refinement():
    """sum over pi <= tau <= sigma of mu(tau, sigma) is 1 if pi = sigma and 0 otherwise."""
    P = set_partitions(4)
    finer = {(a, b): len(set(zip(a, b, strict=True))) == len(set(a)) for a in P for b in P}
    for pi, sigma in product(P, P):
        assert sum(moebius(tau, sigma) for tau in P if finer[pi, tau]) == (pi == sigma)


@pytest.mark.parametrize("slots", [2, 3, 4])
def test_coefficients_sum_to_one_so_that_equal_hessians_give_their_own_word(slots):
    for n in range(1, 9):
        for batch in range(1, n + 1):
            for replacement in (True, False):
                values = coefficients(slots, n, batch, replacement).values()
                assert sum(values) == 1
                assert sum(map(abs, values)) < 2  # so the words lose no digits to each other
    large: Any = np.int64(10**6)  # its fourth power overflows
    assert sum(coefficients(slots, 3, large, True).values()) == 1
    assert sum(coefficients(slots, 3, None, True).values()) == 1


@pytest.mark.parametrize("slots", [2, 3, 4])
@pytest.mark.parametrize("n", [2, 5])
def test_one_sample_a_step_and_the_whole_set_leave_one_coefficient(slots, n):
    for replacement in (True, False):
        one = coefficients(slots, n, 1, replacement)
        assert one == {p: int(len(set(p)) == 1) for p in set_partitions(slots)}
    for everything in (coefficients(slots, n, n, False), coefficients(slots, n, None, True)):
        assert everything == {p: int(len(set(p)) == slots) for p in set_partitions(slots)}


def test_the_inversion_itself_finds_that_the_whole_set_is_deterministic():
    """Just short of it, too: what is not all separate is of order n - B."""
    for slots in (2, 3, 4):
        short = coefficients(slots, 10**6, 10**6 - 1, False)
        assert all(abs(c - (len(set(p)) == slots)) < 1e-9 for p, c in short.items())


@pytest.mark.parametrize("batch", [None, 4])
def test_all_samples_at_once_are_deterministic_and_cost_no_pass_over_them(batch, monkeypatch):
    rng = np.random.default_rng(5)
    F, M, Y = rng.normal(size=(4, 2, 3)), symmetric(rng, 3), symmetric(rng, 3)
    w = np.array([0.1, 0.2, 0.3, 0.4]) if batch is None else np.full(4, 0.25)
    H = np.tensordot(w, F.mT @ F, 1)
    A = H + 0.7 * H @ M @ H
    noise = Noise(F, w, M, 0.7, batch, False)
    size = np.linalg.norm(A, 2) ** 2 * np.linalg.norm(Y)
    assert np.allclose(noise.mean, A, rtol=0, atol=ROUNDING * np.linalg.norm(A, 2))
    monkeypatch.setattr(Noise, "_outer", None)
    monkeypatch.setattr(Crossing, "__call__", None)
    assert np.allclose(noise(Y), A @ Y @ A, rtol=0, atol=ROUNDING * size)


def test_one_sample_a_step_is_the_law_of_one_sample_and_never_crosses(monkeypatch):
    monkeypatch.setattr(Crossing, "__call__", None)
    rng = np.random.default_rng(6)
    F, M, w = rng.normal(size=(5, 2, 3)), symmetric(rng, 3), rng.dirichlet(np.ones(5))
    Y, H = symmetric(rng, 3), F.mT @ F
    A = H + 0.7 * H @ M @ H
    got, wanted = Noise(F, w, M, 0.7, 1, True)(Y), SecondMoment(list(w), list(A))(Y)
    assert np.allclose(got, wanted, rtol=0, atol=ROUNDING * np.abs(wanted).max())


CASES = [
    (True, 2),
    (True, 7),
    (False, 2),
    (False, 4),
    (False, 5),
]  # n = 6: some words count negative


@pytest.mark.parametrize(("replacement", "batch"), CASES)
def test_it_is_symmetric_and_self_adjoint(replacement, batch):
    rng = np.random.default_rng(8)
    noise = Noise(
        rng.normal(size=(6, 2, 4)), np.ones(6), symmetric(rng, 4), 0.5, batch, replacement
    )
    Y, Z = symmetric(rng, 4), symmetric(rng, 4)
    size = np.trace(noise.one_step()) * np.linalg.norm(Y) * np.linalg.norm(Z)
    assert np.array_equal(noise(Y), noise(Y).T)
    assert abs(np.sum(Z * noise(Y)) - np.sum(noise(Z) * Y)) < ROUNDING * size


@pytest.mark.parametrize(("replacement", "batch"), CASES)
def test_it_is_completely_positive(replacement, batch):
    """Its Choi matrix is PSD: the map of the A_S (x) I at omega omega', omega = sum e_a (x) e_a."""
    rng, r = np.random.default_rng(9), 3
    F, M, identity = rng.normal(size=(6, 2, r)), symmetric(rng, r), np.eye(r)
    lifted = np.array([np.kron(factor, identity) for factor in F])
    noise = Noise(lifted, np.ones(6), np.kron(M, identity), 0.5, batch, replacement)
    omega = identity.reshape(-1)
    choi = noise(np.outer(omega, omega))
    values = np.linalg.eigvalsh(choi)
    assert values[0] > -ROUNDING * values[-1]
    # trace of the Choi matrix = tr D(I) of the map itself
    small = Noise(F, np.ones(6), M, 0.5, batch, replacement)
    assert np.trace(choi) == pytest.approx(np.trace(small.one_step()), rel=ROUNDING)


def test_copies_of_every_sample_are_the_same_law_with_replacement():
    """3 samples enumerated, against 3000 that only the partitions can handle."""
    F = np.array(FACTORS[2], float)
    p, means = step_matrices(F.mT @ F, np.ones(3), batch=4)
    M = np.array(METRICS["other"], float)
    wanted = SecondMoment(p, means + 0.2 * (means @ M @ means))(X)
    got = Noise(np.repeat(F, 1000, axis=0), np.ones(3000), M, 0.2, 4, True)(X)
    slack = 3000 * EPS  # sums of 3000 terms of one sign each
    assert np.allclose(got, wanted, rtol=0, atol=slack * np.abs(wanted).max())


@pytest.mark.parametrize("batch", [2, 37, 1999])
def test_two_kinds_of_samples_without_replacement_are_hypergeometric(batch):
    """Of 2000 samples 700 are of the one kind: A_S depends on how many of those were drawn."""
    n, kinds, first = 2000, np.array([[[1.0, 2.0]], [[3.0, -1.0]]]), 700
    M, (one, other) = np.array([[2.0, 1.0], [1.0, 3.0]]), kinds.mT @ kinds
    wanted, total = np.zeros((2, 2)), math.comb(n, batch)
    for drawn in range(max(0, batch - n + first), min(first, batch) + 1):
        ways = math.comb(first, drawn) * math.comb(n - first, batch - drawn)
        H = (drawn * one + (batch - drawn) * other) / batch
        A = H + 0.2 * H @ M @ H
        wanted += float(Fraction(ways, total)) * A @ X @ A
    got = Noise(np.repeat(kinds, [first, n - first], axis=0), np.ones(n), M, 0.2, batch, False)(X)
    assert np.allclose(got, wanted, rtol=0, atol=n * EPS * np.abs(wanted).max())


def nested_for_crossing(monkeypatch) -> None:
    def nested(self: Crossing, Y: np.ndarray) -> np.ndarray:
        H, M = self.blocks.mT @ self.blocks, self.metric
        inside = M @ np.tensordot(self.weights, H @ Y @ H, 1) @ M
        return np.tensordot(self.weights, H @ inside @ H, 1)

    monkeypatch.setattr(Crossing, "__call__", nested)


def forgotten_sign(monkeypatch) -> None:
    monkeypatch.setattr(partitions, "moebius", lambda fine, coarse: abs(moebius(fine, coarse)))


def forgotten_inversion(monkeypatch) -> None:
    monkeypatch.setattr(partitions, "moebius", lambda fine, coarse: int(fine == coarse))


def undivided(monkeypatch) -> None:
    def whole(slots, n, batch, replacement):
        honest = coefficients(slots, n, batch, replacement)
        return {p: c * batch**slots for p, c in honest.items()}

    monkeypatch.setattr(partitions, "coefficients", whole)


def without_as_with(monkeypatch) -> None:
    monkeypatch.setattr(
        partitions, "coefficients", lambda slots, n, batch, _: coefficients(slots, n, batch, True)
    )


@pytest.mark.parametrize(
    ("fault", "sampling"),
    [
        (nested_for_crossing, "with"),
        (nested_for_crossing, "without"),
        (forgotten_sign, "without"),
        (forgotten_inversion, "without"),
        (without_as_with, "without"),
        (undivided, "with"),
        (undivided, "without"),
    ],
)
def test_a_planted_fault_breaks_the_sum_over_all_batches(
    fault: Callable[..., None], sampling, monkeypatch
):
    weights = (1, 2, 3) if sampling == "with" else (1, 1, 1)
    assert matches_enumeration(sampling, weights, 2)
    fault(monkeypatch)
    assert not matches_enumeration(sampling, weights, 2)


F3, W3, I2 = np.array(FACTORS[1], float), np.ones(3), np.eye(2)


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("blocks", (F3[0], W3, I2, 0.1, 2, True)),
        ("blocks", (F3[:0], W3[:0], I2, 0.1, 2, True)),
        ("blocks", (F3 * np.nan, W3, I2, 0.1, 2, True)),
        ("weights", (F3, W3[:2], I2, 0.1, 2, True)),
        ("weights", (F3, np.array([1.0, -1.0, 1.0]), I2, 0.1, 2, True)),
        ("weights", (F3, 0 * W3, I2, 0.1, 2, True)),
        ("weights", (F3, np.array([1.0, 1.0, 1.0 + 1e-9]), I2, 0.1, 2, False)),
        ("metric", (F3, W3, np.eye(3), 0.1, 2, True)),
        ("metric", (F3, W3, np.array([[1.0, 1.0], [0.0, 1.0]]), 0.1, 2, True)),
        ("metric", (F3, W3, I2 * np.nan, 0.1, 2, True)),
        ("rho", (F3, W3, I2, -0.1, 2, True)),
        ("rho", (F3, W3, I2, math.inf, 2, True)),
        ("batch", (F3, W3, I2, 0.1, 0, True)),
        ("batch", (F3, W3, I2, 0.1, True, True)),
        ("batch", (F3, W3, I2, 0.1, 2.0, True)),
        ("batch", (F3, W3, I2, 0.1, 4, False)),
    ],
)
def test_mistakes_are_named(field, arguments):
    with pytest.raises(InputError) as caught:
        Noise(*arguments)
    assert caught.value.field == field


def test_a_matrix_that_is_not_symmetric_is_refused_since_only_half_of_the_words_are_evaluated():
    noise = Noise(F3, W3, I2, 0.1, 2, True)
    for Y in (np.array([[1.0, 1.0], [0.0, 1.0]]), np.eye(3), np.full((2, 2), np.nan)):
        with pytest.raises(InputError) as caught:
            noise(Y)
        assert caught.value.field == "X"

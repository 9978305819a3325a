"""Moments agree with their definitions, and the fractions lie on the side they promise."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.core import InputError
from theory.exact import Matrix, is_positive_definite, negative_direction
from theory.moments import (
    hessian_moments,
    largest,
    nonuniformity,
    sharpness,
    simplest,
    smallest_positive,
)

ENTRIES = st.lists(st.integers(-4, 4), min_size=6, max_size=6)
COMMON = settings(deadline=None, max_examples=30, derandomize=True)
PAIR = np.array([[[1.0, 1.0], [1.0, 1.0]], [[3.0, 1.0], [1.0, 1.0]]])
HALVES = np.array([0.5, 0.5])


def test_the_third_moment_gap_of_the_known_pair_is_indefinite():
    H = hessian_moments(PAIR, HALVES, 1)
    gap = hessian_moments(PAIR, HALVES, 3) - H @ H @ H
    assert np.allclose(gap, [[6, 1], [1, 0]], atol=1e-13)
    assert nonuniformity(PAIR, HALVES, 3) == pytest.approx((3 + 10**0.5) ** (1 / 3), rel=1e-14)


def test_scalars_give_the_moments_of_a_random_number():
    values, weights = np.array([1.0, 4.0]).reshape(2, 1, 1), np.array([0.75, 0.25])
    assert sharpness(values, weights) == pytest.approx(1.75)
    for k in (2, 3, 4):
        expected = (0.75 + 0.25 * 4**k - 1.75**k) ** (1 / k)
        assert nonuniformity(values, weights, k) == pytest.approx(expected, rel=1e-14)


def test_one_sample_is_perfectly_uniform():
    assert [nonuniformity(PAIR[1:], np.ones(1), k) for k in (2, 3, 4)] == [0.0, 0.0, 0.0]


@COMMON
@given(ENTRIES, ENTRIES, st.sampled_from([3, 4]))
def test_the_largest_eigenvalue_of_the_gap_is_never_negative(f, g, k):
    F = [Matrix([row[:3], row[3:]]) for row in (f, g)]
    samples = [block.T @ block for block in F]
    half = Fraction(1, 2)
    mean = half * (samples[0] + samples[1])

    def power(matrix):
        result = matrix
        for _ in range(k - 1):
            result = result @ matrix
        return result

    gap = half * (power(samples[0]) + power(samples[1])) - power(mean)
    assert not is_positive_definite(-1 * gap)  # its largest eigenvalue would be negative


@COMMON
@given(ENTRIES)
def test_exact_bounds_are_certain_and_close(entries):
    F = Matrix([entries[:3], entries[3:]])  # rank two in three dimensions
    M = F.T @ F
    values = np.linalg.eigvalsh(np.array(M.rows, float))
    top = largest(M)
    assert negative_direction(top * Matrix.identity(3) - M) is None
    assert float(top) == pytest.approx(values[-1], rel=2e-6, abs=1e-12)
    if M.is_zero():
        return
    low = smallest_positive(M)
    assert low > 0
    assert negative_direction(M @ M - low * M) is None
    positive = min(v for v in values if v > 1e-9)
    assert float(low) == pytest.approx(positive, rel=2e-6)
    assert float(low) <= positive * (1 + 1e-12)


def test_rational_eigenvalues_come_out_as_themselves():
    third = Fraction(1, 3)
    M = Matrix([[2, 1, 0], [1, 2, 0], [0, 0, 0]])
    assert (largest(M), smallest_positive(M)) == (3, 1)
    assert (largest(third * M), smallest_positive(third * M)) == (1, third)
    assert largest(Matrix([[0, 0], [0, 0]])) == 0
    assert largest(Matrix([[-2, 0], [0, -5]])) == -2


def test_a_simpler_fraction_just_below_the_eigenvalue_is_not_taken():
    value = 1 + Fraction(1, 10**13)  # within rounding of one, and above it
    assert value <= largest(Matrix([[value, 0], [0, 0]])) <= value * (1 + Fraction(2, 10**6))


def test_an_eigenvalue_below_rounding_is_still_bounded_from_below():
    tiny = Fraction(1, 10**20)
    low = smallest_positive(Matrix([[1 + tiny, 1], [1, 1]]))  # eigenvalues near 2 and tiny / 2
    assert tiny / 10 < low <= tiny / 2


def test_floats_ignore_eigenvalues_at_rounding_level():
    F = np.array([[0.1, 0.7, 0.3], [0.2, 0.9, 0.4]])
    M = F.T @ F
    assert smallest_positive(M) == pytest.approx(np.linalg.eigvalsh(F @ F.T)[0], rel=1e-9)
    assert largest(M) == pytest.approx(np.linalg.eigvalsh(F @ F.T)[1], rel=1e-14)
    assert smallest_positive(np.diag([3.0, 2.0, 1e-16])) == 2.0


@pytest.mark.parametrize("zero", [np.zeros((2, 2)), Matrix([[0, 0], [0, 0]])])
def test_a_zero_matrix_has_no_positive_eigenvalue(zero):
    with pytest.raises(InputError, match="no positive eigenvalue"):
        smallest_positive(zero)


def test_an_indefinite_exact_matrix_is_refused():
    with pytest.raises(InputError, match="positive semidefinite"):
        smallest_positive(Matrix([[1, 2], [2, 1]]))


@COMMON
@given(st.fractions(-50, 50, max_denominator=60), st.fractions(0, 2, max_denominator=60))
def test_the_simplest_fraction_has_the_smallest_denominator(low, width):
    found = simplest(low, low + width)
    assert low <= found <= low + width
    for q in range(1, found.denominator):
        assert -(-low.numerator * q // low.denominator) > (low + width) * q

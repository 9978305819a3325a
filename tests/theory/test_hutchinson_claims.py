"""Hutchinson's probes and the lazy correction, counted in fractions and against other derivations."""

from fractions import Fraction
from itertools import product
from math import comb, isqrt
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory import catalogue
from theory.claims import _lazy

small = st.fractions(min_value=-5, max_value=5, max_denominator=12)


def module(key):
    return catalogue.load("theory.claims", key)


def mean_absolute(row):
    """E|row . z| over all sign vectors, as a fraction."""
    values = [
        abs(sum(a * s for a, s in zip(row, z, strict=True)))
        for z in product((1, -1), repeat=len(row))
    ]
    return Fraction(sum(values), len(values))


@given(st.tuples(small, small))
def test_two_entries_give_the_larger(row):
    m = SimpleNamespace(a=row[0], b=row[1])
    assert module("hutchinson_absolute_two").formula(m) == mean_absolute(row)


@given(st.permutations(range(3)), st.tuples(small, small, small))
def test_three_entries_give_the_mean_of_two_maxima_in_any_order(order, row):
    m = SimpleNamespace(a=row[order[0]], b=row[order[1]], c=row[order[2]])
    assert module("hutchinson_absolute_three").formula(m) == mean_absolute(row)


@pytest.mark.parametrize("d", range(1, 14))
def test_ones_give_the_central_binomial_and_grow_by_the_chance_of_zero(d):
    closed = module("hutchinson_absolute_ones").closed
    assert closed(d) == mean_absolute([1] * d)
    at_zero = Fraction(comb(d, d // 2), 2**d) if d % 2 == 0 else 0
    assert closed(d + 1) == closed(d) + at_zero


@settings(max_examples=60)
@given(st.lists(small, min_size=1, max_size=7))
def test_the_mean_lies_between_the_bounds_whatever_the_dimension(row):
    mean, norm = mean_absolute(row) ** 2, sum(a**2 for a in row)
    assert max(max(abs(a) for a in row) ** 2, norm / 2) <= mean <= norm


def test_both_bounds_are_attained():
    assert mean_absolute([1, 1]) ** 2 == Fraction(1 + 1, 2)
    assert mean_absolute([0, 3, 0]) ** 2 == 9


def test_the_bias_at_the_refutation_is_the_other_entry():
    """Row (1, 2) of the positive definite [[1, 2], [2, 5]]: 2 where the diagonal is 1."""
    assert mean_absolute([1, 2]) == 2
    assert np.linalg.eigvalsh([[1, 2], [2, 5]])[0] > 0


def test_averaging_over_time_keeps_the_bias():
    """The corrected average of two refreshes over all sixteen pairs of probes of the row (1, 2)."""
    beta = Fraction(9, 10)
    seen = [abs(1 * z[0] + 2 * z[1]) for z in product((1, -1), repeat=2)]
    averages = [
        (beta * (1 - beta) * a + (1 - beta) * b) / (1 - beta**2) for a in seen for b in seen
    ]
    assert sum(averages) / len(averages) == 2


@pytest.mark.parametrize(("nodes", "k"), [("rademacher", 1), ("gaussian", 3)])
def test_mean_and_variance_of_a_probe_by_quadrature(nodes, k):
    """Five Gauss-Hermite nodes are exact to degree nine; the square has degree four in each entry."""
    z, p = np.polynomial.hermite_e.hermegauss(5)
    z, p = (z, p / p.sum()) if nodes == "gaussian" else (np.array([1.0, -1]), np.full(2, 0.5))
    row = np.array([0.7, -1.3, 0.4, 2.1])
    vectors = np.array(list(product(z, repeat=4)))
    chances = np.array(list(product(p, repeat=4))).prod(1)
    seen = vectors[:, 0] * (vectors @ row)
    assert chances @ seen == pytest.approx(row[0], rel=1e-13)
    variance = (k - 1) * row[0] ** 2 + (row[1:] ** 2).sum()
    assert chances @ (seen - row[0]) ** 2 == pytest.approx(variance, rel=1e-12)


def test_the_lower_bounds_argument_in_four_dimensions():
    """Lf <= f for the flips, and E f Lf >= 2 Var f, the latter no equality any more."""
    f = {z: abs(np.dot(z, [0.5, -1.2, 2.0, 0.9])) for z in product((1, -1), repeat=4)}

    def flipped(z, i):
        return (*z[:i], -z[i], *z[i + 1 :])

    L = {z: sum(f[z] - f[flipped(z, i)] for i in range(4)) / 2 for z in f}
    assert all(L[z] <= f[z] + 1e-15 for z in f)
    assert np.mean([f[z] * L[z] for z in f]) > 2 * np.var(list(f.values()))


# --- the lazy correction ---------------------------------------------------------------------------

BETA, K = Fraction(999, 1000), 10


def squared(t):
    """The inflation's square, from the recursion, in fractions."""
    average, steps = Fraction(0), 0
    for step in range(1, t + 1, K):
        average, steps = BETA * average + (1 - BETA), step
    return (1 - BETA**steps) / average


def thousandths(square):
    """The square root to the nearest thousandth, exactly."""
    doubled = isqrt(4 * 10**6 * square.numerator // square.denominator)
    return Fraction((doubled + 1) // 2, 1000)


@pytest.mark.parametrize(
    ("t", "told"), [(1, "1.000"), (10, "1.000"), (11, "2.340"), (141, "2.972")]
)
def test_the_inflation_of_early_steps_in_fractions(t, told):
    assert thousandths(squared(t)) == Fraction(told)
    assert _lazy.inflation(float(BETA), K, t) ** 2 == pytest.approx(float(squared(t)), rel=1e-10)


def test_the_inflation_a_thousand_refreshes_later():
    held, divisor = _lazy.weights(BETA, K, 10_001)
    assert thousandths(divisor / held) == Fraction("1.257")


def test_no_step_is_inflated_more_than_step_141():
    """Exactly up to the 121st refresh; later ones are at most 1/(1 - b^122), which falls."""
    worst = squared(_lazy.PEAK)
    for j in range(121):
        held, divisor = _lazy.weights(BETA, K, 1 + j * K)
        assert divisor / held <= worst
        assert (divisor / held == worst) == (1 + j * K == _lazy.PEAK)
    assert 1 / (1 - BETA**122) < worst


def test_the_statement_says_what_the_fractions_say():
    statement = module("lazy_correction_counts_steps").CLAIM.statement
    for text in ("2.340", "2.972", "1.257", "t = 11", "t = 141", "t = 10001"):
        assert text in statement


def test_without_laziness_both_counts_are_exact():
    for t in range(1, 30):
        held, divisor = _lazy.weights(BETA, 1, t)
        assert held == divisor

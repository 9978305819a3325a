"""Polynomials expand as SymPy's do, and two are equal exactly when their expansions are."""

import math
from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.exact import Polynomial

COMMON = settings(deadline=None, max_examples=60, derandomize=True)
NAMES = ("x", "y", "z")
RATIONALS = st.builds(Fraction, st.integers(-9, 9), st.integers(1, 5))
LEAVES = st.one_of(st.sampled_from(NAMES), RATIONALS)
TREES = st.recursive(
    LEAVES,
    lambda parts: st.one_of(
        st.tuples(st.sampled_from("+-*"), parts, parts),
        st.tuples(st.just("**"), parts, st.integers(0, 3)),
        st.tuples(st.just("/"), parts, RATIONALS.filter(bool)),
    ),
    max_leaves=6,
)
OPERATIONS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "**": lambda a, b: a**b,
    "/": lambda a, b: a / b,
}


def read(tree, letter, number):
    """One expression in any arithmetic."""
    if isinstance(tree, str):
        return letter(tree)
    if not isinstance(tree, tuple):
        return number(tree)
    operation, left, right = tree
    if operation == "**":
        return read(left, letter, number) ** right
    return OPERATIONS[operation](read(left, letter, number), read(right, letter, number))


def exactly(tree) -> Polynomial:
    found = read(tree, Polynomial.variable, lambda c: c)
    return found if isinstance(found, Polynomial) else Polynomial.constant(found)


def in_sympy(tree) -> sympy.Poly:
    found = read(tree, sympy.Symbol, lambda c: sympy.Rational(c.numerator, c.denominator))
    return sympy.Poly(sympy.expand(found), *map(sympy.Symbol, NAMES))


def coefficients(polynomial: Polynomial) -> dict:
    return {
        tuple(dict(word).get(name, 0) for name in NAMES): value
        for word, value in polynomial.terms.items()
    }


@COMMON
@given(TREES)
def test_the_expansion_is_sympys(tree):
    expected = {
        powers: Fraction(int(c.p), int(c.q)) for powers, c in in_sympy(tree).terms() if c != 0
    }
    assert coefficients(exactly(tree)) == expected


@COMMON
@given(TREES, TREES)
def test_equality_and_spelling_are_those_of_the_expansions(left, right):
    a, b = exactly(left), exactly(right)
    assert (a == b) == (in_sympy(left) == in_sympy(right)) == (repr(a) == repr(b))


@COMMON
@given(TREES, st.tuples(RATIONALS, RATIONALS, RATIONALS))
def test_the_value_at_a_point_is_that_of_the_expression(tree, point):
    at = dict(zip(NAMES, point, strict=True))
    value = sum(
        c * math.prod(at[name] ** power for name, power in word)
        for word, c in exactly(tree).terms.items()
    )
    assert value == read(tree, at.__getitem__, lambda c: c)


def test_a_square_worked_by_hand():
    x, y = map(Polynomial.variable, "xy")
    assert (x + y) ** 2 == x * x + 2 * x * y + y**2
    assert (x - y) * (x + y) - x**2 + y**2 == 0
    assert repr((x + 1) * y / 2 - 3) == "(-3) + (1/2)*x^1*y^1 + (1/2)*y^1"
    assert repr(x - x) == "0"
    assert 1 - x == -(x - 1)
    assert x != y and x != 1 and Polynomial.constant(3) == 3


@pytest.mark.parametrize("inexact", [0.5, np.float64(0.5), np.float32(0.5), 1j, float("nan")])
def test_no_inexact_number_enters_a_polynomial(inexact):
    x = Polynomial.variable("x")
    for operation in OPERATIONS.values():
        with pytest.raises(TypeError):
            operation(x, inexact)
    for operation in (OPERATIONS["+"], OPERATIONS["-"], OPERATIONS["*"], OPERATIONS["/"]):
        with pytest.raises(TypeError):
            operation(inexact, x)


@pytest.mark.parametrize("power", [-1, Fraction(1, 2), Fraction(2), 0.5, "2"])
def test_powers_are_non_negative_integers(power):
    with pytest.raises(TypeError, match="non-negative integer"):
        Polynomial.variable("x") ** power


def test_a_polynomial_divides_by_numbers_only():
    x = Polynomial.variable("x")
    with pytest.raises(TypeError):
        x / x
    with pytest.raises(ZeroDivisionError):
        x / 0


def test_numpy_integers_do_not_overflow_once_inside():
    x = Polynomial.variable("x")
    assert x * np.int64(2**62) * 4 == x * 2**64
    assert x + np.int64(2**62) + np.int64(2**62) == x + 2**63

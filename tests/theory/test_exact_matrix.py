"""Exact matrices decide definiteness as the characteristic polynomial does, and hold no float."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.exact import Matrix, is_positive_definite, negative_direction
from theory.exact.matrix import column_basis, quadratic_form, solve

COMMON = settings(deadline=None, max_examples=60, derandomize=True)
SMALL = st.integers(-3, 3)


SIZES = st.integers(1, 4)


@st.composite
def rectangles(draw, rows=SIZES, columns=SIZES):
    shape = draw(rows), draw(columns)
    return [[draw(SMALL) for _ in range(shape[1])] for _ in range(shape[0])]


@st.composite
def symmetric_matrices(draw):
    """Any symmetric integer matrix, or a Gram matrix, less a square or not: often singular."""
    size = draw(st.integers(1, 4))
    F = np.array([[draw(SMALL) for _ in range(size)] for _ in range(draw(st.integers(1, 4)))])
    v = np.array([draw(SMALL) for _ in range(size)])
    if draw(st.booleans()):
        return (F.T @ F - draw(st.integers(0, 1)) * np.outer(v, v)).tolist()
    square = np.array([[draw(SMALL) for _ in range(size)] for _ in range(size)])
    return (np.tril(square) + np.tril(square, -1).T).tolist()


def principal_sums(rows) -> list:
    """Sums of the principal minors of each order: all >= 0 exactly for PSD, > 0 for definite."""
    x = sympy.Symbol("x")
    coefficients = sympy.Matrix(rows).charpoly(x).all_coeffs()
    return [(-1) ** k * c for k, c in enumerate(coefficients)]


def value(rows, v) -> Fraction:
    return sum(a * rows[i][j] * b for i, a in enumerate(v) for j, b in enumerate(v))


@COMMON
@given(symmetric_matrices())
def test_a_negative_direction_is_found_exactly_when_a_principal_sum_is_negative(rows):
    direction = negative_direction(Matrix(rows))
    if direction is None:
        assert min(principal_sums(rows)) >= 0
    else:
        assert min(principal_sums(rows)) < 0
        assert value(rows, direction) < 0


def test_the_random_matrices_are_singular_and_regular_and_of_every_sign():
    found = set()

    @COMMON
    @given(symmetric_matrices())
    def collect(rows):
        found.add((min(principal_sums(rows)) >= 0, sympy.Matrix(rows).det() == 0))

    collect()
    assert found == {(True, True), (True, False), (False, True), (False, False)}


@COMMON
@given(symmetric_matrices())
def test_definiteness_is_what_the_characteristic_polynomial_says(rows):
    assert is_positive_definite(Matrix(rows)) == (min(principal_sums(rows)) > 0)


@pytest.mark.parametrize(
    ("rows", "semidefinite", "definite"),
    [
        ([[0]], True, False),
        ([[-1]], False, False),
        ([[0, 1], [1, 0]], False, False),  # a zero pivot with a row that is not zero
        ([[0, 1], [1, 7]], False, False),
        ([[0, 2], [2, -3]], False, False),
        ([[0, Fraction(-1, 3)], [Fraction(-1, 3), 5]], False, False),
        ([[0, 0, 1], [0, 2, 0], [1, 0, -4]], False, False),
        ([[0, 0], [0, -1]], False, False),
        ([[0, 0], [0, 3]], True, False),
        ([[1, 2], [2, 4]], True, False),  # singular on the second pivot
        ([[1, 2], [2, 3]], False, False),
        ([[2, -1], [-1, 2]], True, True),
        ([[1, 0, 0], [0, 0, 1], [0, 1, 0]], False, False),
        ([], True, True),
    ],
)
def test_cases_worked_by_hand(rows, semidefinite, definite):
    direction = negative_direction(Matrix(rows))
    assert (direction is None) == semidefinite
    assert direction is None or value(rows, direction) < 0
    assert is_positive_definite(Matrix(rows)) == definite


@COMMON
@given(rectangles(rows=st.just(2), columns=st.just(3)))
def test_a_gram_matrix_less_the_slightest_square_of_its_kernel_is_caught(F):
    """No tolerance hides a violation of 1e-30."""
    gram = sympy.Matrix(F).T * sympy.Matrix(F)
    kernel = gram.nullspace()[0]
    shaved = gram - sympy.Rational(1, 10**30) * kernel * kernel.T
    exact = [[Fraction(int(x.p), int(x.q)) for x in shaved.row(i)] for i in range(3)]
    assert negative_direction(Matrix(gram.tolist())) is None
    direction = negative_direction(Matrix(exact))
    assert direction is not None and value(exact, direction) < 0


@pytest.mark.parametrize("rows", [[[0, 1], [2, 0]], [[1, 2]], [[1], [2]]])
@pytest.mark.parametrize("question", [negative_direction, is_positive_definite])
def test_definiteness_is_asked_of_symmetric_matrices_only(question, rows):
    with pytest.raises(ValueError, match="symmetric"):
        question(Matrix(rows))


@COMMON
@given(rectangles(columns=st.just(3)), rectangles(rows=st.just(3)), SMALL)
def test_arithmetic_is_numpys(left, right, scalar):
    A, B = np.array(left, dtype=object), np.array(right, dtype=object)
    L, R = Matrix(left), Matrix(right)
    assert L @ R == Matrix((A @ B).tolist())
    assert L + scalar * L - L / 2 == Matrix((A + scalar * A - A * Fraction(1, 2)).tolist())
    assert (-L).T == Matrix((-A.T).tolist())
    assert L.shape == A.shape
    v = [Fraction(x, 7) for x in (B.T[0]).tolist()]
    assert quadratic_form(L.T @ L, v) == v @ (A.T @ A) @ np.array(v, dtype=object)


def test_a_matrix_is_spelled_row_by_row_and_is_zero_when_every_entry_is():
    assert repr(Matrix([[1, Fraction(1, 2)], [0, -3]])) == "[[1, 1/2], [0, -3]]"
    assert Matrix([[0, 0]]).is_zero() and Matrix([]).is_zero()
    assert not Matrix([[0, 1]]).is_zero() and not Matrix([[1, -1]]).is_zero()


@pytest.mark.parametrize(
    "inexact", [0.5, np.float64(0.5), np.float32(0.5), np.float16(0.5), 1j, Decimal("0.5")]
)
def test_no_inexact_number_enters_a_matrix(inexact):
    with pytest.raises(TypeError, match="inexact"):
        Matrix([[inexact]])
    with pytest.raises(TypeError):
        Matrix([[1]]) * inexact
    with pytest.raises(TypeError):
        Matrix([[1]]) / inexact
    with pytest.raises(TypeError):
        inexact * Matrix([[1]])


def test_numpy_integers_do_not_overflow_once_inside():
    large = Matrix([[np.int64(2**62)]])
    assert (large * 4).rows[0][0] == 2**64
    assert (np.int64(3) * large).rows[0][0] == 3 * 2**62


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="differ in length"):
        Matrix([[1, 2], [3]])
    with pytest.raises(ValueError, match="multiply shapes"):
        Matrix([[1, 2]]) @ Matrix([[1, 2]])
    with pytest.raises(ValueError, match="combine shapes"):
        Matrix([[1, 2]]) + Matrix([[1], [2]])


def test_two_matrices_are_multiplied_with_at_only():
    """The star means one thing in numpy and another on paper, so here it takes scalars only."""
    with pytest.raises(TypeError, match="@"):
        Matrix([[1]]) * Matrix([[1]])
    with pytest.raises(TypeError):
        Matrix([[1]]) + 1


@COMMON
@given(rectangles(), st.randoms(use_true_random=False))
def test_one_subspace_has_one_basis(vectors, random):
    """The basis is the reduced row echelon form, whatever the order of the vectors."""
    exact = [[Fraction(x) for x in v] for v in vectors]
    reduced, pivots = sympy.Matrix(vectors).rref()
    expected = [[Fraction(int(x.p), int(x.q)) for x in reduced.row(i)] for i in range(len(pivots))]
    shuffled = random.sample(exact, len(exact))
    assert column_basis(exact) == column_basis(shuffled) == expected


@COMMON
@given(rectangles(rows=st.just(3), columns=st.just(3)), rectangles(rows=st.just(3)))
def test_solving_undoes_multiplying_and_refuses_a_singular_matrix(rows, right):
    M, R = Matrix(rows), Matrix(right)
    if sympy.Matrix(rows).det() == 0:
        with pytest.raises(ValueError, match="singular"):
            solve(M, R)
    else:
        assert M @ solve(M, R) == R

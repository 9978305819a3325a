"""The exact operator is the Kronecker matrix, and its radius is decided, not estimated."""

from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from theory.exact import Matrix, SecondMoment
from theory.exact.second_moment import radius_at_most

COMMON = settings(deadline=None, max_examples=30, derandomize=True)
TINY = Fraction(1, 10**15)
TURN = Matrix([[3, 4, 0], [-4, 3, 0], [0, 0, 5]]) / 5  # a rational rotation


@st.composite
def families(draw, size=2):
    """Probabilities and curvatures A = F'F, at most two samples, often of deficient rank."""
    count = draw(st.integers(1, 2))
    rows = st.lists(st.integers(-2, 2), min_size=size, max_size=size)
    factors = [Matrix(draw(st.lists(rows, min_size=1, max_size=2))) for _ in range(count)]
    weights = [draw(st.integers(1, 3)) for _ in range(count)]
    eta = draw(st.sampled_from([Fraction(1, 7), Fraction(1, 3), Fraction(1, 2), Fraction(1)]))
    return [Fraction(w, sum(weights)) for w in weights], [eta * (F.T @ F) for F in factors]


def operator(probabilities, curvatures) -> SecondMoment:
    size = curvatures[0].shape[0]
    return SecondMoment(probabilities, [Matrix.identity(size) - A for A in curvatures])


def rational(matrix: Matrix) -> sympy.Matrix:
    rows = [[sympy.Rational(x.numerator, x.denominator) for x in row] for row in matrix.rows]
    return sympy.Matrix(rows)


def kronecker(T: SecondMoment) -> sympy.Matrix:
    """The matrix of T on row-major vec(X), by SymPy."""
    size = T.steps[0].shape[0] ** 2
    total = sympy.zeros(size, size)
    for p, Phi in zip(T.probabilities, T.steps, strict=True):
        step = rational(Phi)
        total += sympy.Rational(p.numerator, p.denominator) * sympy.kronecker_product(step, step)
    return total


def no_eigenvalue_above(matrix: sympy.Matrix, bound) -> bool:
    """For real eigenvalues: the characteristic polynomial of bound I - matrix alternates."""
    shifted = sympy.Rational(bound.numerator, bound.denominator) * sympy.eye(matrix.rows) - matrix
    coefficients = shifted.charpoly().all_coeffs()
    return all((-1) ** k * c >= 0 for k, c in enumerate(coefficients))


def padded(A: Matrix) -> Matrix:
    """The same curvature in one dimension more, turned so that no coordinate shows the kernel."""
    rows = [[0, 0, 0], *([0, *row] for row in A.rows)]
    return TURN @ Matrix(rows) @ TURN.T


def moves_everything(curvatures) -> bool:
    stacked = [list(row) for A in curvatures for row in rational(A).tolist()]
    return sympy.Matrix(stacked).rank() == curvatures[0].shape[0]


@COMMON
@given(families(), st.lists(st.integers(-3, 3), min_size=4, max_size=4))
def test_applying_it_is_the_kronecker_matrix_on_the_entries(family, entries):
    T = operator(*family)
    X = Matrix([entries[:2], entries[2:]])
    assert rational(T(X)).reshape(4, 1) == kronecker(T) * sympy.Matrix(entries)


@COMMON
@given(families(), st.sampled_from([Fraction(1), Fraction(9, 10), Fraction(1, 4), Fraction(0)]))
def test_the_radius_is_what_the_characteristic_polynomial_says(family, bound):
    assume(moves_everything(family[1]))
    T = operator(*family)
    assert radius_at_most(T, bound) == no_eigenvalue_above(kronecker(T), bound)


def test_the_random_families_lie_on_both_sides_of_the_edge_and_some_have_fixed_directions():
    seen = set()

    @COMMON
    @given(families())
    def collect(family):
        seen.add((radius_at_most(operator(*family), Fraction(1)), moves_everything(family[1])))

    collect()
    assert seen == {(True, True), (True, False), (False, True), (False, False)}


@COMMON
@given(families(), st.sampled_from([Fraction(1), Fraction(1, 2), Fraction(1, 4)]))
def test_common_fixed_directions_say_nothing(family, bound):
    """With one fixed direction more, hidden by a rotation, radius and quotient are the same."""
    probabilities, curvatures = family
    assume(moves_everything(curvatures))
    bare = operator(probabilities, curvatures)
    wide = operator(probabilities, [padded(A) for A in curvatures])
    assert radius_at_most(wide, bound) == no_eigenvalue_above(kronecker(bare), bound)
    quotient = wide.quotient()
    assert quotient.steps[0].shape == (2, 2)
    assert kronecker(quotient).charpoly() == kronecker(bare).charpoly()


@COMMON
@given(families())
def test_the_decision_brackets_the_largest_float_eigenvalue(family):
    """Entries are at most 65, so a symmetric eigensolver is right to about 1e-13 relative."""
    probabilities, curvatures = family
    assume(moves_everything(curvatures))
    T = operator(probabilities, curvatures)
    kron = np.array(kronecker(T).tolist(), dtype=float)
    radius = Fraction(float(np.linalg.eigvalsh(kron)[-1]))
    room = Fraction(1, 10**10) * max(radius, 1)
    assert radius_at_most(T, radius + room) and not radius_at_most(T, radius - room)


@pytest.mark.parametrize(
    ("probabilities", "curvatures"),
    [
        ([1], [[[2]]]),  # h eta = 2: the step is -1
        ([Fraction(1, 2)] * 2, [[[0]], [[2]]]),  # samples {0, 2/eta}: the step is 1 or -1
        ([1], [[[2, 0], [0, 1]]]),
        ([1], [[[1, 1], [1, 1]]]),  # rank one, eigenvalue 2, and a fixed direction
        ([Fraction(1, 2)] * 2, [[[2, 0], [0, 0]], [[0, 0], [0, 2]]]),  # never moves both at once
    ],
)
def test_the_edge_itself_is_stable_and_nothing_below_it_is_a_bound(probabilities, curvatures):
    T = operator(probabilities, [Matrix(A) for A in curvatures])
    assert radius_at_most(T, Fraction(1))
    assert not radius_at_most(T, 1 - TINY)


def test_a_hair_beyond_the_edge_is_unstable():
    assert not radius_at_most(operator([1], [Matrix([[2 + TINY]])]), Fraction(1))
    assert radius_at_most(operator([1], [Matrix([[2 - TINY]])]), Fraction(1))


def test_an_irrational_radius_is_decided_from_both_sides():
    """The step [[1, 1], [1, 0]] has eigenvalue (1 + sqrt 5)/2, whose square is (3 + sqrt 5)/2."""
    T = SecondMoment([Fraction(1)], [Matrix([[1, 1], [1, 0]])])
    root = Fraction(2618033988749894, 10**15)  # (3 + sqrt 5)/2 = 2.6180339887498948...
    assert radius_at_most(T, root + 2 * TINY) and not radius_at_most(T, root)


def test_a_family_that_never_moves_has_an_empty_quotient():
    T = operator([1], [Matrix([[0, 0], [0, 0]])])
    assert T.quotient().steps[0].shape == (0, 0)
    assert radius_at_most(T, Fraction(1))


def test_nothing_is_divided_out_where_every_direction_moves():
    T = operator([1], [Matrix([[1, 0], [0, 2]])])
    assert T.quotient() is T


@pytest.mark.parametrize("step", [[[1, 1], [0, 1]], [[0, 1], [0, 0]]])
def test_steps_that_are_not_symmetric_are_refused(step):
    """A Jordan block has radius one and still grows: the argument needs a self-adjoint operator."""
    T = SecondMoment([Fraction(1)], [Matrix(step)])
    with pytest.raises(ValueError, match="symmetric"):
        radius_at_most(T, Fraction(1))
    with pytest.raises(ValueError, match="symmetric"):
        T.quotient()

"""The certified edge holds the true one: by hand, and by deciding stability at both of its ends."""

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from flint import fmpq_mat
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.core import InputError
from theory.exact import Matrix, SecondMoment
from theory.exact.matrix import column_basis
from theory.exact.second_moment import radius_at_most
from theory.stability import exact_edge
from theory.stability._flint import echelon, rounded_down, rounded_up, to_flint, to_fmpq
from theory.stability.enclosure import Enclosure
from theory.stability.exact_edge import exact_law, exact_mean_square, rational
from theory.stability.operator import step_matrices
from theory.stability.threshold import mean_square_critical_step

COMMON = settings(deadline=None, max_examples=20, derandomize=True)
SEEDS = st.integers(0, 2**32 - 1)
TURN = Matrix([[3, 4, 0], [-4, 3, 0], [0, 0, 5]]) / 5  # a rational rotation
THREE = np.array([[[0, 1]], [[1, -1]], [[1, 1]]])


def holds(edge: Enclosure, value: Fraction) -> bool:
    """Whether the enclosure holds the value and is three floats wide at most: an edge that is a
    float may keep both its neighbours.
    """
    tight = edge.lower <= edge.upper <= after(after(edge.lower))
    return tight and Fraction(edge.lower) <= value <= Fraction(edge.upper)


def after(value: float) -> float:
    return math.nextafter(value, math.inf)


def stable(p, A, eta: float, decay=Fraction(0)) -> bool:
    """r(T) <= 1 at this very step, decided by elimination."""
    one = Matrix.identity(A[0].shape[0])
    steps = [one - Fraction(eta) * (S + decay * one) for S in A]
    return radius_at_most(SecondMoment(p, steps), Fraction(1))


def just_inside(p, A, edge: Enclosure, decay=Fraction(0)) -> bool:
    beyond = after(edge.upper)
    return stable(p, A, edge.lower, decay) and not stable(p, A, beyond, decay)


def scalars(values, weights=None):
    shares = weights or [Fraction(1, len(values))] * len(values)
    return shares, [Matrix([[v]]) for v in values]


@st.composite
def hessians(draw, size=3):
    """One to three H = F'F of rank one or two: seldom of full rank together."""
    rows = st.lists(st.integers(-2, 2), min_size=size, max_size=size)
    factors = [Matrix(draw(st.lists(rows, min_size=1, max_size=2))) for _ in range(draw(COUNTS))]
    return [F.T @ F for F in factors]


COUNTS = st.integers(1, 3)


def test_three_rows_by_hand():
    """C^{-1} D is 8/5 off the diagonal and [[1, 1], [2/3, 1]] on it: 1 + sqrt(2/3), so that
    eta_2 = 6 - 2 sqrt 6.
    """
    edge = exact_mean_square(*exact_law(THREE, [1, 1, 1]))
    assert (6 - Fraction(edge.upper)) ** 2 < 24 < (6 - Fraction(edge.lower)) ** 2
    assert holds(edge, Fraction(edge.lower))


VALUES = st.lists(st.fractions(0, 5, max_denominator=9), min_size=1, max_size=4).filter(any)


@COMMON
@given(VALUES, st.fractions(0, 2, max_denominator=5), st.integers(0, 9).map(lambda k: k / 10))
def test_one_dimension_is_the_closed_form(values, w, m):
    """2 (1 + m)(1 - m) mu/((1 + m) Var q + (1 - m) mu^2), decay added to q."""
    q, b = [v + w for v in values], Fraction(m)
    mu = sum(q) / len(q)
    var = sum(v * v for v in q) / len(q) - mu * mu
    edge = exact_mean_square(*scalars(values), momentum=m, decay=w)
    assert holds(edge, 2 * (1 + b) * (1 - b) * mu / ((1 + b) * var + (1 - b) * mu * mu))


@pytest.mark.parametrize("rows", [[(3, 4), (5, 0), (0, 5)], [(1, 2, 2), (2, 1, -2), (0, 0, 3)]])
def test_rows_of_one_norm_have_edge_two_over_its_square(rows):
    norm = sum(x * x for x in rows[0])
    edge = exact_mean_square(*exact_law([[row] for row in rows], [1, 2, 3]))
    assert holds(edge, Fraction(2, norm))


def test_orthogonal_rows_have_the_edge_of_the_longest():
    law = exact_law([[(1, 2, 2)], [(4, 2, -4)], [(2, -2, 1)]], [1, 1, 1])
    assert holds(exact_mean_square(*law), Fraction(2, 36))


def test_a_root_of_full_multiplicity_is_found():
    values = [1, 10]
    A = [v * Matrix.identity(3) for v in values]
    edge = exact_mean_square([Fraction(1, 2)] * 2, A)
    assert holds(edge, Fraction(2 * 11, 101))  # 2 E q/E q^2


@COMMON
@given(
    hessians(), st.sampled_from([1, 2]), st.sampled_from(["shared", "per-sample"]), st.booleans()
)
def test_stability_is_decided_otherwise_at_both_ends(H, batch, ascent, decayed):
    w = Fraction(int(decayed), 3)
    rho = Fraction(1, 4)
    law = step_matrices(H, [Fraction(1)] * len(H), rho=rho, batch=batch, ascent=ascent)
    edge = exact_mean_square(*law, decay=w)
    if edge.lower == math.inf:
        assert all(S.is_zero() for S in law[1]) and not w
    else:
        assert just_inside(*law, edge, w)


@COMMON
@given(SEEDS, st.integers(1, 4), st.sampled_from([1, 2, None]), st.sampled_from([0.0, 0.1]))
def test_floats_agree_with_the_certified_edge(seed, d, batch, rho):
    F = np.random.default_rng(seed).normal(size=(5, 1, d + 1)) * ([1.0] * d + [0.0])
    edge = exact_mean_square(*exact_law(F, [1.0] * 5, rho=rho, batch=batch))
    p, A = step_matrices(np.swapaxes(F, 1, 2) @ F, [1.0] * 5, rho=rho, batch=batch)
    assert mean_square_critical_step(p, A) == pytest.approx(edge.lower, rel=1e-9)


def heavy_ball(p, A, m, eta) -> SecondMoment:
    """The iteration of (x, v) as PyTorch writes it, with v left as it is."""
    r = A[0].shape[0]
    steps = []
    for S in A:
        moved = [[*(-eta * S).rows[i], *(-eta * m * Matrix.identity(r)).rows[i]] for i in range(r)]
        steps.append(
            Matrix(
                [[x + (i == j) for j, x in enumerate(row)] for i, row in enumerate(moved)]
                + [[*S.rows[i], *(m * Matrix.identity(r)).rows[i]] for i in range(r)]
            )
        )
    return SecondMoment(p, steps)


def complement(T: SecondMoment) -> fmpq_mat:
    """I - T on symmetric matrices, from its images of a basis."""
    size = T.steps[0].shape[0]
    places = [(a, b) for a in range(size) for b in range(a + 1)]
    columns = []
    for a, b in places:
        X = Matrix([[int({i, j} == {a, b}) for j in range(size)] for i in range(size)])
        rest = X - T(X)
        columns.append([to_fmpq(rest.rows[i][j]) for i, j in places])
    return fmpq_mat(columns)


MOMENTUM = [Fraction(1, 5), Fraction(9, 10)]
LAWS = [
    (
        [Fraction(1, 3)] * 3,
        [Matrix([[0, 0], [0, 1]]), Matrix([[1, -1], [-1, 1]]), Matrix([[1, 1]] * 2)],
    ),
    ([Fraction(1, 4), Fraction(3, 4)], [Matrix([[5, 2], [2, 1]]), Matrix([[1, 0], [0, 0]])]),
]


@pytest.mark.parametrize("m", MOMENTUM)
@pytest.mark.parametrize("law", LAWS)
def test_with_momentum_the_determinant_of_the_whole_operator_changes_sign_inside(law, m):
    """I - T on the symmetric 4 x 4 matrices of (x, v) has a simple root between the two ends."""
    edge = exact_mean_square(*law, momentum=m)
    low, high = (
        complement(heavy_ball(*law, m, Fraction(e))).det() for e in (edge.lower, edge.upper)
    )
    assert low * high < 0


@COMMON
@given(SEEDS, st.integers(1, 3), st.sampled_from([0.0, 0.2]), st.floats(0, 0.98))
def test_with_momentum_exactly_the_steps_below_the_edge_are_stable(seed, d, w, m):
    """Beyond it none, although the operator of (x, v) is not self-adjoint: r(T) by floats."""
    rng = np.random.default_rng(seed)
    F = rng.normal(size=(3, 1, d)) * np.exp(rng.normal(size=(3, 1, 1)))
    edge = exact_mean_square(*exact_law(F, [1] * 3), momentum=m, decay=w)
    p, A = step_matrices([rational(f).T @ rational(f) for f in F], [1] * 3)
    A = [S + Fraction(w) * Matrix.identity(d) for S in A]
    for share in (0.1, 0.5, 0.9, 0.999, 1.001, 1.1, 1.5, 2, 5, 30):
        T = heavy_ball(p, A, Fraction(m), Fraction(share * edge.lower))
        steps = [np.array(Phi.rows, float) for Phi in T.steps]
        whole = sum(float(q) * np.kron(S, S) for q, S in zip(p, steps, strict=True))
        assert (np.abs(np.linalg.eigvals(whole)).max() < 1) == (share < 1)


@pytest.mark.parametrize("m", MOMENTUM)
def test_with_momentum_the_determinant_is_the_pencils_up_to_a_constant(m):
    """det(I - T) = c eta^3 det(2 (1 - m) C - eta L) as polynomials of degree 6 in eta."""
    p, A = LAWS[1]
    small = exact_edge._pencil(p, [to_flint(S) for S in A], m)  # C^{-1} L
    one = fmpq_mat(3, 3, [int(i == j) for i in range(3) for j in range(3)])
    ratios = set()
    for k in range(1, 9):
        eta = Fraction(k, 7)
        whole = complement(heavy_ball(p, A, m, eta)).det()
        pencil = (one * to_fmpq(2 * (1 - m)) - small * to_fmpq(eta)).det()
        ratios.add(whole / (pencil * to_fmpq(eta**3)))
    assert len(ratios) == 1


def test_a_preconditioner_is_the_symmetric_law_with_its_root():
    """P = diag(4, 9, 25) has a rational root; two rows leave a null space."""
    F = [Matrix([[1, 2, -1]]), Matrix([[3, 0, 1]])]
    root = Matrix([[Fraction(1, 2), 0, 0], [0, Fraction(1, 3), 0], [0, 0, Fraction(1, 5)]])
    p, A = step_matrices([f.T @ f for f in F], [1, 2], rho=Fraction(1, 8), batch=2)
    options = {"momentum": Fraction(1, 2), "decay": Fraction(1, 9)}
    expected = exact_mean_square(p, [root @ S @ root for S in A], **options)
    for P in ([4, 9, 25], np.diag([4.0, 9.0, 25.0])):
        law = exact_law([f.rows for f in F], [1, 2], rho=0.125, batch=2, preconditioner=P)
        assert exact_mean_square(*law, **options) == expected
    assert law[1][0].shape == (2, 2)
    assert exact_mean_square(p, A, **options) != expected


def test_decoupled_decay_is_the_step_written_out():
    """x+ = (1 - eta w) x - eta q x/P in one dimension: E(1 - eta (w + q/P))^2 = 1."""
    law = exact_law([[[1]], [[2]]], [1, 1], preconditioner=[3])
    q = [Fraction(1, 3) + Fraction(1, 2), Fraction(4, 3) + Fraction(1, 2)]
    assert holds(exact_mean_square(*law, decay=0.5), 2 * sum(q) / sum(x * x for x in q))


@COMMON
@given(SEEDS, st.sampled_from([0, Fraction(3, 10)]))
def test_coordinates_and_directions_nothing_moves_change_nothing(seed, m):
    rows = np.random.default_rng(seed).integers(-3, 4, size=(3, 1, 2)).tolist()
    wide = [(Matrix([[*row[0], 0]]) @ TURN).rows for row in rows]
    law = exact_law(rows, [1, 1, 2], rho=0.25, batch=2)
    edge = exact_mean_square(*law, momentum=m)
    assert exact_mean_square(*exact_law(wide, [1, 1, 2], rho=0.25, batch=2), momentum=m) == edge
    full = step_matrices(
        [Matrix(f).T @ Matrix(f) for f in wide], [1, 1, 2], rho=Fraction(1, 4), batch=2
    )
    assert exact_mean_square(*full, momentum=m) == edge


@pytest.mark.parametrize("m", [0, Fraction(1, 2)])
def test_where_nothing_moves_only_decay_has_an_edge(m):
    law = exact_law(np.zeros((2, 1, 3)), [1, 1])
    assert exact_mean_square(*law, momentum=m) == Enclosure(math.inf, math.inf)
    assert holds(exact_mean_square(*law, momentum=m, decay=3), 2 * (1 + Fraction(m)) / 3)


def test_the_basis_is_the_same_whatever_the_number_of_rows():
    """More rows than one elimination takes; the first and the last are unlike the others."""
    rows = [[Fraction(k), Fraction(k), Fraction(0), Fraction(0)] for k in range(1, 70)]
    rows = [[Fraction(x) for x in (0, 5, 1, 1)], *rows, [Fraction(x) for x in (1, 2, 3, 3)]]
    assert [list(row) for row in echelon(rows, 3) or ()] == column_basis(rows)
    assert echelon(rows, 2) is None


def test_a_float_is_the_fraction_it_stores():
    assert rational([[0.1, 1]]).rows == ((Fraction(0.1), Fraction(1)),)
    assert Fraction(0.1) != Fraction(1, 10)
    law = exact_law([[[0.1]]], [1.0])
    assert holds(exact_mean_square(*law), 2 / Fraction(0.1) ** 2)


@COMMON
@given(st.fractions(min_value=Fraction(1, 10**9), max_value=10**9))
def test_ends_are_the_next_floats_outward(value):
    down, up = rounded_down(value), rounded_up(value)
    assert Fraction(down) <= value <= Fraction(up)
    assert up == down or up == after(down)


@pytest.mark.parametrize("scale", [-1100, 1100])
def test_an_edge_beyond_the_floats_is_still_enclosed(scale):
    value = Fraction(2) ** scale
    edge = exact_mean_square(*scalars([value]))
    assert Fraction(edge.lower) <= 2 / value
    assert edge.upper == math.inf or Fraction(edge.upper) >= 2 / value


def test_the_wrong_root_of_the_polynomial_would_be_caught(monkeypatch):
    law = exact_law(THREE, [1, 1, 1])
    p, A = step_matrices([rational(F).T @ rational(F) for F in THREE], [1, 1, 1])
    assert just_inside(p, A, exact_mean_square(*law))
    found = exact_edge.real_eigenvalues
    monkeypatch.setattr(exact_edge, "real_eigenvalues", lambda matrix: found(matrix)[:-1])
    with pytest.raises(InputError):  # the mean is short of an eigenvalue
        exact_mean_square(*law)
    monkeypatch.setattr(exact_edge, "_check_mean", lambda mean: None)
    assert not just_inside(p, A, exact_mean_square(*law))


def test_forgetting_the_quotient_would_be_caught(monkeypatch):
    whole = step_matrices([Matrix([[1, 1], [1, 1]])], [1])
    assert holds(exact_mean_square(*whole), Fraction(1))
    monkeypatch.setattr(exact_edge, "echelon", lambda rows, most: Matrix.identity(2).rows)
    with pytest.raises(InputError, match="mean"):
        exact_mean_square(*whole)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"momentum": 1}, "momentum"),
        ({"momentum": -0.1}, "momentum"),
        ({"momentum": math.nan}, "momentum"),
        ({"decay": -1}, "decay"),
        ({"probabilities": [Fraction(1, 2)]}, "probabilities"),
        ({"probabilities": [Fraction(1, 2)] * 2}, "probabilities"),
        ({"A": [Matrix([[1, 2]])]}, "A"),
        ({"A": []}, "A"),
        ({"A": [Matrix([[1, 0], [0, -1]])]}, "A"),
        ({"A": [Matrix([[1, 1], [-1, 1]])]}, "A"),
        ({"A": [Matrix.identity(exact_edge.MOST_RANK + 1)]}, "A"),
    ],
)
def test_what_is_no_law_is_refused(change, field):
    good = {"probabilities": [1], "A": [Matrix([[1]])]}
    assert holds(exact_mean_square(**good), Fraction(2))
    with pytest.raises(InputError) as error:
        exact_mean_square(**(good | change))
    assert error.value.field == field


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"factors": []}, "factors"),
        ({"factors": [[[1, 2]], [[1]]]}, "factors"),
        ({"factors": [[[math.inf, 1]]]}, "array"),
        ({"factors": [[1, 2]]}, "array"),
        ({"weights": [1, 1]}, "weights"),
        ({"weights": [math.nan]}, "weights"),
        ({"weights": [0]}, "weights"),
        ({"weights": [-1]}, "weights"),
        ({"factors": np.eye(40)[:, None, :].tolist(), "weights": [1] * 40}, "factors"),
        ({"factors": [[[1, 2]]] * 200, "weights": [1] * 200, "batch": np.int64(2)}, "batch"),
        ({"rho": -1}, "rho"),
        ({"rho": math.inf}, "rho"),
        ({"batch": 0}, "batch"),
        ({"batch": 2, "sampling": "without"}, "batch"),
        ({"preconditioner": [1]}, "preconditioner"),
        ({"preconditioner": [1, 0]}, "preconditioner"),
        ({"preconditioner": [[1, 2], [2, 1]]}, "preconditioner"),
        ({"preconditioner": [[1, 1], [0, 1]]}, "preconditioner"),
        ({"factors": [[[k, 1]] for k in range(200)], "weights": [1] * 200, "batch": 2}, "batch"),
    ],
)
def test_input_that_makes_no_law_is_refused(change, field):
    with pytest.raises(InputError) as error:
        exact_law(**({"factors": [[[1, 2]]], "weights": [1]} | change))
    assert error.value.field == field


@COMMON
@given(SEEDS)
def test_more_samples_a_step_never_lower_the_edge(seed):
    F = np.random.default_rng(seed).normal(size=(3, 1, 2))
    edges = [exact_mean_square(*exact_law(F, [1] * 3, batch=B)) for B in (1, 2, 3)]
    assert all(a.lower <= b.upper for a, b in pairwise(edges))
    assert edges[0].upper < edges[2].lower

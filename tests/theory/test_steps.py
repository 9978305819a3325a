"""The reduced law has the inner products of the one it came from, and doors name what is wrong."""

import math
import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.core import InputError
from theory.moments import EPS
from theory.stability.minimum import Minimum, minimum
from theory.stability.operator import step_matrices
from theory.stability.steps import Span, listed, reduced

SEEDS = st.integers(0, 2**32 - 1)
NEAR = 1e-12  # eigenvectors of well-conditioned matrices, a few products of a few terms


def hessians(blocks: np.ndarray) -> np.ndarray:
    return np.swapaxes(blocks, 1, 2) @ blocks


def sizes_of(matrices: np.ndarray) -> np.ndarray:
    return np.linalg.eigvalsh(matrices)


@settings(max_examples=60)
@given(SEEDS, st.integers(1, 5), st.integers(1, 3), st.integers(1, 9), st.floats(0, 5))
def test_reduction_keeps_every_sample_and_makes_their_mean_diagonal(seed, n, k, d, rho):
    """Spectra of single A_i, of pairs A_i A_j and of the mean, on either side of n k = d."""
    rng = np.random.default_rng(seed)
    F, w = rng.normal(size=(n, k, d)), rng.uniform(0.1, 1, n)
    p = np.exp(rng.normal(size=d))
    steps = reduced(minimum(factors=F, weights=w, preconditioner=p), rho=rho, ascent="per-sample")
    H = hessians(F)
    A = (H + rho * H @ H) / np.sqrt(np.outer(p, p))
    ours = hessians(steps.blocks)
    mean = np.tensordot(steps.weights, ours, 1)
    size = steps.lam[-1]
    assert mean == pytest.approx(np.diag(steps.lam), abs=NEAR * size)
    assert (np.diff(steps.lam) >= 0).all()
    assert steps.lam[0] > 0
    values = np.linalg.eigvalsh(np.tensordot(w / w.sum(), A, 1))[-steps.rank :]
    assert steps.lam == pytest.approx(values, abs=NEAR * size)
    # tr A_i A_j fix the family up to rotation as far as second moments can see
    pairs = np.einsum("iab,jab->ij", A, A)
    assert np.einsum("iab,jab->ij", ours, ours) == pytest.approx(
        pairs, rel=NEAR, abs=NEAR * pairs.max()
    )
    triple = np.einsum("iab,jbc,kca->ijk", A, A, A)
    found = np.einsum("iab,jbc,kca->ijk", ours, ours, ours)
    assert found == pytest.approx(triple, abs=1e-11 * np.abs(triple).max())
    assert steps.ceiling >= sizes_of(A).max() * (1 - NEAR)
    assert steps.noise < 1e-12


@settings(max_examples=40)
@given(SEEDS, st.integers(1, 4), st.integers(1, 7), st.floats(0.01, 5), st.booleans())
def test_a_shared_climb_is_that_of_every_batch(seed, n, d, rho, precondition):
    rng = np.random.default_rng(seed)
    F, w = rng.normal(size=(n, 2, d)), rng.uniform(0.1, 1, n)
    p = np.exp(rng.normal(size=d)) if precondition else np.ones(d)
    law = minimum(factors=F, weights=w, preconditioner=p if precondition else None)
    steps = reduced(law, rho=rho, batch=2)
    chances, A = step_matrices(hessians(F), w, rho=rho, batch=2)
    A = A / np.sqrt(np.outer(p, p))
    assert steps.climb is not None
    _, H = step_matrices(hessians(steps.blocks), w, batch=2)
    ours = H + rho * H @ steps.climb.metric @ H
    size = np.abs(A).max()
    assert np.tensordot(chances, ours, 1) == pytest.approx(np.diag(steps.lam), abs=1e-11 * size)
    assert sizes_of(ours)[:, -steps.rank :] == pytest.approx(
        sizes_of(A)[:, -steps.rank :], abs=1e-11 * size
    )
    words = np.einsum("iab,jab->ij", A, A)
    assert np.einsum("iab,jab->ij", ours, ours) == pytest.approx(words, abs=1e-10 * words.max())
    assert steps.ceiling >= sizes_of(A).max() * (1 - NEAR)


def test_one_row_by_hand():
    """g = (3, 4), rho = 2: |g|^2 = 25, A = 25 (1 + 50) on the line of g; p = 4 quarters it."""
    law = minimum(jacobian=[[3.0, 4.0]])
    assert reduced(law).lam == pytest.approx([25], rel=1e-15)
    assert reduced(law, rho=2.0).lam == pytest.approx([25 * 51], rel=1e-15)
    slowed = minimum(jacobian=[[3.0, 4.0]], preconditioner=[4.0, 4.0])
    assert reduced(slowed, rho=2.0).lam == pytest.approx([25 * 51 / 4], rel=1e-15)
    assert reduced(slowed, rho=2.0, batch=2).lam == pytest.approx([25 * 51 / 4], rel=1e-15)


def test_the_share_of_noise_is_the_variance_of_a_batch_mean():
    """By enumeration, d = 1: Var mean = p Var a."""
    a = np.array([1.0, 2.0, 5.0, 7.0])
    for sampling in ("with", "without"):
        for batch in (1, 2, 3, 4):
            steps = reduced(minimum(jacobian=np.sqrt(a)[:, None]), batch=batch, sampling=sampling)
            chances, A = step_matrices(a[:, None, None], np.ones(4), batch=batch, sampling=sampling)
            variance = chances @ (A[:, 0, 0] - a.mean()) ** 2
            assert steps.share * a.var() == pytest.approx(variance, abs=1e-14)
            assert steps.deterministic == (sampling == "without" and batch == 4)
    assert reduced(minimum(jacobian=[[1.0]])).deterministic
    assert reduced(minimum(jacobian=a[:, None]), batch=None).deterministic


@pytest.mark.parametrize("d", [2, 9])
def test_rank_is_what_moves(d):
    """On both sides of n k = d; repeated, zero and opposite rows add none."""
    g = np.random.default_rng(0).normal(size=(2, d))
    rows = np.array([g[0], g[0], -g[0], np.zeros(d), g[1], g[0] + g[1]])
    assert reduced(minimum(jacobian=rows)).rank == 2
    assert reduced(minimum(gram=rows @ rows.T)).rank == 2
    assert reduced(minimum(jacobian=np.zeros((3, d)))).rank == 0
    assert reduced(minimum(gram=np.zeros((3, 3))), rho=1.0, batch=2).rank == 0


@pytest.mark.parametrize(("n", "d"), [(3, 8), (8, 3)])
def test_the_noise_is_what_the_eigenbasis_leaves(n, d):
    """In fractions: the mean of the blocks is within `noise` of a rotation of the true one."""
    rng = np.random.default_rng(1)
    J = rng.normal(size=(n, d)) * 10.0 ** -np.arange(d)
    steps = reduced(minimum(jacobian=J))
    exact = [[Fraction(x) for x in row] for row in J]
    gram = [[float(sum(a * b for a, b in zip(u, v, strict=True))) for v in exact] for u in exact]
    rows = steps.blocks[:, 0]
    error = np.linalg.norm(rows @ rows.T - gram, 2) / np.linalg.norm(gram, 2)
    assert error <= steps.noise + n * EPS
    assert steps.noise < 1e-13


def test_hessians_carry_what_their_door_lets_pass():
    """An eigenvalue of -16 d EPS counts as zero, and so does one of 16 d EPS."""
    H = [np.diag([1.0, -16 * EPS]), np.diag([1.0, 1.0])]
    F = minimum(hessians=H).factors
    assert F is not None
    error = np.linalg.norm(hessians(F) - H, 2, axis=(1, 2)).max()
    assert error >= 16 * EPS
    assert error <= reduced(minimum(hessians=H)).noise


def test_what_a_rare_sample_curves_alone_is_counted_as_lost():
    rows = [[1.0, 0.0], [0.0, 1.0]]
    assert reduced(minimum(jacobian=rows, weights=[1, 1e-10])).noise < 1e-13
    assert reduced(minimum(jacobian=rows, weights=[1, 1e-17])).noise == math.inf
    assert reduced(minimum(jacobian=rows, weights=[1, 1e-17]), batch=None).noise < 1e-13


def test_coordinates_keep_inner_products_on_both_routes():
    rng = np.random.default_rng(2)
    for n, d in ((3, 8), (8, 3)):
        F, w = rng.normal(size=(n, 1, d)), rng.uniform(0.1, 1, n)
        span = Span.of(F, w / w.sum())
        vectors = rng.normal(size=(4, n)) @ F[:, 0]
        inside = span.coordinates(vectors)
        assert inside @ inside.T == pytest.approx(vectors @ vectors.T, abs=1e-11)
        p = np.exp(rng.normal(size=d))
        form = inside @ span.metric(p) @ inside.T
        assert form == pytest.approx(vectors * p @ vectors.T, abs=1e-11)
        assert span.coordinates(F[:, 0]) == pytest.approx(span.blocks[:, 0], abs=1e-11)


def test_forms_know_what_they_know():
    J = np.array([[1.0, 2.0], [0.0, 3.0], [1.0, 1.0]])
    plain, gram = minimum(jacobian=J), minimum(gram=J @ J.T)
    assert (plain.samples, plain.dimension, plain.outputs) == (3, 2, 1)
    assert (gram.samples, gram.dimension, gram.outputs) == (3, None, 1)
    assert plain.sizes == pytest.approx([5, 9, 2])
    assert gram.sizes == pytest.approx([5, 9, 2])
    H = np.array([np.diag([2.0, 1.0, 0.0]), np.diag([1.0, 0.0, 0.0])])
    full = minimum(hessians=H)
    assert full.outputs == 2  # the largest rank, not d
    assert full.factors is not None
    assert hessians(full.factors) == pytest.approx(H, abs=1e-15)
    assert minimum(jacobian=J, weights=[1, 1, 1]).equal
    assert not minimum(jacobian=J, weights=[1, 1, 2]).equal
    with pytest.raises(ValueError, match="coordinates"):
        plain._gram()


def test_a_listed_law_draws_one_matrix_a_step():
    A = hessians(np.random.default_rng(3).normal(size=(3, 2, 2)))
    steps = listed(np.array([0.2, 0.3, 0.5]), A)
    assert steps.batch == 1
    assert steps.lam == pytest.approx(np.linalg.eigvalsh(np.tensordot([0.2, 0.3, 0.5], A, 1)))


J = [[1.0, 0.0], [0.0, 2.0]]
BAD_MINIMA = {
    "nothing": ({}, "hessians, factors, jacobian, gram", "none"),
    "two forms": ({"jacobian": J, "gram": J}, "hessians, factors", "jacobian and gram"),
    "a NaN": ({"jacobian": [[1, 2], [3, math.nan]]}, "jacobian[1][1]", "nan"),
    "an infinite factor": ({"factors": [[[1.0, math.inf]]]}, "factors[0][0,1]", "inf"),
    "words": ({"jacobian": [["a"]]}, "jacobian", "dtype"),
    "ragged": ({"jacobian": [[1], [1, 2]]}, "jacobian", "different lengths"),
    "one axis": ({"jacobian": [1.0, 2.0]}, "jacobian", "shape (2,)"),
    "no samples": ({"jacobian": np.zeros((0, 2))}, "jacobian", "shape (0, 2)"),
    "too large": ({"jacobian": [[1e40]]}, "jacobian", "1e+40"),
    "far too large": ({"jacobian": [[1e200]]}, "jacobian", "inf"),
    "too small": ({"hessians": [[[1e-80]]]}, "hessians", "1e-80"),
    "gram not square": ({"gram": [[1.0, 0.0]]}, "gram", "shape"),
    "gram asymmetric": ({"gram": [[1.0, 0.5], [0.0, 1.0]]}, "gram[0,1]", "opposite"),
    "gram below zero": ({"gram": [[1.0, 0.0], [0.0, -1.0]]}, "gram[1,1]", "-1.0"),
    "hessian asymmetric": (
        {"hessians": [np.eye(2), [[1.0, 0.5], [0.0, 1.0]]]},
        "hessians[1][0,1]",
        "opposite",
    ),
    "hessian indefinite": (
        {"hessians": [np.eye(2), np.diag([1.0, -0.5])]},
        "hessians[1]",
        "smallest eigenvalue -0.5",
    ),
    "weights too few": ({"jacobian": J, "weights": [1.0]}, "weights", "shape (1,)"),
    "a weight of zero": ({"jacobian": J, "weights": [1.0, 0.0]}, "weights[1]", "0.0"),
    "p of zero": ({"jacobian": J, "preconditioner": [1.0, 0.0]}, "preconditioner[1]", "0.0"),
    "p below zero": ({"jacobian": J, "preconditioner": [-1.0, 1.0]}, "preconditioner[0]", "-1.0"),
    "p too long": ({"jacobian": J, "preconditioner": [1.0] * 3}, "preconditioner", "shape (3,)"),
    "p with gram": ({"gram": J, "preconditioner": [1.0] * 2}, "preconditioner", "gram"),
    "gradients with gram": ({"gram": J, "gradients": J}, "gradients", "gram"),
    "gradients of a shape": (
        {"jacobian": J, "gradients": [[1.0, 2.0]]},
        "gradients",
        "shape (1, 2)",
    ),
    "a NaN gradient": (
        {"jacobian": J, "gradients": [[0, 1], [math.nan, 0]]},
        "gradients[1][0]",
        "nan",
    ),
}


@pytest.mark.parametrize("case", BAD_MINIMA)
def test_the_door_of_a_minimum_names_field_and_entry(case):
    given_values, field, found = BAD_MINIMA[case]
    with pytest.raises(InputError, match=re.escape(found)) as error:
        minimum(**given_values)
    assert error.value.field.startswith(field)


def test_a_gram_matrix_that_is_not_one_is_refused_where_it_is_decomposed():
    with pytest.raises(InputError, match="positive semidefinite") as error:
        reduced(minimum(gram=[[1.0, 2.0], [2.0, 1.0]]))
    assert error.value.field == "gram"


BAD_SETTINGS = {
    "sampling": ({"sampling": "both"}, "sampling"),
    "ascent": ({"ascent": "none"}, "ascent"),
    "no batch": ({"batch": 0}, "batch"),
    "half a batch": ({"batch": 1.5}, "batch"),
    "a true batch": ({"batch": True}, "batch"),
    "a batch beyond n": ({"batch": 3, "sampling": "without"}, "batch"),
    "unequal": ({"batch": 1, "sampling": "without"}, "weights"),
    "momentum one": ({"momentum": 1.0}, "momentum"),
    "momentum below zero": ({"momentum": -0.1}, "momentum"),
    "momentum NaN": ({"momentum": math.nan}, "momentum"),
    "decay below zero": ({"weight_decay": -1e-9}, "weight-decay"),
    "decay infinite": ({"weight_decay": math.inf}, "weight-decay"),
    "rho infinite": ({"rho": math.inf}, "rho"),
    "rho NaN": ({"rho": math.nan}, "rho"),
    "rho below zero": ({"rho": -0.1}, "rho"),
    "rho beyond doubles": ({"rho": 1e21}, "rho"),
}


@pytest.mark.parametrize("case", BAD_SETTINGS)
def test_the_door_of_a_step_names_the_setting(case):
    setting, field = BAD_SETTINGS[case]
    law = minimum(jacobian=J, weights=[1.0, 2.0] if case == "unequal" else None)
    with pytest.raises(InputError) as error:
        reduced(law, **setting)
    assert error.value.field == field


def test_the_same_settings_without_the_mistake_are_let_pass():
    law = minimum(
        jacobian=J, weights=[1.0, 2.0], preconditioner=[1.0, 2.0], gradients=np.zeros((2, 2))
    )
    assert isinstance(law, Minimum)
    reduced(law, batch=7, momentum=0.999, weight_decay=0.0, rho=1e18)
    reduced(minimum(jacobian=J), batch=2, sampling="without", rho=0.0)
    assert reduced(minimum(gram=[[1.0, 1 + 1e-17], [1.0, 1.0]])).rank == 1

"""Closed forms for Gaussian rows equal enumeration over a cubature with the same moments.

A Gauss-Hermite product rule with q nodes an axis has every moment of the normal law up to degree
2q - 1. The operator of SGD needs degree 4 of a row, that of shared-batch USAM degree 8, so 3 and 5
nodes, drawn with replacement, have exactly the operator of fresh Gaussian rows.
"""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.core import InputError
from theory.stability import gaussian
from theory.stability.gaussian import (
    gaussian_sgd_critical_step,
    gaussian_usam_critical_step,
    wishart_moments,
)
from theory.stability.operator import step_matrices
from theory.stability.threshold import mean_square_critical_step

COMMON = settings(deadline=None, max_examples=40, derandomize=True)
EIGENVALUES = st.lists(st.floats(0.01, 100), min_size=1, max_size=6)
BATCHES = st.integers(1, 1000)
# sums of a few thousand products, divided by eigenvalues of condition number at most 10
CLOSE = 1e-11


def cubature(nodes: int, roots: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows (nodes^d, d) and weights with the moments of N(0, diag(roots^2)) to degree 2 nodes - 1."""
    x, w = np.polynomial.hermite_e.hermegauss(nodes)
    d = len(roots)
    rows = np.array(list(itertools.product(x, repeat=d))) * roots
    weights = np.prod(list(itertools.product(w / w.sum(), repeat=d)), axis=1)
    return rows, weights


def enumerated(nodes: int, eigenvalues, batch: int, rho: float = 0.0) -> float:
    rows, weights = cubature(nodes, np.sqrt(eigenvalues))
    hessians = rows[:, :, None] * rows[:, None, :]
    return mean_square_critical_step(*step_matrices(hessians, weights, rho=rho, batch=batch))


SGD = [
    (eigenvalues, batch)
    for eigenvalues in ([1.7], [1.0, 1.0], [3.0, 0.4], [1.0, 2.0, 0.3])
    for batch in (1, 2, 3)
]
USAM = [(1, 1), (1, 2), (1, 3), (1, 6), (2, 1), (2, 2), (2, 3), (3, 1), (3, 2)]


@pytest.mark.parametrize(("eigenvalues", "batch"), SGD)
def test_sgd_equals_enumeration_over_a_cubature(eigenvalues, batch):
    edge = gaussian_sgd_critical_step(np.array(eigenvalues), batch)
    assert edge == pytest.approx(enumerated(3, eigenvalues, batch), rel=CLOSE)


@pytest.mark.parametrize("rho", [0.0, 0.3, 2.0])
@pytest.mark.parametrize(("d", "batch"), USAM)
def test_usam_equals_enumeration_over_a_cubature(d, batch, rho):
    c = 0.8
    edge = gaussian_usam_critical_step(d, batch, rho, c)
    assert edge == pytest.approx(enumerated(5, [c] * d, batch, rho), rel=CLOSE)


def test_too_few_nodes_are_told_apart():
    """The comparison hangs on the moments: with one degree too few the two differ."""
    assert abs(enumerated(2, [1.7], 1) / gaussian_sgd_critical_step(np.array([1.7]), 1) - 1) > 0.1
    assert abs(enumerated(4, [1.0], 1, 0.3) / gaussian_usam_critical_step(1, 1, 0.3) - 1) > 1e-3


@pytest.mark.parametrize(("d", "batch"), USAM)
def test_a_wrong_coefficient_would_be_caught(d, batch, monkeypatch):
    """20 in w_4 made 21."""
    right = wishart_moments(d, batch)
    wrong = (*right[:2], right[2] + 1 / batch**3)
    monkeypatch.setattr(gaussian, "wishart_moments", lambda *_: wrong)
    edge = gaussian_usam_critical_step(d, batch, 0.3)
    assert edge != pytest.approx(enumerated(5, [1.0] * d, batch, 0.3), rel=1e6 * CLOSE)


@pytest.mark.parametrize(("eigenvalues", "batch"), SGD)
def test_a_batch_off_by_one_would_be_caught(eigenvalues, batch):
    edge = gaussian_sgd_critical_step(np.array(eigenvalues), batch + 1)
    assert edge != pytest.approx(enumerated(3, eigenvalues, batch), rel=1e6 * CLOSE)


def pairings(points: list[int]):
    if not points:
        yield []
        return
    first, *rest = points
    for i, other in enumerate(rest):
        for tail in pairings(rest[:i] + rest[i + 1 :]):
            yield [(first, other), *tail]


def classes(size: int, *bonds: list[tuple[int, int]]) -> int:
    """The number of connected parts of points joined by bonds."""
    label = list(range(size))
    for a, b in itertools.chain(*bonds):
        old, new = label[a], label[b]
        label = [new if x == old else x for x in label]
    return len(set(label))


@pytest.mark.parametrize("k", [2, 3, 4])
@pytest.mark.parametrize("d", [1, 2, 3, 7])
@pytest.mark.parametrize("batch", [1, 2, 5])
def test_wishart_moments_are_wicks_sum_over_pairings(k, d, batch):
    """tr (G'G)^k = sum of G_{b1 i1} G_{b1 i2} G_{b2 i2} ... G_{bk i1}: of 2k factors, 2j and 2j + 1
    share a row, 2j + 1 and 2j + 2 a column, and paired ones share both.
    """
    rows = [(2 * j, 2 * j + 1) for j in range(k)]
    columns = [(2 * j + 1, (2 * j + 2) % (2 * k)) for j in range(k)]
    total = sum(
        batch ** classes(2 * k, rows, pairing) * d ** classes(2 * k, columns, pairing)
        for pairing in pairings(list(range(2 * k)))
    )
    # integers over one power of the batch: only the last divisions round
    assert wishart_moments(d, batch)[k - 2] == pytest.approx(total / batch**k / d, rel=1e-14)


@COMMON
@given(EIGENVALUES, BATCHES)
def test_the_sgd_edge_solves_its_equation_below_the_pole(eigenvalues, batch):
    lam = np.array(eigenvalues)
    eta = gaussian_sgd_critical_step(lam, batch)
    pole = 2 / (lam.max() * (1 + 1 / batch))
    assert 0 < eta < pole
    left = np.sum(eta / batch * lam / (2 - eta * lam * (1 + 1 / batch)))
    assert left == pytest.approx(1, rel=1e-12 * (batch + 2))  # 1/(1 - eta/pole) is B + 2 at most


@COMMON
@given(EIGENVALUES, BATCHES, st.floats(1e-3, 1e3))
def test_the_sgd_edge_scales_and_does_not_see_order_or_zeros(eigenvalues, batch, scale):
    lam = np.array(eigenvalues)
    edge = gaussian_sgd_critical_step(lam, batch)
    assert gaussian_sgd_critical_step(scale * lam, batch) == pytest.approx(edge / scale, rel=1e-13)
    assert gaussian_sgd_critical_step(np.append(lam[::-1], 0), batch) == pytest.approx(
        edge, rel=1e-13
    )
    assert gaussian_sgd_critical_step(np.append(lam, lam.max() / 2), batch) < edge
    assert gaussian_sgd_critical_step(lam, batch + 1) > edge


@given(st.integers(1, 50), BATCHES, st.floats(0.1, 10))
def test_both_forms_agree_on_isotropic_rows_without_a_climb(d, batch, c):
    """And with 2 B/(c (B + d + 1)) by hand: E H^2 = c^2 (1 + (d + 1)/B) I."""
    by_hand = 2 * batch / (c * (batch + d + 1))
    assert gaussian_sgd_critical_step(np.full(d, c), batch) == pytest.approx(by_hand, rel=1e-13)
    assert gaussian_usam_critical_step(d, batch, 0, c) == pytest.approx(by_hand, rel=1e-13)


@pytest.mark.parametrize("batch", [10**9, 10**18, 10**40])
def test_large_batches_are_the_full_batch(batch):
    """2/l_1 and 2/(c (1 + rho c)), which is a (1 + rho a) = 2/eta; the rest is of order d/B."""
    rest = {"rel": max(100 / batch, 1e-14)}
    assert gaussian_sgd_critical_step(np.array([3.0, 1.0]), batch) == pytest.approx(2 / 3, **rest)
    assert gaussian_usam_critical_step(5, batch, 0.7) == pytest.approx(2 / 1.7, **rest)
    assert gaussian_usam_critical_step(5, batch, 0.7, 3.0) == pytest.approx(2 / 3 / 3.1, **rest)


@given(st.integers(1, 30), BATCHES, st.floats(0.01, 10), st.floats(0.1, 10))
def test_climbing_lowers_the_isotropic_edge(d, batch, rho, c):
    assert gaussian_usam_critical_step(d, batch, rho, c) < gaussian_usam_critical_step(
        d, batch, 0, c
    )


def test_where_no_row_is_anything_but_zero_every_step_is_stable():
    assert gaussian_sgd_critical_step(np.zeros(3), 1) == math.inf
    assert gaussian_usam_critical_step(3, 1, 0.5, 0) == math.inf


@pytest.mark.parametrize(
    ("eigenvalues", "batch", "field"),
    [
        ([], 1, "eigenvalues"),
        ([[1.0]], 1, "eigenvalues"),
        ([1.0, -1.0], 1, "eigenvalues"),
        ([math.nan], 1, "eigenvalues"),
        ([math.inf], 1, "eigenvalues"),
        ([1.0], 0, "batch"),
        ([1.0], 1.5, "batch"),
        ([1.0], True, "batch"),
    ],
)
def test_what_is_no_sgd_on_gaussian_rows_is_refused(eigenvalues, batch, field):
    with pytest.raises(InputError) as error:
        gaussian_sgd_critical_step(np.array(eigenvalues), batch)
    assert error.value.field == field


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ((0, 1, 0.1), "dimension"),
        ((2, 0, 0.1), "batch"),
        ((2, 1, -0.1), "rho"),
        ((2, 1, math.nan), "rho"),
        ((2, 1, 0.1, -1), "variance"),
        ((2, 1, 0.1, math.inf), "variance"),
    ],
)
def test_what_is_no_usam_on_gaussian_rows_is_refused(arguments, field):
    with pytest.raises(InputError) as error:
        gaussian_usam_critical_step(*arguments)
    assert error.value.field == field

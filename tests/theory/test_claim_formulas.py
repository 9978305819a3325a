"""Formulas of the claims on cases worked by hand, and against the atoms they display."""

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from proofs_check.checker import holds
from proofs_check.library import entry
from theory import catalogue
from theory.domains import FamilyModel
from theory.exact import Matrix


def module(key):
    return catalogue.load("theory.claims", key)


def floats(rows, weights=None, **scalars):
    """A float family of rank-one samples."""
    samples = np.array([np.outer(row, row) for row in rows], float)
    n = len(rows)
    weights = np.full(n, 1 / n) if weights is None else np.array(weights, float)
    return FamilyModel(samples, weights, np.eye(len(rows[0])), scalars)


def test_the_printed_matrix_of_theorem_9_is_the_second_moment_of_one_step():
    """T(I), computed from the step matrices, on rational families: exactly equal."""
    from theory.claims._theorem9 import printed_matrix

    for claim in (entry("one_step_necessary").claim, entry("one_step_sufficient").claim):
        for m in claim.domain.generic():
            assert printed_matrix(m) == m.T(m.I)


def test_one_step_growth_of_the_two_overlapping_rows():
    """H1 = (1,1)(1,1)', H2 = e1 e1', eta = 9/8: worked by hand, 145/128 and 290/256 in the corner."""
    m = floats([(1, 1), (1, 0)], eta=9 / 8, rho=0.0)
    # E Phi^2 = I - 2 eta H + eta^2 M_2 with H = [[1, 1/2], [1/2, 1/2]], M_2 = [[3/2, 1], [1, 1]]
    eta = Fraction(9, 8)
    expected = [
        [1 - 2 * eta + eta**2 * Fraction(3, 2), -eta + eta**2],
        [-eta + eta**2, 1 - eta + eta**2],
    ]
    assert np.allclose(m.T(m.I), np.array(expected, float), atol=1e-15)
    assert module("one_step_sufficient").formula(m) > 1


def test_the_sharpness_bound_of_one_sample_is_its_edge():
    m = floats([(2.0,)], eta=0.1, rho=0.5)
    # a = 4, a (1 + rho a) = 12
    assert module("sharpness_bound").formula(m) == pytest.approx(1 / 6, rel=1e-15)
    assert module("sharpness_bound").exact(m) == pytest.approx(1 / 6, rel=1e-12)


def test_the_sharpness_bound_changes_sides_at_its_formula():
    claim = entry("sharpness_bound").claim
    m = floats([(1, 1), (1, 0)], eta=0.1, rho=0.25)
    edge = Fraction(claim.formula(m)).limit_denominator(10**6)
    for factor, stands in ((Fraction(999, 1000), True), (Fraction(1001, 1000), False)):
        point = {"factors": [[[1, 1]], [[1, 0]]], "eta": edge * factor, "rho": "1/4"}
        assert holds(claim.then(claim.domain.exact(point))[0]) is stands


def test_the_variance_bound_of_two_samples_on_a_line():
    """Curvatures 0 and 1 equally likely: variance 1/4, so eta <= 2; the mean-square edge is 2."""
    m = floats([(0.0,), (1.0,)], eta=1.0, rho=0.0)
    assert module("curvature_variance_bound").formula(m) == pytest.approx(2, rel=1e-15)
    assert module("curvature_variance_bound").exact(m) == pytest.approx(2, rel=1e-12)


def test_the_rate_of_one_sample_without_a_climb_is_zero():
    """alpha = beta = lambda and rho = 0: the step 1/lambda lands on the minimum at once."""
    m = floats([(1.0,)], eta=1.0, rho=0.0, alpha=1.0, beta=1.0, lam=1.0, kappa=0.5, c=1.0)
    claim = module("usam_linear_rate")
    assert claim.margin(m) == 1
    assert claim.step_size(m) == pytest.approx(1)
    assert claim.formula(m) == pytest.approx(0, abs=1e-15)


def test_the_rate_of_one_sample_with_a_climb_by_hand():
    """beta rho = 1/2: c = 1/2, eta = (1/2)/(9/4) = 2/9, claimed 1 - 1/9, true (1 - 1/3)^2."""
    m = floats([(1.0,)], eta=2 / 9, rho=0.5, alpha=1.0, beta=1.0, lam=1.0, kappa=0.5, c=0.5)
    claim = module("usam_linear_rate")
    assert claim.margin(m) == pytest.approx(0.5)
    assert claim.step_size(m) == pytest.approx(2 / 9)
    assert claim.formula(m) == pytest.approx(8 / 9)
    assert claim.exact(m) == pytest.approx(4 / 9)


def test_the_decrease_of_the_rate_is_the_one_step_decrease_over_eta():
    """(H - T(H))/eta, on rational families: exactly equal."""
    claim = module("usam_linear_rate")
    for m in claim.CLAIM.domain.generic():
        assert claim.decrease(m) * m.eta == m.H - m.T(m.H)


def test_the_two_cycle_at_unit_numbers():
    """eta lambda = 1, rho = 1: width 1; at mu = 1/2, 1 - 1/2 - 1/4."""
    m = SimpleNamespace(eta=1.0, lam=1.0, rho=1.0, mu=0.5)
    claim = module("sam_two_cycle")
    assert claim.width(m) == 1
    assert claim.multiplier(m) == 0.25
    assert claim.exact(m) == 0.25


def test_the_two_forms_of_the_transverse_multiplier_agree():
    ratio = module("sam_two_cycle_attracts")
    full = module("sam_two_cycle")
    for e, r in ((0.3, 0.2), (1.7, 0.9)):
        m = SimpleNamespace(e=e, r=r, rho=0.1)
        same = SimpleNamespace(eta=e, lam=1.0, mu=r, rho=0.1)
        assert ratio.multiplier(m) == pytest.approx(full.multiplier(same), rel=1e-14)


def test_the_third_moment_of_the_two_matrices_by_hand():
    claim = entry("third_moment_order").claim
    m = claim.domain.exact({"factors": [[[1, 1]], [[1, 1], [1, 0], [1, 0]]]})
    assert m.samples == [Matrix([[1, 1], [1, 1]]), Matrix([[3, 1], [1, 1]])]
    assert m.M(3) - m.H @ m.H @ m.H == Matrix([[6, 1], [1, 0]])


def test_usam_on_a_line_is_the_gradient_of_the_regularised_loss():
    """H = 2, rho = 1/2, x = 3: gradient at 3 + 3 is 12; the loss is x^2 + (rho/2)(2x)^2 = 2x^2."""
    m = SimpleNamespace(
        H=np.array([[2.0]]), x=np.array([3.0]), v=np.array([1.0]), rho=0.5, inner=np.dot
    )
    claim = module("usam_is_regularised_sgd")
    assert claim.exact(m) == 12
    assert claim.formula(m) == 12


def test_the_chance_that_ten_thousand_runs_show_growth_is_small():
    from scipy.stats import binom

    from theory.claims.mean_of_runs_sees_growth import RUNS, SHRUNK, STEPS

    bound = RUNS * binom.sf(SHRUNK, STEPS, 0.5)
    atom = entry("mean_of_runs_sees_growth").claim.then(SimpleNamespace())[0]
    assert float(atom.rhs) == pytest.approx(bound, rel=1e-9)
    assert bound < 0.5
    assert 0.1 ** (STEPS - SHRUNK) * 3.0**SHRUNK < 1
    assert (0.1**2 + 3**2) / 2 == pytest.approx(4.505)


def test_the_rare_sharp_sample_is_stable_for_usam_and_not_for_sgd():
    """By the eigenvalues of the Kronecker matrices, in floats: 1 - 3e-6 against 1 + 1e-6 or so."""
    rows = np.array([(1, 0), (1 / 5, 3), (1 / 5, -3), (0, 3 / 5)])
    weights = np.array([1, 5, 5, 40000]) / 40011
    radius = {}
    for rho in (0.0, 1 / 25):
        H = np.einsum("ni,nj->nij", rows, rows)
        steps = np.eye(2) - 348 / 125 * (H + rho * H @ H)
        kron = sum(w * np.kron(S, S) for w, S in zip(weights, steps, strict=True))
        radius[rho] = np.abs(np.linalg.eigvals(kron)).max()
    assert radius[1 / 25] < 1 < radius[0.0]

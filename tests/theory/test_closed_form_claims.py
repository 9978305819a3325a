"""Closed forms of SAM and its relatives on cases by hand, and against other derivations."""

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory import catalogue
from theory.claims._duals import Dual, jacobian


def module(key):
    return catalogue.load("theory.claims", key)


fractions = st.fractions(min_value=-3, max_value=3, max_denominator=20)


# --- derivatives ---------------------------------------------------------------------------------


def test_the_derivative_of_a_product_by_hand():
    """At x = 3: x^2 (1 - x) = -18, its derivative 2x - 3x^2 = -21."""
    x = Dual(Fraction(3), 1)
    assert x * x * (1 - x) == Dual(-18, -21)


@given(fractions, fractions)
def test_the_jacobian_of_a_polynomial_map(x, y):
    assert jacobian(lambda a, b: (a * a * b, 2 * b - a, 5), x, y) == [
        [2 * x * y, x * x],
        [-1, 2],
        [0, 0],
    ]


# --- factorizations ------------------------------------------------------------------------------


def test_one_step_on_the_factorization_by_hand():
    """u = 2, v = 1, rho = 1/4: r = 1, climb to (9/4, 3/2), R = 19/8; eta = 1/8."""
    from theory.claims._factorization import step

    u, v = step(Fraction(2), Fraction(1), Fraction(1, 8), Fraction(1, 4))
    assert (u, v) == (2 - Fraction(57, 128), 1 - Fraction(171, 256))
    m = SimpleNamespace(u=Fraction(2), v=Fraction(1), eta=Fraction(1, 8), rho=Fraction(1, 4))
    assert module("usam_scales_imbalance").formula(m) == u**2 - v**2


@given(fractions, fractions, fractions, fractions)
def test_the_imbalance_by_sum_and_difference_is_the_printed_one(u, v, eta, rho):
    claim, m = module("usam_scales_imbalance"), SimpleNamespace(u=u, v=v, eta=eta, rho=rho)
    assert claim.formula(m) == claim.exact(m)


def test_the_balanced_minimum_has_curvature_two():
    """u = v = 1, rho = 1/2: s (1 + rho s) = 4, so the edge is 1/2."""
    m = SimpleNamespace(u=1.0, v=1.0, rho=0.5)
    assert module("usam_edge_on_factorization").formula(m) == 0.5


def test_layers_of_width_one_obey_the_law_of_the_factorization():
    """W1 = u, W2 = v, G = r, Gh = R: u^2 - v^2 both ways."""
    from theory.exact import Matrix

    u, v, eta, rho = Fraction(2), Fraction(1), Fraction(1, 8), Fraction(1, 4)
    r = u * v - 1
    R = (u + rho * r * v) * (v + rho * r * u) - 1
    m = SimpleNamespace(W1=Matrix([[u]]), W2=Matrix([[v]]), G=Matrix([[r]]), eta=eta, rho=rho)
    left = module("usam_balances_layers").law(m, Matrix([[R]])).rows[0][0]
    assert left == module("usam_scales_imbalance").formula(
        SimpleNamespace(u=u, v=v, eta=eta, rho=rho)
    )


def test_the_law_of_layers_that_are_not_square():
    """W1 (2, 4), W2 (3, 2), G (3, 4), where the claim's own points are square."""
    rng = np.random.default_rng(0)
    shapes = {"W1": (2, 4), "W2": (3, 2), "G": (3, 4), "Gh": (3, 4)}
    m = SimpleNamespace(eta=0.3, rho=0.7, **{k: rng.standard_normal(s) for k, s in shapes.items()})
    claim = module("usam_balances_layers")
    V1, V2 = claim.climbed(m)
    after = claim.imbalance(m.W1 - m.eta * V2.T @ m.Gh, m.W2 - m.eta * m.Gh @ V1.T)
    # a few dozen rounded products of order ten
    assert after == pytest.approx(claim.law(m, m.Gh), abs=1e-12)


# --- momentum ------------------------------------------------------------------------------------


def test_the_momentum_edge_by_hand():
    """mu = V = 1, b = 1/2: W = 3/2 + 1/2; the average's edge is 3/2, the heavy ball's half of it."""
    m = SimpleNamespace(mu=1.0, V=1.0, b=0.5)
    assert module("momentum_edge_on_a_line").formula(m) == 0.75


def test_without_noise_the_momentum_edge_is_the_heavy_ball_edge():
    m = SimpleNamespace(mu=2.0, V=0.0, b=0.9)
    assert module("momentum_edge_on_a_line").formula(m) == pytest.approx(1.9, rel=1e-14)


def test_without_momentum_the_edge_is_that_of_the_line():
    """2 mu/E q^2."""
    m = SimpleNamespace(mu=2.0, V=1.0, b=0.0)
    assert module("momentum_edge_on_a_line").formula(m) == pytest.approx(4 / 5, rel=1e-14)


@settings(max_examples=30)
@given(st.fractions(0, 3, max_denominator=9), fractions, fractions, fractions)
def test_the_balance_of_moments_has_the_determinant_of_the_recursion(b, mu, V, eta):
    """det(I - R) from the recursion written out without shortcuts."""
    from sympy import Matrix, Rational, eye

    b, mu, V, eta = (Rational(x.numerator, x.denominator) for x in (b, mu, V, eta))
    a, S = 1 - b, V + mu**2
    fresh = Matrix([[a**2 * S, 2 * a * b * mu, b**2]])  # E m+^2 from (xx, xm, mm)
    mixed = Matrix([[a * mu, b, 0]])
    R = Matrix.vstack(
        Matrix([[1, 0, 0]]) - 2 * eta * mixed + eta**2 * fresh, mixed - eta * fresh, fresh
    )
    m = SimpleNamespace(b=b, mu=mu, V=V)
    assert module("momentum_edge_on_a_line").determinant(m, eta) == (eye(3) - R).det()


@pytest.mark.parametrize(("factor", "grows"), [(0.99, False), (1.01, True)])
def test_second_moments_with_momentum_grow_past_the_edge_only(factor, grows):
    m = SimpleNamespace(mu=1.2, V=0.7, b=0.6)
    eta = factor * module("momentum_edge_on_a_line").formula(m)
    steps = [
        np.array([[1 - eta * q, -eta * m.b], [q, m.b]]) for q in (1.2 + 0.7**0.5, 1.2 - 0.7**0.5)
    ]
    X = np.array([[1.0, 0.0], [0.0, 0.0]])
    for _ in range(2000):
        X = sum(S @ X @ S.T for S in steps) / 2
    assert (X[0, 0] > 1) == grows


# --- normalised SAM ------------------------------------------------------------------------------


def test_the_floor_by_hand():
    """eta = lambda = rho = 1: from 1 climb to 2, where the loss is 2, step to -1: loss 1/2."""
    m = SimpleNamespace(eta=1.0, lam=1.0, rho=1.0)
    assert module("sam_floor_loss").formula(m) == 0.5
    assert module("sam_floor_loss").width(m) == 1


def test_a_small_start_is_thrown_far():
    """eta = lambda = rho = 1: from 1/100, climb to 101/100, step to -1."""
    m = SimpleNamespace(eta=1.0, lam=1.0, rho=1.0, C=100.0)
    assert module("normalised_sam_jumps").start(m) == 0.01
    assert module("normalised_sam_jumps").exact(m) == pytest.approx(100, rel=1e-12)


def test_a_preconditioner_of_one_gives_the_plain_cycle():
    m = SimpleNamespace(eta=0.6, rho=0.3, lam=1.5)
    radius = module("preconditioned_sam_cycle").radius(m, 1.5, 1.0)
    assert radius == pytest.approx(m.lam * module("sam_two_cycle").width(m), rel=1e-14)


@pytest.mark.parametrize("seed", range(4))
def test_the_largest_radius_attracts_whatever_the_preconditioner(seed):
    """A loop in NumPy with diagonal P drawn at random, not Sassha's."""
    rng = np.random.default_rng(seed)
    h, p = rng.uniform(0.5, 2, 3), rng.uniform(0.8, 2, 3)
    m = SimpleNamespace(eta=0.7, rho=0.4)
    radii = [module("preconditioned_sam_cycle").radius(m, a, b) for a, b in zip(h, p, strict=True)]
    x = rng.standard_normal(3)
    for _ in range(20000):
        x = x - m.eta / p * h * (x + m.rho * h * x / np.linalg.norm(h * x))
    # the two largest radii differ by 1% at least here, so 20000 steps leave rounding alone
    assert sorted(radii)[-2] < 0.99 * max(radii)
    assert np.linalg.norm(h * x) == pytest.approx(max(radii), rel=1e-12)


def test_a_step_on_the_line_that_does_not_flip_comes_closer_too():
    """e = 1/2, rho = 1: w = 1/3; from 2 to 2 - 3/2 = 1/2, no flip; from 1/2 to -1/4."""
    claim = module("sam_reaches_two_cycle")
    e, rho = Fraction(1, 2), Fraction(1)
    w, y = claim.width(SimpleNamespace(e=e, rho=rho)), claim.CLAIM.domain.complete["y"]
    assert w == Fraction(1, 3)
    assert y(SimpleNamespace(e=e, rho=rho, x=Fraction(2))) == Fraction(1, 2)
    assert y(SimpleNamespace(e=e, rho=rho, x=Fraction(1, 2))) == Fraction(1, 4)


# --- saddles, and almost-sure stability ----------------------------------------------------------


def test_the_saddle_by_hand():
    """h = 1, rho = 2: q = eta, so the step 2 is the last."""
    assert module("usam_falls_into_saddles").formula(SimpleNamespace(h=1.0, rho=2.0)) == 2


@pytest.mark.parametrize(("rho", "attracts"), [(0.9, False), (1.1, True)])
def test_the_saddle_of_the_factorization_attracts_beyond_a_climb_of_one(rho, attracts):
    """Curvatures -1 and 1 at u = v = 0; the step 1/2 is short enough for both."""
    from theory.claims._factorization import step

    u, v = 1e-3, 0.5e-3
    for _ in range(2000):
        u, v = step(u, v, 0.5, rho)
    assert (np.hypot(u, v) < 1e-9) == attracts


def test_the_first_exit_by_hand():
    """g = 1, h = 15/2, r = 1/3: P = (2/3)(-3/2) = -1; the other root is 4/5."""
    m = SimpleNamespace(g=1.0, h=7.5)
    assert module("almost_sure_first_exit").formula(m) == pytest.approx(1 / 3, rel=1e-14)
    assert (1 - 0.8) * (1 - 0.8 * 7.5) == pytest.approx(-1, rel=1e-14)


def test_the_first_exit_is_the_one_the_engine_finds():
    from theory.stability import almost_sure
    from theory.stability.steps import listed

    steps = listed(np.array([0.5, 0.5]), np.array([[[1.0]], [[7.5]]]))
    found = almost_sure.first_exit(steps, lower=2 * 4.25 / 28.625)  # the mean-square edge
    assert (found.lower, found.upper) == pytest.approx((1 / 3, 1 / 3), rel=1e-10)


def test_the_gap_between_mean_square_and_typical_by_hand():
    """a = 1/10, b = 3: 4.505 against 0.3, to the eighth power."""
    claim = module("mean_square_implies_almost_sure")
    m = SimpleNamespace(a=0.1, b=3.0)
    assert claim.formula(m) == pytest.approx((4.505 / 0.3) ** 8, rel=1e-12)
    assert claim.exact(m) == pytest.approx((4.505 / 0.3) ** 8, rel=1e-12)
    assert "4.505" in claim.CLAIM.statement


# --- batches, heavy ball -------------------------------------------------------------------------


def test_the_heavy_ball_edge_on_a_line_is_the_one_of_the_line():
    """k = m/(1 - m) with m = 0.6; the claim's routes add 1 to the mean curvature."""
    line = SimpleNamespace(mu=1.2, V=0.7, b=0.6)
    m = SimpleNamespace(A=np.array([[0.2]]), R=np.array([[0.7**0.5]]), k=1.5)
    edge = module("momentum_edge_on_a_line").formula(line)
    assert module("heavy_ball_edge").formula(m) == pytest.approx(edge, rel=1e-13)


@pytest.mark.parametrize("seed", range(3))
def test_the_heavy_ball_edge_is_the_one_the_engine_encloses(seed):
    from dataclasses import replace

    from theory.stability.mean_square import critical
    from theory.stability.steps import listed

    rng = np.random.default_rng(seed)
    A, R = (B @ B.T for B in rng.standard_normal((2, 3, 3)))
    R = 0.1 * R  # both samples stay PSD, as the engine wants them
    m = SimpleNamespace(A=A, R=R, k=4.0)
    samples = np.array([A + np.eye(3) + R, A + np.eye(3) - R])
    steps = replace(listed(np.array([0.5, 0.5]), samples), momentum=0.8)
    edge = critical(steps)
    value = module("heavy_ball_edge").formula(m)
    assert edge.lower * (1 - 1e-10) <= value <= edge.upper * (1 + 1e-10)


def test_a_batch_of_two_out_of_three_by_hand():
    """Curvatures 0, 1, 2 on a line: pairs average to 1/2, 1, 3/2, so E (1 - A)^2 = 1/6."""
    one = [np.array([[float(c)]]) for c in (0, 1, 2)]
    m = SimpleNamespace(A1=one[0], A2=one[1], A3=one[2], x=np.ones(1))
    claim = module("batch_size_dilutes_noise")
    assert claim.formula(m) == pytest.approx(1 / 6, rel=1e-14)
    assert claim.exact(m) == pytest.approx(1 / 6, rel=1e-14)


# --- away from interpolation ---------------------------------------------------------------------


def test_the_stationary_variance_by_hand():
    """h = g = 1, s = 0, eta = 1, B = 1: each step lands on its own sample's minimum, +-1."""
    m = SimpleNamespace(eta=1.0, h=1.0, s=0.0, g=1.0)
    assert module("stationary_variance").variance(m, 1) == 1
    assert module("stationary_variance").variance(m, 2) == 0.5


def test_the_mean_of_usam_tends_to_weighted_least_squares():
    """Three rows in two dimensions that cannot be fitted; E x_t by its own recursion."""
    rng = np.random.default_rng(0)
    rows, y, rho, eta = rng.standard_normal((3, 2)), rng.standard_normal(3), 0.4, 0.1

    def gradient(x, a, target):
        climbed = x + rho * a * (a @ x - target)
        return a * (a @ climbed - target)

    mean = np.zeros(2)
    for _ in range(10_000):
        mean = mean - eta * sum(map(gradient, [mean] * 3, rows, y)) / 3
    root = np.sqrt(1 + rho * (rows**2).sum(1))
    solution = np.linalg.lstsq(root[:, None] * rows, root * y)[0]
    assert mean == pytest.approx(solution, rel=1e-10)  # a step contracts by 0.995 at least
    plain = np.linalg.lstsq(rows, y)[0]
    assert np.linalg.norm(mean - plain) > 0.01 * np.linalg.norm(plain)


# --- fresh Gaussian rows -------------------------------------------------------------------------


def test_pairings_by_hand():
    from theory.claims._pairings import moment, pairings, wishart

    assert [sum(1 for _ in pairings(range(n))) for n in (2, 4, 6, 8)] == [1, 3, 15, 105]
    assert moment((2, 5), 0, 0, 0, 0) == 3 * 2**2
    assert moment((2, 5), 0, 0, 1, 1) == 10
    assert moment((2, 5), 0, 1, 1, 1) == 0
    # one row in one dimension: moments of a chi square; one row in d: E|x|^4 = d (d + 2)
    assert [wishart(k, 1, 1) for k in (1, 2, 3, 4)] == [1, 3, 15, 105]
    assert wishart(2, 7, 1) == 9


def test_gaussian_edges_are_those_of_the_engine():
    from theory.stability.gaussian import gaussian_sgd_critical_step, gaussian_usam_critical_step

    usam, sgd = module("gaussian_rows_usam_edge"), module("gaussian_rows_sgd_edge")
    m = SimpleNamespace(d=4, B=3, rho=0.3)
    for name, find in usam.CLAIM.domain.complete.items():
        setattr(m, name, find(m))
    assert m.eta == pytest.approx(gaussian_usam_critical_step(4, 3, 0.3), rel=1e-14)
    m = SimpleNamespace(l=1.5, k=0.4, B=3)
    found = gaussian_sgd_critical_step(np.array([1.5, 0.4]), 3)
    assert sgd.formula(m) == pytest.approx(found, rel=1e-13)


def test_one_gaussian_row_on_a_line_has_the_edge_two_thirds():
    """E x^4 = 3: 2/3 for SGD; with k = 0 the other eigenvalue says nothing."""
    m = SimpleNamespace(l=1.0, k=1e-12, B=1)
    assert module("gaussian_rows_sgd_edge").formula(m) == pytest.approx(2 / 3, rel=1e-11)


# --- the ladder ----------------------------------------------------------------------------------


def test_the_mean_edge_of_two_samples_on_a_line():
    """Curvatures 0 and 1: the mean 1/2 allows steps up to 4, the mean square 1/2 only up to 2."""
    from theory.domains import FamilyModel

    pair = FamilyModel(np.array([[[0.0]], [[1.0]]]), np.full(2, 0.5), np.eye(1), {"rho": 0.0})
    claim = module("mean_square_implies_mean")
    assert claim.formula(pair) == pytest.approx(4, rel=1e-14)
    assert claim.exact(pair) == pytest.approx(2, rel=1e-9)

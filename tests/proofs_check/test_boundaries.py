"""Boundaries found by running the optimizer hold the exact ones, and 2% beside them does not pass."""

import itertools
import math
from dataclasses import dataclass, replace
from fractions import Fraction

import jax
import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import binom, binomtest, ttest_1samp
from scipy.stats import t as student

from proofs_check import boundaries
from proofs_check.boundaries import _almost_sure, _h_transform, _mean_square
from proofs_check.boundaries._blocks import Block, blocks
from proofs_check.boundaries._h_transform import h_transform
from sims import growth
from sims.lab import Lab, build
from sims.optimizers.usam import USAM
from theory.core import InputError
from theory.exact import Matrix, SecondMoment
from theory.exact.second_moment import radius_at_most
from theory.problems.quadratic import Quadratic, quadratic
from theory.stability.operator import step_matrices
from theory.stability.propagation import second_moments
from theory.stability.threshold import mean_square_critical_step, mean_square_rate

PAIR = quadratic([[[1.0]], [[10.0]]])
ROWS = quadratic(factors=[[[1.0, 0.0]], [[1.0, 1.5]], [[0.6, -1.2]]], weights=[4, 1, 1])
EDGE = mean_square_critical_step(*step_matrices(ROWS.hessians, ROWS.weights))  # .825
START = np.array([1.6, -1.2])
QUICK = {"runs": 8, "steps": 1000}


def commuting(*diagonals: list[float]) -> Quadratic:
    """H_i = U diag(l_i) U', the same U for all."""
    size = len(diagonals[0])
    U = np.linalg.qr(np.random.default_rng(3).normal(size=(size, size)))[0]
    return quadratic([U @ np.diag(values) @ U.T for values in diagonals])


# -- almost sure ---------------------------------------------------------------------------------


def test_stability_is_lost_regained_and_lost_again():
    """|(1 - eta)(1 - 10 eta)| = 1 at (11 -+ sqrt 41)/20 and 11/10: no interval."""
    scan = boundaries.almost_sure(PAIR, "sgd", np.linspace(0.1, 1.2, 12), seed=1)
    exact = [(11 - math.sqrt(41)) / 20, (11 + math.sqrt(41)) / 20, 1.1]
    assert [crossing.lost for crossing in scan.crossings] == [True, False, True]
    assert scan.first_exit == scan.crossings[0]
    for crossing, eta in zip(scan.crossings, exact, strict=True):
        assert crossing.lower < eta < crossing.upper
        assert not crossing.lower < 0.98 * eta < crossing.upper  # a planted boundary, 2% off
        assert not crossing.lower < 1.02 * eta < crossing.upper
        assert (crossing.confidence, crossing.seed) == (0.99, 1)
    assert scan.rates[0].lower == scan.rates[9].lower == -math.inf  # 1/10 and 1 leave nothing of x
    for eta, rate in zip(scan.etas[1:9], scan.rates[1:9], strict=True):
        assert rate.lower < math.log(abs((1 - eta) * (1 - 10 * eta))) / 2 < rate.upper


def test_a_grid_that_begins_unstable_is_searched_below():
    scan = boundaries.almost_sure(PAIR, "sgd", [0.4, 0.9], runs=16, steps=1000)
    assert [crossing.lost for crossing in scan.crossings] == [True, False]
    assert scan.first_exit.lower < (11 - math.sqrt(41)) / 20 < scan.first_exit.upper < 0.4


def test_nothing_is_lost_where_everything_is_stable():
    scan = boundaries.almost_sure(PAIR, "sgd", [0.05, 0.1], runs=4, steps=100)
    assert scan.crossings == ()
    assert scan.first_exit is None


@pytest.mark.parametrize("ascent", ["shared", "per-sample"])
def test_the_first_exit_of_a_commuting_family(ascent):
    """The exponent is the largest of mean log|1 - eta a_S| over coordinates, S over all batches."""
    diagonals = np.array([[1.0, 0.2, 3.0], [2.0, 1.0, 0.5], [0.1, 4.0, 1.0]])
    how = {"batch": 2, "sampling": "without", "rho": 0.2, "ascent": ascent}

    def exponent(eta):
        pairs = np.array(list(itertools.combinations(diagonals, 2)))
        H = pairs.mean(1)
        a = H + 0.2 * H**2 if ascent == "shared" else (pairs + 0.2 * pairs**2).mean(1)
        return np.log(np.abs(1 - eta * a)).mean(0).max()

    exact = brentq(exponent, 0.55, 0.85)
    quick = {"runs": 32, "steps": 3000, "halvings": 6}
    problem = commuting(*diagonals.tolist())
    scan = boundaries.almost_sure(problem, "usam", [0.55, 0.85], **quick, **how)
    assert scan.first_exit.lower < exact < scan.first_exit.upper
    assert scan.first_exit.upper / scan.first_exit.lower < 1.03


def test_exponents_that_tie_leave_no_bias(monkeypatch):
    """diag(1, 3), diag(3, 1): by symmetry log|(1 - eta)(1 - 3 eta)|/2 for both coordinates."""
    problem, exact = commuting([1.0, 3.0], [3.0, 1.0]), math.log(0.3 * 2.9) / 2
    found = boundaries.exponent(problem, "sgd", 1.3, runs=16, steps=2000)
    assert found.lower < exact < found.upper
    # run as one problem, log||x_t|| is the larger of two random walks
    whole = Block(np.eye(2), problem)
    monkeypatch.setattr(_almost_sure, "blocks", lambda problem: (whole,))
    assert boundaries.exponent(problem, "sgd", 1.3, runs=16, steps=2000).lower > exact


@dataclass(frozen=True)
class Renewing:
    """Two samples in the plane, the first a projection at eta = 1: every visit begins anew.

    Between two visits the second, I - H, acts k times with probability p (1-p)^k from the
    direction e that the projection keeps, so the exponent is p sum_k p (1-p)^k log|e'(I - H)^k e|.
    """

    second: tuple[tuple[float, float], tuple[float, float]] = ((2.3, 0.4), (0.4, 0.8))
    p: float = 0.5

    @property
    def problem(self) -> Quadratic:
        return quadratic([[[1.0, 0.0], [0.0, 0.0]], self.second], weights=[self.p, 1 - self.p])

    @property
    def exponent(self) -> float:
        M, v, total = np.eye(2) - np.array(self.second), np.array([0.0, 1.0]), 0.0
        for k in range(200):
            total += self.p * (1 - self.p) ** k * math.log(abs(v[1]))
            v = M @ v
        return self.p * total


def test_the_exponent_of_two_matrices_that_do_not_commute():
    case = Renewing()
    found = boundaries.exponent(case.problem, "sgd", 1.0, seed=2, steps=4000)
    assert found.lower < case.exponent < found.upper
    assert found.upper - found.lower < 0.02


def test_directions_without_curvature_say_nothing():
    """Two orthogonal rows in four dimensions, of norm 1 and 10: each is a problem of its own."""
    rows = np.zeros((2, 1, 4))
    rows[0, 0, 1], rows[1, 0, 3] = 1.0, math.sqrt(10)
    problem = quadratic(factors=rows)
    assert [part.basis.shape for part in blocks(problem)] == [(4, 1), (4, 1)]
    found = boundaries.exponent(problem, "sgd", 0.15, runs=16, steps=1000)
    exact = max(math.log(0.85), math.log(0.5)) / 2
    assert found.lower < exact < found.upper < 0


def test_a_problem_without_curvature_is_stable_at_every_step():
    flat = quadratic(np.zeros((2, 2, 2)))
    assert boundaries.exponent(flat, "sgd", 5.0).upper == -math.inf
    assert boundaries.mean_square(flat, "sgd", [5.0]).first_exit is None


def test_one_sample_needs_no_luck():
    """n = 1: log|1 - eta a|, and rounding alone decides how well it is known."""
    one = quadratic([[[10.0]]])
    for eta in (0.05, 0.1 + 1e-9, 0.3):
        exact, how = math.log(abs(1 - 10 * eta)), {"runs": 2, "steps": 100}
        found = boundaries.exponent(one, "sgd", eta, **how)
        (square,) = boundaries.mean_square(one, "sgd", [eta], **how).rates
        # 1 - 10 eta errs by a few EPS of its terms
        assert found.upper - found.lower < 1e-13 / abs(1 - 10 * eta)
        assert found.lower <= exact <= found.upper
        assert square.lower <= 2 * exact <= square.upper


def test_the_start_is_dropped():
    """One sample with momentum settles on the larger root of z^2 - (1 + m - lr a) z + m."""
    found = boundaries.exponent(quadratic([[[1.0]]]), "sgd", 4.0, momentum=0.5, steps=400, runs=2)
    exact = math.log(max(abs(np.roots([1, 4.0 - 1.5, 0.5]))))
    # the smaller root's share falls by 4.7 a step, for 40 steps
    assert (found.lower, found.upper) == pytest.approx((exact, exact), abs=1e-12)


def test_intervals_are_students():
    rates = np.random.default_rng(1).normal(size=12)
    exact = ttest_1samp(rates, 0).confidence_interval(0.9)
    assert _almost_sure._student(rates, 0.9) == pytest.approx((exact.low, exact.high), rel=1e-12)


def test_a_scan_shares_its_confidence_between_all_it_may_look_at():
    """Two points, and two bisections of 8 for each of two crossings."""
    scan = boundaries.almost_sure(PAIR, "sgd", [0.05, 0.1], runs=2, steps=20, confidence=0.9)
    assert scan.rates[0].confidence == pytest.approx(1 - 0.1 / (2 + 2 * 2 * 8), rel=1e-12)


# -- mean square ---------------------------------------------------------------------------------

SETTINGS = [
    (ROWS, {}, {}),
    (ROWS, {"batch": 2}, {"rho": 0.3}),
    (
        quadratic(ROWS.hessians),
        {"batch": 2, "sampling": "without"},
        {"rho": 0.3, "ascent": "per-sample"},
    ),
]


@pytest.mark.parametrize(("problem", "how", "climb"), SETTINGS, ids=["sgd", "shared", "per-sample"])
def test_the_mean_square_edge_lies_in_its_interval(problem, how, climb):
    law = step_matrices(problem.hessians, problem.weights, **how, **climb)
    exact = mean_square_critical_step(*law)
    name = "usam" if climb else "sgd"
    scan = boundaries.mean_square(problem, name, [0.2, 0.5, 1.0, 1.5], **QUICK, **how, **climb)
    assert len(scan.crossings) == 1
    edge = scan.first_exit
    assert edge.confidence == 1
    assert edge.lower < exact < edge.upper
    assert not edge.lower < 0.98 * exact < edge.upper  # a planted boundary, 2% off
    assert not edge.lower < 1.02 * exact < edge.upper
    for eta, rate in zip(scan.etas, scan.rates, strict=True):
        assert rate.lower <= math.log(mean_square_rate(*law, eta)) <= rate.upper


def test_the_total_weight_met_is_the_growth_rate():
    law = growth.law(ROWS.weights, 1, "with")
    optimizer = build("sgd", lr=0.9)
    made = h_transform(law.chances, growth.matrices(ROWS, optimizer, law.batches))
    ran = growth.tilted(ROWS, optimizer, law, made.P, runs=8, steps=1000, every=1000)
    exact = mean_square_rate(*step_matrices(ROWS.hessians, ROWS.weights), 0.9)
    # P solves T*(P) = rP to rounding, which cond(P) magnifies
    assert [ran.least.min(), ran.largest.max()] == pytest.approx(
        [exact] * 2, abs=made.rounding(1)[1]
    )
    assert made.rounding(1)[1] < 1e-11


def test_momentum_has_the_edge_of_its_closed_form():
    """d = 1, q in {1, 3}: (1-b) 2 (1+b) mu / ((1+b) Var q + (1-b) mu^2)."""
    b, mu, variance = 0.5, 2.0, 1.0
    exact = (1 - b) * 2 * (1 + b) * mu / ((1 + b) * variance + (1 - b) * mu**2)
    problem = quadratic([[[1.0]], [[3.0]]])
    scan = boundaries.mean_square(problem, "sgd", [0.5, 1.0], momentum=b, **QUICK)
    assert 0.98 * exact < scan.first_exit.lower < exact < scan.first_exit.upper < 1.02 * exact


def test_a_commuting_family_leaves_through_its_worst_coordinate():
    """Per coordinate the edge is 2 mean a / mean a^2: 8/10 and 6/5."""
    scan = boundaries.mean_square(commuting([1.0, 1.0], [3.0, 2.0]), "sgd", [0.7, 1.5], **QUICK)
    assert scan.first_exit.lower < 0.8 < scan.first_exit.upper < 0.82


def test_a_step_that_is_stable_in_exact_arithmetic_is_found_stable():
    """Rows (0,1), (1,-1), (1,1) at 11/10: the witness against the printed bound on s_2."""
    rows = ([0, 1], [1, -1], [1, 1])
    steps = [Matrix.identity(2) - Fraction(11, 10) * (Matrix([r]).T @ Matrix([r])) for r in rows]
    T = SecondMoment([Fraction(1, 3)] * 3, steps)
    assert radius_at_most(T, Fraction(1))
    problem = quadratic(factors=[[r] for r in rows])
    (rate,) = boundaries.mean_square(problem, "sgd", [1.1], runs=8, steps=4000).rates
    assert rate.upper < 0
    assert not radius_at_most(T, Fraction(math.exp(rate.lower)))


def test_second_moments_are_those_of_all_words():
    found = boundaries.second_moment(ROWS, "sgd", EDGE, x0=START, steps=6, runs=2000)
    exact = Lab().enumerate(ROWS, "sgd", x0=START, steps=6, lr=EDGE)
    logs = np.log(exact.second_moment[1:])
    assert (found.lower <= logs).all()
    assert (logs <= found.upper).all()
    assert (found.upper - found.lower < 0.15).all()


def test_second_moments_stay_known_where_plain_means_lose_them():
    """At the edge E||x_t||^2 stays, yet nearly every run shrinks without end."""
    law = step_matrices(ROWS.hessians, ROWS.weights)
    exact = np.log(second_moments(*law, EDGE, START, 200)[[100, 200]])
    how = {"steps": 200, "every": 100, "runs": 2000}
    found = boundaries.second_moment(ROWS, "sgd", EDGE, x0=START, **how)
    assert (found.lower < exact).all()
    assert (exact < found.upper).all()
    assert (found.upper - found.lower < 0.15).all()
    logs = growth.log_growths(ROWS, build("sgd", lr=EDGE), **how).logs.sum(1)
    assert math.log(np.exp(2 * logs).mean()) < exact[1] - 20  # a factor of e^20 too small


def test_plain_means_fail_where_runs_vanish_and_their_mean_square_explodes():
    """Factors 1/10 and -3: E x_t^2 = 4.505^t although x_t -> 0 almost surely."""
    problem, t = quadratic([[[0.9]], [[4.0]]]), 100
    exact = t * math.log(4.505)
    logs = growth.log_growths(problem, build("sgd", lr=1.0), runs=2000, steps=t, every=t)
    squares = np.exp(logs.logs[:, 0] * 2)
    error = student.ppf(0.9995, 1999) * squares.std(ddof=1) / 2000**0.5
    assert math.log(squares.mean() + error) < exact - 50  # its own interval is e^50 below
    found = boundaries.second_moment(problem, "sgd", 1.0, x0=[1.0], steps=t, every=t, runs=2000)
    assert found.lower[0] < exact < found.upper[0]
    assert found.upper[0] - found.lower[0] < 1e-9
    (rate,) = boundaries.mean_square(problem, "sgd", [1.0], runs=2, steps=t).rates
    assert rate.lower < math.log(4.505) < rate.upper
    assert boundaries.exponent(problem, "sgd", 1.0, runs=16, steps=1000).upper < 0


def test_parts_and_what_never_moves_add_up():
    rows = [[[1.0, 0.5, 0.0, 0.0]], [[-0.3, 1.2, 0.0, 0.0]], [[0.0, 0.0, 1.1, 0.0]]]
    problem, x0 = quadratic(factors=rows), np.array([1.0, -0.5, 0.3, 0.7])
    found = boundaries.second_moment(problem, "sgd", 1.2, x0=x0, steps=4, runs=1000)
    exact = Lab().enumerate(problem, "sgd", x0=x0, steps=4, lr=1.2)
    logs = np.log(exact.second_moment[1:])
    assert (found.lower <= logs).all()
    assert (logs <= found.upper).all()


@pytest.mark.parametrize("n", [2, 10, 60])
def test_no_coin_is_missed_more_often_than_stated(n):
    """By the binomial law itself, for coins however rare; standard errors miss nine in ten of them."""
    missed, missed_by_errors = [], []
    for chance in [0.001, 0.01, 0.05, 0.2, 0.5, 0.9, 0.999]:
        likely = binom(n, chance).pmf(np.arange(n + 1))
        values = (np.arange(n)[:, None] < np.arange(n + 1)).astype(float)
        lower, upper = _mean_square._bernstein(values, np.zeros(n + 1), 0.9)
        missed.append(likely @ ((chance < lower) | (upper < chance)))
        error = 1.65 * values.std(0, ddof=1) / n**0.5
        missed_by_errors.append(likely @ (np.abs(values.mean(0) - chance) > error))
    assert max(missed) <= 0.1
    assert max(missed_by_errors) > 0.9


# -- planted faults ------------------------------------------------------------------------------


def moments_agree(seed: int = 0) -> bool:
    """Whether E||x_6||^2 of all words lies in the interval."""
    how = {"x0": START, "steps": 6, "every": 6, "runs": 2000, "seed": seed}
    found = boundaries.second_moment(ROWS, "sgd", EDGE, **how)
    exact = math.log(Lab().enumerate(ROWS, "sgd", x0=START, steps=6, lr=EDGE).second_moment[-1])
    return bool(found.lower[0] <= exact <= found.upper[0])


@pytest.fixture
def fresh():
    """Compiled programs remember what was planted while they were traced."""
    growth._tilt.clear_cache()
    yield
    growth._tilt.clear_cache()


@pytest.mark.usefixtures("fresh")
def test_paths_drawn_with_other_chances_than_they_are_weighted_with_are_caught(monkeypatch):
    def uniform(chances, key, t):
        high = growth._draw.bits(jax.numpy, key, growth._draw.STEPS, t, np.arange(1))[0]
        return (high % len(chances)).astype(int)

    monkeypatch.setattr(growth, "_pick", uniform)
    assert not moments_agree()


def test_a_law_without_the_sampling_weights_is_caught(monkeypatch):
    def edge():
        return boundaries.mean_square(ROWS, "sgd", [0.5, 1.5], **QUICK).first_exit

    assert edge().lower < EDGE < edge().upper
    true = growth.law
    monkeypatch.setattr(growth, "law", lambda w, *how: true(np.ones_like(w) / len(w), *how))
    assert not edge().lower < EDGE < edge().upper


def test_a_wrong_transform_widens_but_never_moves(monkeypatch):
    how = {"runs": 8, "steps": 1000}
    good = boundaries.mean_square(ROWS, "sgd", [0.9], **how).rates[0]
    assert moments_agree()
    monkeypatch.setattr(_h_transform, "_limit", lambda chances, Phi: np.diag([0.7, 0.3]))
    poor = boundaries.mean_square(ROWS, "sgd", [0.9], **how).rates[0]
    exact = math.log(mean_square_rate(*step_matrices(ROWS.hessians, ROWS.weights), 0.9))
    assert poor.lower < good.lower < exact < good.upper < poor.upper
    assert moments_agree()


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Doubled(USAM):
    """Climbs twice as far as it says."""

    def step(self, oracle, x, state):
        return USAM.step(replace(self, rho=2 * self.rho), oracle, x, state)


def test_an_optimizer_that_climbs_too_far_is_caught():
    exact = mean_square_critical_step(*step_matrices(ROWS.hessians, ROWS.weights, rho=0.1))
    found = boundaries.mean_square(ROWS, Doubled(rho=0.1), [0.5, 1.6], **QUICK).first_exit
    assert found.upper < 0.98 * exact


# -- doors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "how"),
    [
        ("etas", {"etas": [0.2, 0.1]}),
        ("etas", {"etas": []}),
        ("etas", {"etas": [0.0, 1.0]}),
        ("etas", {"etas": [math.nan]}),
        ("confidence", {"confidence": 1.0}),
        ("halvings", {"halvings": -1}),
        ("steps", {"steps": 19}),
        ("runs", {"runs": 1}),
        ("batch", {"batch": 3, "sampling": "without"}),
        ("optimizer", {"optimizer": "sam"}),
        ("problem", {"problem": object()}),
    ],
)
def test_mistakes_are_named(field, how):
    settings = {"problem": PAIR, "optimizer": "sgd", "etas": [0.1]} | how
    problem, optimizer, etas = (settings.pop(key) for key in ("problem", "optimizer", "etas"))
    with pytest.raises(InputError) as caught:
        boundaries.almost_sure(problem, optimizer, etas, **settings)
    assert caught.value.field == field


def test_a_singular_transform_decides_nothing():
    """With momentum 0 the memory is overwritten: nothing grows from it, and P e = 0 there."""
    (rate,) = boundaries.mean_square(PAIR, "sgd", [0.1], momentum=0.0).rates
    assert (rate.lower, rate.upper) == (-math.inf, math.inf)
    with pytest.raises(InputError, match="singular"):
        boundaries.second_moment(PAIR, "sgd", 0.1, x0=[1.0], steps=4, momentum=0.0)


# -- calibration ---------------------------------------------------------------------------------


@pytest.mark.soak
@pytest.mark.parametrize("case", ["one dimension", "two matrices"])
def test_exponents_are_covered_as_often_as_stated(case):
    renewing = Renewing()
    problem, eta, exact = renewing.problem, 1.0, renewing.exponent
    if case == "one dimension":
        problem, eta, exact = PAIR, 0.3, math.log(0.7 * 2.0) / 2
    how = {"runs": 16, "steps": 2000, "confidence": 0.9}
    found = [boundaries.exponent(problem, "sgd", eta, seed=seed, **how) for seed in range(1000)]
    covered = sum(at.lower < exact < at.upper for at in found)
    # exact binomial, both sides: too wide is wrong as well; a false alarm once in a thousand seeds
    assert binomtest(covered, 1000, 0.9).pvalue > 1e-3


@pytest.mark.soak
def test_first_exits_are_missed_at_most_as_often_as_stated():
    exact, missed = (11 - math.sqrt(41)) / 20, 0
    how = {"runs": 16, "steps": 1000, "confidence": 0.8}
    for seed in range(200):
        edge = boundaries.almost_sure(PAIR, "sgd", [0.2, 0.3], seed=seed, **how).first_exit
        missed += not edge.lower < exact < edge.upper
    assert binomtest(missed, 200, 0.2, alternative="greater").pvalue > 1e-3


@pytest.mark.soak
def test_second_moments_are_missed_at_most_as_often_as_stated():
    law, missed = step_matrices(ROWS.hessians, ROWS.weights), 0
    exact = math.log(second_moments(*law, EDGE, START, 50)[-1])
    how = {"x0": START, "steps": 50, "every": 50, "runs": 100, "confidence": 0.8}
    for seed in range(500):
        found = boundaries.second_moment(ROWS, "sgd", EDGE, seed=seed, **how)
        missed += not found.lower[0] < exact < found.upper[0]
    assert binomtest(missed, 500, 0.2, alternative="greater").pvalue > 1e-3

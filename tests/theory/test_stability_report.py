"""The report equals exact rational values: no float decides what it is compared with.

Batches are listed here once more, as ordered draws of fractions, so that the report's own
enumeration is under test too.
"""

import importlib
import math
from fractions import Fraction
from functools import partial
from itertools import pairwise, permutations, product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from theory.core import InputError, Notion, Verdict
from theory.exact import Matrix, SecondMoment, negative_direction
from theory.exact.second_moment import radius_at_most
from theory.moments import nonuniformity
from theory.problems.quadratic import quadratic
from theory.stability import report as reports
from theory.stability.minimum import minimum
from theory.stability.published import AUDITED

# All but the almost-sure notion, which has tests of its own: one operation simulates nothing.
analyse = partial(reports.analyse, budget=1.0)
SEEDS = st.integers(0, 2**32 - 1)
COMMON = settings(max_examples=25)
HAIR = Fraction(
    1, 10**15
)  # five EPS: an edge that is itself a double may be an end of its enclosure
CLOSE = Fraction(1, 10**10)  # condition numbers here are below 1e4, so edges err by 1e-11 at most

SHORT = [[[1, 2, 0]], [[0, 1, -1]]]  # n = 2 rows in d = 3: a common null direction
LONG = [[[0, 1]], [[1, -1]], [[2, 1]], [[1, 1]]]  # n = 4 > d = 2
BLOCKS = [[[1, 0, 1], [0, 2, 1]], [[1, 1, 0], [0, 0, 1]], [[3, 0, 0], [1, 0, 0]]]  # rank two each
HEAVY = [1, 2, 3, 4]


def total(terms):
    """A sum of matrices or fractions."""
    first, *rest = terms
    for term in rest:
        first = first + term
    return first


def curvatures(factors):
    """H_i = F_i'F_i, exactly."""
    return [Matrix(F).T @ Matrix(F) for F in factors]


def ordered_law(factors, weights, rho, batch, sampling, ascent):
    """(probabilities, A_S), one entry per ordered draw of a batch, in fractions."""
    H, rho, n = curvatures(factors), Fraction(rho), len(factors)
    w = [Fraction(x, sum(weights)) for x in weights]
    draws = permutations(range(n), batch) if sampling == "without" else None
    chances, A = [], []
    for draw in draws or product(range(n), repeat=batch):
        mean = total([H[i] for i in draw]) / batch
        climbs = [H[i] @ H[i] for i in draw] if ascent == "per-sample" else [mean @ mean]
        A.append(mean + rho * total(climbs) / len(climbs))
        chances.append(math.prod(w[i] for i in draw))
    return [chance / sum(chances) for chance in chances], A


def steps_at(law, eta):
    """T at step eta."""
    p, A = law
    one = Matrix.identity(A[0].shape[0])
    return SecondMoment(p, [one - Fraction(eta) * a for a in A])


def is_psd(matrix):
    return negative_direction(matrix) is None


def mean_of(law, power=1):
    return total([p * (a if power == 1 else a @ a) for p, a in zip(*law, strict=True)])


def assert_exact(report, law):
    """All three critical steps, decided in fractions on both sides."""
    low, high = Fraction(report.mean_square.lower), Fraction(report.mean_square.upper)
    assert high - low < CLOSE * high
    assert radius_at_most(steps_at(law, low), Fraction(1))
    assert not radius_at_most(steps_at(law, high * (1 + HAIR)), Fraction(1))
    first, second = mean_of(law), mean_of(law, 2)
    one, mean = Fraction(report.one_step), Fraction(report.mean)
    assert is_psd(2 * first - one * (1 - CLOSE) * second)
    assert not is_psd(2 * first - one * (1 + CLOSE) * second)
    two = 2 * Matrix.identity(first.shape[0])
    assert is_psd(two - mean * (1 - CLOSE) * first)
    assert not is_psd(two - mean * (1 + CLOSE) * first)


@pytest.mark.parametrize(("optimizer", "rho"), [("sgd", "0"), ("usam", "1/4")])
@pytest.mark.parametrize("ascent", ["shared", "per-sample"])
@pytest.mark.parametrize("sampling", ["with", "without"])
@pytest.mark.parametrize("factors", [SHORT, BLOCKS, LONG], ids=["n<d", "blocks", "n>d"])
def test_critical_steps_equal_the_exact_ones_for_every_batch(
    factors, sampling, ascent, optimizer, rho
):
    problem = quadratic(factors=np.array(factors))
    for batch in range(1, min(len(factors), 3) + 1):
        how = {"batch": batch, "sampling": sampling, "ascent": ascent}
        report = analyse(problem, optimizer=optimizer, rho=float(Fraction(rho)), **how)
        assert_exact(report, ordered_law(factors, [1] * len(factors), rho, **how))


@pytest.mark.parametrize("ascent", ["shared", "per-sample"])
@pytest.mark.parametrize("sampling", ["with", "without"])
def test_a_full_batch_of_four(sampling, ascent):
    how = {"batch": 4, "sampling": sampling, "ascent": ascent}
    report = analyse(quadratic(factors=np.array(LONG)), optimizer="usam", rho=0.25, **how)
    assert_exact(report, ordered_law(LONG, [1] * 4, "1/4", **how))


@pytest.mark.parametrize("ascent", ["shared", "per-sample"])
@pytest.mark.parametrize("batch", [1, 2, 3])
def test_critical_steps_under_unequal_weights(batch, ascent):
    how = {"batch": batch, "sampling": "with", "ascent": ascent}
    problem = quadratic(factors=np.array(LONG), weights=HEAVY)
    report = analyse(problem, optimizer="usam", rho=0.5, **how)
    assert_exact(report, ordered_law(LONG, HEAVY, "1/2", **how))


@pytest.mark.parametrize("factors", [SHORT, LONG])
def test_the_edge_found_by_exact_bisection_lies_in_the_enclosure(factors):
    law = ordered_law(factors, [1] * len(factors), "1/4", 2, "with", "shared")
    report = analyse(quadratic(factors=np.array(factors)), optimizer="usam", rho=0.25, batch=2)
    low, high = Fraction(0), Fraction(8)
    for _ in range(40):
        middle = (low + high) / 2
        if radius_at_most(steps_at(law, middle), Fraction(1)):
            low = middle
        else:
            high = middle
    assert low <= Fraction(report.mean_square.upper)
    assert Fraction(report.mean_square.lower) <= high


@settings(max_examples=20)
@given(
    st.lists(st.lists(st.integers(-3, 3), min_size=2, max_size=2), min_size=2, max_size=4),
    st.lists(st.integers(1, 5), min_size=4, max_size=4),
    st.integers(1, 2),
    st.integers(-8, 8),
)
def test_critical_steps_of_drawn_rows_of_any_size(rows, weights, batch, power):
    assume(any(map(any, rows)))
    factors, weights = [[row] for row in rows], weights[: len(rows)]
    size = Fraction(2) ** power
    exact = [[[size * x for x in row] for row in F] for F in factors]
    report = analyse(
        quadratic(factors=float(size) * np.array(factors), weights=weights), batch=batch
    )
    assert_exact(report, ordered_law(exact, weights, 0, batch, "with", "shared"))


@pytest.mark.parametrize("tilt", [Fraction(1, 2**10), Fraction(1, 2**20), Fraction(1, 2**27)])
def test_nearly_null_directions_stay_inside_the_enclosure(tilt):
    """The last tilt's direction counts as null; the exact family still has it."""
    factors = [[[1, tilt]], [[2, -tilt]], [[1, 0]]]
    report = analyse(quadratic(factors=np.array(factors, float)), batch=2)
    law = ordered_law(factors, [1, 1, 1], 0, 2, "with", "shared")
    low, high = Fraction(report.mean_square.lower), Fraction(report.mean_square.upper)
    assert radius_at_most(steps_at(law, low), Fraction(1))
    assert not radius_at_most(steps_at(law, high * (1 + HAIR)), Fraction(1))


def test_a_heavy_sample_of_tiny_weight_widens_the_enclosure_instead_of_being_lost():
    factors, weights = [[[1, 0]], [[0, 32]]], [10**18, 1]
    report = analyse(quadratic(factors=np.array(factors), weights=weights))
    law = ordered_law(factors, weights, 0, 1, "with", "shared")
    low, high = report.mean_square.lower, report.mean_square.upper
    assert radius_at_most(steps_at(law, low), Fraction(1))
    assert not radius_at_most(steps_at(law, high), Fraction(1))
    assert low == pytest.approx(2 / 1024) and high == pytest.approx(2)


@pytest.mark.parametrize(
    ("factors", "weights"), [(SHORT, [1, 1]), (LONG, HEAVY), (BLOCKS, [1] * 3)]
)
def test_moments_equal_the_exact_ones(factors, weights):
    report = analyse(quadratic(factors=np.array(factors), weights=weights))
    law = [Fraction(x, sum(weights)) for x in weights], curvatures(factors)
    H = mean_of(law)
    one = Matrix.identity(H.shape[0])
    powers, mean = law[1], H
    for k in (1, 2, 3, 4):
        if k > 1:
            powers = [P @ h for P, h in zip(powers, law[1], strict=True)]
            mean = mean @ H
        excess = mean_of((law[0], powers)) - mean if k > 1 else H
        value = Fraction(report.moments["a" if k == 1 else f"s{k}"]) ** k
        assert is_psd(value * (1 + CLOSE) * one - excess)
        assert not is_psd(value * (1 - CLOSE) * one - excess)


def test_equal_hessians_have_no_spread_and_unbounded_bounds():
    H = np.tile(np.array([[2.0, 1 / 3], [1 / 3, 0.7]]), (3, 1, 1))
    report = analyse(quadratic(H), optimizer="usam", rho=0.1)
    assert [report.moments[name] for name in ("s2", "s3", "s4")] == [0, 0, 0]
    assert [bound.max_eta for bound in report.published_bounds[1:4]] == [math.inf] * 3


def test_a_small_spread_is_not_lost_in_cancellation():
    h = np.array([[[1 - 1e-6]], [[1 + 1e-6]]])
    half = np.array([0.5, 0.5])
    assert nonuniformity(h, half, 2) == pytest.approx(1e-6, rel=1e-9)
    assert nonuniformity(h, half, 4) == pytest.approx((6e-12) ** 0.25, rel=1e-6)


def test_two_samples_zero_and_one_by_hand():
    """(1 - eta h)^2 averages to 1 at eta = 2 for both notions of E x^2; E x flips sign at 4."""
    report = analyse(quadratic(np.array([[[0.0]], [[1.0]]])), eta=1.5)
    assert report.one_step == pytest.approx(2, rel=1e-15)  # an eigenvalue of one entry rounds
    assert report.mean == 4
    assert report.mean_square.lower < 2 < report.mean_square.upper
    assert report.mean_square.upper - report.mean_square.lower < 1e-12
    thirds, fourths = (1 / 2 - 1 / 8) ** (1 / 3), (1 / 2 - 1 / 16) ** 0.25
    assert report.moments == pytest.approx(
        {"a": 1 / 2, "s2": 1 / 2, "s3": thirds, "s4": fourths}
        | dict.fromkeys(("M2", "M3", "M4"), 1 / 2)
    )
    at = report.at_eta
    assert at is not None
    for notion in ("one-step", "mean-square"):  # rounding of sums of order one
        assert at[notion] == {"rate": pytest.approx(5 / 8, rel=1e-14), "stable": True}
    assert at["mean"] == {"rate": 1 / 4, "stable": True}
    exponent = at["almost-sure"]["rate"]
    assert exponent.lower <= math.log(1 / 2) / 2 <= exponent.upper
    assert exponent.upper - exponent.lower < 1e-13


def test_at_the_edge_itself_nothing_is_claimed():
    at = analyse(quadratic(np.array([[[0.0]], [[1.0]]])), eta=2.0).at_eta
    assert at is not None
    assert [at[n]["stable"] for n in ("one-step", "mean-square", "mean")] == [None, None, True]


@pytest.mark.parametrize(("eta", "stable"), [(0.2, True), (0.5, False), (0.9, True)])
def test_almost_sure_stability_is_no_interval_and_its_own_notion(eta, stable):
    at = analyse(quadratic(np.array([[[1.0]], [[10.0]]])), eta=eta).at_eta
    assert at is not None
    assert at["almost-sure"]["stable"] is stable
    assert at["mean-square"]["stable"] is (eta == 0.2)


def test_an_exponent_that_may_be_zero_is_undecided_until_it_is_simulated():
    problem = quadratic(factors=np.array(LONG))
    at = analyse(problem, eta=0.9).at_eta
    assert at is not None
    rate = at["almost-sure"]["rate"]
    assert rate.lower < 0 < rate.upper and rate.confidence == 1
    assert at["almost-sure"]["stable"] is None
    seen = reports.analyse(problem, eta=0.9, seed=3).at_eta
    assert seen is not None
    told = seen["almost-sure"]["rate"]
    assert rate.lower <= told.lower <= told.upper <= rate.upper
    assert (told.confidence, told.seed) == (0.99, 3)
    assert seen["almost-sure"]["stable"] is False


def test_a_mode_that_dies_at_once_leaves_the_exponent_of_the_other():
    at = analyse(quadratic(np.array([np.diag([3.0, 1]), np.diag([9.0, 1])])), eta=1 / 3).at_eta
    assert at is not None
    rate = at["almost-sure"]["rate"]
    assert [rate.lower, rate.upper] == pytest.approx([math.log(2 / 3)] * 2, rel=1e-14)


def test_the_first_almost_sure_exit_is_reported_and_verdicts_beyond_it_are_their_own():
    """Factors 1 - eta a, a in {1, 10}: E log|1 - eta a| crosses 0 where (1 - eta)(10 eta - 1) = 1."""
    problem = quadratic(np.array([[[1.0]], [[10.0]]]))
    exit_ = analyse(problem, eta=0.9).almost_sure
    first = (11 - math.sqrt(121 - 80)) / 20
    assert exit_.lower == exit_.upper == pytest.approx(first, rel=1e-12)
    assert (exit_.confidence, exit_.seed) == (1, None)


def test_where_nothing_moves_every_critical_step_is_unbounded():
    report = analyse(quadratic(np.zeros((2, 3, 3))), eta=5.0, optimizer="usam", rho=0.1)
    assert report.one_step == report.mean == report.mean_square.lower == math.inf
    shown = report.as_json()
    assert shown["one_step"] is None and shown["mean_square"] == {"lower": None, "upper": None}
    assert all(row["stable"] is True for row in shown["at_eta"].values())
    assert all(row["max_eta"] is None and row["holds"] for row in shown["published_bounds"])


def test_published_bounds_of_sgd_by_hand():
    """Rows (0,1), (1,-1), (1,1): H = diag(2, 3)/3, s_2^2 = 8/9, stable in mean square at 11/10."""
    problem = quadratic(factors=np.array([[[0, 1]], [[1, -1]], [[1, 1]]]))
    verdicts = {"sharpness_bound": "AGREES", "second_moment_bound": "REFUTED"}
    report = analyse(problem, eta=1.1, verdicts=verdicts)
    assert report.at_eta is not None and report.at_eta["mean-square"]["stable"] is True
    a, s2, test = report.published_bounds
    assert (a.actual, a.value, a.max_eta) == pytest.approx((1, 2 / 1.1, 2))
    assert (a.name, a.claim, a.notion, a.holds, a.implied) == (
        "a",
        "sharpness_bound",
        "mean-square",
        True,
        True,
    )
    root = math.sqrt(8 / 9)
    assert (s2.actual, s2.value, s2.max_eta) == pytest.approx((root, 1 / 1.1, 1 / root))
    assert (s2.holds, s2.implied) == (False, False)
    assert (test.max_eta, test.value, test.holds) == (pytest.approx(1), 1, False)
    assert test.implied is None  # no verdict was given for its claim


@pytest.mark.parametrize("eta", [0.3, 0.7, 1.4])
def test_published_bounds_of_usam_solve_their_equations(eta):
    rho, problem = 0.2, quadratic(factors=np.array(LONG))
    report = analyse(problem, optimizer="usam", eta=eta, rho=rho)
    a, s2, s3, s4 = (report.moments[name] for name in ("a", "s2", "s3", "s4"))
    rows = report.published_bounds
    assert [row.name for row in rows[:4]] == ["a(1+rho a)", "s2^2", "s3^3", "s4^4"]
    assert [row.actual for row in rows[:4]] == pytest.approx(
        [a * (1 + rho * a), s2**2, s3**3, s4**4]
    )
    bounds = [2 / eta, None, 1 / (2 * eta**2 * rho), 1 / (eta**2 * rho**2)]
    shown = report.as_json()["published_bounds"]
    bounds[1] = 1 / (eta * (eta - 2 * rho)) if eta > 2 * rho else None
    assert [row["value"] for row in shown[:4]] == [
        None if bound is None else pytest.approx(bound) for bound in bounds
    ]
    for row in rows:  # at the largest eta it allows, each bound is attained
        edge = analyse(problem, optimizer="usam", eta=row.max_eta, rho=rho)
        same = next(other for other in edge.published_bounds if other.name == row.name)
        assert same.actual == pytest.approx(same.value, rel=1e-9)
        assert row.holds == (eta <= row.max_eta)


def test_implied_says_what_was_proved_and_only_where_it_was():
    problem = quadratic(factors=np.array(LONG))
    for verdict, implied in {
        Verdict.PROVED: True,
        Verdict.AGREES: True,
        Verdict.REFUTED: False,
        Verdict.PROVED_WITH: None,
        Verdict.INCONCLUSIVE: None,
        Verdict.CONTRADICTION: None,
        None: None,
    }.items():
        how = {"optimizer": "usam", "rho": 0.1, "verdicts": dict.fromkeys(AUDITED, verdict)}
        rows = analyse(problem, eta=0.3, **how).published_bounds
        assert [row.implied for row in rows] == [implied] * 5
        (second,) = [
            r for r in analyse(problem, eta=0.2, **how).published_bounds if r.name == "s2^2"
        ]
        assert (second.value, second.holds, second.implied) == (math.inf, True, None)
        two = analyse(problem, eta=0.3, batch=2, **how).published_bounds
        assert [row.implied for row in two] == [None] * 5


def test_every_audited_claim_exists_and_states_the_notion():
    for key in AUDITED:
        claim = importlib.import_module(f"theory.claims.{key}").CLAIM
        assert claim.conventions.notion is Notion.MEAN_SQUARE
        assert claim.source.paper == "P1"


@st.composite
def problems(draw):
    rng = np.random.default_rng(draw(SEEDS))
    n, d, k = (draw(st.integers(1, top)) for top in (4, 4, 2))
    F = rng.normal(size=(n, k, d)) * np.exp(rng.normal(size=(n, 1, 1)) / 2)
    return quadratic(factors=F, weights=rng.uniform(0.2, 1, size=n))


def numbers(report):
    """What may depend on the minimum, flattened; the settings apart."""
    shown = report.as_json()
    del shown["conventions"]
    flat = []

    def walk(value):
        if isinstance(value, dict | list):
            for part in value.values() if isinstance(value, dict) else value:
                walk(part)
        elif isinstance(value, float):
            flat.append(value)

    walk(shown)
    return flat


def rounding(report):
    """A relative tolerance: roots of s_k spread rounding to 1e-7; bad conditioning is admitted."""
    return max(1e-7, 4 * (report.mean_square.upper / report.mean_square.lower - 1))


@COMMON
@given(problems(), st.integers(1, 3), st.sampled_from(["shared", "per-sample"]))
def test_the_ladder_of_critical_steps(problem, batch, ascent):
    report = analyse(problem, optimizer="usam", rho=0.1, batch=batch, ascent=ascent)
    assert report.one_step <= report.mean_square.upper
    assert report.mean_square.lower <= report.mean
    assert report.mean_square.lower <= report.mean_square.upper


@COMMON
@given(problems(), st.floats(0, 0.5))
def test_a_larger_batch_never_lowers_the_mean_square_edge(problem, rho):
    how = {"optimizer": "usam", "rho": rho, "ascent": "per-sample"}
    edges = [analyse(problem, batch=B, **how).mean_square for B in (1, 2, 3)]
    assert all(small.lower <= large.upper for small, large in pairwise(edges))


@COMMON
@given(problems(), st.randoms(use_true_random=False))
def test_the_order_of_samples_is_nothing(problem, random):
    order = list(range(len(problem.weights)))
    random.shuffle(order)
    other = quadratic(problem.hessians[order], weights=problem.weights[order])
    how = {"optimizer": "usam", "rho": 0.1, "eta": 0.2, "batch": 2}
    ours, theirs = analyse(problem, **how), analyse(other, **how)
    assert numbers(ours) == pytest.approx(numbers(theirs), rel=rounding(ours), abs=1e-12)


@COMMON
@given(problems(), st.sampled_from([2.0**-30, 0.25, 8.0, 2.0**40]))
def test_scaling_the_loss_scales_every_step(problem, c):
    other = quadratic(c * problem.hessians, weights=problem.weights)
    ours = analyse(problem, optimizer="usam", rho=0.1, eta=0.2)
    theirs = analyse(other, optimizer="usam", rho=0.1 / c, eta=0.2 / c)
    rel = rounding(ours)
    assert ours.one_step == pytest.approx(c * theirs.one_step, rel=rel)
    assert ours.mean == pytest.approx(c * theirs.mean, rel=1e-12)
    assert ours.mean_square.lower <= c * theirs.mean_square.upper
    assert c * theirs.mean_square.lower <= ours.mean_square.upper
    for key, value in theirs.moments.items():
        power = int(key[1]) if key.startswith("M") else 1
        assert ours.moments[key] == pytest.approx(value / c**power, rel=1e-7)
    for mine, other_bound in zip(ours.published_bounds, theirs.published_bounds, strict=True):
        assert mine.max_eta == pytest.approx(c * other_bound.max_eta, rel=rel)
    for notion in ("one-step", "mean-square", "mean"):
        assert ours.at_eta and theirs.at_eta
        rate = theirs.at_eta[notion]["rate"]
        assert ours.at_eta[notion]["rate"] == pytest.approx(rate, rel=1e-9)


@pytest.mark.parametrize(
    ("how", "field"),
    [
        ({"optimizer": "adam"}, "optimizer"),
        ({"eta": 0.0}, "eta"),
        ({"eta": math.nan}, "eta"),
        ({"eta": math.inf}, "eta"),
        ({"eta": 1e30}, "eta"),
        ({"rho": 0.1}, "rho"),
        ({"rho": -1.0}, "rho"),
        ({"rho": math.nan}, "rho"),
        ({"optimizer": "usam", "rho": 1e30}, "rho"),
        ({"batch": 0}, "batch"),
        ({"batch": True}, "batch"),
        ({"batch": 1.0}, "batch"),
        ({"batch": 5, "sampling": "without"}, "batch"),
        ({"momentum": 1.0}, "momentum"),
        ({"momentum": -0.1}, "momentum"),
        ({"weight_decay": -1.0}, "weight-decay"),
        ({"weight_decay": math.inf}, "weight-decay"),
        ({"confidence": 1.0}, "confidence"),
        ({"sampling": "sometimes"}, "sampling"),
        ({"ascent": "up"}, "ascent"),
    ],
)
def test_bad_settings_are_refused_by_name(how, field):
    with pytest.raises(InputError) as caught:
        analyse(quadratic(factors=np.array(LONG)), **how)
    assert caught.value.field == field


@pytest.mark.parametrize("ascent", ["shared", "per-sample"])
def test_no_batch_is_too_large(ascent):
    """B = 10^30 draws are the full batch but for a share 1e-30 of the noise."""
    problem = quadratic(factors=np.array(LONG))
    how = {"optimizer": "usam", "rho": 0.1, "ascent": ascent}
    edges = [analyse(problem, batch=B, **how).mean_square for B in (83, 10**5, 10**30, None)]
    assert all(small.lower <= large.upper for small, large in pairwise(edges))
    assert edges[2].lower == pytest.approx(edges[3].lower, rel=1e-10)  # of the enclosure


@pytest.mark.parametrize("size", [1e80, 1e-80])
def test_hessians_whose_fourth_powers_leave_double_range_are_refused(size):
    with pytest.raises(InputError, match="largest entry"):
        analyse(quadratic(np.array([[[size]]])))


@pytest.mark.parametrize("form", ["hessians", "factors"])
@pytest.mark.parametrize(
    "how",
    [
        {},
        {"optimizer": "usam", "rho": 0.25, "batch": 2},
        {"batch": None},
        {"momentum": 0.9, "weight_decay": 0.1, "batch": 2, "sampling": "without"},
    ],
)
@pytest.mark.parametrize("preconditioner", [None, [1.0, 4.0, 0.5]])
def test_the_rational_step_lies_in_every_enclosure(form, how, preconditioner):
    F = np.array(BLOCKS, float)
    given = {"factors": F, "hessians": np.swapaxes(F, 1, 2) @ F}[form]
    found = minimum(**{form: given}, preconditioner=preconditioner)
    report = analyse(found, exact=True, **how)
    assert report.exact is not None
    assert report.mean_square.lower <= report.exact.lower
    assert report.exact.upper <= report.mean_square.upper


def test_what_is_too_large_for_fractions_is_refused_by_name():
    with pytest.raises(InputError, match="rank"):
        analyse(minimum(jacobian=np.eye(12)), exact=True)
    with pytest.raises(InputError, match="exact: got a gram"):
        analyse(minimum(gram=np.eye(2)), exact=True)
    with pytest.raises(InputError, match="exact: got hessians"):
        analyse(minimum(hessians=np.zeros((1, 1001, 1001))), exact=True)

"""What every file of sims/measures owes; a new file is covered by being there, once it has a truth.

Truths come from dense Hessians of single samples, by automatic differentiation of the losses, in
NumPy: the measures use the problems' own gradients and never form a matrix above 64 dimensions.
"""

from dataclasses import replace
from functools import cache

import jax
import numpy as np
import pytest
from scipy.optimize import brentq, minimize

from sims.engine import register
from sims.measures import average_sharpness, hessian_change, trace
from sims.measures._at import RADIUS, At
from theory import catalogue
from theory.moments import nonuniformity
from theory.problems.quadratic import quadratic
from theory.problems.two_layer import two_layer

MEASURES = "sims.measures"
KEYS = catalogue.keys(MEASURES)
RNG = np.random.default_rng(5)


def network(n, inputs, width):
    return two_layer(
        RNG.normal(size=(n, inputs)), RNG.normal(size=n), width, weights=range(1, n + 1)
    )


PROBLEMS = {
    "quadratic": quadratic(factors=RNG.normal(size=(4, 5, 5)), weights=[1, 2, 3, 4]),
    "network": network(6, 3, 4),  # d = 16
    "wide network": network(6, 4, 20),  # d = 100: above what is done exactly
}
BEFORE, FINITE, NAN = 0, (1, 2), 3  # of the rows of points(name)


@cache
def points(name):
    """An iterate to come from, two to measure at, one with a NaN and one with an infinity."""
    rows = np.random.default_rng(7).normal(size=(5, PROBLEMS[name].dimension))
    rows[3, 0], rows[4, 1] = np.nan, np.inf
    return rows


@cache
def table(d):
    rng = np.random.default_rng(9)
    return {"gaussian": rng.normal(size=(64, d)), "rademacher": rng.choice([-1.0, 1.0], (64, d))}


@jax.jit
def compiled(problem, xs, before, probes):
    def one(x):
        at = At(problem, problem.oracle(), x, before, lambda j, kind: probes[kind][j])
        return {key: catalogue.load(MEASURES, key).measure(at) for key in KEYS}

    return jax.vmap(one)(xs)


def together(problem, xs, before):
    """Every measure at every row of xs, in one compiled program: {key: (rows,)}."""
    register(problem)
    found = compiled(problem, xs, before, table(problem.dimension))
    return {key: np.asarray(values) for key, values in found.items()}


@cache
def measured(name):
    return together(PROBLEMS[name], points(name), points(name)[BEFORE])


def loss(problem, x):
    return problem.weights @ problem.losses(x, *problem.samples)


@cache
def sample_hessians(name, row):
    problem = PROBLEMS[name]
    second = jax.jit(jax.jacfwd(jax.jacrev(problem.losses)))
    return np.asarray(second(points(name)[row], *problem.samples))


def full_hessian(name, row):
    return np.tensordot(PROBLEMS[name].weights, sample_hessians(name, row), 1)


def top(name, row):
    return np.linalg.eigvalsh(full_hessian(name, row))[-1]


def s(k):
    return lambda name, row: nonuniformity(sample_hessians(name, row), PROBLEMS[name].weights, k)


def true_gradient_norm(name, row):
    h, x = 1e-6, points(name)[row]
    slopes = [
        loss(PROBLEMS[name], x + h * e) - loss(PROBLEMS[name], x - h * e) for e in np.eye(len(x))
    ]
    return np.linalg.norm(slopes) / (2 * h)


def true_worst(name, row):
    """The quadratic's from its secular equation; else the best of a constrained optimizer's runs."""
    problem, x = PROBLEMS[name], points(name)[row]
    gradient = np.asarray(jax.jit(jax.grad(lambda x: loss(problem, x)))(x))
    if name == "quadratic":
        values, vectors = np.linalg.eigh(full_hessian(name, row))
        g = vectors.T @ gradient  # (mu - H) u = g with mu above the spectrum, at the maximum
        mu = brentq(lambda mu: np.sum((g / (mu - values)) ** 2) - RADIUS**2, values[-1] + 1e-9, 1e6)
        u = g / (mu - values)
        return g @ u + values @ u**2 / 2

    def rise(v):
        return loss(problem, x + RADIUS * v) - loss(problem, x)

    def slope(v):
        return RADIUS * problem.gradient(x + RADIUS * v, problem.weights, *problem.samples)

    ball = {"type": "ineq", "fun": lambda v: 1 - v @ v, "jac": lambda v: -2 * v}
    starts = np.stack([gradient, *np.random.default_rng(1).normal(size=(2, len(x)))])
    found = [
        minimize(
            lambda v: -rise(v),
            start / np.linalg.norm(start),
            jac=lambda v: -slope(v),
            method="SLSQP",
            constraints=ball,
            tol=1e-14,
        ).x
        for start in starts
    ]
    return max(rise(v / np.linalg.norm(v)) for v in found)


def true_average(name, row):
    problem, x = PROBLEMS[name], points(name)[row]
    steps = table(len(x))["gaussian"][: average_sharpness.PAIRS] * RADIUS / np.sqrt(len(x))
    rises = [loss(problem, x + z) + loss(problem, x - z) - 2 * loss(problem, x) for z in steps]
    return np.mean(rises) / 2


def true_change(name, row):
    there, here = full_hessian(name, BEFORE), full_hessian(name, row)
    return np.linalg.norm(here - there) / np.linalg.norm(there)


TRUTH = {
    "loss": lambda name, row: loss(PROBLEMS[name], points(name)[row]),
    "grad_norm": true_gradient_norm,
    "x_norm": lambda name, row: np.sqrt(sum(v**2 for v in points(name)[row])),
    "lambda_max": top,
    "trace": lambda name, row: np.trace(full_hessian(name, row)),
    "s_2": s(2),
    "s_3": s(3),
    "s_4": s(4),
    "worst_sharpness": true_worst,
    "average_sharpness": true_average,
    "hessian_change": true_change,
}
# Dense arithmetic agrees to 1e-10. Finite differences leave 1e-16 / h + h^2; the ascent and the
# constrained optimizer leave a little, and loss differences of 1e-3 lose three digits.
LOOSER = {"grad_norm": 1e-7, "worst_sharpness": 1e-7, "average_sharpness": 1e-8}


def test_every_measure_has_a_truth():
    assert set(KEYS) == set(TRUTH)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("name", ["quadratic", "network"])
def test_a_small_problem_is_measured_exactly(name, key):
    for row in FINITE:
        expected = TRUTH[key](name, row)
        bound = LOOSER.get(key, 1e-10)
        assert measured(name)[key][row] == pytest.approx(expected, rel=bound, abs=1e-13)


@pytest.mark.parametrize("key", sorted(set(KEYS) - {"trace", "hessian_change"}))
def test_a_large_problem_is_measured_to_the_stated_accuracy(key):
    """Lanczos: the relative residual is at most 1e-5, and gaps are wide enough for its square."""
    for row in FINITE:
        expected = TRUTH[key]("wide network", row)
        bound = LOOSER.get(key, 1e-7)
        assert measured("wide network")[key][row] == pytest.approx(expected, rel=bound)


@pytest.mark.parametrize("row", FINITE)
def test_hutch_plus_plus_is_within_its_own_standard_error(row):
    """The same sketch in dense NumPy leaves a matrix A, whose Hutchinson variance is known."""
    H, probes = full_hessian("wide network", row), table(100)["rademacher"]
    Q = np.linalg.qr(H @ probes[: trace.HALF].T)[0]
    A = (np.eye(100) - Q @ Q.T) @ H @ (np.eye(100) - Q @ Q.T)
    deviation = np.sqrt(2 * (np.sum(A**2) - np.sum(np.diag(A) ** 2)) / trace.HALF)
    error = measured("wide network")["trace"][row] - np.trace(H)
    assert 0 < abs(error) < 4 * deviation
    plain = np.sqrt(2 * (np.sum(H**2) - np.sum(np.diag(H) ** 2)) / (3 * trace.HALF))
    assert deviation < plain / 2  # what as many products would buy without the sketch


@pytest.mark.parametrize("row", FINITE)
def test_the_change_of_a_large_hessian_is_that_along_the_probes(row):
    probes = table(100)["rademacher"][: hessian_change.PROBES]
    there, here = (full_hessian("wide network", which) @ probes.T for which in (BEFORE, row))
    value = measured("wide network")["hessian_change"][row]
    assert value == pytest.approx(np.linalg.norm(here - there) / np.linalg.norm(there), rel=1e-10)
    assert value == pytest.approx(true_change("wide network", row), rel=0.5)  # 3 standard errors
    assert measured("wide network")["hessian_change"][BEFORE] < 1e-15  # rounding


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("name", ["network", "wide network"])
def test_a_nan_in_the_iterate_shows_in_every_measure(name, key):
    assert not np.isfinite(measured(name)[key][NAN])


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("name", PROBLEMS)
def test_no_iterate_makes_a_measure_raise_or_loop_for_ever(name, key):
    """An infinite weight may saturate a unit, a quadratic's Hessian knows no x: any value will do."""
    assert measured(name)[key].shape == (5,)


@pytest.mark.parametrize("name", ["network", "wide network"])
def test_on_flat_ground_nothing_is_nan(name):
    """A network at x = 0 that fits zero targets: no gradient, and no Hessian in any sample."""
    flat = replace(PROBLEMS[name], targets=np.zeros(6))
    zero = np.zeros((5, flat.dimension))
    found = {key: set(values.tolist()) for key, values in together(flat, zero, zero[0]).items()}
    for key in ("worst_sharpness", "average_sharpness"):  # of fourth order in the radius
        assert 0 < max(found.pop(key)) < 1e-6
    assert all(values == {0.0} for values in found.values())


class Opaque:
    """A vector of Gram space: sums and multiples, and no entries."""

    def __init__(self, hidden):
        self.hidden = hidden


class OpaqueOracle:
    """|x|^2 / 2."""

    def loss(self, x):
        return x.hidden @ x.hidden / 2

    def grad(self, x):
        return Opaque(x.hidden)

    def norm(self, v):
        return np.linalg.norm(v.hidden)


@pytest.mark.parametrize("key", KEYS)
def test_measures_that_say_so_need_no_coordinates(key):
    module, x = catalogue.load(MEASURES, key), Opaque(np.array([3.0, 4.0]))
    where = At(None, OpaqueOracle(), x, x, None)
    if getattr(module, "NEEDS_COORDINATES", True):
        with pytest.raises((TypeError, AttributeError)):
            module.measure(where)
    else:
        assert module.measure(where) in (12.5, 5.0)

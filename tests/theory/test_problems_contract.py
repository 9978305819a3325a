"""What every file of theory/problems owes; a new file is covered by being there."""

import inspect
import subprocess
import sys
from dataclasses import replace
from functools import cache

import jax
import numpy as np
import pytest

from sims.engine import register
from theory import catalogue
from theory.core import InputError
from theory.problems._build import PROBLEMS, problem

KEYS = catalogue.keys(PROBLEMS)
VARIANTS = [
    ("quadratic", {"rank": 2, "condition": 10.0}),
    ("linear", {"data": "diabetes", "n": 12}),
    ("matrix_factorization", {"seen": "gaussian", "n": 5, "noise": 0.1}),
    ("matrix_factorization", {"seen": "entries", "n": 9, "noise": 0.1}),
    ("two_layer", {"activation": "relu", "kept": 0.4, "noise": 0.1}),
    ("two_layer", {"activation": "linear", "outputs": 2}),
    ("two_layer", {"task": "digits", "n": 6, "width": 3, "kept": 0.5, "loss": "cross-entropy"}),
]
CASES = [(key, {}) for key in KEYS] + VARIANTS
every_case = pytest.mark.parametrize(("key", "settings"), CASES)


@cache
def unequal(key, *settings):
    """The problem of those settings with unequal weights, made through its own door."""
    n = len(problem(key, **dict(settings)).weights)
    return problem(key, **dict(settings), weights=np.arange(1.0, n + 1))


def made(key, settings):
    found = unequal(key, *settings.items())
    return found, found.start(np.random.default_rng(1)) + 0.1  # off the special starts


def directions(count, d):
    return np.random.default_rng(2).normal(size=(count, d)) / d**0.5


def leaves(found):
    """Every array of a problem, those of the problems inside it as well."""
    if hasattr(found, "__dataclass_fields__"):
        return [leaf for value in vars(found).values() for leaf in leaves(value)]
    return [found]


def batches(found):
    return [None, np.array([0]), np.array([len(found.weights) - 1, 0, 0])]


def test_the_folder_is_found_by_listing():
    known = {"quadratic", "linear", "two_layer", "diagonal", "factorization"}
    assert known | {"matrix_factorization"} <= set(KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_settings_are_keywords_with_defaults_and_a_seed_among_them(key):
    takes = inspect.signature(catalogue.load(PROBLEMS, key).generate).parameters.values()
    assert all(p.kind is p.KEYWORD_ONLY and p.default is not p.empty for p in takes)
    assert {"seed": 0, "weights": None}.items() <= {p.name: p.default for p in takes}.items()


@every_case
def test_data_are_finite_numpy_arrays_and_weights_sum_to_one(key, settings):
    found = problem(key, **settings)
    arrays = [leaf for leaf in leaves(found) if not isinstance(leaf, int | float | str | None)]
    assert all(isinstance(a, np.ndarray) and a.dtype == np.float64 for a in arrays)
    assert all(np.isfinite(a).all() for a in arrays)
    assert found.weights.sum() == pytest.approx(1, rel=1e-14)
    assert all(len(a) == len(found.weights) for a in found.samples)


@every_case
def test_a_start_is_a_vector_that_its_random_numbers_fix(key, settings):
    found = problem(key, **settings)
    x, again = (found.start(np.random.default_rng([3, 4])) for _ in range(2))
    assert x.dtype == np.float64 and x.shape == (found.dimension,)
    assert np.isfinite(x).all() and np.any(x != 0)
    assert np.array_equal(x, again)


@pytest.mark.parametrize("key", KEYS)
def test_the_same_seed_gives_the_same_data_and_another_one_others(key):
    takes = inspect.signature(catalogue.load(PROBLEMS, key).generate).parameters
    noise = {"noise": 0.1} if "noise" in takes else {}  # without it some have nothing to draw
    one, same, other = (leaves(problem(key, seed=seed, **noise)) for seed in (5, 5, 6))
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@every_case
def test_the_gradient_is_the_slope_of_the_loss(key, settings):
    found, x = made(key, settings)
    h = 1e-5
    for batch in batches(found):
        oracle = found.oracle(batch)
        size = oracle.norm(oracle.grad(x)) + oracle.loss(x)
        for v in directions(3, len(x)):
            slope = (oracle.loss(x + h * v) - oracle.loss(x - h * v)) / (2 * h)
            # h^2 times third derivatives, below 100 here, plus rounding over h
            assert oracle.grad(x) @ v == pytest.approx(slope, rel=0, abs=2e-9 * (1 + size))


@every_case
def test_the_hessian_product_is_the_slope_of_the_gradient_and_symmetric(key, settings):
    found, x = made(key, settings)
    h, (u, v) = 1e-5, directions(2, len(x))
    for batch in batches(found)[::2]:
        oracle = found.oracle(batch)
        Hu, Hv = oracle.hvp(x, u), oracle.hvp(x, v)
        slope = (oracle.grad(x + h * v) - oracle.grad(x - h * v)) / (2 * h)
        assert isinstance(Hv, np.ndarray)
        # h^2 times fourth derivatives, below 100 here, plus rounding over h
        assert np.allclose(Hv, slope, rtol=0, atol=2e-9 * (1 + np.abs(oracle.grad(x)).max()))
        assert u @ Hv == pytest.approx(v @ Hu, rel=1e-10, abs=1e-13 * oracle.norm(Hv))


@every_case
def test_the_full_batch_is_the_weighted_mean_of_the_samples(key, settings):
    found, x = made(key, settings)
    assert found.weights[-1] == pytest.approx(len(found.weights) * found.weights[0], rel=1e-14)
    singles = [found.oracle(np.array([i])) for i in range(len(found.weights))]
    full = found.oracle()
    loss = found.weights @ [one.loss(x) for one in singles]
    grad = found.weights @ [one.grad(x) for one in singles]
    assert full.loss(x) == pytest.approx(loss, rel=1e-13)
    assert np.allclose(full.grad(x), grad, rtol=1e-12, atol=1e-14)


@every_case
def test_each_is_the_mean_over_groups_of_consecutive_samples(key, settings):
    found, x = made(key, settings)
    last = len(found.weights) - 1

    def squared(one):
        return one.grad(x) ** 2

    batch = np.array([0, last, last // 2, 0])
    for size in (1, 2, 4):
        parts = [squared(found.oracle(part)) for part in batch.reshape(-1, size)]
        found_each = found.oracle(batch).each(squared, size)
        assert np.allclose(found_each, np.mean(parts, axis=0), rtol=1e-12, atol=1e-14)
    with pytest.raises(InputError, match="size"):
        found.oracle(batch).each(squared, 3)


@every_case
def test_tensors_lay_out_the_parameters_and_come_back(key, settings):
    found, _ = made(key, settings)
    x = found.start(np.random.default_rng(1))
    oracle = found.oracle()
    tensors = oracle.tensors(x)
    assert sum(tensor.size for tensor in tensors) == found.dimension
    assert np.array_equal(oracle.ravel(tensors), x)


@every_case
def test_numpy_and_traced_problems_agree_and_trace_once(key, settings):
    found, x = made(key, settings)
    v, batch = directions(1, len(x))[0], np.array([0, len(found.weights) - 1])
    register(found)
    traces = []

    def answers(problem, batch, x):
        oracle = problem.oracle(batch)
        each = oracle.each(lambda one: one.grad(x) * one.norm(one.grad(x)))
        automatic = jax.grad(oracle.loss)(x)
        return problem.oracle().loss(x), oracle.grad(x), automatic, oracle.hvp(x, v), each

    @jax.jit
    def traced(problem, batch, x):
        traces.append(1)
        return answers(problem, batch, x)

    plain = found.oracle(batch)
    expected = (
        found.oracle().loss(x),
        plain.grad(x),
        plain.grad(x),
        plain.hvp(x, v),
        plain.each(lambda one: one.grad(x) * one.norm(one.grad(x))),
    )
    for one, two in zip(expected, traced(found, batch, x), strict=True):
        assert np.allclose(one, two, rtol=1e-12, atol=1e-14 * np.abs(one).max())
    other = replace(found, weights=np.full(len(found.weights), 1 / len(found.weights)))
    mean = np.mean([found.oracle(np.array([i])).loss(x) for i in range(len(found.weights))])
    assert traced(other, batch, x)[0] == pytest.approx(mean, rel=1e-12)
    assert len(traces) == 1  # new data of the same shape meet the same program


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    ("field", "value"), [("seed", -1), ("seed", 0.5), ("n", 0), ("n", 1.5), ("weights", [])]
)
def test_a_bad_setting_is_refused_by_name(key, field, value):
    extra = {"seen": "entries"} if key == "matrix_factorization" else {}
    with pytest.raises(InputError, match=f"^{field}: got .*; allowed: "):
        problem(key, **{field: value}, **extra)


def test_making_problems_and_their_gradients_does_not_import_jax():
    code = (
        "import sys, numpy as np\n"
        "from theory.problems._build import problem\n"
        f"for key in {KEYS}:\n"
        "    p = problem(key)\n"
        "    x = p.start(np.random.default_rng(0))\n"
        "    p.oracle().loss(x), p.oracle(np.array([0])).grad(x)\n"
        "sys.exit('jax' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

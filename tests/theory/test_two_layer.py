"""The network's gradient is that of its loss, batch by batch, on NumPy arrays and on tracers."""

import math
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sims.lab import Lab
from theory.core import InputError
from theory.problems.two_layer import TwoLayer, two_layer

RNG = np.random.default_rng(0)
INPUTS, TARGETS = RNG.normal(size=(4, 3)), RNG.normal(size=4)
WIDTH = 2
X = RNG.normal(size=WIDTH * 4)
SMALL = two_layer(INPUTS, TARGETS, WIDTH, weights=[1, 2, 3, 4])
BATCHES = [None, np.array([2]), np.array([0, 3, 3])]


def by_loops(x, rows, shares):
    """The loss from its definition, one sample and one unit at a time."""
    W, a = x[: WIDTH * 3].reshape(WIDTH, 3), x[WIDTH * 3 :]
    total = 0.0
    for i, share in zip(rows, shares, strict=True):
        f = sum(a[k] * math.tanh(sum(W[k, j] * INPUTS[i, j] for j in range(3))) for k in (0, 1))
        total += share * (f - TARGETS[i]) ** 2 / 2
    return total


def refused(field, *args, **kwargs):
    with pytest.raises(InputError) as caught:
        two_layer(*args, **kwargs)
    assert caught.value.field == field
    return str(caught.value)


def test_one_neuron_worked_by_hand():
    """tanh(w x) = 1/2 at w x = log(3)/2; with a = 4, y = 1: r = 1, f_a = 1/2, f_w = 4 (3/4) 2."""
    problem = two_layer([[2.0]], [1.0], 1)
    oracle, x = problem.oracle(np.array([0])), np.array([math.log(3) / 4, 4.0])
    assert problem.dimension == 2
    assert oracle.loss(x) == pytest.approx(0.5, rel=1e-15)
    assert np.allclose(oracle.grad(x), [6.0, 0.5], rtol=1e-15)
    assert oracle.norm(np.array([3.0, 4.0])) == 5.0


def test_the_loss_is_the_mean_over_a_batch_that_counts_repeats():
    expected = by_loops(X, [0, 3, 3], [1 / 3] * 3)
    assert SMALL.oracle(np.array([0, 3, 3])).loss(X) == pytest.approx(expected, rel=1e-14)


def test_the_full_batch_carries_the_weights():
    expected = by_loops(X, range(4), [0.1, 0.2, 0.3, 0.4])
    assert SMALL.oracle().loss(X) == pytest.approx(expected, rel=1e-14)
    assert np.allclose(SMALL.weights, [0.1, 0.2, 0.3, 0.4], rtol=1e-15)
    assert np.array_equal(two_layer(INPUTS, TARGETS, 1).weights, np.full(4, 1 / 4))


@pytest.mark.parametrize("batch", BATCHES)
def test_the_gradient_is_what_automatic_differentiation_finds(batch):
    oracle = SMALL.oracle(batch)
    expected = jax.grad(oracle.loss)(jnp.asarray(X))
    assert np.allclose(oracle.grad(X), expected, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("batch", BATCHES)
def test_the_gradient_is_the_slope_of_the_loss(batch):
    oracle, h = SMALL.oracle(batch), 1e-5
    slopes = [(oracle.loss(X + h * e) - oracle.loss(X - h * e)) / (2 * h) for e in np.eye(len(X))]
    assert np.allclose(oracle.grad(X), slopes, rtol=0, atol=1e-9)  # h^2 plus 1e-16 / h


def test_each_is_the_mean_over_one_sample_oracles():
    def squared(one):
        return one.grad(X) ** 2

    singles = [squared(SMALL.oracle(np.array([i]))) for i in range(4)]
    batch = np.array([1, 1, 2])
    assert np.allclose(SMALL.oracle(batch).each(squared), (2 * singles[1] + singles[2]) / 3)
    assert np.allclose(SMALL.oracle().each(squared), np.array([0.1, 0.2, 0.3, 0.4]) @ singles)


def test_numpy_and_traced_batches_give_the_same_answers():
    def answers(batch, x):
        oracle = SMALL.oracle(batch)
        each = oracle.each(lambda one: one.grad(x) * one.norm(one.grad(x)))
        return oracle.loss(x), oracle.grad(x), each

    batch = np.array([1, 0, 0])
    plain = answers(batch, X)
    assert all(isinstance(answer, np.ndarray | float) for answer in plain)
    for one, two in zip(plain, jax.jit(answers)(batch, jnp.asarray(X)), strict=True):
        assert np.allclose(one, two, rtol=1e-13)


def test_the_lab_runs_it_and_training_descends():
    run = Lab().run(SMALL, "sgd", x0=X, steps=30, batch=None, lr=0.05)
    assert run.x.shape == (1, 31, SMALL.dimension)
    assert np.all(np.diff(run.loss[0]) < 0)
    assert run.loss[0, 0] == pytest.approx(by_loops(X, range(4), SMALL.weights), rel=1e-13)


@pytest.mark.parametrize(
    ("field", "inputs", "targets", "width", "weights"),
    [
        ("inputs", [1.0, 2.0], [1.0, 2.0], 1, None),
        ("inputs", np.zeros((2, 0)), [1.0, 2.0], 1, None),
        ("inputs", [[1.0], [1.0, 2.0]], [1.0, 2.0], 1, None),
        ("inputs[1][0]", [[1.0], [np.nan]], [1.0, 2.0], 1, None),
        ("targets", [[1.0]], [[1.0]], 1, None),
        ("targets", [[1.0]], [1.0, 2.0], 1, None),
        ("targets[0]", [[1.0]], [np.inf], 1, None),
        ("width", [[1.0]], [1.0], 0, None),
        ("width", [[1.0]], [1.0], 1.0, None),
        ("width", [[1.0]], [1.0], True, None),
        ("weights", [[1.0]], [1.0], 1, [1.0, 1.0]),
        ("weights[0]", [[1.0]], [1.0], 1, [0.0]),
    ],
)
def test_the_door_names_what_it_refuses(field, inputs, targets, width, weights):
    assert "allowed: " in refused(field, inputs, targets, width, weights)


def test_the_dataclass_itself_checks_nothing():
    marker = object()
    assert TwoLayer(marker, marker, marker, 1).inputs is marker


def test_importing_the_problem_does_not_import_jax():
    code = "import sys, theory.problems.two_layer; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

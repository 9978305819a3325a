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
from theory.problems import _data
from theory.problems.two_layer import TwoLayer, generate, two_layer

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


def test_a_relu_network_worked_by_hand():
    """x = (1, 2): units 1 - 2 = -1 and 1 + 2 = 3 say 0 and 3; a = (5, 2): f = 6, y = 4, r = 2."""
    problem = two_layer([[1.0, 2.0]], [4.0], 2, activation="relu")
    x = np.array([1.0, -1.0, 1.0, 1.0, 5.0, 2.0])
    assert np.array_equal(problem.outputs(x, problem.inputs), [6.0])
    assert problem.oracle().loss(x) == 2.0
    assert np.array_equal(problem.oracle().grad(x), [0.0, 0.0, 4.0, 8.0, 0.0, 6.0])


def test_a_linear_network_with_two_outputs_worked_by_hand():
    """h = 2 * 3 = 6; A = (1, -1)': f = (6, -6), y = (5, -8): r = (1, 2), f^2/2 sums to 5/2."""
    problem = two_layer([[3.0]], [[5.0, -8.0]], 1, activation="linear")
    x = np.array([2.0, 1.0, -1.0])
    assert problem.oracle().loss(x) == 2.5
    assert np.array_equal(problem.oracle().grad(x), [-3.0, 6.0, 12.0])
    assert problem.shapes == [(1, 1), (2, 1)] and problem.dimension == 3


def test_cross_entropy_worked_by_hand():
    """f = (log 3, 0): softmax (3/4, 1/4); the second is right: loss log 4, r = (3/4, -3/4)."""
    problem = two_layer([[1.0]], [[0.0, 1.0]], 1, activation="linear", loss="cross-entropy")
    x = np.array([1.0, math.log(3), 0.0])
    assert problem.oracle().loss(x) == pytest.approx(math.log(4), rel=1e-15)
    into_hidden = 0.75 * math.log(3)
    assert np.allclose(problem.oracle().grad(x), [into_hidden, 0.75, -0.75], rtol=1e-15)


def test_cross_entropy_survives_large_outputs():
    problem = two_layer([[1.0]], [[0.0, 1.0]], 1, activation="linear", loss="cross-entropy")
    x = np.array([1.0, 5000.0, -5000.0])
    assert problem.oracle().loss(x) == 10_000.0
    assert np.array_equal(problem.oracle().grad(x), [10_000.0, 1.0, -1.0])


def test_soft_targets_count_by_their_probabilities():
    soft = two_layer([[1.0]], [[0.25, 0.75]], 1, activation="linear", loss="cross-entropy")
    x = np.array([1.0, math.log(3), 0.0])
    expected = 0.25 * math.log(4 / 3) + 0.75 * math.log(4)
    assert soft.oracle().loss(x) == pytest.approx(expected, rel=1e-15)


def test_the_jacobian_of_the_outputs_gives_the_gradients_of_the_samples():
    problem = generate(n=3, d=2, width=2, outputs=2)
    x = problem.start(RNG)
    jacobian = jax.jacobian(problem.outputs)(jnp.asarray(x), problem.inputs)
    assert jacobian.shape == (3, 2, problem.dimension)
    for i in range(3):
        residual = problem.outputs(x, problem.inputs)[i] - problem.targets[i]
        gradient = problem.oracle(np.array([i])).grad(x)
        assert np.allclose(residual @ jacobian[i], gradient, rtol=1e-12, atol=1e-15)


def test_accuracy_counts_signs_or_largest_outputs():
    signs = two_layer([[1.0], [2.0]], [1.0, -1.0], 1, [1, 3])
    assert signs.accuracy(np.array([1.0, 1.0])) == pytest.approx(0.25, rel=1e-15)
    assert signs.accuracy(np.array([1.0, -1.0])) == pytest.approx(0.75, rel=1e-15)
    classes = two_layer([[1.0], [-1.0]], [[1.0, 0.0], [1.0, 0.0]], 1)
    assert classes.accuracy(np.array([1.0, 2.0, 1.0])) == pytest.approx(0.5, rel=1e-15)
    assert jax.jit(classes.accuracy)(np.array([1.0, 2.0, 1.0])) == pytest.approx(0.5)


MASKED = generate(n=4, d=5, width=6, kept=0.4, seed=2)


def test_masked_weights_are_zero_at_the_start_and_have_no_slope_or_curvature():
    x, v = MASKED.start(RNG), RNG.normal(size=MASKED.dimension)
    held = np.flatnonzero(MASKED.free == 0)
    assert len(held) == 6 * 5 - 12 and MASKED.mask.sum() == 12
    oracle = MASKED.oracle(np.array([0, 2]))
    for found in (x, oracle.grad(x), oracle.grad(v), oracle.hvp(x, v)):
        assert np.array_equal(found[held], np.zeros(len(held)))
        assert np.count_nonzero(found) > 12
    assert np.array_equal(oracle.ravel(oracle.tensors(v)), v * MASKED.free)
    assert oracle.loss(v) == oracle.loss(v * MASKED.free)


def test_a_mask_of_ones_changes_nothing():
    ones = two_layer(INPUTS, TARGETS, WIDTH, mask=np.ones((WIDTH, 3)))
    assert np.array_equal(ones.oracle().grad(X), two_layer(INPUTS, TARGETS, WIDTH).oracle().grad(X))


@pytest.mark.parametrize("optimizer", ["sgd", "sam"])
def test_masked_weights_stay_zero_in_training(optimizer):
    x0 = MASKED.start(RNG)
    x = Lab().run(MASKED, optimizer, x0=x0, steps=5, weight_decay=0.1, momentum=0.9).x[0, -1]
    assert np.array_equal(x == 0, MASKED.free == 0)


@pytest.mark.parametrize(("activation", "gain"), [("tanh", 1.0), ("relu", 2.0)])
def test_starts_have_the_promised_deviations(activation, gain):
    problem = generate(n=1, d=40, width=100, activation=activation, kept=0.5)
    x = problem.start(np.random.default_rng(0))
    W, a = x[:4000][problem.free[:4000] == 1], x[4000:]
    assert W.std() == pytest.approx((gain / 20) ** 0.5, rel=5 / (2 * 2000) ** 0.5)
    assert a.std() == pytest.approx(0.1, rel=5 / (2 * 100) ** 0.5)  # five deviations each


@pytest.mark.parametrize("activation", ["tanh", "relu", "linear"])
def test_a_network_as_wide_as_its_teacher_can_say_the_same(activation):
    problem = generate(n=9, width=4, activation=activation, outputs=2)
    truth = problem.start(_data.stream(0, "teacher"))
    assert problem.oracle().loss(truth) < 1e-30
    assert problem.validation.oracle().loss(truth) < 1e-30
    assert problem.test.oracle().loss(truth) < 1e-30


def test_noise_is_in_the_training_targets_alone():
    clean, noisy = (generate(n=20, noise=noise) for noise in (0.0, 0.5))
    assert np.array_equal(clean.inputs, noisy.inputs)
    assert np.all(clean.targets != noisy.targets)
    assert np.array_equal(clean.test.targets, noisy.test.targets)
    assert np.array_equal(clean.validation.targets, noisy.validation.targets)


def test_another_width_and_mask_see_the_same_data_and_more_samples_the_same_tests():
    one = generate(task="digits", n=20, width=3, held_out=10)
    two = generate(task="digits", n=30, width=5, held_out=10, kept=0.5)
    assert np.array_equal(two.inputs[:20], one.inputs)
    assert np.array_equal(one.test.inputs, two.test.inputs)
    assert two.test.mask is two.mask


@pytest.mark.parametrize("task", ["teacher", "digits", "diabetes"])
def test_training_validation_and_test_samples_are_all_different(task):
    problem = generate(task=task, n=30, held_out=20)
    parts = [part.inputs for part in (problem, problem.validation, problem.test)]
    assert [len(part) for part in parts] == [30, 20, 20]
    assert len(np.unique(np.concatenate(parts), axis=0)) == 70


def test_digits_are_ten_classes_or_two_and_labels_are_replaced_in_the_asked_number():
    clean, noisy = (generate(task="digits", n=40, noise=noise) for noise in (0.0, 0.3))
    assert clean.targets.shape == (40, 10) and np.array_equal(clean.targets.sum(1), np.ones(40))
    assert (clean.targets.argmax(1) != noisy.targets.argmax(1)).sum() == 12
    parity = generate(task="digits", n=40, outputs=1)
    assert np.array_equal(parity.targets, 1.0 - 2.0 * (clean.targets.argmax(1) % 2))


def test_a_teacher_of_classes_names_its_largest_output():
    labels = generate(n=20, outputs=3, loss="cross-entropy")
    spoken = generate(n=20, outputs=3)
    assert np.array_equal(labels.targets.argmax(1), spoken.targets.argmax(1))
    assert generate(n=2, loss="cross-entropy").targets.shape == (2, 2)


def test_nothing_need_be_held_out():
    problem = generate(task="diabetes", held_out=0)
    assert problem.inputs.shape == (442, 10)
    assert problem.validation is None and problem.test is None


@pytest.mark.parametrize(
    ("field", "settings"),
    [
        ("task", {"task": "iris"}),
        ("activation", {"activation": "gelu"}),
        ("loss", {"loss": "hinge"}),
        ("loss", {"task": "digits", "outputs": 1, "loss": "cross-entropy"}),
        ("outputs", {"outputs": 1, "loss": "cross-entropy"}),
        ("outputs", {"task": "digits", "outputs": 3}),
        ("outputs", {"task": "diabetes", "outputs": 2}),
        ("d", {"task": "digits", "d": 64}),
        ("teacher_width", {"task": "digits", "teacher_width": 4}),
        ("kept", {"kept": 1.5}),
        ("noise", {"task": "digits", "noise": 2.0}),
        ("held_out", {"held_out": -1}),
        ("held_out", {"task": "diabetes", "held_out": 221}),
        ("n", {"task": "diabetes", "n": 300}),
    ],
)
def test_settings_that_make_no_sense_are_refused_by_name(field, settings):
    with pytest.raises(InputError, match=f"^{field}: "):
        generate(**settings)


@pytest.mark.parametrize(
    ("field", "targets", "options"),
    [
        ("targets", [[1.0], [1.0]], {}),
        ("targets", [[[1.0]], [[1.0]]], {}),
        ("targets[1]", [[0.5, 0.5], [0.5, 0.6]], {"loss": "cross-entropy"}),
        ("targets[0]", [[1.5, -0.5], [0.5, 0.5]], {"loss": "cross-entropy"}),
        ("mask", [1.0, 2.0], {"mask": [[1.0, 1.0]]}),
        ("mask", [1.0, 2.0], {"mask": [[0.5]]}),
        ("mask", [1.0, 2.0], {"mask": [[0.0]]}),
        ("test", [1.0, 2.0], {"test": ([[1.0]], [[1.0, 2.0]])}),
        ("validation.inputs", [1.0, 2.0], {"validation": ([1.0], [1.0])}),
        ("test.targets", [1.0, 2.0], {"test": ([[1.0]], [1.0, 2.0])}),
    ],
)
def test_the_door_also_names_bad_classes_masks_and_held_out_samples(field, targets, options):
    assert "allowed: " in refused(field, [[1.0], [2.0]], targets, 1, **options)

"""The lab runs what it is asked, many seeds at once, the same way however they are grouped."""

from dataclasses import dataclass

import jax
import numpy as np
import pytest

from sims._block import run_blocks
from sims.lab import Lab
from theory.core import InputError
from theory.problems.quadratic import Quadratic, quadratic
from theory.stability.operator import step_matrices
from theory.stability.propagation import expected_loss, second_moments

LAB = Lab()
PROBLEM = quadratic(factors=[[[1.0, 0.5]], [[-0.3, 1.2]], [[0.7, 0.1]]], weights=[1, 2, 3])
EQUAL = Quadratic(PROBLEM.hessians, np.full(3, 1 / 3))
START = np.array([0.8, -0.6])


def test_a_run_reports_iterates_losses_and_indices():
    run = LAB.run(PROBLEM, "sgd", x0=START, steps=7, runs=3, batch=2)
    assert (run.x.shape, run.loss.shape, run.indices.shape) == ((3, 8, 2), (3, 8), (3, 7, 2))
    assert np.array_equal(run.x[:, 0], [START] * 3)
    H = np.tensordot(PROBLEM.weights, PROBLEM.hessians, 1)
    assert np.allclose(run.loss, np.einsum("rti,ij,rtj->rt", run.x, H, run.x) / 2, rtol=1e-13)


def test_iterates_follow_the_indices_reported():
    run = LAB.run(PROBLEM, "sgd", x0=START, steps=7, runs=2, batch=2, lr=0.3)
    x = START
    for batch in run.indices[1]:
        x = x - 0.3 * PROBLEM.hessians[batch].mean(axis=0) @ x
    assert np.allclose(run.x[1, -1], x, rtol=1e-13)


@pytest.mark.parametrize("optimizer", ["sam", "usam"])
@pytest.mark.parametrize("runs", [1, 64, 65])
def test_a_run_does_not_depend_on_how_many_run_beside_it(optimizer, runs):
    how = {"x0": START, "steps": 40, "batch": 2, "seed": 9}
    many = LAB.run(PROBLEM, optimizer, runs=200, **how)
    few = LAB.run(PROBLEM, optimizer, runs=runs, **how)
    assert np.array_equal(few.indices, many.indices[:runs])
    assert np.array_equal(few.x, many.x[:runs])  # bit for bit
    assert np.array_equal(few.loss, many.loss[:runs])


def test_given_indices_replay_a_drawn_run_bit_for_bit():
    drawn = LAB.run(PROBLEM, "sam", x0=START, steps=30, runs=5, seed=2)
    again = LAB.run(PROBLEM, "sam", x0=START, indices=drawn.indices)
    assert np.array_equal(drawn.x, again.x)


def test_seeds_and_runs_draw_differently():
    streams = [LAB.run(EQUAL, "sgd", x0=START, steps=30, runs=2, seed=s).indices for s in (0, 1)]
    flat = {tuple(stream.ravel()) for pair in streams for stream in pair}
    assert len(flat) == 4


def test_samples_are_drawn_by_their_weights():
    indices = LAB.run(PROBLEM, "sgd", x0=START, steps=200, runs=300).indices
    shares = np.bincount(indices.ravel(), minlength=3) / indices.size
    # six standard deviations of a share from 60,000 draws: 6 * sqrt(1/4/60000) = .0123
    assert np.allclose(shares, PROBLEM.weights, atol=0.0123)


def test_without_replacement_no_batch_repeats_a_sample():
    indices = LAB.run(
        EQUAL, "sgd", x0=START, steps=50, runs=20, batch=2, sampling="without"
    ).indices
    assert np.all(indices[..., 0] != indices[..., 1])
    shares = np.bincount(indices.ravel(), minlength=3) / indices.size
    assert np.allclose(shares, 1 / 3, atol=0.07)


def test_the_full_batch_is_deterministic_and_weighted():
    run = LAB.run(PROBLEM, "usam", x0=START, steps=5, batch=None, lr=0.3, rho=0.2, runs=2)
    H = np.tensordot(PROBLEM.weights, PROBLEM.hessians, 1)
    step = np.eye(2) - 0.3 * (H + 0.2 * H @ H)
    assert run.indices is None
    assert np.allclose(run.x[0, -1], np.linalg.matrix_power(step, 5) @ START, rtol=1e-12)
    assert np.array_equal(run.x[0], run.x[1])


def test_a_grid_of_hyperparameters_starts_and_data_compiles_once():
    run_blocks.clear_cache()  # the engine does so too, when it has kept too many
    how = {"steps": 11, "runs": 2}
    LAB.run(PROBLEM, "sam", x0=START, lr=0.1, rho=0.1, **how)
    before = run_blocks._cache_size()
    for lr, rho in ((0.2, 0.3), (1, 0), (0.05, 2)):
        LAB.run(PROBLEM, "sam", x0=2 * START, lr=lr, rho=rho, seed=4, **how)
        LAB.run(EQUAL, "sam", x0=START, lr=lr, rho=rho, **how)
    assert run_blocks._cache_size() == before
    LAB.run(PROBLEM, "sam", x0=START, steps=12, runs=2)  # another shape does compile
    assert run_blocks._cache_size() == before + 1


def test_every_run_may_have_its_own_start():
    starts = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    run = LAB.run(PROBLEM, "sgd", x0=starts, steps=3, runs=3, batch=None)
    assert np.array_equal(run.x[:, 0], starts)
    assert np.allclose(run.x[2], run.x[0] + run.x[1])


@pytest.mark.parametrize("hyper", [{}, {"rho": 0.2}])
def test_enumeration_equals_exact_propagation_to_rounding(hyper):
    lr, steps = 0.9, 8
    found = LAB.enumerate(
        PROBLEM, "usam" if hyper else "sgd", x0=START, steps=steps, lr=lr, **hyper
    )
    assert found.sequences == 3**8
    law = step_matrices(PROBLEM.hessians, PROBLEM.weights, **hyper)
    H = np.tensordot(PROBLEM.weights, PROBLEM.hessians, 1)
    assert np.allclose(found.second_moment, second_moments(*law, lr, START, steps), rtol=1e-13)
    losses = expected_loss(*law, lr, START, steps, hessian=H)
    assert np.allclose(found.loss, losses, rtol=1e-13)


def test_enumeration_has_a_cap():
    with pytest.raises(InputError, match=r"3\^12 sequences"):
        LAB.enumerate(PROBLEM, "sgd", x0=START, steps=12)
    single = quadratic(np.eye(2)[None])
    assert LAB.enumerate(single, "sgd", x0=START, steps=50).sequences == 1


@pytest.mark.parametrize(
    ("field", "how"),
    [
        ("steps", {}),
        ("steps", {"steps": -1}),
        ("steps", {"steps": 3, "indices": np.zeros((1, 2, 1), int)}),
        ("runs", {"steps": 2, "runs": 0}),
        ("seed", {"steps": 2, "seed": -1}),
        ("batch", {"steps": 2, "batch": 0}),
        ("batch", {"steps": 2, "batch": 4, "sampling": "without"}),
        ("weights", {"steps": 2, "batch": 2, "sampling": "without"}),
        ("sampling", {"steps": 2, "sampling": "maybe"}),
        ("indices", {"indices": np.full((1, 2, 1), 3)}),
        ("indices", {"indices": np.full((1, 2, 1), -1)}),
        ("indices", {"indices": np.zeros((2, 1), int)}),
        ("indices", {"indices": np.zeros((1, 2, 1))}),
        ("lr", {"steps": 2, "lr": float("nan")}),
        ("lr", {"steps": 2, "lr": -0.1}),
        ("lr", {"steps": 2, "lr": "fast"}),
        ("lr", {"steps": 2, "lr": [0.1, 0.2]}),
        ("radius", {"steps": 2, "radius": 0.1}),
        ("x0", {"steps": 2, "x0": [1.0]}),
        ("x0", {"steps": 2, "x0": [1.0, np.inf]}),
    ],
)
def test_bad_input_is_refused_by_name(field, how):
    with pytest.raises(InputError) as caught:
        LAB.run(PROBLEM, "sam", **({"x0": START} | how))
    assert caught.value.field == field


def test_an_unknown_optimizer_is_answered_with_the_nearest_known():
    with pytest.raises(InputError, match="nearest: usam"):
        LAB.run(PROBLEM, "usma", x0=START, steps=1)


def test_an_optimizer_object_runs_as_well():
    @jax.tree_util.register_dataclass
    @dataclass(frozen=True)
    class Still:
        def init(self, x):
            return None

        def step(self, oracle, x, state):
            return x, state

    assert np.array_equal(LAB.run(PROBLEM, Still(), x0=START, steps=2).x, [[START] * 3])
    with pytest.raises(InputError, match="lr"):
        LAB.run(PROBLEM, Still(), x0=START, steps=2, lr=0.1)


def test_iterates_are_double_precision():
    assert LAB.run(PROBLEM, "sgd", x0=[1, 1], steps=1).x.dtype == np.float64

"""What every file of sims/optimizers owes; a new file is covered by being there."""

from dataclasses import fields

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sims.lab import OPTIMIZERS, Lab, build
from theory import catalogue
from theory.problems.quadratic import quadratic

KEYS = catalogue.keys(OPTIMIZERS)
BOWL = quadratic(np.eye(2)[None])
UNLIKE = quadratic(factors=[[[1.0, 0.5]], [[-0.3, 1.2]], [[0.7, 0.1]]])
START = np.array([0.8, -0.6])


def variants(key: str) -> list[dict[str, str]]:
    """The default and, for optimizers with a choice of ascent, the other one."""
    names = {field.name for field in fields(build(key))}
    return [{}, {"ascent": "per-sample"}] if "ascent" in names else [{}]


def climbs_on_sgd(key: str) -> bool:
    """Whether the optimizer has a radius and takes SGD's step from where the climb ends."""
    built_on_sgd = hasattr(catalogue.load(OPTIMIZERS, key), "descend")
    return built_on_sgd and "rho" in {field.name for field in fields(build(key))}


CASES = [(key, choice) for key in KEYS for choice in variants(key)]


def test_the_folder_is_found_by_listing():
    assert {"sgd", "sam", "usam"} <= set(KEYS)
    assert {"sam", "usam"} <= set(filter(climbs_on_sgd, KEYS))


@pytest.mark.parametrize(("key", "choice"), CASES)
def test_defaults_descend_on_a_bowl(key, choice):
    loss = Lab().run(BOWL, key, x0=START, steps=20, batch=None, **choice).loss[0]
    assert np.all(np.diff(loss) < 0)
    assert loss[-1] < loss[0] / 10


@pytest.mark.parametrize(("key", "choice"), [case for case in CASES if climbs_on_sgd(case[0])])
def test_without_a_radius_the_climb_changes_nothing(key, choice):
    how = {"x0": START, "steps": 25, "batch": 2, "seed": 3}
    how |= {"lr": 0.2, "momentum": 0.5, "weight_decay": 0.01}
    sgd = Lab().run(UNLIKE, "sgd", **how)
    flat = Lab().run(UNLIKE, key, rho=0.0, **how, **choice)
    climbing = Lab().run(UNLIKE, key, rho=0.3, **how, **choice)
    assert np.allclose(flat.x, sgd.x, rtol=1e-13, atol=1e-15)
    assert not np.allclose(climbing.x, sgd.x, rtol=1e-3)


@pytest.mark.parametrize(("key", "choice"), CASES)
def test_a_zero_gradient_moves_nothing_and_makes_no_nan(key, choice):
    x = Lab().run(UNLIKE, key, x0=np.zeros(2), steps=5, **choice).x
    assert np.array_equal(x, np.zeros((1, 6, 2)))


@pytest.mark.parametrize(("key", "choice"), CASES)
def test_hyperparameters_and_state_are_traced(key, choice):
    optimizer = build(key, **choice)
    traces = []

    @jax.jit
    def step(optimizer, x, state):
        traces.append(1)
        return optimizer.step(BOWL.oracle(np.array([0])), x, state)

    x = jnp.asarray(START)
    first, _ = step(optimizer, x, optimizer.init(x))
    second, _ = step(build(key, lr=0.05, **choice), x, optimizer.init(x))
    assert len(traces) == 1
    assert np.allclose(np.asarray(first) - START, 2 * (np.asarray(second) - START))


@pytest.mark.parametrize(("key", "choice"), CASES)
def test_a_step_on_plain_numpy_is_the_same_step(key, choice):
    optimizer = build(key, weight_decay=0.1, **choice)
    indices = np.array([[[0, 1], [2, 2], [1, 2]]])
    traced = Lab().run(UNLIKE, optimizer, x0=START, indices=indices).x[0, -1]
    x, state = START, optimizer.init(START)
    for batch in indices[0]:
        x, state = optimizer.step(UNLIKE.oracle(batch), x, state)
    assert isinstance(x, np.ndarray)
    assert np.allclose(x, traced, rtol=1e-13)

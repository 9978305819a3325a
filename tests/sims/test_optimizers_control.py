"""Branches and loops shared by optimizers: Python's on numbers, JAX's while tracing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sims.optimizers._control import lazily, mean_over


def test_a_refresh_that_is_not_due_is_not_run():
    def never():
        raise AssertionError

    assert lazily(False, never, "kept") == "kept"
    assert lazily(True, lambda: "new", "kept") == "new"
    assert lazily(np.array(0) % np.array(3) == 0, lambda: "new", "kept") == "new"


@pytest.mark.parametrize(("shared", "branches"), [(True, 1), (False, 0)])
def test_under_vmap_it_stays_a_branch_where_all_runs_agree(shared, branches):
    """A step count carried by a scan does: it never depends on the run."""

    def run(x, k):
        def step(carry, _):
            t, x = carry
            return (t + 1, lazily(t % k == 0, lambda: jnp.sin(x), x)), None

        return jax.lax.scan(step, (0, x), None, length=4)[0][1]

    many = jax.vmap(run, in_axes=(0, None if shared else 0))
    x, k = jnp.ones(3), 2 if shared else jnp.array([2, 2, 2])
    assert str(jax.make_jaxpr(many)(x, k)).count(" cond[") == branches
    assert np.allclose(jax.jit(many)(x, k), np.sin(np.sin(1)), rtol=1e-15)


def test_the_mean_is_over_as_many_as_asked_for():
    def mean(count):
        return mean_over(count, lambda j: jnp.array([1.0, 2.0]) * (j + 1), jnp.zeros(2))

    assert np.array_equal(mean(3), [2.0, 4.0])
    assert np.array_equal(jax.jit(mean)(3), [2.0, 4.0])
    assert np.array_equal(jax.jit(mean)(1), [1.0, 2.0])

"""AdamW's steps, worked by hand and beside optax's."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from sims.lab import Lab
from theory.problems.quadratic import quadratic

PARABOLA = quadratic([[[2.0]]])
UNLIKE = quadratic(factors=[[[1.0, 0.5]], [[-0.3, 1.2]], [[0.7, 0.1]]])


def test_the_first_step_has_length_lr_and_later_ones_follow_both_averages():
    # g = 2: m^ = 2, v^ = 4, x = 1 - .1; g = 1.8, betas .5 and .75:
    # m = .5 * 1 + .9, m^ = 1.4/.75; v = .75 * 1 + .81, v^ = 1.56/.4375
    x = Lab().run(PARABOLA, "adamw", x0=[1.0], steps=2, batch=None, lr=0.1, beta1=0.5, beta2=0.75)
    second = 0.9 - 0.1 * (1.4 / 0.75) / np.sqrt(1.56 / 0.4375)
    assert x.x[0, :, 0] == pytest.approx([1, 0.9, second], rel=1e-8)  # eps is 1e-8


def test_eps_is_added_outside_the_root_and_decay_is_lr_times_weight_decay():
    # (1 - .1 * .5) * 1 - .1 * 2/(2 + 2)
    how = {"lr": 0.1, "eps": 2.0, "weight_decay": 0.5}
    x = Lab().run(PARABOLA, "adamw", x0=[1.0], steps=1, batch=None, **how).x
    assert x[0, 1, 0] == pytest.approx(0.95 - 0.05, rel=1e-15)


def test_it_takes_the_steps_of_optax():
    indices = np.random.default_rng(0).integers(3, size=(1, 30, 2))
    how = {"lr": 0.05, "eps": 1e-3, "weight_decay": 0.1}
    ours = Lab().run(UNLIKE, "adamw", x0=[0.8, -0.6], indices=indices, beta1=0.8, beta2=0.95, **how)
    theirs = optax.adamw(0.05, b1=0.8, b2=0.95, eps=1e-3, weight_decay=0.1)

    def step(carry, batch):
        x, state = carry
        update, state = theirs.update(UNLIKE.oracle(batch).grad(x), state, x)
        return (x + update, state), x + update

    start = jnp.array([0.8, -0.6])
    _, path = jax.lax.scan(step, (start, theirs.init(start)), indices[0])
    assert np.allclose(ours.x[0, 1:], path, rtol=1e-12, atol=1e-15)

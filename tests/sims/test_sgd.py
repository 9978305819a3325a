"""SGD's steps, worked by hand on f(x) = x^2 (Hessian 2)."""

import numpy as np
import pytest

from sims.lab import Lab
from theory.problems.quadratic import quadratic

PARABOLA = quadratic([[[2.0]]])


def path(**hyper) -> np.ndarray:
    return Lab().run(PARABOLA, "sgd", x0=[1.0], steps=2, batch=None, **hyper).x[0, :, 0]


def test_a_plain_step_subtracts_lr_times_the_gradient():
    assert path(lr=0.25) == pytest.approx([1, 0.5, 0.25], rel=1e-15)


def test_the_buffer_starts_as_the_first_gradient():
    # b_1 = 2, x_1 = 1 - .2; b_2 = .5 * 2 + 1.6 = 2.6, x_2 = .8 - .26
    assert path(lr=0.1, momentum=0.5) == pytest.approx([1, 0.8, 0.54], rel=1e-14)


def test_decay_is_added_to_the_gradient_and_enters_the_buffer():
    # d_1 = 2 + 1 = 3, x_1 = .7; b_2 = .5 * 3 + 2.1 = 3.6, x_2 = .7 - .36
    moved = path(lr=0.1, momentum=0.5, weight_decay=1.0)
    assert moved == pytest.approx([1, 0.7, 0.34], rel=1e-14)

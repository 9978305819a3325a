"""SAM's steps, worked by hand."""

import numpy as np
import pytest

from sims.lab import Lab
from theory.problems.quadratic import quadratic

PARABOLA = quadratic([[[2.0]]])


def test_the_climb_has_length_rho_whatever_the_gradient():
    # x = 1: climb to 1.5, gradient 3; x = .7: climb to 1.2, gradient 2.4
    x = Lab().run(PARABOLA, "sam", x0=[1.0], steps=2, batch=None, lr=0.1, rho=0.5).x
    assert x[0, :, 0] == pytest.approx([1, 0.7, 0.46], rel=1e-11)


def test_the_norm_is_over_all_coordinates():
    # g = (3, 4), ||g|| = 5, climb by (.6, .8) * 5 = (3, 4)
    bowl = quadratic(np.eye(2)[None])
    x = Lab().run(bowl, "sam", x0=[3.0, 4.0], steps=1, batch=None, lr=0.5, rho=5.0).x
    assert x[0, 1] == pytest.approx([0.0, 0.0], abs=1e-11)
    assert np.any(x[0, 1] != 0)  # 1e-12 in the norm shortens the climb


def test_both_gradients_see_the_same_batch():
    # sample 1 is flat in the first coordinate: nothing moves there, climbing or descending
    problem = quadratic([[[1.0, 0], [0, 0]], [[0.0, 0], [0, 1]]])
    x = Lab().run(problem, "sam", x0=[1.0, 1.0], indices=[[[1]]], lr=0.5, rho=1.0).x
    assert x[0, 1] == pytest.approx([1.0, 0.0], abs=1e-11)


def test_decay_acts_on_the_point_not_on_the_climb_nor_its_direction():
    # climb to 1.5: gradient 3, plus decay 1 * x = 1; b_2 = .5 * 4 + 2 * 1.1 + .6 = 4.8
    how = {"lr": 0.1, "rho": 0.5, "momentum": 0.5, "weight_decay": 1.0}
    x = Lab().run(PARABOLA, "sam", x0=[1.0], steps=2, batch=None, **how).x
    assert x[0, :, 0] == pytest.approx([1, 0.6, 0.12], rel=1e-10)


def test_it_settles_into_a_two_cycle_of_the_known_width():
    # |s| = eta rho l/(2 - eta l) with eta l = .5, rho = .2: .5 * .2/1.5
    x = Lab().run(PARABOLA, "sam", x0=[1.0], steps=200, batch=None, lr=0.25, rho=0.2).x
    assert x[0, -1, 0] == pytest.approx(-x[0, -2, 0], rel=1e-10)
    assert abs(x[0, -1, 0]) == pytest.approx(0.1 / 1.5, rel=1e-10)

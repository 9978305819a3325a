"""m-SAM's steps, worked by hand."""

import numpy as np
import pytest

from sims.lab import Lab, build
from theory.core import InputError
from theory.problems.quadratic import quadratic

SCALARS = quadratic([[[1.0]], [[3.0]], [[2.0]], [[4.0]]])
UNLIKE = quadratic(factors=[[[1.0, 0.5]], [[-0.3, 1.2]], [[0.7, 0.1]], [[0.2, -0.9]]])
HOW = {"x0": [0.8, -0.6], "steps": 25, "batch": 4, "seed": 3, "lr": 0.2, "rho": 0.4}


def landing(batch, **hyper) -> float:
    return (
        Lab().run(SCALARS, "msam", x0=[1.0], indices=[[batch]], lr=0.1, rho=0.5, **hyper).x[0, 1, 0]
    )


def test_each_group_climbs_along_its_own_gradient():
    # signs are all +, so every climb ends at 1.5
    assert landing([0, 1, 2, 3], m=2) == pytest.approx(1 - 0.1 * 2.5 * 1.5, rel=1e-11)
    # unnormalised: groups of means 2 and 3 climb to 2 and 2.5: mean of 4 and 7.5
    found = landing([0, 1, 2, 3], m=2, normalised=False)
    assert found == pytest.approx(1 - 0.1 * 5.75, rel=1e-14)


def test_groups_are_consecutive_in_the_order_drawn():
    # groups {1, 2} and {3, 4}, means 1.5 and 3.5: mean of 1.5 * 1.75 and 3.5 * 2.75
    found = landing([0, 2, 1, 3], m=2, normalised=False)
    assert found == pytest.approx(1 - 0.1 * (2.625 + 9.625) / 2, rel=1e-14)


def test_groups_of_one_climb_in_as_many_directions():
    problem = quadratic([[[1.0, 0], [0, 0]], [[0.0, 0], [0, 1]]])
    how = {"x0": [1.0, 1.0], "indices": [[[0, 1]]], "lr": 1.0, "rho": 1.0}
    # along (1, 0) and along (0, 1): gradients (2, 0) and (0, 2)
    assert Lab().run(problem, "msam", **how).x[0, 1] == pytest.approx([0, 0], abs=1e-11)
    # together along (1, 1)/sqrt 2: gradients (1 + 1/sqrt 2, 0) and (0, 1 + 1/sqrt 2)
    found = Lab().run(problem, "msam", m=2, **how).x[0, 1]
    assert found == pytest.approx([0.5 - 0.5**1.5] * 2, rel=1e-11)


def test_one_group_is_sam():
    how = HOW | {"momentum": 0.5, "weight_decay": 0.01}
    ours, sam = Lab().run(UNLIKE, "msam", m=4, **how), Lab().run(UNLIKE, "sam", **how)
    assert np.allclose(ours.x, sam.x, rtol=1e-12, atol=1e-15)
    apart = Lab().run(UNLIKE, "msam", m=2, **how)
    assert not np.allclose(apart.x, sam.x, rtol=1e-2)


def test_unnormalised_groups_of_one_are_per_sample_usam():
    ours = Lab().run(UNLIKE, "msam", normalised=False, **HOW)
    usam = Lab().run(UNLIKE, "usam", ascent="per-sample", **HOW)
    assert np.allclose(ours.x, usam.x, rtol=1e-12, atol=1e-15)


def test_the_full_batch_is_cut_as_well():
    how = HOW | {"batch": None}
    ours, sam = Lab().run(UNLIKE, "msam", m=4, **how), Lab().run(UNLIKE, "sam", **how)
    assert np.allclose(ours.x, sam.x, rtol=1e-12, atol=1e-15)


def test_the_batch_must_be_a_multiple_of_m():
    with pytest.raises(InputError, match="divisor of the batch size 4"):
        landing([0, 1, 2, 3], m=3)


@pytest.mark.parametrize("m", [0, -1, 1.5, True, "two"])
def test_m_is_a_whole_number(m):
    with pytest.raises(InputError, match="m: got"):
        build("msam", m=m)

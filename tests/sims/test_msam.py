"""m-SAM's steps, worked by hand."""

import numpy as np
import pytest

from sims.lab import build
from theory.core import InputError
from theory.problems.quadratic import quadratic

SCALARS = quadratic([[[1.0]], [[3.0]], [[2.0]], [[4.0]]])
UNLIKE = quadratic(factors=[[[1.0, 0.5]], [[-0.3, 1.2]], [[0.7, 0.1]], [[0.2, -0.9]]])
BATCHES = [*np.random.default_rng(3).integers(4, size=(25, 4)), None]


def walk(problem, key, x, batches, **hyper):
    """Where the steps over these batches, on NumPy, lead from x."""
    optimizer, x = build(key, **hyper), np.array(x)
    state = optimizer.init(x)
    for batch in batches:
        x, state = optimizer.step(problem.oracle(batch), x, state)
    return x


def far(key, **hyper):
    return walk(UNLIKE, key, [0.8, -0.6], BATCHES, lr=0.2, rho=0.4, **hyper)


def landing(batch, **hyper):
    return walk(SCALARS, "msam", [1.0], [np.array(batch)], lr=0.1, rho=0.5, **hyper)[0]


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
    how = {"lr": 1.0, "rho": 1.0}
    # along (1, 0) and along (0, 1): gradients (2, 0) and (0, 2)
    found = walk(problem, "msam", [1.0, 1.0], [np.array([0, 1])], **how)
    assert found == pytest.approx([0, 0], abs=1e-11)
    # together along (1, 1)/sqrt 2: gradients (1 + 1/sqrt 2, 0) and (0, 1 + 1/sqrt 2)
    found = walk(problem, "msam", [1.0, 1.0], [np.array([0, 1])], m=2, **how)
    assert found == pytest.approx([0.5 - 0.5**1.5] * 2, rel=1e-11)


def test_one_group_is_sam_also_over_the_full_batch():
    how = {"momentum": 0.5, "weight_decay": 0.01}
    assert far("msam", m=4, **how) == pytest.approx(far("sam", **how), rel=1e-12)
    assert far("msam", m=2, **how) != pytest.approx(far("sam", **how), rel=1e-2)


def test_unnormalised_groups_of_one_are_per_sample_usam():
    ours, usam = far("msam", normalised=False), far("usam", ascent="per-sample")
    assert ours == pytest.approx(usam, rel=1e-12)


def test_the_batch_must_be_a_multiple_of_m():
    with pytest.raises(InputError, match="divisor of the batch size 4"):
        landing([0, 1, 2, 3], m=3)


@pytest.mark.parametrize("m", [0, -1, 1.5, True, "two"])
def test_m_is_a_whole_number(m):
    with pytest.raises(InputError, match="m: got"):
        build("msam", m=m)

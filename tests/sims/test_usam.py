"""USAM's steps, worked by hand."""

import numpy as np
import pytest

from sims.lab import Lab, build
from theory.core import InputError
from theory.problems.quadratic import quadratic

PAIR = quadratic([[[1.0]], [[3.0]]])  # the mean Hessian is 2


def landing(batch, **hyper) -> float:
    return Lab().run(PAIR, "usam", x0=[1.0], indices=[[batch]], lr=0.1, **hyper).x[0, 1, 0]


def test_the_climb_is_proportional_to_the_gradient():
    # sample 1: g = 3, climb to 2.5, gradient 7.5
    assert landing([1], rho=0.5) == pytest.approx(0.25, rel=1e-14)


def test_shared_ascent_climbs_along_the_batch_gradient():
    # H_S + rho H_S^2 = 2 + .5 * 4
    assert landing([0, 1], rho=0.5) == pytest.approx(1 - 0.1 * 4, rel=1e-14)


def test_per_sample_ascent_climbs_along_each_samples_own():
    # mean of 1 + .5 and 3 + 4.5
    found = landing([0, 1], rho=0.5, ascent="per-sample")
    assert found == pytest.approx(1 - 0.1 * 4.5, rel=1e-14)
    repeated = landing([1, 1, 0], rho=0.5, ascent="per-sample")
    assert repeated == pytest.approx(1 - 0.1 * (7.5 + 7.5 + 1.5) / 3, rel=1e-14)


@pytest.mark.parametrize("batch", [[0], [1], [1, 1]])
def test_both_ascents_agree_on_batches_of_one_kind(batch):
    assert landing(batch, rho=0.5) == pytest.approx(landing(batch, rho=0.5, ascent="per-sample"))


def test_on_a_quadratic_it_is_sgd_on_the_raised_hessians():
    H = np.array([[[2.0, 1.0], [1.0, 1.0]], [[1.0, -0.5], [-0.5, 2.0]]])
    same = {"x0": [1.0, -2.0], "steps": 30, "batch": 2, "seed": 5, "momentum": 0.3}
    ours = Lab().run(quadratic(H), "usam", rho=0.4, ascent="per-sample", **same)
    raised = Lab().run(quadratic(H + 0.4 * (H @ H)), "sgd", **same)
    assert np.allclose(ours.x, raised.x, rtol=1e-11, atol=1e-15)


def test_other_kinds_of_ascent_are_refused():
    with pytest.raises(InputError, match="per-sample"):
        build("usam", ascent="sideways")

"""M-Sassha's steps, worked by hand."""

import math

import numpy as np
import pytest

from sims.lab import Lab, build
from theory.problems.quadratic import quadratic

PARABOLA = quadratic([[[2.0]]])
EXACT = {"eps": 0, "lazy_hessian": 1, "diagonal": "exact", "beta2": 0}


def path(problem, x0, steps, **how):
    return Lab().run(problem, "msassha", x0=x0, steps=steps, batch=None, **EXACT | how).x[0]


def test_the_first_step_does_not_climb_and_the_second_climbs_along_the_average():
    # g = 2; x = 1 - .1 * 2/sqrt 2; then from x + .5: m = .5 * 1 + g/2, corrected by 1 - .25
    x = path(PARABOLA, [1.0], 2, lr=0.1, rho=0.5, beta1=0.5)[:, 0]
    first = 1 - 0.1 * 2 / math.sqrt(2)
    m = (0.5 * 1 + 0.5 * 2 * (first + 0.5)) / 0.75
    assert x == pytest.approx([1, first, first - 0.1 * m / math.sqrt(2)], rel=1e-11)


def test_the_climb_follows_the_previous_gradient_without_memory():
    # m is the gradient of step 1, (3, 4) * (1, 2): the climb has its direction, not that of now
    H = np.diag([1.0, 2.0])
    one = np.array([3.0, 4.0]) - 0.1 * np.array([3.0, 8.0]) / np.sqrt([1, 2])
    above = one + 5 * np.array([3.0, 8.0]) / math.sqrt(73)
    two = one - 0.1 * H @ above / np.sqrt([1, 2])
    x = path(quadratic(H[None]), [3.0, 4.0], 2, lr=0.1, rho=5.0, beta1=0)
    assert x[1] == pytest.approx(one, rel=1e-14)
    assert x[2] == pytest.approx(two, rel=1e-11)


class Counting:
    """An oracle that counts what it is asked."""

    def __init__(self, oracle):
        self.oracle, self.asked = oracle, {"grad": 0, "hvp": 0}

    def __getattr__(self, name):
        if name in self.asked:
            self.asked[name] += 1
        return getattr(self.oracle, name)


@pytest.mark.parametrize(("key", "gradients"), [("sassha", 2), ("msassha", 1)])
def test_a_step_costs_one_gradient_and_now_and_then_a_hessian_product(key, gradients):
    optimizer = build(key, lazy_hessian=5)
    oracle = Counting(PARABOLA.oracle(None, lambda t, j, kind: np.ones(1)))
    x, state = np.ones(1), optimizer.init(np.ones(1))
    for _ in range(10):
        x, state = optimizer.step(oracle, x, state)
    assert oracle.asked == {"grad": 10 * gradients, "hvp": 2}

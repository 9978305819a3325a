"""Sassha's steps, worked by hand, and its closed forms on quadratics."""

import math

import numpy as np
import pytest

from sims.lab import Lab, build
from theory.core import InputError
from theory.problems.quadratic import Quadratic, quadratic

PARABOLA = quadratic([[[2.0]]])
NO_MEMORY = {"beta1": 0, "beta2": 0, "eps": 0, "lazy_hessian": 1}
EXACT = NO_MEMORY | {"diagonal": "exact"}


def walk(optimizer, problem, x, probes=(), batches=(None,)):
    """The points on the way, one array each; `probes` in the order drawn."""
    left = [np.array(probe, dtype=float) for probe in probes]
    points, state = [np.array(x, dtype=float)], optimizer.init(np.array(x, dtype=float))
    for batch in batches:
        oracle = problem.oracle(batch, lambda t, j, kind: left.pop(0))
        x, state = optimizer.step(oracle, points[-1], state)
        points.append(x)
    assert not left
    return np.array(points)


def test_two_steps_by_hand():
    # climb to 1.5: g = 3, D = 2. Then x = 1 - .3/(sqrt 2 + 1), climb by .5, m = .5 * 1.5 + g/2
    how = {"lr": 0.1, "rho": 0.5, "beta1": 0.5, "beta2": 0.75, "eps": 1.0, "lazy_hessian": 1}
    x = walk(build("sassha", **how), PARABOLA, [1.0], [[1], [-1]], [None] * 2)[:, 0]
    first = 1 - 0.1 * 3 / (math.sqrt(2) + 1)
    m = (0.5 * 1.5 + 0.5 * 2 * (first + 0.5)) / 0.75
    assert x == pytest.approx([1, first, first - 0.1 * m / (math.sqrt(2) + 1)], rel=1e-11)


def test_gradient_and_curvature_are_those_of_the_climbed_point_on_one_batch():
    class Quartic(Quadratic):
        """f_i(x) = h_i x^4 / 12, with Hessian h_i x^2."""

        gradient = None

        def losses(self, x, hessians):
            return hessians[:, 0, 0] * (x @ x) ** 2 / 12

    problem = Quartic(np.array([[[3.0]], [[50.0]]]), np.full(2, 0.5))
    # sample 0 at 1 + 1: g = 3 * 8/3, D = 3 * 4
    found = walk(build("sassha", lr=0.1, rho=1, **NO_MEMORY), problem, [1.0], [[1]], [[0]])
    assert found[1, 0] == pytest.approx(1 - 0.1 * 8 / math.sqrt(12), rel=1e-11)


def test_decay_shrinks_the_point_by_lr_times_weight_decay():
    found = walk(build("sassha", lr=0.1, rho=0, weight_decay=0.5, **EXACT), PARABOLA, [1.0])
    assert found[1, 0] == pytest.approx(0.95 - 0.1 * math.sqrt(2), rel=1e-14)


def test_the_absolute_value_is_of_the_mean_over_probes():
    # z * Hz is 3 for (1, 1) and -1 for (1, -1): the mean is 1, that of absolute values 2
    problem = Quadratic(np.array([[[1.0, 2.0], [2.0, 1.0]]]), np.ones(1))
    how = {"lr": 0.1, "rho": 0, "n_samples": 2} | NO_MEMORY
    found = walk(build("sassha", **how), problem, [1.0, 1.0], [[1, 1], [1, -1]])
    assert found[1] == pytest.approx([1 - 0.3] * 2, rel=1e-14)


SADDLE = Quadratic(np.array([[[4.0, 0], [0, -4.0]]]), np.ones(1))


@pytest.mark.parametrize(
    ("choice", "landing"),
    [
        ({}, (0.8, 1.2)),  # leaves the saddle
        ({"absolute": False}, (0.8, 0.8)),  # is drawn to it
        ({"power": 1.0}, (0.9, 1.1)),
        ({"power": 1.0, "eps": 1.0}, (1 - 0.4 / 5, 1 + 0.4 / 5)),
        ({"power": 1.0, "eps": 6.0, "guard": "clipping"}, (1 - 0.4 / 6, 1 + 0.4 / 6)),
        ({"power": 1.0, "eps": 1.0, "absolute": False}, (1 - 0.4 / 5, 1 - 0.4 / 3)),
        ({"power": 1.0, "eps": 1.0, "absolute": False, "guard": "clipping"}, (0.9, 1.4)),
    ],
)
def test_root_sign_damping_and_clipping_are_choices(choice, landing):
    found = walk(build("sassha", lr=0.1, rho=0, **EXACT | choice), SADDLE, [1.0, 1.0])
    assert found[1] == pytest.approx(landing, rel=1e-14)


@pytest.mark.parametrize("kind", ["rademacher", "gaussian"])
def test_the_probes_are_of_the_kind_asked_for_and_numbered_within_the_step(kind):
    asked = []
    optimizer = build("sassha", n_samples=2, lazy_hessian=2, probe=kind)
    x, state = np.ones(1), optimizer.init(np.ones(1))
    oracle = PARABOLA.oracle(None, lambda *draw: asked.append(draw) or np.ones(1))
    for _ in range(4):
        x, state = optimizer.step(oracle, x, state)
    assert asked == [(0, 0, kind), (0, 1, kind), (2, 0, kind), (2, 1, kind)]


def test_without_a_source_of_probes_only_the_exact_diagonal_runs():
    exact, estimated = build("sassha", diagonal="exact"), build("sassha")
    oracle, x = PARABOLA.oracle(None), np.ones(1)
    assert exact.step(oracle, x, exact.init(x))[0] < 1
    with pytest.raises(InputError, match="probes: got none"):
        estimated.step(oracle, x, estimated.init(x))


# Closed forms on a diagonal Hessian, no memory


@pytest.mark.parametrize("normalised", [False, True])
def test_on_a_quadratic_the_step_is_the_published_factor(normalised):
    lam, eta, rho, w, eps = np.array([0.5, 2.0, 9.0]), 0.05, 0.2, 0.3, 0.1
    x = np.array([1.0, -2.0, 0.5])
    s = 1 / np.linalg.norm(lam * x) if normalised else 1.0
    how = EXACT | {"eps": eps, "weight_decay": w, "normalised": normalised}
    found = walk(build("sassha", lr=eta, rho=rho, **how), quadratic(np.diag(lam)[None]), x)
    factor = 1 - eta * w - eta * lam * (1 + rho * lam * s) / (np.sqrt(lam) + eps)
    assert found[1] == pytest.approx(factor * x, rel=1e-11)


def test_it_settles_into_an_orbit_of_the_known_width():
    lam, eta, rho, w, eps = 4.0, 0.3, 0.1, 0.2, 0.5
    b = lam / (math.sqrt(lam) + eps)
    how = EXACT | {"lr": eta, "rho": rho, "weight_decay": w, "eps": eps}
    x = Lab().run(quadratic([[[lam]]]), "sassha", x0=[1.0], steps=200, batch=None, **how).x[0, :, 0]
    assert x[-1] == pytest.approx(-x[-2], rel=1e-9)  # 1e-12 in the norm shortens the climb
    assert abs(x[-1]) == pytest.approx(eta * rho * b / (2 - eta * w - eta * b), rel=1e-9)


def test_counting_steps_instead_of_refreshes_inflates_the_step_as_derived():
    """c_t = (1 - b^{j+1})/(1 - b^{1+jk}), j = floor((t-1)/k); the step grows by 1/sqrt(c_t)."""
    b, k, lr, steps = 0.999, 10, 1e-4, 10_001
    how = {"lr": lr, "rho": 0, "beta1": 0, "beta2": b, "eps": 0, "lazy_hessian": k}
    how |= {"diagonal": "exact", "x0": [1.0], "steps": steps, "batch": None}
    t = np.arange(1, steps + 1)
    j = (t - 1) // k
    c = (1 - b ** (j + 1.0)) / (1 - b ** (1.0 + j * k))
    total = 1 - b ** (j + 1.0)  # the weight given to the refreshes so far
    expected = {"step": 1 / np.sqrt(c), "refresh": np.ones(steps), "none": 1 / np.sqrt(total)}
    for rule, growth in expected.items():
        x = Lab().run(quadratic([[[1.0]]]), "sassha", bias_correction=rule, **how).x[0, :, 0]
        found = (1 - x[1:] / x[:-1]) / lr
        # one rounding of 1 - x+/x is 1e-16/lr; b^t and the recursion of D differ by steps * 1e-16
        assert np.allclose(found, growth, rtol=2e-11)
        if rule == "step":
            assert [round(found[at - 1], 3) for at in (1, 10, 11, 10_001)] == [1, 1, 2.34, 1.257]
            assert (found.argmax() + 1, round(found.max(), 3)) in {
                (at, 2.972) for at in range(141, 151)
            }

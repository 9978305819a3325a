"""The inequalities the worst-case claims start from hold for functions of the class, and only there."""

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from proofs_check.checker import read
from proofs_check.library import entry
from theory.claims._smooth_convex import cycle, secant

MU, L = 0.3, 2.0
D = L - MU
ROUNDING = 1e-12  # a few dozen products of numbers below 100


class LogCosh:
    """f(x) = mu |x|^2/2 + sum_j c_j log cosh(a_j'x), mu-strongly convex and L-smooth, least at 0."""

    def __init__(self, rng, d):
        self.a = rng.standard_normal((4, d))
        self.c = rng.random(4)
        self.c *= D / np.linalg.norm((self.a.T * self.c) @ self.a, 2)

    def value(self, x):
        return MU * x @ x / 2 + self.c @ np.log(np.cosh(self.a @ x))

    def grad(self, x):
        return MU * x + self.a.T @ (self.c * np.tanh(self.a @ x))


def model():
    return SimpleNamespace(inner=lambda u, v: u @ v, mu=MU, L=L)


def gap(f, a, b):
    """2D times the interpolation inequality at (a, b), with the values of f."""
    u, v = (f.grad(p) - MU * p for p in (a, b))
    h = f.value(a) - MU * a @ a / 2 - (f.value(b) - MU * b @ b / 2)
    return 2 * D * (h - v @ (a - b)) - (u - v) @ (u - v)


CASES = [(seed, d) for seed in range(10) for d in (1, 2, 5)]


@pytest.mark.parametrize(("seed", "d"), CASES)
def test_they_are_sums_of_interpolation_inequalities_and_hold(seed, d):
    rng = np.random.default_rng(seed)
    f, m = LogCosh(rng, d), model()
    x, y, zero = *rng.standard_normal((2, d)), np.zeros(d)
    g, k = f.grad(x), f.grad(y)
    assert min(gap(f, a, b) for a in (x, y, zero) for b in (x, y, zero)) >= -ROUNDING
    there_and_back = (gap(f, zero, x) + gap(f, x, zero)) / 2
    around = gap(f, zero, y) + gap(f, y, x) + gap(f, x, zero)
    assert secant(m, x, g) == pytest.approx(there_and_back, abs=ROUNDING)
    assert cycle(m, x, g, y, k) == pytest.approx(around, abs=ROUNDING)


def test_the_witness_against_any_climb_has_values():
    """mu = 0, L = 1: f_a >= f_b + <g_b, a - b> + |g_a - g_b|^2/2 at all pairs of 0, x and y."""
    point = read(entry("usam_worst_case_any_climb").certificates[0])["witness"]
    x, g, k = (np.array([Fraction(v) for v in point[name]]) for name in "xgk")
    rho, eta = Fraction(point["rho"]), Fraction(point["eta"])
    assert (point["mu"], point["L"]) == ("0", "1")
    nodes = ((0 * x, 0 * g, Fraction(0)), (x, g, Fraction(1, 4)), (x + rho * g, k, Fraction(15, 8)))
    for a, u, high in nodes:
        for b, v, low in nodes:
            assert high >= low + v @ (a - b) + (u - v) @ (u - v) / 2
    after = x - eta * k
    assert after @ after == Fraction(10, 9) * (x @ x)
    assert max(1, eta * (1 + rho) - 1) == 1  # quadratics do not grow


def test_a_function_curved_one_per_cent_too_much_breaks_both():
    m = model()
    x = np.array([1.0])
    g = 1.01 * L * x
    assert secant(m, x, g) < 0
    assert cycle(m, x, 0 * x, x, g) < 0


def test_gradients_that_turn_break_the_cycle_alone():
    """A rotation meets the secant inequality everywhere, but is no gradient."""
    m = model()
    centre, radius = (MU + L) / 2, D / 2
    turn = np.array([[centre, -radius], [radius, centre]])
    x, y = np.array([1.0, 0.0]), np.array([0.6, 0.8])
    assert secant(m, x, turn @ x) == pytest.approx(0, abs=ROUNDING)
    assert min(cycle(m, a, turn @ a, b, turn @ b) for a, b in ((x, y), (y, x))) < -0.1

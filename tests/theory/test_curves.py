"""Piecewise quadratics against integration, dense sampling, hand calculation and enumeration."""

from fractions import Fraction
from itertools import pairwise, product
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import minimize_scalar

from theory.curves import Curve, PiecewiseModel, batches, mean

F = Fraction
# f'' = 1 left of -3, -1 up to -1, 1 right of it: wells at 0 and -4, a barrier at -2.
WELLS = Curve(F(0), F(0), F(0), (F(-3), F(-1)), (F(1), F(-1), F(1)))
SMALL = st.fractions(min_value=-4, max_value=4, max_denominator=6)


@st.composite
def curves(draw, bowls=False):
    breaks = sorted(draw(st.sets(SMALL, max_size=4)))
    bends = [draw(SMALL) for _ in range(len(breaks) + 1)]
    if bowls:
        bends[0], bends[-1] = abs(bends[0]) + F(1, 2), abs(bends[-1]) + F(1, 2)
    return Curve(draw(SMALL), draw(SMALL), draw(SMALL), tuple(breaks), tuple(bends))


def test_two_wells_by_hand():
    assert [WELLS(x) for x in (0, -1, -2, -3, -4, -5)] == [0, F(1, 2), 1, F(1, 2), 0, F(1, 2)]
    assert [WELLS.slope(x) for x in (1, -1, -2, -3, -4)] == [1, -1, 0, 1, 0]
    assert (WELLS.least, WELLS.smoothness, WELLS.convexity) == (0, 1, -1)
    assert WELLS.pl == 0  # the barrier is stationary and not least
    assert [WELLS.curvature(x) for x in (-4, -3, -2, -1, 0)] == [1, -1, -1, 1, 1]
    assert WELLS.spread(F(-1), F(7)) == 0 and WELLS.spread(F(0), F(-2)) == 2
    assert WELLS.least_slope(F(-7, 2), F(-5, 2)) == F(1, 2)


@given(curves(), SMALL)
@settings(max_examples=60)
def test_slope_and_value_are_integrals_of_the_curvature(f, x):
    """The integrals by adaptive quadrature, told where the breaks are."""
    low, high = sorted((float(f.at), float(x)))
    points = [float(p) for p in f.breaks if low < p < high] or None

    def integral(of):
        return quad(lambda t: float(of(F(t))), float(f.at), float(x), points=points)[0]

    # Quadrature of linear pieces: exact but for rounding of numbers up to a few thousand.
    assert float(f.slope(x) - f.incline) == pytest.approx(integral(f.curvature), abs=1e-9)
    assert float(f(x) - f.value) == pytest.approx(integral(f.slope), abs=1e-9)


@given(curves(bowls=True))
@settings(max_examples=60)
def test_the_minimum_is_found_by_minimisation_too(f):
    """Bracketed on a grid that holds every stationary point: slopes of 1/2 and more point inwards."""
    g = f.converted(float)
    grid = np.linspace(-400, 400, 4001)
    x = grid[np.argmin([g(t) for t in grid])]
    found = minimize_scalar(g, bounds=(x - 0.4, x + 0.4), method="bounded", options={"xatol": 1e-9})
    least = min(found.fun, *map(g, g.breaks), g(x))
    assert float(f.least) <= least + 1e-9
    ends = [-400, *g.breaks, 400]
    pieces = [minimize_scalar(g, bounds=b, method="bounded") for b in pairwise(ends)]
    assert min(least, *(p.fun for p in pieces)) == pytest.approx(float(f.least), abs=1e-5)


@given(curves(bowls=True))
@settings(max_examples=100)
def test_the_pl_constant_bounds_the_quotient_and_is_approached(f):
    """f'^2 >= 2 alpha (f - min f) at every sampled point, and at some not for a larger alpha."""
    spots = {F(k, 16) for k in range(-160, 161)} | {
        p + F(s, 10**6) for p in f.breaks for s in (-1, 0, 1)
    }
    spots |= {a - s / c for *_, c, (a, _, s) in f._pieces() if c}
    spots |= {x + F(s, 10**6) for x in spots for s in (-1, 1)} | {F(10**7), F(-(10**7))}
    gaps = [(f.slope(x) ** 2, f(x) - f.least) for x in spots]
    assert all(square >= 2 * f.pl * gap for square, gap in gaps)
    more = f.pl + F(1, 100)
    assert any(square < 2 * more * gap for square, gap in gaps)


def test_pl_constants_by_hand():
    """x^2/2 up to 1, then the line: f'^2 / 2(f - min f) = 1/(2x - 1) has no positive bound."""
    line = Curve(F(0), F(0), F(0), (F(1),), (F(1), F(0)))
    assert line.pl == 0 and line.bounded_below
    # Curvature 3, then 1 right of 1: 9/(2 * 3/2) = 3 at the break, and 1 at infinity.
    assert Curve(F(0), F(0), F(0), (F(1),), (F(3), F(1))).pl == 1
    # Curvature 1, 9 beyond 1: the quotient 1 at the break is the least.
    assert Curve(F(0), F(0), F(0), (F(1),), (F(1), F(9))).pl == 1
    # 1 up to 2, -1 up to 3, then 1: f' = 1 and f = 7/2 at 3: 1/7.
    assert Curve(F(0), F(0), F(0), (F(2), F(3)), (F(1), F(-1), F(1))).pl == F(1, 7)
    # A plateau at the bottom asks for nothing.
    assert Curve(F(0), F(0), F(0), (F(1),), (F(0), F(2))).pl == 2
    # A plateau above it: 1 up to 1, -1 up to 2, then flat at f = 1.
    assert Curve(F(0), F(0), F(0), (F(1), F(2)), (F(1), F(-1), F(0))).pl == 0


@pytest.mark.parametrize("bends", [(1, -1), (-1, 1), (0, 1), (1, 0)])
def test_what_falls_for_ever_has_no_minimum_and_no_pl_constant(bends):
    """Slope 1 at 0, or -1: down a parabola or a line on one side."""
    tilt = F(1) if bends[0] <= 0 else F(-1)
    f = Curve(F(0), F(0), tilt, (F(0),), tuple(map(F, bends)))
    assert not f.bounded_below and f.pl == 0
    with pytest.raises(ArithmeticError, match="not bounded below"):
        _ = f.least


def test_a_constant_has_no_largest_pl_constant():
    with pytest.raises(ArithmeticError, match="constant"):
        _ = Curve(F(0), F(2), F(0), (F(1),), (F(0), F(0))).pl


@given(st.lists(curves(), min_size=1, max_size=3), SMALL)
@settings(max_examples=60)
def test_a_mean_is_the_mean_at_every_point(fs, x):
    weights = [F(k + 1, len(fs) * (len(fs) + 1) // 2) for k in range(len(fs))]
    f = mean(fs, weights)
    for read in (Curve.__call__, Curve.slope, Curve.curvature):
        assert read(f, x) == sum(w * read(g, x) for w, g in zip(weights, fs, strict=True))


@given(curves(), SMALL, SMALL)
@settings(max_examples=80)
def test_a_drop_is_the_difference_of_two_values(f, x, step):
    assert f.drop(x, step) == f(x) - f(x - step)


def test_a_drop_over_a_tiny_step_keeps_its_digits():
    f = WELLS.converted(float)
    assert f.drop(3.0, 1e-13) == pytest.approx(3e-13, rel=1e-12)
    assert abs((f(3.0) - f(3.0 - 1e-13)) / 3e-13 - 1) > 1e-3  # where a difference does not


def test_single_steps_by_hand():
    assert WELLS.gd(F(2), F(1, 2)) == 1
    assert WELLS.usam(F(2), F(1, 2), F(1, 4)) == F(3, 4)  # climbs to 5/2
    assert WELLS.sam(F(2), F(1, 2), F(1)) == F(1, 2)  # climbs to 3
    assert WELLS.sam(F(-3), F(1, 2), F(3)) == -3  # climbs to the minimum at 0
    assert WELLS.sam(F(-1), F(1, 2), F(1)) == -1  # climbs to the left, to the barrier
    assert WELLS.sam(F(0), F(1, 2), F(1)) == 0  # no gradient, no climb


def sequences(m, x, ascent, replacement):
    """E f(x+) over every sequence of m.B draws, straight from the definition of the step."""
    n, B = len(m.samples), int(m.B)
    total, mass = F(0), F(0)
    for drawn in product(range(n), repeat=B):
        if not replacement and len(set(drawn)) < B:
            continue
        chance = F(1)
        for i in drawn:
            chance *= m.weights[i]
        batch = [m.samples[i] for i in drawn]
        if ascent == "shared":
            up = x + m.rho * sum(f.slope(x) for f in batch) / B
            g = sum(f.slope(up) for f in batch) / B
        else:
            g = sum(f.slope(x + m.rho * f.slope(x)) for f in batch) / B
        total, mass = total + chance * m.f(x - m.eta * g), mass + chance
    return total / mass


@pytest.mark.parametrize("ascent", ["shared", "per-sample"])
@pytest.mark.parametrize("replacement", [True, False])
@pytest.mark.parametrize("B", [1, 2, 3])
def test_the_expectation_is_the_mean_over_all_sequences(ascent, replacement, B):
    fs = [
        WELLS,
        Curve(F(0), F(0), F(0), (F(1),), (F(1), F(4))),
        Curve(F(1), F(0), F(1), (), (F(2),)),
    ]
    weights = [F(1, 2), F(1, 3), F(1, 6)] if replacement else [F(1, 3)] * 3
    m = PiecewiseModel({}, fs, weights, {"B": F(B), "eta": F(1, 3), "rho": F(2, 5)})
    for x in (F(-5, 2), F(3, 2)):
        after = m.f(x) - m.expected_decrease(x, ascent, replacement=replacement)
        assert after == sequences(m, x, ascent, replacement)


def test_a_hundred_draws_of_two_make_a_hundred_and_one_batches():
    found = list(batches(100, [F(1, 2)] * 2, True))
    assert len(found) == 101 and sum(chance for chance, _ in found) == 1
    assert next(c for c, counts in found if counts == (50, 50)) == F(comb(100, 50), 2**100)


def test_floats_drawn_first_leave_fractions_exact():
    """1/2 and 0.5 are equal and have one hash, so nothing may be remembered by weight."""
    list(batches(3, [0.5, 0.5], True))
    assert all(type(chance) is F for chance, _ in batches(3, [F(1, 2)] * 2, True))


@pytest.mark.parametrize(("size", "weights"), [(4, [F(1, 3)] * 3), (2, [F(1, 4), F(3, 4)])])
def test_without_replacement_needs_enough_samples_of_equal_weight(size, weights):
    with pytest.raises(ValueError, match="without replacement"):
        list(batches(size, weights, False))


@given(curves(bowls=True), SMALL)
@settings(max_examples=40)
def test_floats_read_the_same_function(f, x):
    g = f.converted(float)
    for exact, rough in ((f(x), g(float(x))), (f.slope(x), g.slope(float(x))), (f.least, g.least)):
        assert rough == pytest.approx(float(exact), rel=1e-9, abs=1e-9)

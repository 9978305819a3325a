"""Figures refuse what they cannot show, naming the first entry that is wrong."""

import math

import numpy as np
import pytest

from sims.plots import (
    _doors,
    bound_map,
    ladder,
    landscape,
    loss_curves,
    phase_diagram,
    spectra,
    two_cycle,
    width_curves,
)
from theory.core import InputError

ONE = np.ones((2, 3))
T = np.arange(3)


def test_numbers_come_back_as_floats_and_what_is_lost_as_infinite():
    found = _doors.numbers([[1, math.nan], [math.inf, 2]], "x", "runs", 2, lost=True)
    assert found.tolist() == [[1, math.inf], [math.inf, 2]]
    assert _doors.numbers([1, math.inf], "x", "m", finite=False).tolist() == [1, math.inf]
    assert _doors.numbers(3, "x") == 3.0


@pytest.mark.parametrize(
    ("value", "shape", "options", "message"),
    [
        ([1, math.nan], ("m",), {}, "x[1]: got nan; allowed: finite numbers"),
        ([1, math.inf], ("m",), {}, "x[1]: got inf; allowed: finite numbers"),
        ([math.nan], ("m",), {"finite": False}, "x[0]: got nan; allowed: numbers, also infinite"),
        (
            [[2, -1]],
            ("m", 2),
            {"least": 0},
            "x[0, 1]: got -1.0; allowed: finite numbers, at least 0",
        ),
        ([0.0], ("m",), {"positive": True}, "x[0]: got 0.0; allowed: finite numbers, positive"),
        ([], ("m",), {}, "x: got float64 (0,); allowed: a real array (m,)"),
        ([1, 2], (3,), {}, "x: got int64 (2,); allowed: a real array (3,)"),
        ([1, 2], ("m", 2), {}, "x: got int64 (2,); allowed: a real array (m, 2)"),
        ([[1], [1, 2]], ("m", 2), {}, "x: got rows of different lengths; allowed: an array (m, 2)"),
        (["a"], ("m",), {}, "x: got <U1 (1,); allowed: a real array (m,)"),
        (math.nan, (), {}, "x: got nan; allowed: finite numbers"),
    ],
)
def test_what_numbers_refuses(value, shape, options, message):
    with pytest.raises(InputError) as caught:
        _doors.numbers(value, "x", *shape, **options)
    assert str(caught.value).startswith(message)


def test_a_step_of_divergence_is_whole_and_minus_one_is_never():
    assert _doors.divergence([-1, 4], "d", (2,)).tolist() == [math.inf, 4]
    assert _doors.divergence(None, "d", (2,)).tolist() == [math.inf, math.inf]
    for wrong in ([-2, 0], [0.5, 1], [1, 2, 3], [math.inf, 1]):
        with pytest.raises(InputError, match=r"^d"):
            _doors.divergence(wrong, "d", (2,))


@pytest.mark.parametrize(
    ("draw", "field"),
    [
        (lambda: loss_curves.draw(T, {"a": ONE[:, :2]}), "loss['a']"),
        (lambda: loss_curves.draw(T[::-1], {"a": ONE}), "steps[1]"),
        (lambda: loss_curves.draw(T, {}), "loss"),
        (lambda: loss_curves.draw(T, ONE), "loss"),
        (lambda: loss_curves.draw(T, {str(i): ONE for i in range(7)}), "loss"),
        (lambda: loss_curves.draw(T, {"a": -ONE}), "loss['a'][0, 0]"),
        (lambda: loss_curves.draw(T, {"a": 0 * ONE}), "loss"),
        (lambda: loss_curves.draw(T, {"a": ONE}, diverged_at={"b": [-1, -1]}), "diverged_at"),
        (lambda: loss_curves.draw(T, {"a": ONE}, diverged_at={"a": [-1]}), "diverged_at['a']"),
        (lambda: loss_curves.draw(T, {"a": ONE}, predicted={"a": ONE[0, :2]}), "predicted['a']"),
        (lambda: phase_diagram.draw([0, 1], [1, 2, 3], ONE.T), "rate"),
        (lambda: phase_diagram.draw([0, 1], [1, 2, 3], ONE, diverged_at=ONE[0]), "diverged_at"),
        (lambda: phase_diagram.draw([0, 1], [1, 2, 3], ONE * math.nan), "rate[0, 0]"),
        (lambda: phase_diagram.draw([0, 1], [1, 2, 3], ONE, edges={"e": T}), "edges['e']"),
        (lambda: phase_diagram.draw([0, 0], [1, 2, 3], ONE), "rho[1]"),
        (lambda: width_curves.draw([2, 4], {"a": {"b": ONE}}), "measured['a']['b']"),
        (lambda: width_curves.draw([0, 2, 4], {"a": {"b": ONE}}), "width[0]"),
        (lambda: width_curves.draw([1, 2, 4], {"a": {"b": 0 * ONE}}), "measured['a']['b'][0, 0]"),
        (lambda: width_curves.draw([1, 2, 4], {"a": {"b": ONE / 0.0}}), "measured['a']"),
        (
            lambda: width_curves.draw([1, 2, 4], {"a": {"b": ONE}, "c": {"b": ONE[:1]}}),
            "measured['c']['b']",
        ),
        (lambda: landscape.draw(T, T[:2], ONE, {"a": ONE.T}), "f"),
        (lambda: landscape.draw(T[:2], T, ONE, {"a": ONE.T}), "f"),
        (lambda: landscape.draw(T[:2], T, ONE + T, {"a": ONE}), "paths['a']"),
        (lambda: landscape.draw(T[:2], T, ONE + T, {"a": ONE.T}, curves={"c": ONE}), "curves['c']"),
        (lambda: spectra.draw({"a": ONE}), "spectra['a']"),
        (lambda: spectra.draw({"a": T}, edges={"a": 0.0}), "edges['a']"),
        (lambda: ladder.draw({"one-step": 1.0}), "stable"),
        (lambda: ladder.draw({"mean-square": math.inf}), "edges['mean-square']"),
        (lambda: ladder.draw({"mean-square": 1.0}, necessary={"a": -1.0}), "necessary['a']"),
        (lambda: bound_map.draw(T, [1, 2, 4], T, necessary={"a": np.ones((3, 3), bool)}), "eta"),
        (lambda: bound_map.draw(T, T, T, necessary={"a": np.ones((3, 3))}), "a"),
        (lambda: bound_map.draw(T, T, T[:2]), "edge"),
        (lambda: two_cycle.draw(np.ones((5, 3)), 1.0), "x"),
        (lambda: two_cycle.draw(ONE, -1.0), "width"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_figures_refuse_by_name(draw, field):
    with pytest.raises(InputError) as caught:
        draw()
    assert caught.value.field == field
    assert len(str(caught.value).splitlines()) == 1

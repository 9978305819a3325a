"""Panels, medians and bars by hand; a run that diverged is a cross and a count."""

import math

import numpy as np
import pytest
from matplotlib.collections import LineCollection

from sims.plots import _style, width_curves

WIDTH = np.array([8, 16])
A = np.array([[1.0, 2], [3, 4], [2, math.inf]])
B = np.array([[5.0, 6]])


def line(axes, label):
    found = [each for each in axes.lines if each.get_label() == label]
    assert len(found) == 1
    return found[0]


def keys(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_a_panel_has_median_quartiles_and_every_seed_of_every_name():
    figure = width_curves.draw(WIDTH, {"a": {"SGD": A, "SAM": B}, "s₂": {"SAM": 2 * B}})
    one, two = figure.axes
    assert (one.get_ylabel(), two.get_ylabel()) == ("a", "s₂")
    assert {one.get_xscale(), one.get_yscale(), two.get_yscale()} == {"log"}
    assert line(one, "SGD").get_ydata().tolist() == [2, 4]
    assert line(one, "SAM").get_ydata().tolist() == [5, 6]
    assert line(two, "SAM").get_ydata().tolist() == [10, 12]
    assert line(one, "SGD: seeds").get_ydata().tolist() == A.ravel().tolist()
    bars = next(each for each in one.collections if isinstance(each, LineCollection))
    (_, low), (_, high) = bars.get_segments()[0]
    assert (low, high) == (1, 3)
    (_, low), (_, high) = bars.get_segments()[1]
    assert low == 2 and high > one.get_ylim()[1]  # the upper quartile diverged


def test_a_name_keeps_its_colour_in_a_panel_where_others_are_missing():
    figure = width_curves.draw(WIDTH, {"a": {"SGD": A, "SAM": B}, "s₂": {"SAM": B}})
    colours = {line(axes, "SAM").get_color() for axes in figure.axes}
    assert colours == {_style.SERIES[1][0]}


def test_names_stand_apart_by_less_than_the_gap_between_widths():
    (axes,) = width_curves.draw(WIDTH, {"a": {str(i): B for i in range(6)}}).axes
    at = np.array([line(axes, str(i)).get_xdata() for i in range(6)])
    assert (np.diff(at[:, 0]) > 0).all()
    assert at[:, 0].max() < 8 * 2**0.1 and at[:, 1].min() > 16 / 2**0.1


def check_that_divergence_is_shown(draw):
    figure = draw(WIDTH, {"a": {"SGD": A}, "s₂": {"SGD": A}})
    for axes in figure.axes:
        (x,) = line(axes, "SGD: crosses").get_xdata()
        assert x == pytest.approx(16, rel=0.1)
        assert line(axes, "SGD").get_ydata()[1] == 4  # the middle of 2, 4 and infinite
    assert keys(figure) == ["SGD, 3 seeds; × 1 of 6 runs diverged"]


def test_a_run_that_diverged_is_a_cross_and_counted_once():
    check_that_divergence_is_shown(width_curves.draw)


def test_dropping_diverged_runs_is_noticed():
    def dropping(width, measured):
        kept = {q: {k: v[np.isfinite(v).all(1)] for k, v in m.items()} for q, m in measured.items()}
        return width_curves.draw(width, kept)

    with pytest.raises(AssertionError):
        check_that_divergence_is_shown(dropping)


def test_where_most_runs_diverged_the_median_has_a_gap():
    lost = np.array([[1.0, math.nan, 2], [1, math.inf, 2], [1, 1, 2]])
    (axes,) = width_curves.draw([1, 2, 4], {"a": {"SGD": lost}}).axes
    np.testing.assert_array_equal(line(axes, "SGD").get_ydata(), [1, math.nan, 2])
    assert len(line(axes, "SGD: crosses").get_xdata()) == 2


def test_many_widths_have_few_ticks_and_one_width_is_enough():
    many = 2.0 ** np.arange(12)
    (axes,) = width_curves.draw(many, {"a": {"SGD": np.ones((2, 12))}}).axes
    ticks = axes.get_xticks()
    assert len(ticks) <= width_curves.TICKS and set(ticks) <= set(many)
    width_curves.draw([4], {"a": {"SGD": np.ones((2, 1))}}).draw_without_rendering()

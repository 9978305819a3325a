"""Medians and bands worked out by hand; a run that diverged is drawn, marked and counted."""

import math

import numpy as np
import pytest
from matplotlib.colors import to_hex

from sims.plots import _seeds, _style, loss_curves

STEPS = np.array([0, 10, 20])
# The third run is lost between its records at 10 and 20, the fourth at 12.
LOSS = np.array([[1, 0.5, 0.25], [1, 0.6, 0.3], [1, 0.7, math.nan], [1, 100, 80]])
ENDS = np.array([-1, -1, 15, 12])


def line(figure, label):
    found = [each for each in figure.axes[0].lines if each.get_label() == label]
    assert len(found) == 1
    return found[0]


def labels(figure):
    return [each.get_label() for each in figure.axes[0].lines]


def words(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def test_median_and_quartiles_count_a_lost_run_as_infinite():
    runs = np.array([[1.0, 3], [2, 5], [4, 7], [np.inf, 9], [np.inf, 11]])
    low, median, high = _seeds.spread(runs)
    assert (low.tolist(), median.tolist(), high.tolist()) == ([2, 5], [4, 7], [np.inf, 9])
    low, median, high = _seeds.spread(np.array([1.0, 2, 4, np.inf])[:, None])
    assert (low[0], median[0], high[0]) == (1, 3, np.inf)  # quartiles fall outwards
    assert [float(each[0]) for each in _seeds.spread(np.array([[3.0]]))] == [3, 3, 3]


@pytest.mark.parametrize("runs", range(1, 30))
def test_a_band_holds_half_of_the_runs_and_ends_on_runs(runs):
    values = np.random.default_rng(runs).normal(size=(runs, 4))
    low, median, high = _seeds.spread(values)
    np.testing.assert_allclose(median, np.median(values, axis=0), rtol=1e-14)  # one rounding
    np.testing.assert_array_equal(low, np.quantile(values, 0.25, axis=0, method="lower"))
    np.testing.assert_array_equal(high, np.quantile(values, 0.75, axis=0, method="higher"))


def check_that_divergence_is_shown(draw):
    """Two of four runs: in the median and the band, each with its path, its cross and its count."""
    figure = draw(STEPS, {"SGD": LOSS}, diverged_at={"SGD": ENDS})
    (axes,) = figure.axes
    top = axes.get_ylim()[1]
    _, middle, last = line(figure, "SGD: median").get_ydata()
    assert middle == pytest.approx(0.65) and last > top
    (band,) = axes.collections
    corners = band.get_paths()[0].vertices
    assert corners[corners[:, 0] == 10, 1].max() == 100
    assert corners[corners[:, 0] == 20, 1].max() > top
    lost = [each.get_ydata() for each in axes.lines if each.get_label() == "SGD: diverged"]
    np.testing.assert_array_equal(lost, [[1, 0.7, np.inf], [1, 100, np.inf]])
    assert sorted(line(figure, "SGD: crosses").get_xdata()) == [12, 15]
    assert words(figure) == ["SGD\n× 2 of 4 diverged\nat steps 12 to 15"]


def test_a_run_that_diverged_is_drawn_marked_and_counted():
    check_that_divergence_is_shown(loss_curves.draw)


def dropping(steps, loss, diverged_at):
    kept = {name: values[diverged_at[name] < 0] for name, values in loss.items()}
    return loss_curves.draw(steps, kept)


def over_survivors(values):
    finite = np.where(np.isfinite(values), values, np.nan)
    with np.errstate(all="ignore"):
        return tuple(np.nanquantile(finite, q, axis=0) for q in (0.25, 0.5, 0.75))


def test_dropping_diverged_runs_is_noticed():
    with pytest.raises(AssertionError):
        check_that_divergence_is_shown(dropping)


@pytest.mark.parametrize(
    ("name", "planted"),
    [
        ("spread", over_survivors),
        ("toll", lambda ends: ""),
        ("crosses", lambda *_: None),
    ],
)
def test_forgetting_a_part_of_it_is_noticed(monkeypatch, name, planted):
    monkeypatch.setattr(loss_curves, name, planted)
    with pytest.raises(AssertionError):
        check_that_divergence_is_shown(loss_curves.draw)


def test_without_steps_of_divergence_the_first_record_that_is_not_finite_counts():
    figure = loss_curves.draw(STEPS, {"SGD": LOSS})
    assert line(figure, "SGD: crosses").get_xdata().tolist() == [20]
    assert words(figure) == ["SGD\n× 1 of 4 diverged\nat step 20"]


def test_a_run_lost_after_the_last_record_is_still_marked():
    figure = loss_curves.draw(STEPS, {"a": LOSS[:2]}, diverged_at={"a": [-1, 27]})
    assert line(figure, "a: crosses").get_xdata().tolist() == [27]
    assert figure.axes[0].get_xlim() == (0, 27)


def test_runs_that_stay_finite_have_no_crosses():
    figure = loss_curves.draw(STEPS, {"a": LOSS[:2]}, diverged_at={"a": [-1, -1]})
    assert labels(figure) == ["a: median"]
    assert words(figure) == ["a"]


def test_a_prediction_is_dashed_and_has_the_colour_of_its_runs():
    runs, rate = {"a": LOSS[:2], "b": LOSS[:1]}, 0.9**STEPS
    figure = loss_curves.draw(STEPS, runs, predicted={"b": rate, "bound": 2 * rate})
    own, other = line(figure, "b: predicted"), line(figure, "bound: predicted")
    np.testing.assert_array_equal(own.get_ydata(), rate)
    np.testing.assert_array_equal(other.get_ydata(), 2 * rate)
    assert own.get_color() == line(figure, "b: median").get_color() == _style.SERIES[1][0]
    assert to_hex(other.get_color()) == _style.INK
    assert not {own.get_linestyle(), other.get_linestyle()} & {"-"}
    assert {"a", "b", "- - b, predicted", "- - bound"} == set(words(figure))


def test_growth_without_end_leaves_the_axis_and_says_where_to():
    grows = np.array([[1.0, 1e40, 1e80]])
    figure = loss_curves.draw(STEPS, {"a": grows, "b": LOSS[:1]}, predicted={"a": grows[0]})
    top = figure.axes[0].get_ylim()[1]
    assert 1e6 <= top < 1e8
    assert line(figure, "a: median").get_ydata()[-1] > top
    assert "a\n↑ 1.0e+80 at the end" in words(figure)


def test_a_prediction_far_below_the_runs_does_not_flatten_them():
    figure = loss_curves.draw(STEPS, {"a": LOSS[:2]}, predicted={"a": 1e-20**STEPS})
    low, _ = figure.axes[0].get_ylim()
    assert 0.01 < low <= 0.025  # a tenth of the least loss, 1/4, with some room


def test_extremes_of_double_precision_are_drawn():
    loss = np.array([[1e300, 1, 1e-300, 0], [0, 0, 0, 0]])
    loss_curves.draw(np.arange(4), {"a": loss}).draw_without_rendering()
    loss_curves.draw(np.array([0]), {"a": np.array([[1.0]])}).draw_without_rendering()

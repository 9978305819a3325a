"""Every eigenvalue is in both panels, zeros and negative ones too, and edges count those above."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import StepPatch

from sims.plots import _style, spectra


def line(axes, label):
    (found,) = [each for each in axes.lines if each.get_label() == label]
    return found


def keys(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def counted(figure):
    """How many eigenvalues each histogram holds."""
    steps = [each for each in figure.axes[1].patches if isinstance(each, StepPatch)]
    return [each.get_data().values.sum() for each in steps if each.get_fill()]


def test_eigenvalues_are_sorted_and_counted():
    figure = spectra.draw({"H": np.array([1.0, 100, 10]), "P": np.array([2.0, 3])})
    ranks, counts = figure.axes
    assert line(ranks, "H").get_xydata().tolist() == [[1, 100], [2, 10], [3, 1]]
    assert line(ranks, "P").get_xydata().tolist() == [[1, 3], [2, 2]]
    assert ranks.get_yscale() == "log"
    assert ranks.get_ylim() == counts.get_ylim()
    assert counted(figure) == [3, 2]
    assert keys(figure) == ["H: 3 eigenvalues", "P: 2 eigenvalues"]


@pytest.mark.parametrize(
    "values",
    [
        [1.0, 0.0, -1e-20],
        [5.0, 1e-3, -2.0],
        [-1.0, -3.0],
        [0.0, 0.0],
        [7.0],
        [1e300, 1e-300, -1e-300],
        np.geomspace(1e-9, 1, 200),
    ],
)
def test_none_is_beyond_the_axes(values):
    figure = spectra.draw({"H": np.array(values)})
    low, high = figure.axes[0].get_ylim()
    assert low <= min(values) and max(values) <= high
    assert counted(figure) == [len(values)]
    figure.draw_without_rendering()


def test_negative_eigenvalues_are_counted_and_rounding_is_not():
    rounding = -2 * np.finfo(float).eps  # three eigenvalues err by about 3 EPS of the largest
    figure = spectra.draw({"H": np.array([1.0, rounding, -0.5])})
    assert keys(figure) == ["H: 3 eigenvalues, 1 negative"]


def test_an_edge_crosses_both_panels_and_counts_what_is_above_it():
    H, M = np.array([1.0, 30, 25, 20]), np.array([3.0, 1])
    figure = spectra.draw({"H": H, "M": M}, edges={"M": 4.0, "H": 20.0, "2/η": 10.0})
    for axes in figure.axes:
        assert {float(line(axes, n).get_ydata()[0]) for n in ("2/η",)} == {10}
    own = [each for each in figure.axes[1].lines if each.get_label() == "M"]
    assert [to_hex(each.get_color()).upper() for each in own] == [_style.SERIES[1][0]]
    assert keys(figure) == ["H: 4 eigenvalues, 2 above 2/η", "M: 2 eigenvalues, 0 above 2/η"]
    texts = {text.get_text() for text in figure.axes[1].texts}
    assert texts == {"- - 2/η = 4\nfor M", "- - 2/η = 20\nfor H", "- - 2/η = 10"}


def test_the_axis_reaches_an_edge_above_all_eigenvalues():
    figure = spectra.draw({"H": np.array([1.0, 0.1])}, edges={"H": 50.0})
    assert figure.axes[0].get_ylim()[1] > 50


def test_long_spectra_are_drawn_against_the_logarithm_of_the_rank():
    short, long = np.ones(spectra.LONG), np.ones(spectra.LONG + 1)
    assert spectra.draw({"H": short}).axes[0].get_xscale() == "linear"
    assert spectra.draw({"H": short, "P": long}).axes[0].get_xscale() == "log"


def test_ticks_near_zero_do_not_crowd():
    figure = spectra.draw({"H": np.array([1e4, 1e-2, 0, -1e-2, -1e4])})
    ticks = figure.axes[0].get_yticks()
    assert 0 in ticks and len(ticks) <= 2 * spectra.TICKS + 1
    assert all(-1.3e4 < tick < 3e5 for tick in ticks)

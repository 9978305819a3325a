"""Each cell has its outcome, worked out by hand, and the exact boundaries lie over the cells."""

import math

import numpy as np
import pytest

from sims.plots import phase_diagram
from sims.plots.phase_diagram import CONVERGES, DIVERGED, GROWS, STALLS, borders, judge

RHO, ETA = np.array([0.0, 0.1]), np.array([1.0, 2.0, 3.0])
RATE = np.array([[0.5, 0.9995, 1.5], [0.8, math.nan, math.nan]])
ENDS = np.array([[-1, -1, -1], [-1, 40, 7]])


def cells(figure, label):
    """The values shown by the cells of one kind, (m, n), NaN elsewhere."""
    found = [each for each in figure.axes[0].collections if each.get_label() == label]
    assert len(found) == 1
    return found[0].get_array().astype(float).filled(math.nan).T


def keys(figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def test_cells_are_judged_by_rate_and_end():
    never = math.inf
    rate, ends = np.array([0.5, 0.999, 1, 1.001, 2, 0.5]), np.array([never] * 5 + [3])
    found = judge(rate, ends, 0.002).tolist()
    assert found == [CONVERGES, STALLS, STALLS, STALLS, GROWS, DIVERGED]
    assert judge(rate, ends, 0.0).tolist()[1:4] == [CONVERGES, STALLS, GROWS]


def test_every_cell_is_of_one_kind_and_shows_its_number():
    figure = phase_diagram.draw(RHO, ETA, RATE, diverged_at=ENDS)
    n = math.nan
    np.testing.assert_array_equal(cells(figure, "converges"), [[0.5, n, n], [0.8, n, n]])
    np.testing.assert_array_equal(cells(figure, "diverged"), [[n, n, n], [n, 40, 7]])
    stalled = cells(figure, "stalls: factor within 0.001 of 1")
    np.testing.assert_array_equal(np.isfinite(stalled), [[0, 1, 0], [0, 0, 0]])
    grown = cells(figure, "grows, still finite")
    np.testing.assert_array_equal(np.isfinite(grown), [[0, 0, 1], [0, 0, 0]])
    assert keys(figure) == ["stalls: factor within 0.001 of 1", "grows, still finite"]
    names = [axes.get_xlabel() for axes in figure.axes]
    assert names == ["radius ρ", "converges: loss × this a step", "hatched: diverged at step"]


def test_a_kind_that_does_not_occur_has_no_scale_and_no_key():
    figure = phase_diagram.draw(RHO, ETA, np.full((2, 3), 0.5))
    assert not keys(figure)
    assert [axes.get_visible() for axes in figure.axes] == [True, True, False]
    figure = phase_diagram.draw(RHO, ETA, np.ones((2, 3)), diverged_at=np.full((2, 3), 5))
    assert [axes.get_visible() for axes in figure.axes] == [True, False, True]
    figure.draw_without_rendering()


def seeds(rates, ends):
    """One row of one cell: its rate and end, and where a dot says that seeds disagree."""
    rate, end = (np.array(each, dtype=float)[:, None, None] for each in (rates, ends))
    figure = phase_diagram.draw([0.1], [2.0], rate, diverged_at=end)
    dots = [each for each in figure.axes[0].lines if each.get_label() == "some seeds diverged"]
    return figure, [tuple(dot.get_xydata()[0]) for dot in dots]


def test_of_several_seeds_the_median_is_shown_and_a_lost_one_is_the_worst():
    figure, dots = seeds([0.5, 0.9, 0.7], [-1, -1, -1])
    assert cells(figure, "converges") == [[0.7]] and not dots
    figure, dots = seeds([0.5, math.nan, 0.7], [-1, 4, -1])
    assert cells(figure, "converges") == [[0.7]]
    assert dots == [(0.1, 2.0)] and keys(figure) == ["some seeds diverged"]
    figure, dots = seeds([0.5, math.nan, math.nan], [-1, 4, 9])
    assert cells(figure, "diverged") == [[9]] and len(dots) == 1
    figure, dots = seeds([math.nan] * 4, [9, 5, 7, 6])
    assert cells(figure, "diverged") == [[6]] and not dots  # of 7 and 6 the sooner


def test_a_rate_over_surviving_seeds_alone_would_be_noticed(monkeypatch):
    """Planted: the median of the seeds that stayed finite."""

    def survivors(rates, ends):
        with np.errstate(all="ignore"):
            kept = np.nanmedian(np.where(np.isfinite(ends), np.nan, rates), axis=0)
        return kept, np.full(kept.shape, np.inf)

    monkeypatch.setattr(phase_diagram, "median_seed", survivors)
    figure, _ = seeds([0.5, math.nan, math.nan], [-1, 4, 9])
    with pytest.raises(AssertionError):
        cells(figure, "diverged")


def test_borders_lie_halfway_between_even_or_geometric_values():
    np.testing.assert_allclose(borders(np.array([1.0, 2, 3])), [0.5, 1.5, 2.5, 3.5], rtol=1e-15)
    found = borders(np.array([1.0, 4, 16]))
    np.testing.assert_allclose(found, [0.5, 2, 8, 32], rtol=1e-14)  # logarithms and back
    np.testing.assert_allclose(borders(np.array([0.0, 1, 10])), [-0.5, 0.5, 5.5, 14.5], rtol=1e-15)


def test_an_axis_is_logarithmic_where_its_values_are_geometric():
    figure = phase_diagram.draw([0.0, 0.1], [0.01, 0.1, 1.0], RATE, diverged_at=ENDS)
    axes = figure.axes[0]
    assert (axes.get_xscale(), axes.get_yscale()) == ("linear", "log")
    assert axes.get_ylim() == pytest.approx((0.01 / math.sqrt(10), math.sqrt(10)))


def test_boundaries_are_drawn_as_given_and_named_with_their_pattern():
    edges = {"mean-square": np.array([2.5, 1.5]), "mean": np.array([math.inf, 2.0])}
    figure = phase_diagram.draw(RHO, ETA, RATE, diverged_at=ENDS, edges=edges)
    lines = {each.get_label(): each for each in figure.axes[0].lines}
    np.testing.assert_array_equal(lines["mean-square"].get_xydata(), [[0, 2.5], [0.1, 1.5]])
    np.testing.assert_array_equal(lines["mean"].get_ydata(), [math.nan, 2])
    patterns = {each._unscaled_dash_pattern[1] for each in lines.values()}
    assert len(patterns) == 2  # black lines differ by their pattern alone
    assert {text.get_text() for text in figure.axes[0].texts} == {"- - mean-square", "··· mean"}

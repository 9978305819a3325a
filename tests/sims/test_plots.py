"""Each figure puts what it is given where it belongs; positions are read back from its artists."""

import math

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from sims.plots import _style, bound_map, ladder, triple, two_cycle


def bars(figure):
    """Name: (end, colour) of the bars of a ladder."""
    (axes,) = figure.axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    found = [bar for bar in axes.patches if isinstance(bar, Rectangle)]
    return {
        name: (bar.get_width(), to_hex(bar.get_facecolor()).upper())
        for name, bar in zip(names, found, strict=True)
    }


def words(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_a_ladder_has_a_bar_a_step_and_its_line_at_the_edge():
    edges = {"one-step": 1.0, "mean-square": 1.5, "mean": 2.0}
    figure = ladder.draw(edges, necessary={"a": 2.0}, sufficient={"t": 1.0})
    found = bars(figure)
    assert {name: end for name, (end, _) in found.items()} == {
        "one-step, exact": 1.0,
        "mean-square, exact": 1.5,
        "mean, exact": 2.0,
        "a, necessary": 2.0,
        "t, sufficient": 1.0,
    }
    (line,) = figure.axes[0].lines
    assert set(line.get_xdata()) == {1.5}
    assert not [text for text in words(figure) if "forbids" in text or "unstable" in text]


@pytest.mark.parametrize(
    ("kind", "step", "false"),
    [
        ("necessary", 1.4, True),
        ("necessary", 1.5, False),
        ("necessary", 1.5 - 1e-12, False),
        ("necessary", math.inf, False),
        ("sufficient", 1.6, True),
        ("sufficient", 1.5, False),
        ("sufficient", 1.5 + 1e-12, False),
        ("sufficient", 1.4, False),
    ],
)
def test_a_ladder_marks_a_false_bound_and_no_other(kind, step, false):
    figure = ladder.draw({"mean-square": 1.5}, **{kind: {"b": step}})
    _, colour = bars(figure)[f"b, {kind}"]
    assert (colour == _style.VERMILION) is false
    assert any("stable steps" in text for text in words(figure)) is false


def test_a_bound_without_limit_runs_to_the_end_of_the_axis():
    figure = ladder.draw({"mean-square": 1.0}, necessary={"s": math.inf})
    assert bars(figure)["s, necessary"][0] == figure.axes[0].get_xlim()[1] == 1.3
    assert "no limit →" in words(figure)


def test_a_map_judges_by_the_kind_of_bound():
    """One radius, edge at 2, steps 1 and 3: the first is stable, the second is not."""
    eta, edge = np.array([1.0, 3.0]), np.array([2.0])
    right, undecided, false = bound_map.RIGHT, bound_map.UNDECIDED, bound_map.FALSE

    def judged(permits, is_necessary):
        return bound_map.judge(eta, edge, np.array([permits]), is_necessary).tolist()

    assert judged([True, False], True) == judged([True, False], False) == [[right, right]]
    assert judged([False, True], True) == [[false, undecided]]
    assert judged([False, True], False) == [[undecided, false]]


def test_a_map_has_a_panel_a_bound_with_the_edge_on_it_and_a_key():
    rho, eta, edge = np.linspace(0, 1, 5), np.linspace(0.5, 2, 4), np.full(5, 1.2)
    some = np.ones((5, 4), dtype=bool)
    figure = bound_map.draw(rho, eta, edge, necessary={"a": some}, sufficient={"b": some})
    panels, key = figure.axes[:2], figure.axes[2]
    assert [axes.get_title(loc="left") for axes in panels] == ["a: necessary", "b: sufficient"]
    for axes in panels:
        (line,) = axes.lines
        assert line.get_xdata().tolist() == rho.tolist()
        assert line.get_ydata().tolist() == edge.tolist()
        (image,) = axes.images
        # cells are centred on the given points: half a cell beyond the first and the last
        assert image.get_extent() == pytest.approx((-0.125, 1.125, 0.25, 2.25))
        assert image.get_array().shape == (4, 5)
    assert not key.axison and len(key.texts) == 4


def test_an_orbit_lies_over_lines_at_plus_and_minus_the_width():
    x = np.array([[2.0, -0.5, 0.5], [1.0, 0.0, 0.25]])
    figure = two_cycle.draw(x, 0.5)
    levels = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 2]
    assert sorted(float(line.get_ydata()[0]) for line in levels) == [-0.5, 0, 0.5]
    runs = [line.get_ydata().tolist() for line in figure.axes[0].lines if line not in levels]
    assert sorted(runs) == sorted(x.tolist())
    assert "+w = 0.5\npredicted" in words(figure)


def test_a_triple_keeps_its_three_series_and_names_the_short_one_in_place():
    measured, exact, bound = np.array([1.0, 0.5]), 0.5 ** np.arange(4), 0.9 ** np.arange(4)
    figure = triple.draw(measured, exact, bound, names=("seen", "true", "claimed"))
    (axes,) = figure.axes
    assert axes.get_yscale() == "log"
    drawn = [line.get_ydata().tolist() for line in axes.lines]
    assert drawn == [bound.tolist(), exact.tolist(), measured.tolist()]
    (seen,) = [text for text in axes.texts if text.get_text() == "○ seen"]
    assert seen.xy == (1, 0.5)
    assert {"— true", "- - claimed"} <= set(words(figure))


def test_names_are_moved_apart_and_no_further():
    assert _style.apart([0.1, 0.5], [0.1, 0.1]) == pytest.approx([0.1, 0.5])
    assert _style.apart([0.5, 0.5], [0.1, 0.1]) == pytest.approx([0.45, 0.55])
    assert _style.apart([0.5, 0.5, 0.52], [0.1] * 3) == pytest.approx(
        [0.5067 - 0.1, 0.5067, 0.6067], abs=1e-4
    )
    assert _style.apart([0.2, 0.3], [0.2, 0.1]) == pytest.approx([0.2, 0.35], abs=0.026)


@pytest.mark.parametrize(
    "colour", [_style.ORANGE, _style.SKY, _style.GREEN, _style.VERMILION, _style.PURPLE]
)
def test_shades_are_readable_and_dark_colours_are_left_alone(colour):
    assert _style.contrast(_style.shade(colour)) >= _style.READABLE
    assert to_hex(_style.shade(_style.BLUE)).upper() == _style.BLUE


def test_names_stay_beside_the_axes_while_there_is_room():
    assert _style.inside([0.0, 0.5], [0.2, 0.2]) == pytest.approx([0.1, 0.5])
    assert _style.inside([0.85, 1.0], [0.2, 0.2]) == pytest.approx([0.7, 0.9])
    assert _style.inside([0.5, 1.0], [0.6, 0.8]) == pytest.approx([-0.1, 0.6])  # 1.4 in all
    assert _style.inside([0.4, 0.6], [0.2, 0.2]) == [0.4, 0.6]


@pytest.mark.parametrize(
    ("low", "high"), [(1.0, 2.0), (3.0, 3.0), (1e-320, 1.0), (1e-300, 1e308), (5e-324, 5e-324)]
)
def test_a_logarithmic_axis_ends_at_ordinary_numbers_round_its_data(low, high):
    bottom, top = _style.log_room(low, high)
    assert 0 < bottom < top < math.inf
    assert bottom < max(low, _style.SMALLEST) and top > min(high, _style.LARGEST)


def test_powers_of_ten_are_few_and_evenly_apart():
    assert list(_style.decades(0.02, 300.0, 7)) == [-1, 0, 1, 2]
    assert list(_style.decades(1e-12, 1.0, 7)) == [-12, -10, -8, -6, -4, -2, 0]
    assert list(_style.decades(2e-13, 1.0, 4)) == [-10, -5, 0]
    for low, high in ((1e-300, 1e300), (1e-3, 2e3), (0.5, 60.0), (1e-45, 1e8)):
        assert 2 <= len(_style.decades(low, high, 7)) <= 7
    assert [_style.power_of_ten(x) for x in (1e-3, 0.0, -100.0)] == ["$10^{-3}$", "0", "$-10^{2}$"]

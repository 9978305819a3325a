"""Paths are where they went; one that leaves or diverges has a cross, and the key says so."""

import math

import numpy as np
import pytest
from matplotlib.contour import ContourSet

from sims.plots import landscape

X, Y = np.linspace(-1, 1, 5), np.linspace(-2, 2, 9)
F = X[:, None] ** 2 + 3 * Y[None, :] ** 2


def line(figure, label):
    found = [each for each in figure.axes[0].lines if each.get_label() == label]
    assert len(found) == 1
    return found[0]


def keys(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_a_path_has_its_points_a_start_and_an_end():
    path = np.array([[-0.5, 1.0], [0.3, -0.4], [0.1, 0.1]])
    figure = landscape.draw(X, Y, F, {"SAM": path}, names=("u", "v"), quantity="f(u, v)")
    axes, bar = figure.axes
    for part in ("path", "steps"):
        assert line(figure, f"SAM: {part}").get_xydata().tolist() == path.tolist()
    assert line(figure, "SAM: start").get_xydata().tolist() == [[-0.5, 1]]
    end = line(figure, "SAM: end")
    assert end.get_xydata().tolist() == [[0.1, 0.1]] and end.get_marker() != "x"
    assert (axes.get_xlim(), axes.get_ylim()) == ((-1, 1), (-2, 2))
    assert (axes.get_xlabel(), axes.get_ylabel(), bar.get_ylabel()) == ("u", "v", "f(u, v)")
    assert keys(figure) == ["start", "SAM: 2 steps"]


def test_contours_are_of_f_with_x_to_the_right():
    """Along the line f = c the first coordinate obeys x^2 = c - 3 y^2."""
    x, y = np.linspace(-1, 1, 201), np.linspace(-2, 2, 401)
    figure = landscape.draw(x, y, x[:, None] ** 2 + 3 * y**2, {"a": np.zeros((1, 2))})
    drawn = [each for each in figure.axes[0].collections if isinstance(each, ContourSet)]
    lines = next(each for each in drawn if not each.filled)
    assert len(lines.levels) == landscape.LEVELS - 1
    for level, path in zip(lines.levels, lines.get_paths(), strict=True):
        u, v = path.vertices.T
        # Linear interpolation on cells of 0.01 errs by f'' h^2 / 8 = 6 (0.01)^2 / 8 at most.
        np.testing.assert_allclose(u**2 + 3 * v**2, level, rtol=0, atol=8e-5)


def check_that_divergence_is_shown(draw):
    path = np.array([[0.5, 0.5], [-0.9, 1.5], [3.0, 1e300], [math.nan, math.inf], [0, 0]])
    figure = draw(X, Y, F, {"SGD": path})
    assert keys(figure) == ["start", "SGD: × diverged at step 3"]
    end = line(figure, "SGD: end")
    assert end.get_marker() == "x" and end.get_xydata().tolist() == [[-0.9, 1.5]]
    walked = line(figure, "SGD: path").get_xydata()
    assert len(walked) == 3 and walked[:2].tolist() == path[:2].tolist()
    assert 2 < walked[2, 1] < math.inf
    figure.draw_without_rendering()


def test_a_path_that_diverged_is_marked_and_named():
    check_that_divergence_is_shown(landscape.draw)


def test_cutting_a_path_where_it_diverged_is_noticed():
    def dropping(x, y, f, paths):
        kept = {name: path[np.isfinite(path).all(axis=1)] for name, path in paths.items()}
        return landscape.draw(x, y, f, kept)

    with pytest.raises(AssertionError):
        check_that_divergence_is_shown(dropping)


def test_a_path_that_ends_outside_says_so():
    path = np.array([[0.5, 0.5], [0.9, -1.9], [1.1, 0.0]])
    figure = landscape.draw(X, Y, F, {"a": path, "b": path[:2]})
    assert keys(figure)[1:] == ["a: 2 steps, × ends outside", "b: 1 step"]
    assert line(figure, "a: end").get_xydata().tolist() == [[0.9, -1.9]]


def test_paths_that_never_are_in_the_picture_or_start_lost_are_still_named():
    paths = {"a": np.array([[5.0, 5.0]]), "b": np.array([[math.nan, 0.0], [0, 0]])}
    figure = landscape.draw(X, Y, F, paths)
    assert keys(figure)[1:] == ["a: 0 steps, × ends outside", "b: × diverged at step 0"]
    figure.draw_without_rendering()


def test_a_long_path_has_no_marks_at_its_steps():
    path = np.zeros((landscape.DOTTED + 1, 2))
    figure = landscape.draw(X, Y, F, {"a": path, "b": path[:-1]})
    labels = [each.get_label() for each in figure.axes[0].lines]
    assert "b: steps" in labels and "a: steps" not in labels


def test_a_curve_is_drawn_as_given():
    valley = np.array([[-1.0, 0], [1, 0]])
    figure = landscape.draw(X, Y, F, {"a": np.zeros((1, 2))}, curves={"valley": valley})
    drawn = line(figure, "valley")
    assert drawn.get_xydata().tolist() == valley.tolist() and drawn.get_linestyle() != "-"
    assert "valley" in keys(figure)

"""What every figure owes: readable at 600 pixels, named, drawn from real data, no global state."""

import ast
import inspect
import itertools
import math
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from sims.lab import Lab
from sims.plots import _style, svg
from theory import catalogue
from theory.claims import usam_linear_rate
from theory.moments import hessian_moments, nonuniformity, sharpness
from theory.problems.quadratic import quadratic
from theory.stability.operator import step_matrices
from theory.stability.propagation import expected_loss
from theory.stability.threshold import critical_steps

KEYS = catalogue.keys("sims.plots")
ROWS = np.array([[0.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
TRIO = quadratic(factors=ROWS[:, None, :])


def ladder_data():
    """Three rows where the s_2 bound falls short of the mean-square edge."""
    steps = critical_steps(*step_matrices(TRIO.hessians, TRIO.weights))
    a = sharpness(TRIO.hessians, TRIO.weights)
    s2 = nonuniformity(TRIO.hessians, TRIO.weights, 2)
    edges = {"one-step": steps.one_step, "mean-square": steps.mean_square, "mean": steps.mean}
    necessary = {"a": 2 / a, "s₂": 1 / s2, "s₃": math.inf, "s₄": math.inf}
    return (edges,), {"necessary": necessary, "sufficient": {"theorem 9": steps.one_step}}


def bound_map_data():
    rho, eta = np.linspace(0, 0.4, 41), np.linspace(0.01, 1.5, 51)
    exact = [critical_steps(*step_matrices(TRIO.hessians, TRIO.weights, rho=r)) for r in rho]
    a = sharpness(TRIO.hessians, TRIO.weights)
    s2, s3, s4 = (nonuniformity(TRIO.hessians, TRIO.weights, k) for k in (2, 3, 4))
    r, e = rho[:, None], eta[None]
    necessary = {
        "a": e * a * (1 + r * a) <= 2,
        "s₂": (e > 2 * r) & (e * (e - 2 * r) * s2**2 <= 1),
        "s₃": 2 * e**2 * r * s3**3 <= 1,
        "s₄": e**2 * r**2 * s4**4 <= 1,
    }
    one_step = np.array([steps.one_step for steps in exact])
    edge = np.array([steps.mean_square for steps in exact])
    sufficient = {"theorem 9": e <= one_step[:, None]}
    return (rho, eta, edge), {"necessary": necessary, "sufficient": sufficient}


def two_cycle_data():
    """eta lambda = 4/5 and rho = 1/2, so the width is (4/5)(1/2)/(6/5) = 1/3."""
    valley = quadratic(hessians=np.diag([1.0, 0.3])[None])
    starts = np.array([[1.0, 0.2], [-0.05, 0.1]])
    run = Lab().run(valley, "sam", x0=starts, runs=2, steps=25, batch=None, lr=0.8, rho=0.5)
    return (run.x[:, :, 0], 1 / 3), {}


def triple_data():
    """USAM at theorem 7's step: E f over every sequence, propagated, and at the theorem's rate."""
    H = hessian_moments(TRIO.hessians, TRIO.weights, 1)  # diag(2/3, 1); every H_i is under 2
    m = SimpleNamespace(alpha=2 / 3, beta=2.0, lam=1.0, rho=0.05)
    m.eta = usam_linear_rate.step_size(m)
    p, A = step_matrices(TRIO.hessians, TRIO.weights, rho=m.rho)
    seen = Lab().enumerate(TRIO, "usam", x0=[1.0, 1.0], steps=8, lr=m.eta, rho=m.rho)
    exact = expected_loss(p, A, m.eta, [1.0, 1.0], 8, hessian=H)
    bound = exact[0] * usam_linear_rate.formula(m) ** np.arange(9)
    assert (exact[1:] < bound[1:]).all()
    np.testing.assert_allclose(seen.loss, exact, rtol=1e-12)  # some tens of rounded products
    names = ("enumerated", "propagated", "theorem 7's rate")
    return (seen.loss, exact, bound), {"names": names}


DATA = {
    "bound_map": bound_map_data,
    "ladder": ladder_data,
    "triple": triple_data,
    "two_cycle": two_cycle_data,
}
every_key = pytest.mark.parametrize("key", KEYS)


def drawn(key: str) -> Figure:
    args, options = DATA[key]()
    figure = catalogue.load("sims.plots", key).draw(*args, **options)
    figure.draw_without_rendering()  # the layout is made when it is drawn
    return figure


def texts(figure: Figure) -> list[Text]:
    """Every text that is seen: not the labels of ticks beyond the ends of an axis."""
    hidden = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            room = 1e-9 * (high - low)
            for tick in axis.get_major_ticks() + axis.get_minor_ticks():
                off = not low - room <= tick.get_loc() <= high + room
                if off or not axes.axison or not axes.get_visible():
                    hidden |= {tick.label1, tick.label2}
            if not axes.axison:
                hidden.add(axis.label)
    return [
        text
        for text in figure.findobj(Text)
        if text.get_visible() and text.get_text().strip() and text not in hidden
    ]


def overlapping(figure: Figure) -> list[tuple[str, str]]:
    """Pairs of texts whose boxes, less a pixel of leading on each side, meet."""
    boxes = [(text.get_text(), text.get_window_extent().padded(-1)) for text in texts(figure)]
    return [(a, b) for (a, one), (b, two) in itertools.combinations(boxes, 2) if one.overlaps(two)]


def cut_off(figure: Figure) -> list[str]:
    page = figure.bbox.padded(0.5)  # half a pixel of rounding
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts(figure)]
    return [a for a, b in boxes if not (page.contains(b.x0, b.y0) and page.contains(b.x1, b.y1))]


def test_every_figure_is_drawn_from_real_data_here():
    assert set(DATA) == set(KEYS)


@every_key
def test_it_draws_a_figure_600_pixels_wide(key):
    figure = drawn(key)
    assert type(figure) is Figure
    assert figure.get_figwidth() * figure.dpi == 600
    assert inspect.getdoc(catalogue.load("sims.plots", key).draw)


@every_key
def test_its_texts_are_whole_apart_dark_and_large(key):
    figure = drawn(key)
    assert len(texts(figure)) > 5
    assert not overlapping(figure)
    assert not cut_off(figure)
    for text in texts(figure):
        assert _style.contrast(text.get_color()) >= _style.READABLE, text.get_text()
        assert text.get_fontsize() >= _style.SIZE - 1, text.get_text()


def test_overlapping_cut_off_and_pale_texts_are_noticed():
    figure = drawn("triple")
    figure.text(0.5, 0.5, "one")
    figure.text(0.51, 0.5, "two")
    figure.text(0.99, 0.02, "beyond the margin")
    assert ("one", "two") in overlapping(figure)
    assert cut_off(figure) == ["beyond the margin"]
    assert _style.contrast(_style.SKY) < _style.READABLE <= _style.contrast("#767676")
    assert _style.contrast("white") == pytest.approx(1) and _style.contrast("black") == 21


@every_key
def test_every_axis_with_numbers_has_a_name(key):
    for axes in drawn(key).axes:
        for axis in (axes.xaxis, axes.yaxis):
            labels = [t.get_text() for t in axis.get_majorticklabels() if t.get_visible()]
            if axes.axison and any(text.strip("−0123456789.$") == "" for text in labels if text):
                assert axis.get_label_text() or _neighbour_names(axes, axis), key


def _neighbour_names(axes, axis):
    """A shared axis is named once, at the outer panel of its row or column."""
    shared = axes.get_shared_x_axes() if axis is axes.xaxis else axes.get_shared_y_axes()
    return any(
        (other.xaxis if axis is axes.xaxis else other.yaxis).get_label_text()
        for other in shared.get_siblings(axes)
    )


@every_key
def test_its_arguments_are_left_as_they_were(key):
    args, options = DATA[key]()
    before = repr((args, options))
    catalogue.load("sims.plots", key).draw(*args, **options)
    assert repr((args, options)) == before


@every_key
def test_as_svg_its_text_stays_text_and_its_bytes_the_same(key):
    page = svg(drawn(key))
    assert svg(drawn(key)) == page
    names = {"".join(node.itertext()).strip() for node in ET.fromstring(page).iter() if node.text}
    for text in texts(drawn(key)):
        for line in text.get_text().splitlines():
            assert line.startswith("$") or line.strip() in names, line


@every_key
def test_it_only_draws(key):
    """No theory, no simulation, no file: a figure imports numbers and matplotlib."""
    module = catalogue.load("sims.plots", key)
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            allowed = ("__future__", "collections", "math", "matplotlib", "numpy", "typing")
            assert name.split(".")[0] in allowed or name == "sims.plots._style", name
    called = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not called & {"savefig", "open", "write_text", "linalg"}


def test_drawing_loads_no_pyplot_and_leaves_matplotlib_settings_alone():
    loads = "".join(f"import sims.plots.{key}\n" for key in KEYS)
    # dict.items: asking the settings themselves for the backend would load pyplot
    code = f"""
import sys, matplotlib
before = dict(dict.items(matplotlib.rcParams))
{loads}
import numpy as np, sims.plots
sims.plots.svg(sims.plots.two_cycle.draw(np.array([[1.0, -1.0]]), 1.0))
assert dict(dict.items(matplotlib.rcParams)) == before
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])

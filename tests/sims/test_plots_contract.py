"""What every figure owes: readable at 600 pixels, named, drawn from real data, no global state."""

import ast
import inspect
import itertools
import math
import pickle
import subprocess
import sys
import xml.etree.ElementTree as ET
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from sims.lab import Lab
from sims.plots import _style, svg, triple
from theory import catalogue
from theory.claims import usam_linear_rate
from theory.core import InputError
from theory.moments import hessian_moments, nonuniformity, sharpness
from theory.problems.quadratic import quadratic
from theory.stability.operator import step_matrices
from theory.stability.propagation import expected_loss
from theory.stability.threshold import critical_steps, mean_square_rate, one_step_rate

KEYS = catalogue.keys("sims.plots")
HELPERS = sorted(path.stem for path in Path(_style.__file__).parent.glob("_[a-z]*.py"))
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
    m = SimpleNamespace(alpha=2 / 3, beta=2.0, lam=1.0, rho=0.05, kappa=3 / 2)
    m.c = usam_linear_rate.margin(m)
    m.eta = usam_linear_rate.step_size(m)
    p, A = step_matrices(TRIO.hessians, TRIO.weights, rho=m.rho)
    seen = Lab().enumerate(TRIO, "usam", x0=[1.0, 1.0], steps=8, lr=m.eta, rho=m.rho)
    exact = expected_loss(p, A, m.eta, [1.0, 1.0], 8, hessian=H)
    bound = exact[0] * usam_linear_rate.formula(m) ** np.arange(9)
    assert (exact[1:] < bound[1:]).all()
    np.testing.assert_allclose(seen.loss, exact, rtol=1e-12)  # some tens of rounded products
    names = ("enumerated", "propagated", "theorem 7's rate")
    return (seen.loss, exact, bound), {"names": names}


def loss_curves_data():
    """Three steps, two of them past the mean-square edge; at the largest all runs diverge."""
    every, runs = 20, {}
    for lr in (0.5, 1.6, 6.0):
        run = Lab().run(TRIO, "usam", x0=[1.0, 1.0], steps=300, runs=7, lr=lr, rho=0.05)
        runs[f"USAM η = {lr}"] = run.loss[:, ::every]
    steps = np.arange(0, 301, every)
    p, A = step_matrices(TRIO.hessians, TRIO.weights, rho=0.05)
    rate = mean_square_rate(p, A, 0.5)
    assert rate < 1 < mean_square_rate(p, A, 1.6)
    start = runs["USAM η = 0.5"][0, 0]
    curve, slower = start * rate**steps, start * one_step_rate(p, A, 0.5) ** steps
    return (steps, runs), {"predicted": {"USAM η = 0.5": curve, "one-step rate": slower}}


def phase_diagram_data():
    """USAM over a grid; some cells converge, some grow, some diverge, and seeds disagree."""
    rho, eta = np.linspace(0, 0.4, 5), np.linspace(0.2, 2.4, 9)
    rate, ends = np.ones((3, 5, 9)), np.full((3, 5, 9), -1)
    for i, j in itertools.product(range(5), range(9)):
        how = {"lr": eta[j], "rho": rho[i]}
        loss = Lab().run(TRIO, "usam", x0=[1.0, 0.7], steps=600, runs=3, **how).loss
        gone = ~np.isfinite(loss)
        ends[:, i, j] = np.where(gone.any(1), gone.argmax(1), -1)
        rate[:, i, j] = np.where(gone.any(1), np.nan, (loss[:, 60] / loss[:, 10]) ** (1 / 50))
    exact = [critical_steps(*step_matrices(TRIO.hessians, TRIO.weights, rho=r)) for r in rho]
    edges = {
        "mean-square": np.array([steps.mean_square for steps in exact]),
        "mean": np.array([steps.mean for steps in exact]),
    }
    return (rho, eta, rate), {"diverged_at": ends, "edges": edges, "stalls": 0.02}


def width_curves_data():
    """Random features tanh(Wx): H_i = h_i h_i', so a and s_k grow with the number of features."""
    rng, widths, inputs = np.random.default_rng(0), np.array([4, 8, 16, 32]), 6
    rows = {name: np.zeros((5, 4)) for name in ("sharpness a", "s₂", "s₃")}
    for seed, place in itertools.product(range(5), range(4)):
        h = np.tanh(rng.normal(size=(inputs, 3)) @ rng.normal(size=(3, widths[place])))
        H, weights = h[:, :, None] * h[:, None, :], np.full(inputs, 1 / inputs)
        rows["sharpness a"][seed, place] = sharpness(H, weights)
        rows["s₂"][seed, place] = nonuniformity(H, weights, 2)
        rows["s₃"][seed, place] = nonuniformity(H, weights, 3)
    lost = {name: values.copy() for name, values in rows.items()}
    for values in lost.values():
        values[1, 3] = np.inf
    return (widths, {q: {"SGD": lost[q], "SAM ρ = 0.1": rows[q] / 2} for q in rows}), {}


def landscape_data():
    """A bowl of curvatures 1 and 10: steps below and above 2/10, and SAM on its two-cycle."""
    bowl = quadratic(hessians=np.diag([1.0, 10.0])[None])
    x, y = np.linspace(-2, 2, 21), np.linspace(-1, 1, 21)
    f = np.array([[bowl.oracle(None).loss(np.array([a, b])) for b in y] for a in x])

    def path(key, steps=40, **how):
        return Lab().run(bowl, key, x0=[-1.7, 0.3], steps=steps, batch=None, **how).x[0]

    paths = {
        "GD η = 0.18": path("sgd", lr=0.18),
        "SAM η = 0.1": path("sam", lr=0.1, rho=0.3),
        "GD η = 0.21": path("sgd", lr=0.21),
        "GD η = 3": path("sgd", steps=400, lr=3.0),
    }
    cycle = np.array([[0, -0.3], [0, 0.3]])  # (1/10)(3/10)(10)/(2 - 1)
    return (x, y, f, paths), {"curves": {"two-cycle": cycle}, "names": ("x", "y")}


def spectra_data():
    """A Hessian with negative eigenvalues, under the square root of its diagonal's size."""
    F = np.random.default_rng(0).normal(size=(50, 40)) * np.geomspace(1, 1e-3, 40)
    H = F.T @ F / 10 - 1e-4 * np.eye(40)
    D = np.sqrt(np.abs(np.diag(H)))
    found = {
        "H": np.linalg.eigvalsh(H),
        "preconditioned": np.linalg.eigvalsh(H / np.sqrt(D[:, None] * D)),
    }
    return (found,), {"edges": {"H": 4.0, "preconditioned": 2.0}}


DATA = {
    "bound_map": bound_map_data,
    "ladder": ladder_data,
    "landscape": landscape_data,
    "loss_curves": loss_curves_data,
    "phase_diagram": phase_diagram_data,
    "spectra": spectra_data,
    "triple": triple_data,
    "two_cycle": two_cycle_data,
    "width_curves": width_curves_data,
}
every_key = pytest.mark.parametrize("key", KEYS)


@cache
def data(key):
    return DATA[key]()


def drawn(key: str) -> Figure:
    args, options = data(key)
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
    before = pickle.dumps((args, options))
    catalogue.load("sims.plots", key).draw(*args, **options)
    assert pickle.dumps((args, options)) == before


def spoilt(value, spoil):
    """Copies of nested arguments with one array or number spoilt in each."""
    if isinstance(value, dict):
        pairs = [(key, each) for key in value for each in spoilt(value[key], spoil)]
        yield from (value | {key: each} for key, each in pairs)
    elif isinstance(value, tuple):
        for i in range(len(value)):
            yield from ((*value[:i], each, *value[i + 1 :]) for each in spoilt(value[i], spoil))
    elif isinstance(value, np.ndarray | float):
        found = spoil(np.array(value))
        if found is not None:
            yield found


def with_nan(array):
    if array.dtype == bool:
        return None
    array = array.astype(float)
    array[(-1,) * array.ndim] = math.nan
    return array


def emptied(array):
    return array[:0] if array.ndim else None


def refused_or_said(key, args, options):
    """True if drawing raises an `InputError` of one line, or words in it say "diverged"."""
    try:
        figure = catalogue.load("sims.plots", key).draw(*args, **options)
    except InputError as error:
        return len(str(error).splitlines()) == 1
    return any("diverged" in text.get_text() for text in texts(figure))


@every_key
@pytest.mark.parametrize("spoil", [with_nan, emptied])
def test_what_it_cannot_show_is_refused_or_said(key, spoil):
    """Matplotlib leaves out what is not finite; so a figure must refuse it, or count it."""
    cases = list(spoilt(data(key), spoil))
    assert cases or (key, spoil) == ("ladder", emptied)
    for args, options in cases:
        assert refused_or_said(key, args, options)


def test_a_figure_that_leaves_out_what_is_not_finite_is_noticed(monkeypatch):
    assert refused_or_said("triple", *next(spoilt(data("triple"), with_nan)))
    monkeypatch.setattr(triple, "numbers", lambda series, *_, **__: series)
    assert not refused_or_said("triple", *next(spoilt(data("triple"), with_nan)))


@every_key
def test_as_svg_its_text_stays_text_and_its_bytes_the_same(key):
    page = svg(drawn(key))
    assert svg(drawn(key)) == page
    names = {"".join(node.itertext()).strip() for node in ET.fromstring(page).iter() if node.text}
    for text in texts(drawn(key)):
        for line in text.get_text().splitlines():
            assert line.startswith("$") or line.strip() in names, line


@pytest.mark.parametrize("key", [*KEYS, *HELPERS])
def test_it_only_draws(key):
    """No theory, no simulation, no file: a figure imports numbers and matplotlib."""
    source = Path(_style.__file__).with_name(f"{key}.py")
    tree = ast.parse(source.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            allowed = ("__future__", "collections", "math", "matplotlib", "numpy", "typing")
            ours = name.startswith("sims.plots._") or name == "theory.core"  # for InputError
            assert name.split(".")[0] in allowed or ours, name
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

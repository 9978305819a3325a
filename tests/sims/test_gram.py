"""Gram space repeats plain coordinates, for every optimizer that never looks at coordinates."""

import numpy as np
import pytest

from sims.engine import Setting, Simulation, simulate
from sims.lab import OPTIMIZERS, build
from theory import catalogue
from theory.core import InputError
from theory.problems.linear import generate, linear
from theory.problems.quadratic import quadratic

KEYS = catalogue.keys(OPTIMIZERS)
FREE = [key for key in KEYS if not getattr(type(build(key)), "needs_coordinates", False)]
WIDE = generate(n=5, d=8, noise=0.3)
TALL = generate(n=12, d=3, noise=0.3, weights=np.arange(1.0, 13.0))
RECORD = ("loss", "grad_norm", "x_norm", "x")


def pair(problem, optimizer, *, runs=3, same_seed=False, **how):
    """Records of the same runs in both spaces; with one seed and 40 runs they share a stream."""
    runs = 40 if same_seed else runs
    hyper = {"lr": np.linspace(0.002, 0.02, runs)}
    seeds = np.zeros(runs, dtype=int) if same_seed else np.arange(runs)
    return [
        simulate(Setting(problem, optimizer, space=space, **how), hyper, seeds)
        for space in ("plain", "gram")
    ]


def assert_same(plain, gram, rtol=1e-12):
    """Both round at every step; the step sizes contract, so the errors do not add up beyond this.

    grad_norm is compared with what it is at the start: it falls towards 0.
    """
    assert np.array_equal(plain["diverged_at"], gram["diverged_at"])
    for key in RECORD:
        assert np.isfinite(plain[key]).all()
        assert np.allclose(gram[key], plain[key], rtol=rtol, atol=rtol * np.abs(plain[key]).max())


def test_the_optimizers_that_run_in_gram_space_are_found_by_listing():
    assert {"sgd", "sam", "usam", "msam"} <= set(FREE)
    assert {"adamw", "sassha", "shampoo"} <= set(KEYS) - set(FREE)


@pytest.mark.parametrize("key", FREE)
@pytest.mark.parametrize("batch", [1, 2, None])
def test_every_optimizer_takes_the_same_steps_in_both_spaces(key, batch):
    heavy = build(key, momentum=0.1, weight_decay=0.1)
    for problem, optimizer in ((WIDE, build(key)), (TALL, heavy)):
        assert_same(*pair(problem, optimizer, batch=batch, steps=31, every=31, record=RECORD))


VARIANTS = [
    ("msam", {"m": 5}, 5, TALL),
    ("msam", {"m": 3, "normalised": False, "weight_decay": 0.2}, 9, TALL),
    ("msam", {"m": 3}, None, TALL),
    ("usam", {"ascent": "per-sample", "momentum": 0.3}, 3, TALL),
    ("usam", {"ascent": "per-sample"}, None, WIDE),
    ("sgd", {"momentum": 0.9, "weight_decay": 0.0}, 2, WIDE),
    ("sam", {"rho": 0.0}, 10, WIDE),
]


@pytest.mark.parametrize(("key", "hyper", "batch", "problem"), VARIANTS)
def test_residuals_alone_tell_losses_and_gradients_of_the_readable_loop(
    key, hyper, batch, problem, by_hand
):
    optimizer = build(key, lr=0.01, **hyper)
    setting = Setting(problem, optimizer, 14, 7, batch, record=RECORD[:2], space="gram")
    found = simulate(setting, {}, [3, 3, 4], root=1)
    path = by_hand(problem, optimizer, 14, batch=batch, seed=4, root=1)[::7]
    full = problem.oracle(None)
    norms = [full.norm(full.grad(x)) for x in path]
    assert np.allclose(found["loss"][2], [full.loss(x) for x in path], rtol=1e-12)
    assert np.allclose(found["grad_norm"][2], norms, rtol=1e-12)
    assert np.array_equal(found["loss"][0], found["loss"][1])


@pytest.mark.parametrize("same_seed", [False, True])
@pytest.mark.parametrize("steps", [1, 2, 131])
def test_windows_and_chunks_of_steps_leave_none_out(steps, same_seed):
    optimizer = build("sam", momentum=0.5)
    both = pair(WIDE, optimizer, same_seed=same_seed, steps=steps, every=steps, record=RECORD)
    assert_same(*both)


@pytest.mark.parametrize(("batch", "sampling"), [(4, "without"), (9, "with")])
@pytest.mark.parametrize("same_seed", [False, True])
def test_batches_small_and_large_with_and_without_replacement(batch, sampling, same_seed):
    how = {"batch": batch, "sampling": sampling, "steps": 12, "every": 4, "record": RECORD}
    assert_same(*pair(WIDE, build("sam", weight_decay=0.1), same_seed=same_seed, **how))
    assert_same(*pair(WIDE, build("usam", ascent="per-sample"), same_seed=same_seed, **how))


def test_a_gradient_norm_keeps_its_digits_near_a_minimum_that_does_not_interpolate():
    """There c'Kc is a small difference of large numbers: its root would be off by half of them."""
    problem = linear([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], [1.0, 1.0, 1e6])
    how = {"batch": None, "steps": 2000, "every": 2000, "record": RECORD}
    plain, gram = (
        simulate(Setting(problem, build("sgd", lr=0.5), space=space, **how), {}, [0])
        for space in ("plain", "gram")
    )
    scale = 1e6 * np.finfo(float).eps  # what rounding of the residuals leaves of the gradient
    assert plain["grad_norm"][0, -1] < 16 * scale and gram["grad_norm"][0, -1] < 16 * scale


@pytest.mark.parametrize("every", [3, 38, 127, 129, 130])
def test_however_steps_are_cut_into_chunks_each_is_taken_once(every, by_hand):
    """Chunks of 2 to 128 steps, with and without a rest of one step or two."""
    optimizer = build("sam", lr=0.02, momentum=0.5)
    setting = Setting(WIDE, optimizer, 2 * every, every, record=("x",), space="gram")
    found = simulate(setting, {}, [6])["x"][0]
    path = by_hand(WIDE, optimizer, 2 * every, seed=6)[::every]
    assert np.allclose(found, path, rtol=0, atol=1e-12 * np.abs(path).max())


@pytest.mark.parametrize("key", ["sam", "msam"])
def test_a_batch_whose_gradients_cancel_has_a_norm_and_no_nan(key):
    """Where residuals stay and their gradient goes, c'Kc is a rounding error of either sign."""
    problem = linear([[1.0], [0.3], [0.7]], [1.0, -2.0, 0.5])
    hyper = {"m": 3} if key == "msam" else {}
    optimizer = build(key, lr=0.1, rho=1e-9, **hyper)
    how = {"batch": 3, "sampling": "without", "record": RECORD}
    plain, gram = (
        simulate(Setting(problem, optimizer, 400, 400, space=space, **how), {}, np.arange(20))
        for space in ("plain", "gram")
    )
    # A norm below sqrt(eps) = 1.5e-8 of the residuals is lost. Where it comes out as 0, the climb is
    # rho/1e-12 = 1e3 gradients long, and takes a step some 50 of them away.
    assert np.allclose(gram["x"], plain["x"], rtol=0, atol=50 * 1.5e-8)
    assert np.isfinite(gram["grad_norm"]).all() and (gram["diverged_at"] == -1).all()


def test_a_full_gradient_is_followed_down_to_rounding():
    problem = generate(n=12, d=4, noise=1.0)
    how = {"batch": None, "steps": 400, "every": 40, "record": ("grad_norm",)}
    plain, gram = (
        simulate(Setting(problem, build("sgd", lr=0.3), space=space, **how), {}, [0])["grad_norm"]
        for space in ("plain", "gram")
    )
    # rounding of residuals of size 1, where c'Kc would leave 1e-8
    assert np.allclose(gram, plain, rtol=1e-12, atol=1e-15) and gram[0, -1] < 1e-15


def test_only_residuals_are_held_where_no_norm_needs_more():
    for record, tracked in ((("loss", "grad_norm"), False), (("x_norm",), True), (("x",), True)):
        simulation = Simulation(Setting(WIDE, build("sam"), steps=2, record=record, space="gram"))
        plan = simulation._plan(simulation.runs({}, [0], 0), False)
        assert plan.gram and plan.track is tracked


@pytest.mark.parametrize(
    ("problem", "optimizer", "record", "why"),
    [
        (WIDE, "adamw", ("loss",), "AdamW needs coordinates"),
        (WIDE, "sgd", ("lambda_max",), "lambda_max needs coordinates"),
        (quadratic(np.eye(2)[None]), "sgd", ("loss",), "Quadratic has no Gram matrix"),
    ],
)
def test_what_cannot_run_there_is_refused_by_name(problem, optimizer, record, why):
    with pytest.raises(InputError, match=why):
        Simulation(Setting(problem, build(optimizer), steps=1, record=record, space="gram"))
    Simulation(Setting(problem, build(optimizer), steps=1, record=record))  # auto: plain


def test_every_optimizer_that_needs_coordinates_is_refused_by_its_name():
    for key in set(KEYS) - set(FREE):
        optimizer = build(key)
        with pytest.raises(InputError) as caught:
            Simulation(Setting(WIDE, optimizer, steps=1, space="gram"))
        assert caught.value.field == "space"
        assert str(caught.value).endswith(f"{type(optimizer).__name__} needs coordinates")


def test_gram_space_is_chosen_for_no_more_rows_than_dimensions():
    def space(problem, batch, record=("loss",)):
        prepared = Simulation(Setting(problem, build("sam"), 1, batch=batch, record=record))
        return "plain" if prepared.common.gram is None else "gram"

    assert space(generate(n=3, d=3), 1) == space(WIDE, 9) == "gram"
    assert space(generate(n=4, d=3), 1) == space(WIDE, None) == "plain"
    assert space(WIDE, 1, ("trace",)) == "plain"

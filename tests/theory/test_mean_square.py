"""Edge and rate are those of the dense operator, and of exact fractions, at a fraction of the size.

Routes that share no code with the one under test: enumeration of all batches and the d(d+1)/2
operator (`operator`, `threshold`), the same law in fractions (`exact_edge`, `second_moment`), the
4 d^2 Kronecker operator on the state (x, eta v) of momentum, and closed forms.
"""

import math
import tracemalloc
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.exact import Matrix, SecondMoment
from theory.exact.second_moment import radius_at_most
from theory.stability import gain as gain_module
from theory.stability import mean_square
from theory.stability.exact_edge import exact_law, exact_mean_square
from theory.stability.gain import Kernel
from theory.stability.gaussian import gaussian_sgd_critical_step, gaussian_usam_critical_step
from theory.stability.ladder import one_step_edge
from theory.stability.mean_square import (
    critical,
    kernel_of,
    mean_edge,
    mean_rate,
    rate,
    space_of,
)
from theory.stability.minimum import minimum
from theory.stability.operator import quotient, step_matrices
from theory.stability.perron import lanczos, ones
from theory.stability.response import Response
from theory.stability.steps import Steps, reduced
from theory.stability.threshold import mean_square_critical_step

SEEDS = st.integers(0, 2**32 - 1)
AGREED = 1e-10  # with the dense route, which errs by d EPS times the condition number of A
SHAPES = ["generic", "repeated", "zero", "deficient", "orthogonal", "commuting"]


def shaped(rng: np.random.Generator, n: int, k: int, d: int, shape: str) -> np.ndarray:
    """Factors (n, k, d) of unlike sizes: equal ones would make notions coincide."""
    F = rng.normal(size=(n, k, d)) * np.exp(rng.normal(size=(n, 1, 1)))
    if shape == "repeated":
        F[-1] = F[0]
    elif shape == "zero":
        F[0] = 0
    elif shape == "deficient":
        F[:, -1] = F[:, 0]
    elif shape == "orthogonal":
        F = np.zeros((n, k, d))
        F[np.arange(n), 0, np.arange(n) % d] = rng.uniform(0.1, 3, n)
    elif shape == "commuting":
        F[:, 1:] = 0
        F[:, 0, 1:] = 0
    return F


def law(seed: int, *, momentum: bool = False) -> tuple[dict[str, Any], dict[str, Any]]:
    """Arguments of `minimum` and of `reduced`, of all kinds."""
    rng = np.random.default_rng(seed)
    n, k, d = int(rng.integers(1, 6)), int(rng.integers(1, 4)), int(rng.integers(1, 6))
    F = shaped(rng, n, k, d, SHAPES[rng.integers(6)])
    batch = [None, 1, 2, 3][rng.integers(4)]
    without = rng.random() < 0.5 and (batch is None or batch <= n)
    even = without or rng.random() < 0.5
    weights = np.full(n, 1 / n) if even else rng.uniform(0.1, 1, n)
    p = np.exp(rng.normal(size=d)) if rng.random() < 0.5 else None
    how = {
        "rho": [0.0, 0.1, 1.0, 1e3][rng.integers(4)],
        "batch": batch,
        "sampling": "without" if without else "with",
        "ascent": ["shared", "per-sample"][rng.integers(2)],
    }
    if momentum:
        how["momentum"] = [0.0, 0.3, 0.9, 0.99][rng.integers(4)]
        how["weight_decay"] = [0.0, 0.1, 1.0][rng.integers(3)]
    return {"factors": F, "weights": weights, "preconditioner": p}, how


def dense(what: dict[str, Any], how: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """(probabilities, A_S) in the coordinates p^{1/2} x, by enumeration."""
    F, p = what["factors"], what["preconditioner"]
    only = {name: how[name] for name in ("rho", "batch", "sampling", "ascent")}
    chances, A = step_matrices(np.swapaxes(F, 1, 2) @ F, what["weights"], **only)
    return chances, A if p is None else A / np.sqrt(np.outer(p, p))


def growth(chances, A, eta: float, m: float, w: float) -> float:
    """r(T) of the state (x, eta v), from the eigenvalues of E Phi x Phi."""
    size = A.shape[-1]
    one = np.eye(size)
    total = np.zeros((1, 1))
    for chance, S in zip(chances, A, strict=True):
        G = eta * (S + w * one)
        Phi = np.block([[one - G, -m * one], [G, m * one]]) if m else one - G
        total = total + chance * np.kron(Phi, Phi)
    return float(np.abs(np.linalg.eigvals(total)).max())


def crossed(chances, A, high: float, m: float, w: float) -> float:
    """The step where r(T) passes one, by bisection."""
    low = 1e-6 * high
    assert growth(chances, A, low, m, w) < 1 < growth(chances, A, high, m, w)
    for _ in range(45):
        middle = (low + high) / 2
        low, high = (middle, high) if growth(chances, A, middle, m, w) < 1 else (low, middle)
    return low


@pytest.mark.parametrize("form", [kernel_of, space_of])
def test_the_edge_is_that_of_the_dense_operator(form, monkeypatch):
    moving = 0
    for seed in range(250):
        what, how = law(seed)
        steps = reduced(minimum(**what), **how)
        if steps.climb is not None and form is kernel_of:
            continue
        monkeypatch.setattr(mean_square, "gain_of", form)
        edge = critical(steps)
        expected = mean_square_critical_step(*dense(what, how))
        moving += math.isfinite(expected)
        if not math.isfinite(expected):
            assert edge.lower == edge.value == edge.upper == math.inf
            continue
        assert edge.value == pytest.approx(expected, rel=AGREED), (seed, how)
        assert edge.lower <= edge.value <= edge.upper
        assert edge.upper - edge.lower <= AGREED * edge.value, (seed, how)
    assert moving > 100


def wide(seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Curvatures over eight decades, batches, momentum and decay, in few enough dimensions."""
    rng = np.random.default_rng(seed)
    n, k, d = rng.integers(1, 5), rng.integers(1, 3), rng.integers(1, 4)
    scales = 10.0 ** -rng.uniform(0, 4, d)
    scales[rng.integers(d)] = 1
    F = rng.normal(size=(n, k, d)) * scales
    if rng.random() < 0.4:
        F *= 10.0 ** -rng.uniform(0, 4, size=(n, 1, 1))
    batch = [None, 1, 2, 3, 20][rng.integers(5)]
    with_again = (batch or 0) > n or rng.random() < 0.5
    even = not with_again or rng.random() < 0.5
    how = {
        "rho": [0.0, 0.1, 1.0, 1e3][rng.integers(4)],
        "batch": 3 if batch == 20 and n == 4 else batch,
        "sampling": "with" if with_again else "without",
        "ascent": ["shared", "per-sample"][rng.integers(2)],
        "momentum": [0.0, 0.0, 0.5, 0.9, 0.99][rng.integers(5)],
        "weight_decay": [0.0, 0.0, 0.1, 1.0][rng.integers(4)],
    }
    weights = np.full(n, 1.0) if even else 10.0 ** rng.uniform(-3, 0, n)
    return {"factors": F, "weights": weights, "preconditioner": None}, how


def exact(what: dict[str, Any], how: dict[str, Any]):
    names = ("rho", "batch", "sampling", "ascent")
    chances, A = exact_law(what["factors"], what["weights"], **{x: how[x] for x in names})
    return exact_mean_square(chances, A, momentum=how["momentum"], decay=how["weight_decay"])


@pytest.mark.parametrize("form", [kernel_of, space_of])
def test_the_bounds_hold_the_exact_edge_at_curvatures_over_eight_decades(form, monkeypatch):
    tight = 0
    for seed in range(120):
        what, how = wide(seed)
        truth = exact(what, how)
        steps = reduced(minimum(factors=what["factors"], weights=what["weights"]), **how)
        if steps.climb is not None and form is kernel_of:
            continue
        monkeypatch.setattr(mean_square, "gain_of", form)
        edge = critical(steps)
        assert edge.lower <= truth.lower <= truth.upper <= edge.upper, (seed, how)
        assert edge.value == pytest.approx(truth.lower, rel=AGREED), (seed, how)
        if how["momentum"] == how["weight_decay"] == 0 and form is kernel_of:
            assert edge.upper - edge.lower <= AGREED * edge.value
        tight += edge.upper - edge.lower <= AGREED * edge.value
    # wide only where an (r, r) gain is badly conditioned, or momentum makes modes fast and slow
    assert tight > 55


WITNESSES = [
    ([[0, 1], [1, -1], [1, 1]], Fraction(0)),
    ([[1, 1], [1, 0]], Fraction(0)),
    ([[5, 0, 0], [1, 15, 0], [1, -15, 2], [0, 3, 7]], Fraction(1, 25)),
]


@pytest.mark.parametrize(("rows", "rho"), WITNESSES)
def test_both_bounds_are_verdicts_of_exact_elimination(rows, rho):
    edge = critical(reduced(minimum(jacobian=rows), rho=float(rho)))
    H = [Matrix([r]).T @ Matrix([r]) for r in rows]
    rho = Fraction(float(rho))  # the float that the engine was given
    A = [h + rho * (h @ h) for h in H]
    chances = [Fraction(1, len(rows))] * len(rows)

    def stable(eta: float) -> bool:
        steps = [Matrix.identity(len(rows[0])) - Fraction(eta) * S for S in A]
        return radius_at_most(SecondMoment(chances, steps), Fraction(1))

    assert stable(edge.lower)
    assert not stable(edge.upper)


@settings(max_examples=25)
@given(SEEDS)
def test_with_momentum_the_edge_is_that_of_the_block_operator(seed):
    what, how = law(seed, momentum=True)
    what["factors"] = what["factors"][:3, :, :3]
    what["weights"] = what["weights"][:3]
    what["preconditioner"] = None if what["preconditioner"] is None else what["preconditioner"][:3]
    if how["sampling"] == "without" and how["batch"]:
        how["batch"] = min(how["batch"], len(what["weights"]))
    steps = reduced(minimum(**what), **how)
    if steps.rank == 0:
        return
    chances, A = dense(what, how)
    _, _, A = quotient(chances, A)
    m, w = how["momentum"], how["weight_decay"]
    edge = critical(steps)
    expected = crossed(chances, A, 1.01 * mean_edge(steps), m, w)
    # Eigenvalues that meet at r = 1 with those of -1 are known to half the digits (full batch).
    assert edge.value == pytest.approx(expected, rel=1e-6 if steps.deterministic else 1e-8)
    stable = [
        growth(chances, A, x * edge.value, m, w) <= 1 + 1e-7 for x in np.linspace(0.02, 1.6, 40)
    ]
    assert stable == sorted(stable, reverse=True), "the stable set is an interval"


@settings(max_examples=30)
@given(SEEDS, st.floats(0, 0.97), st.integers(1, 5))
def test_in_one_dimension_momentum_has_a_closed_form(seed, m, batch):
    a = np.random.default_rng(seed).uniform(0.1, 3, 4)
    edge = critical(reduced(minimum(jacobian=np.sqrt(a)[:, None]), batch=batch, momentum=m))
    mu, variance = a.mean(), a.var() / batch
    expected = 2 * (1 - m * m) * mu / ((1 + m) * variance + (1 - m) * mu**2)
    assert edge.value == pytest.approx(expected, rel=1e-12)


@settings(max_examples=40)
@given(SEEDS, st.sampled_from([1e-3, 0.1, 0.5, 0.9, 0.999, 1.001, 1.1, 3.0, 100.0]))
def test_the_rate_is_that_of_the_block_operator_on_both_sides_of_the_edge(seed, share):
    what, how = law(seed, momentum=True)
    steps = reduced(minimum(**what), **how)
    if steps.rank == 0:
        assert rate(steps, 0.3) == 0
        return
    chances, A = dense(what, how)
    _, _, A = quotient(chances, A)
    if len(A) * A.shape[-1] ** 2 > 400:
        return
    eta = share * critical(steps).value
    expected = growth(chances, A, eta, how["momentum"], how["weight_decay"])
    # Kronecker products of defective matrices, as of a full batch with momentum, lose half the digits.
    assert rate(steps, eta) == pytest.approx(
        expected, rel=1e-7 if steps.deterministic else 1e-9, abs=1e-14
    )


def test_the_rate_of_one_repeated_block_under_momentum_is_that_of_the_mean():
    """Every step is the same and both modes turn: r = m. Lanczos must stay symmetric."""
    block = [[3.31, -0.94, 1.5], [0.22, 0.47, 2.1]]
    law = minimum(factors=[block, block])
    steps = reduced(law, rho=0.1, batch=3, ascent="per-sample", momentum=0.3, weight_decay=1.0)
    eta = 0.9 * critical(steps).value
    assert rate(steps, eta) == pytest.approx(0.3, rel=1e-12)
    assert mean_rate(steps, eta) ** 2 == pytest.approx(0.3, rel=1e-12)


@pytest.mark.parametrize("share", [10.0, 100.0])
def test_far_beyond_the_edge_the_rate_under_momentum_is_the_last_crossing(share):
    """There the loop gain rises with r before it falls, and Newton's method would stop at once."""
    F = np.array([[[0.415, 0.006]], [[-0.002, 0.515]], [[0.937, 0.0]], [[0.002, 0.873]]])
    steps = reduced(minimum(factors=F), batch=2, momentum=0.99)
    eta = share * critical(steps).value
    gain, response = mean_square.gain_of(steps)
    floor = max(mean_rate(steps, eta) ** 2, 0.99)
    K = [response.kernel(response.at_rate(floor * (1 + x), eta)) for x in (1e-6, 3e-4)]
    first, second = (lanczos(gain, k, ones(gain), 1e-12)[0] for k in K)
    assert second > first * (1 + 1e-6)
    chances, A = step_matrices(np.swapaxes(F, 1, 2) @ F, np.full(4, 0.25), batch=2)
    assert rate(steps, eta) == pytest.approx(growth(chances, A, eta, 0.99, 0), rel=1e-9)


def test_edge_and_rate_agree():
    for seed in range(40):
        what, how = law(seed, momentum=True)
        steps = reduced(minimum(**what), **how)
        if steps.rank and not steps.deterministic:
            found = critical(steps)
            edge = found.value
            # also where noise spares the fastest mode, and the root is the pole (seed 38)
            assert found.applications < 150, (seed, how)
            assert rate(steps, edge) == pytest.approx(1, abs=1e-9), (seed, how)
            assert rate(steps, edge * (1 - 1e-5)) < 1 < rate(steps, edge * (1 + 1e-5))


@settings(max_examples=40)
@given(SEEDS, st.sampled_from(["with", "without"]), st.floats(0, 2))
def test_a_larger_batch_never_lowers_the_edge_and_the_ladder_holds(seed, sampling, rho):
    rng = np.random.default_rng(seed)
    F = shaped(rng, 5, 2, 3, SHAPES[rng.integers(6)])
    how = {"rho": rho, "sampling": sampling, "ascent": "per-sample"}
    laws = [reduced(minimum(factors=F), batch=B, **how) for B in range(1, 6)]
    edges = [critical(law) for law in laws]
    assert all(a.value <= b.value * (1 + AGREED) for a, b in pairwise(edges))
    for steps, edge in zip(laws, edges, strict=True):
        one = one_step_edge(steps)
        assert one is not None
        assert one <= edge.value * (1 + 1e-9)
        assert edge.value <= mean_edge(steps) * (1 + AGREED)


@settings(max_examples=30)
@given(SEEDS, st.floats(0.01, 100))
def test_order_rotation_and_scale_change_what_they_should(seed, c):
    rng = np.random.default_rng(seed)
    F, w = shaped(rng, 4, 2, 5, "generic"), rng.uniform(0.1, 1, 4)
    how = {"rho": 0.3, "batch": 2, "momentum": 0.5, "ascent": ["shared", "per-sample"][seed % 2]}
    first = critical(reduced(minimum(factors=F, weights=w), **how)).value
    order = rng.permutation(4)
    Q = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    turned = minimum(factors=(F @ Q)[order], weights=w[order])
    assert critical(reduced(turned, **how)).value == pytest.approx(first, rel=AGREED)
    scaled = reduced(minimum(factors=F * math.sqrt(c), weights=w), **how | {"rho": 0.3 / c})
    assert critical(scaled).value * c == pytest.approx(first, rel=AGREED)


@settings(max_examples=30)
@given(SEEDS, st.floats(0, 10), st.integers(1, 4), st.booleans())
def test_the_four_forms_and_the_raised_rows_are_one_law(seed, rho, batch, wide):
    rng = np.random.default_rng(seed)
    J = shaped(rng, 4, 1, 7 if wide else 3, "generic")[:, 0]
    how = {"rho": rho, "batch": batch, "ascent": "per-sample"}
    H = np.einsum("ia,ib->iab", J, J)
    forms = [{"jacobian": J}, {"gram": J @ J.T}, {"factors": J[:, None]}, {"hessians": H}]
    edges = [critical(reduced(minimum(**form), **how)).value for form in forms]
    raised = J * np.sqrt(1 + rho * (J * J).sum(axis=1, keepdims=True))
    edges.append(critical(reduced(minimum(jacobian=raised), batch=batch)).value)
    assert edges == pytest.approx([edges[0]] * 5, rel=AGREED)
    shared = [critical(reduced(minimum(**form), rho=rho, batch=batch)).value for form in forms]
    assert shared == pytest.approx([shared[0]] * 4, rel=AGREED)


def cubature(points: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows (points^d, d) and weights with the moments of N(0, I) up to degree 2 points - 1 each."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(points)
    rows = np.array(list(product(nodes, repeat=d)))
    return rows, np.prod(list(product(weights / weights.sum(), repeat=d)), axis=1)


@pytest.mark.parametrize("batch", [1, 2, 10])
def test_cubature_rows_have_the_edge_of_gaussian_ones(batch):
    spectrum = np.array([2.0, 0.7, 0.1])
    rows, weights = cubature(3, 3)  # D needs fourth moments
    law = minimum(jacobian=rows * np.sqrt(spectrum), weights=weights)
    expected = gaussian_sgd_critical_step(spectrum, batch)
    assert critical(reduced(law, batch=batch)).value == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("batch", [1, 2, 5])
@pytest.mark.parametrize("rho", [0.1, 3.0])
def test_cubature_rows_have_the_usam_edge_of_gaussian_ones(batch, rho):
    rows, weights = cubature(5, 2)  # four factors H_S need eighth moments
    law = minimum(jacobian=rows, weights=weights)
    expected = gaussian_usam_critical_step(2, batch, rho)
    assert critical(reduced(law, rho=rho, batch=batch)).value == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("batch", [1, 16])
def test_the_number_of_applications_does_not_grow_with_the_samples(batch):
    rng = np.random.default_rng(0)
    used = []
    for n in (200, 1000, 5000):
        steps = reduced(minimum(jacobian=rng.normal(size=(n, 20))), batch=batch)
        edge = critical(steps)
        assert edge.upper - edge.lower <= AGREED * edge.value
        used.append(edge.applications)
    assert max(used[1:]) <= 1.3 * used[0], used
    assert used[0] > 3  # the count counts


@pytest.mark.parametrize(("n", "d"), [(30, 20_000), (20_000, 30)])
@pytest.mark.parametrize("how", [{"batch": 1}, {"batch": 4, "rho": 0.1}])
def test_nothing_of_size_n_squared_or_d_squared_is_formed(n, d, how):
    J = np.random.default_rng(0).normal(size=(n, d))
    tracemalloc.start()
    edge = critical(reduced(minimum(jacobian=J), **how))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert edge.upper - edge.lower <= 1e-8 * edge.value
    assert peak < 15 * J.nbytes < 8 * max(n, d) ** 2 / 40


@pytest.mark.parametrize("batch", [10, 10**3, 10**6, 10**9])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_next_to_the_pole_the_edge_is_known_to_ten_digits(batch, momentum):
    a = np.array([4.0, 1.0, 9.0])
    law = minimum(jacobian=np.sqrt(a)[:, None])
    edge = critical(reduced(law, batch=batch, momentum=momentum))
    mu, m = Fraction(14, 3), Fraction(momentum)
    variance = (Fraction(98, 3) - mu**2) / batch
    expected = 2 * (1 - m * m) * mu / ((1 + m) * variance + (1 - m) * mu**2)
    assert edge.lower <= expected <= edge.upper
    assert edge.upper - edge.lower <= AGREED * edge.value
    if momentum == 0:
        rows = np.diag([1.0, 2.0, 3.0])
        diagonal = critical(reduced(minimum(jacobian=rows), batch=batch))
        assert diagonal.upper - diagonal.lower <= AGREED * diagonal.value


@pytest.mark.parametrize("weight", [1e-3, 1e-8, 1e-12, 1e-15, 1e-17])
@pytest.mark.parametrize("heavy", [[0, 1e3], [1e3, 1e3]])
@pytest.mark.parametrize("second", [[1, 0], [1, 1]])
def test_a_heavy_sample_of_tiny_weight_is_enclosed(weight, heavy, second):
    rows = np.array([[1.0, 0], second, [1, 0], heavy])
    weights = np.array([1, 1, 1, weight])
    chances, A = exact_law(rows[:, None], weights)
    truth = exact_mean_square(chances, A)
    edge = critical(reduced(minimum(jacobian=rows, weights=weights)))
    assert edge.lower <= truth.lower <= truth.upper <= edge.upper
    assert edge.lower <= edge.value <= edge.upper


def test_where_the_mean_no_longer_shows_a_sample_only_bounds_on_single_ones_hold():
    rows, weights = np.array([[1.0, 0], [0, 1e3]]), np.array([1, 1e-25])
    steps = reduced(minimum(jacobian=rows, weights=weights))
    assert steps.noise == math.inf
    edge = critical(steps)
    chances, A = exact_law(rows[:, None], weights)
    truth = exact_mean_square(chances, A)
    assert edge.lower <= truth.lower <= truth.upper <= edge.upper
    assert edge.value == edge.lower, "no estimate"
    slow = critical(reduced(minimum(jacobian=rows, weights=weights), momentum=0.5))
    truth = exact_mean_square(chances, A, momentum=0.5)
    assert 0 < slow.value == slow.lower <= truth.lower <= truth.upper <= slow.upper
    # both drawn at every step, it does not matter that one alone is invisible
    whole = critical(reduced(minimum(jacobian=rows, weights=weights), batch=None))
    assert whole.value == pytest.approx(2, rel=1e-12)
    assert whole.upper - whole.lower < 1e-12


def test_where_nothing_moves_every_step_is_stable():
    edge = critical(reduced(minimum(factors=np.zeros((3, 2, 4)))))
    assert (edge.value, edge.lower, edge.upper) == (math.inf,) * 3
    assert edge.enclosure.allows(1e300)


@pytest.mark.parametrize("form", [kernel_of, space_of])
@pytest.mark.parametrize("off", [-1e-2, -1e-5, 1e-5, 1e-2])
def test_the_bounds_do_not_need_the_root_that_was_found(form, off, monkeypatch):
    """A root finder that is wrong by `off` makes them wide, not wrong."""
    found = mean_square._root
    held, least = 0, 0.0

    def astray(*args, **kwargs):
        x, z, used = found(*args, **kwargs)
        return max(x + off * (x + least), 0.01 * x), z, used

    monkeypatch.setattr(mean_square, "_root", astray)
    monkeypatch.setattr(mean_square, "gain_of", form)
    for seed in range(40):
        what, how = wide(seed)
        steps = reduced(minimum(factors=what["factors"], weights=what["weights"]), **how)
        if steps.deterministic or (steps.climb is not None and form is kernel_of):
            continue
        least = 1 / mean_edge(steps)
        edge, truth = critical(steps), exact(what, how)
        assert edge.lower <= truth.lower <= truth.upper <= edge.upper, (seed, how)
        held += abs(edge.value / truth.lower - 1) > 0.1 * abs(off)
    assert held > 5  # often the value was indeed wrong


@pytest.mark.parametrize(("momentum", "width"), [(0.0, 1e-10), (0.5, 1e-10), (0.99999, 0.1)])
def test_a_condition_number_of_1e13_costs_no_digit(momentum, width):
    """Errors of A in the norm leave nothing of its flat directions, which do not set the edge."""
    F = np.random.default_rng(0).normal(size=(3, 1, 3)) * [1, 1e-3, 1e-6]
    steps = reduced(minimum(factors=F), rho=0.1, batch=2, momentum=momentum)
    assert steps.lam[-1] / steps.lam[0] > 1e12
    edge = critical(steps)
    chances, A = exact_law(F, [1] * 3, rho=0.1, batch=2)
    truth = exact_mean_square(chances, A, momentum=momentum)
    assert edge.value == pytest.approx(truth.lower, rel=1e-12)
    assert edge.lower <= truth.lower <= truth.upper <= edge.upper
    # modes as slow and as fast as those of m = 0.99999 leave fewer digits to the bounds
    assert edge.upper - edge.lower <= width * edge.value


@pytest.mark.parametrize("momentum", [0.0, 0.99999])
def test_where_the_allowance_says_nothing_single_samples_and_the_mean_do(momentum):
    F = np.random.default_rng(0).normal(size=(5, 1, 3))
    steps = reduced(minimum(factors=F), rho=0.1, batch=2, momentum=momentum)
    edge = critical(replace(steps, noise=10.0))
    # the mean's edge is given no more than 4 of noise, and of noise no more than all of A
    assert edge.upper == pytest.approx(5 * mean_edge(steps), rel=1e-12)
    assert edge.lower == pytest.approx(mean_square.least_edge(steps), rel=1e-13)
    assert edge.lower <= edge.value <= edge.upper


def test_an_edge_is_made_of_floats():
    J = np.random.default_rng(0).normal(size=(4, 3))
    zero, rare = np.zeros((2, 3)), np.diag([1, 1e3, 1.0])
    laws = [
        reduced(minimum(jacobian=J)),
        reduced(minimum(jacobian=J), batch=None),
        reduced(minimum(jacobian=J), batch=2, momentum=0.9),
        reduced(minimum(jacobian=J), batch=2, rho=0.1),
        reduced(minimum(jacobian=zero)),
        reduced(minimum(jacobian=rare, weights=[1, 1e-25, 1]), momentum=0.5),
    ]
    assert laws[-1].noise == math.inf
    for steps in laws:
        edge = critical(steps)
        assert {type(edge.value), type(edge.lower), type(edge.upper)} == {float}
        assert type(edge.applications) is int


@settings(max_examples=60)
@given(SEEDS)
def test_below_the_least_edge_the_norm_of_no_path_grows(seed):
    """Steps chosen to do harm, one sample at a time, in the norm that the docstring names."""
    rng = np.random.default_rng(seed)
    what, how = law(seed, momentum=True)
    how["batch"] = 1
    steps = reduced(minimum(**what), **how)
    if steps.rank == 0:
        return
    m, w, eta = steps.momentum, steps.decay, mean_square.least_edge(steps)
    A = np.swapaxes(steps.blocks, 1, 2) @ steps.blocks + w * np.eye(steps.rank)
    x, v = rng.normal(size=(2, steps.rank))

    def size(x, v):
        z = x - eta * m / (1 - m) * v
        return z @ z + eta**2 * m / (1 - m) ** 2 * v @ v

    for _ in range(30):
        ends = [(x - eta * (m * v + S @ x), m * v + S @ x) for S in A]
        before, (x, v) = size(x, v), max(ends, key=lambda end: size(*end))
        assert size(x, v) <= before * (1 + 1e-12)


def test_the_least_edge_is_reached_and_beyond_it_a_law_may_grow():
    """One sample in 10^4 curves, d = 1: eta_2 = 2 (1 - m)/a, and at m near 0 that is the bound."""
    for m in (0.0, 1e-3, 0.3, 0.9):
        steps = reduced(minimum(jacobian=[[1.0], [1e-9]], weights=[1e-6, 1]), momentum=m)
        edge, least = critical(steps), mean_square.least_edge(steps)
        assert edge.value == pytest.approx(2 * (1 - m), rel=1e-4)
        assert 1 <= edge.value / least * (1 + 1e-12) <= (1 + m) / (1 - m) * (1 + 1e-4)


@pytest.mark.parametrize("form", [kernel_of, space_of])
@pytest.mark.parametrize("batch", [1, 10_000, 10**7])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_decay_far_above_all_curvature_is_an_edge_of_its_own(form, batch, momentum, monkeypatch):
    """The root lies nearer to the pole than doubles do: eta_2 = 2/(l + w) to the last digits."""
    monkeypatch.setattr(mean_square, "gain_of", form)
    law = minimum(jacobian=[[2e-6], [-5e-6], [7e-6]])
    edge = critical(reduced(law, batch=batch, momentum=momentum, weight_decay=1.0))
    assert edge.value == pytest.approx(2 * (1 + momentum), rel=1e-9)
    assert edge.applications < 60  # no search by halves
    assert edge.upper - edge.lower <= AGREED * edge.value


def test_extreme_laws_have_edges_and_rates():
    """Nearly undamped momentum, batches of millions, decay of any size, curvatures over ten decades."""
    rng = np.random.default_rng(3)
    checked = 0
    for trial in range(120):
        n, d, k = rng.integers(2, 12), rng.integers(1, 6), rng.integers(1, 3)
        F = rng.normal(size=(n, k, d)) * 10.0 ** -rng.uniform(0, 3, size=(n, 1, 1))
        if rng.random() < 0.3:
            F = F * 10.0 ** -rng.uniform(0, 4, size=d)
        how = {
            "rho": [0.0, 0.0, 0.1][rng.integers(3)],
            "batch": [1, 2, 10, 10**4, 10**7][rng.integers(5)],
            "ascent": ["shared", "per-sample"][rng.integers(2)],
            "momentum": [0.0, 0.3, 0.9, 0.999, 0.99999][rng.integers(5)],
            "weight_decay": [0.0, 1e-4, 0.1, 1.0][rng.integers(4)],
        }
        steps = reduced(minimum(factors=F), **how)
        edge = critical(steps)
        assert 0 < edge.lower <= edge.value <= edge.upper
        for share in (1e-9, 1e-4, 0.5, 0.99):
            # the edge itself may be a cliff next to the pole, where 1 % before it r is still small
            assert rate(steps, share * edge.value) < 1 + 1e-12, (trial, how, share)
        assert rate(steps, edge.value) == pytest.approx(1, abs=1e-8), (trial, how)
        assert 1 < rate(steps, 1.01 * edge.value) < rate(steps, 1e4 * edge.value), (trial, how)
        checked += 1
    assert checked == 120


def battery() -> bool:
    """Whether the engine gives known edges: batch, weights, blocks, momentum."""
    rng = np.random.default_rng(3)
    F = rng.normal(size=(5, 2, 3))
    cases = [
        ({"batch": 3}, np.full(5, 0.2)),
        ({"batch": 1}, np.array([0.1, 0.4, 0.2, 0.2, 0.1])),
        ({"batch": 2, "momentum": 0.9}, np.full(5, 0.2)),
        ({"batch": 2, "sampling": "without", "weight_decay": 0.5}, np.full(5, 0.2)),
    ]
    default = {"rho": 0.1, "ascent": "per-sample", "sampling": "with"}
    for how, weights in cases:
        setting = default | {"momentum": 0.0, "weight_decay": 0.0} | how
        truth = exact({"factors": F, "weights": weights}, setting).lower
        try:
            edge = critical(reduced(minimum(factors=F, weights=weights), **setting))
        except (np.linalg.LinAlgError, ZeroDivisionError, ValueError):
            return False
        if not abs(edge.value / truth - 1) < 1e-9 or not edge.lower <= truth <= edge.upper:
            return False
    return True


def large(monkeypatch) -> None:
    """Products as for large laws, which take roots of shifted blocks."""
    monkeypatch.setattr(gain_module, "SMALL", 0)
    monkeypatch.setattr(gain_module, "NARROW", 0)


def test_the_battery_passes_without_a_fault(monkeypatch):
    assert battery()
    large(monkeypatch)
    assert battery()


def forgotten_weights(steps: Steps, scaled: np.ndarray) -> Kernel:
    root = np.full(len(scaled), 1 / math.sqrt(len(scaled)))
    return Kernel(scaled * root[:, None, None], 1 / root)


right, roots = Response.at_excess, gain_module._roots


def altered(change):
    """`at_excess` with `change(m, L)` added, L = l + w."""
    return lambda self, x: right(self, x) + change(self.momentum, self.lam + self.decay)


def without_spread(m, moved):
    return -m / (1 - m * m) * (moved[:, None] - moved) ** 2


def without_own(self, x):
    """-p A X A is not put on the side of the damping."""
    return right(self, x) - self.share * np.outer(self.lam, self.lam)


FAULTS = {
    "the share is one": (Steps, "share", property(lambda self: 1.0)),
    "the weights are forgotten": (mean_square, "_kernel", forgotten_weights),
    "the shift stays in the sum": (gain_module, "_roots", lambda blocks: (0.0, roots(blocks)[1])),
    "noise of the mean stays": (Response, "at_excess", without_own),
    "the spread of momentum is dropped": (Response, "at_excess", altered(without_spread)),
    "decay is no part of the damping": (
        Response,
        "slope",
        property(lambda self: (1 - self.momentum) * (self.lam[:, None] + self.lam)),
    ),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # faults may divide by zero
@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_seen(fault, monkeypatch):
    if fault == "the shift stays in the sum":
        large(monkeypatch)
    monkeypatch.setattr(*FAULTS[fault])
    assert not battery()

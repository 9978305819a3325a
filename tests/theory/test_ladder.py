"""One-step and mean edges are those of the dense operator, and one-step growth is what it says."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.stability import ladder
from theory.stability.ladder import one_step_edge, one_step_rate, one_step_room
from theory.stability.mean_square import critical, mean_edge, mean_rate, rate
from theory.stability.minimum import minimum
from theory.stability.operator import quotient, step_matrices
from theory.stability.steps import reduced
from theory.stability.threshold import mean_critical_step, one_step_critical_step
from theory.stability.threshold import one_step_rate as dense_rate

SEEDS = st.integers(0, 2**32 - 1)


def law(seed: int, w: float = 0.0):
    rng = np.random.default_rng(seed)
    n, k, d = rng.integers(1, 5), rng.integers(1, 3), rng.integers(1, 6)
    F = rng.normal(size=(n, k, d)) * np.exp(rng.normal(size=(n, 1, 1)))
    if rng.random() < 0.3:
        F[-1] = F[0]
    how = {
        "rho": [0.0, 0.1, 2.0][rng.integers(3)],
        "batch": [None, 1, 2][rng.integers(3)],
        "ascent": ["shared", "per-sample"][rng.integers(2)],
    }
    how["sampling"] = "without" if (how["batch"] or 0) <= n and rng.random() < 0.5 else "with"
    steps = reduced(minimum(factors=F), weight_decay=w, **how)
    return steps, step_matrices(np.swapaxes(F, 1, 2) @ F, np.ones(n), **how)


@settings(max_examples=80)
@given(SEEDS)
def test_edges_and_rates_are_those_of_the_dense_operator(seed):
    steps, (chances, A) = law(seed)
    room = 1e-12 * steps.lam[-1] / steps.lam[0]  # flat directions divide by their curvature
    one = one_step_edge(steps)
    assert one == pytest.approx(one_step_critical_step(chances, A), rel=1e-12 + room)
    assert mean_edge(steps) == pytest.approx(mean_critical_step(chances, A), rel=1e-12)
    assert one is not None
    edge = critical(steps)
    assert one * (1 - 1e-12 - room) <= edge.upper
    assert edge.lower <= mean_edge(steps) * (1 + 1e-12)
    for eta in (0.3 * one, 1.7 * one):
        assert one_step_rate(steps, eta) == pytest.approx(dense_rate(chances, A, eta), rel=1e-11)
        once = one_step_rate(steps, eta)
        assert once is not None
        assert mean_rate(steps, eta) ** 2 <= rate(steps, eta) * (1 + 1e-11) <= once * (1 + 1e-9)


@settings(max_examples=60)
@given(SEEDS, st.floats(0.01, 3))
def test_with_decay_the_one_step_edge_is_where_the_norm_of_the_mean_square_is_one(seed, w):
    steps, (chances, A) = law(seed, w)
    _, _, A = quotient(chances, A)
    eta = one_step_edge(steps)
    assert eta is not None
    Phi = np.eye(A.shape[-1]) - eta * (A + w * np.eye(A.shape[-1]))
    second = np.tensordot(chances, np.swapaxes(Phi, 1, 2) @ Phi, 1)
    assert np.linalg.eigvalsh(second)[-1] == pytest.approx(1, abs=1e-11)
    assert one_step_rate(steps, eta) == pytest.approx(1, abs=1e-11)
    # the direction that nothing but decay moves comes later
    assert eta <= 2 / w


@pytest.mark.parametrize(("m", "w"), [(0.0, 0.0), (0.5, 0.0), (0.9, 0.3), (0.0, 2.0)])
def test_the_mean_step_is_its_companion_matrix(m, w):
    steps = reduced(minimum(jacobian=np.diag([1.0, 1.5, 3.0])), momentum=m, weight_decay=w)
    edge = mean_edge(steps)

    def radius(eta: float) -> float:
        return max(np.abs(np.roots([1, -(1 + m - eta * (x + w)), m])).max() for x in steps.lam)

    for eta in (0.1 * edge, 0.7 * edge, edge, 1.3 * edge):
        assert mean_rate(steps, eta) == pytest.approx(radius(eta), rel=1e-7)  # double roots: half
    assert radius(edge * (1 - 1e-9)) < 1 < radius(edge * (1 + 1e-9))


def test_rows_by_hand():
    """Rows (1,1), (1,0), theory.md section 3: one-step is stricter. E A = [[2,1],[1,1]]/2,
    E A^2 = [[3,2],[2,2]]/2: eta_1 = 2/max eigenvalue of the pencil, mu^2 - 3 mu + 2 = 0, mu = 2.
    """
    steps = reduced(minimum(jacobian=[[1, 1], [1, 0]]))
    one = one_step_edge(steps)
    assert one == pytest.approx(1, rel=1e-13)
    assert one is not None
    assert one < 9 / 8 < critical(steps).lower


def test_momentum_has_no_one_step_notion():
    steps = reduced(minimum(jacobian=[[1.0]]), momentum=0.5)
    assert one_step_edge(steps) is None
    assert one_step_rate(steps, 0.1) is None


def test_where_nothing_moves_all_steps_are_stable():
    steps = reduced(minimum(jacobian=[[0.0, 0.0]]))
    assert one_step_edge(steps) == mean_edge(steps) == math.inf
    assert one_step_rate(steps, 3.0) == mean_rate(steps, 3.0) == rate(steps, 3.0) == 0
    assert one_step_room(steps) == 0


def test_the_room_covers_what_flat_directions_lose():
    """Spectra down to 1e-8: the edge from rows and from their rotation differ by less."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        rows = rng.normal(size=(6, 3)) * [1, 1e-2, 1e-4]
        Q = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        ours, theirs = reduced(minimum(jacobian=rows)), reduced(minimum(jacobian=rows @ Q))
        first, second = one_step_edge(ours), one_step_edge(theirs)
        assert first is not None
        assert second is not None
        assert abs(first / second - 1) <= one_step_room(ours) + one_step_room(theirs)
        assert one_step_room(ours) < 1e-4


def test_a_forgotten_decay_is_seen(monkeypatch):
    steps, (chances, A) = law(3, 0.7)
    _, _, A = quotient(chances, A)
    second = ladder._second
    monkeypatch.setattr(ladder, "_second", lambda law: second(law) - 2 * 0.7 * np.diag(law.lam))
    eta = one_step_edge(steps)
    assert eta is not None
    Phi = np.eye(A.shape[-1]) - eta * (A + 0.7 * np.eye(A.shape[-1]))
    assert abs(np.linalg.eigvalsh(np.tensordot(chances, Phi @ Phi, 1))[-1] - 1) > 1e-3

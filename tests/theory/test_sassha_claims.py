"""Sassha's closed forms against cases by hand, a loop in NumPy, and other derivations."""

from dataclasses import dataclass, field
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad

from sims.lab import Lab
from theory import catalogue
from theory.problems._oracle import minibatch


def module(key):
    return catalogue.load("theory.claims", key)


def sassha(curvatures, x, steps, *, lr, rho=0.0, w=0.0, eps=0.0, beta=0.0, normalised=True):
    """Sassha on a diagonal bowl with the exact diagonal, as a loop: every iterate (steps + 1, d)."""
    h, path = np.array(curvatures, float), [np.array(x, float)]
    average = 0 * h
    for t in range(1, steps + 1):
        x = path[-1]
        gradient = h * x
        climb = rho * gradient / (np.linalg.norm(gradient) if normalised else 1.0)
        average = beta * average + (1 - beta) * h * (x + climb)
        path.append((1 - lr * w) * x - lr * average / (1 - beta**t) / (np.sqrt(h) + eps))
    return np.array(path)


# --- the edge ------------------------------------------------------------------------------------


def test_the_threshold_by_hand():
    """l = 1, rho = 1, eps = 1: q = 1 (1 + 1)/(1 + 1) = 1, and decay 1 adds to it: 2/2."""
    m = SimpleNamespace(r=1.0, rho=1.0, eps=1.0, w=1.0)
    assert module("sassha_threshold").formula(m) == 1


@pytest.mark.parametrize(("factor", "grows"), [(0.99, False), (1.01, True)])
def test_iterates_grow_past_the_threshold_only(factor, grows):
    m = SimpleNamespace(r=1.3, rho=0.2, eps=0.1, w=0.3)
    edge = module("sassha_threshold").formula(m)
    how = {"rho": m.rho, "eps": m.eps, "w": m.w, "normalised": False}
    path = sassha([m.r**2, m.r**2 / 4], [1, 1], 2000, lr=factor * edge, **how)
    assert (np.abs(path[-1]).max() > 1) == grows


def test_the_condition_number_by_hand():
    """Curvatures 4 and 1, rho = 1: 2 (1 + 4)/(1 + 1) = 5, where gradient descent has 4."""
    m = SimpleNamespace(k=2.0, rho=1.0, r=2.0, t=1.0)
    assert module("sassha_condition_number").formula(m) == 5


def test_the_best_step_contracts_by_the_condition_number():
    """At eta = 2/(q_1 + q_d) both coordinates shrink by (K - 1)/(K + 1) = 2/3."""
    path = sassha([4, 1], [1, 1], 1, lr=2 / (2 * 5 + 1 * 2), rho=1.0, normalised=False)
    assert np.abs(path[1]) == pytest.approx([2 / 3, 2 / 3], rel=1e-14)


def test_the_momentum_edge_of_the_published_beta_is_38():
    claim = module("sassha_momentum_edge")
    assert 2 * (1 + Fraction(9, 10)) / (1 - Fraction(9, 10)) == claim.EDGE == 38
    m = SimpleNamespace(beta=0.9, q=2.0, w=0.0)
    assert claim.formula(m) == pytest.approx(19, rel=1e-14)
    assert "38" in claim.CLAIM.statement


@pytest.mark.parametrize(("factor", "grows"), [(0.99, False), (1.01, True)])
def test_momentum_moves_the_edge_where_it_says(factor, grows):
    m = SimpleNamespace(beta=0.6, w=0.2, r=1.1, rho=0.3, eps=0.2)
    m.q = module("sassha_momentum_edge").curvature(m) / (m.r + m.eps)
    edge = module("sassha_momentum_edge").formula(m)
    how = {"rho": m.rho, "eps": m.eps, "w": m.w, "beta": m.beta, "normalised": False}
    path = sassha([m.r**2], [1.0], 3000, lr=factor * edge, **how)
    assert (abs(path[-1, 0]) > 1) == grows


def test_jurys_criterion_says_when_both_roots_are_inside():
    rng = np.random.default_rng(0)
    for T, D in rng.uniform(-2.5, 2.5, (500, 2)):
        inside = np.abs(np.roots([1, -T, D])).max() < 1
        assert inside == (abs(D) < 1 and 1 - T + D > 0 and 1 + T + D > 0)


# --- the orbit -----------------------------------------------------------------------------------


def test_the_cycle_by_hand():
    """eta = b = rho = 1, no decay: from 1 climb to 2, step to 1 - 2 = -1; loss 1/2."""
    m = SimpleNamespace(eta=1.0, rho=1.0, w=0.0, eps=0.0, r=1.0, b=1.0)
    assert module("sassha_two_cycle").width(m) == 1
    assert module("sassha_floor_loss").formula(m) == 0.5
    assert sassha([1.0], [1.0], 2, lr=1.0, rho=1.0)[:, 0].tolist() == [1, -1, 1]


@pytest.mark.parametrize("seed", range(6))
def test_from_anywhere_it_ends_in_the_cycle_of_the_sharpest_coordinate(seed):
    rng = np.random.default_rng(seed)
    h = np.sort(rng.uniform(0.3, 2, 3)) * [0.4, 0.5, 1]
    eps, w, rho, lr = rng.uniform([0, 0, 0.1, 0.3], [0.5, 0.3, 1, 0.8])
    b = h[-1] / (np.sqrt(h[-1]) + eps)
    width = module("sassha_two_cycle").width(SimpleNamespace(eta=lr, rho=rho, w=w, b=b))
    path = sassha(h, rng.standard_normal(3), 4000, lr=lr, rho=rho, w=w, eps=eps)
    assert np.abs(path[-1]) == pytest.approx([0, 0, width], rel=1e-12, abs=1e-12)
    assert path[-1, 2] == pytest.approx(-path[-2, 2], rel=1e-12)


# --- convergence ---------------------------------------------------------------------------------


def wavy(x):
    """f = sum(x^2/4 - cos x/2) and its gradient: the Hessian is diagonal and between 0 and 1."""
    return (x**2 / 4 - np.cos(x) / 2).sum(), x / 2 + np.sin(x) / 2


def worst_excess(stretch, seed=0):
    """The most that one step from a random point exceeds the bound by, eta = stretch eps/(4L)."""
    rng, d, eps, worst = np.random.default_rng(seed), 3, 0.3, -np.inf
    p = 1 / (np.sqrt(np.sqrt(d)) + eps)
    for _ in range(4000):
        x, rho, lr = rng.uniform(-7, 7, d), rng.uniform(0, 1), stretch * eps / 4
        f, g = wavy(x)
        above = x + rho * g / np.linalg.norm(g)
        estimate = rng.uniform(0, 1) * np.abs(0.5 + np.cos(above) / 2)
        after = x - lr * wavy(above)[1] / (np.sqrt(estimate) + eps)
        promised = f - p / 4 * lr * g @ g + 0.75 / eps * lr * rho**2
        worst = max(worst, (wavy(after)[0] - promised) / lr)
    return worst


def test_one_step_obeys_the_convergence_inequality_and_longer_steps_need_not():
    """The step allowed is a fraction of what the proof can bear, so a much longer one is planted."""
    assert worst_excess(1) < 0
    assert worst_excess(40) > 0


def test_the_squared_gradients_sum_to_less_than_the_bound():
    """Random-sign probes and a dense Hessian: f = sum log cosh(A x), rho_t = t^(-1/2)."""
    rng, d, eps, beta = np.random.default_rng(1), 4, 0.5, 0.9
    A = rng.standard_normal((6, d))
    L = np.linalg.eigvalsh(A.T @ A)[-1]
    lr, p = eps / (4 * L), 1 / (np.sqrt(L * np.sqrt(d)) + eps)
    x, average, total, climbs = rng.standard_normal(d), 0.0, 0.0, 0.0
    start = np.log(np.cosh(A @ x)).sum()
    for t in range(1, 400):
        g = A.T @ np.tanh(A @ x)
        total, climbs = total + lr * g @ g, climbs + lr / t
        above = x + t**-0.5 * g / np.linalg.norm(g)
        H, z = A.T @ (A / np.cosh(A @ above)[:, None] ** 2), rng.choice([-1, 1], d)
        average = beta * average + (1 - beta) * np.abs(z * (H @ z))
        x = x - lr * (A.T @ np.tanh(A @ above)) / (np.sqrt(average / (1 - beta**t)) + eps)
    assert 0 < total < 4 / p * (start + 0.75 * L**2 / eps * climbs)


@dataclass(frozen=True)
class Cosine:
    """f(x) = -cos x, one sample."""

    weights: Any = field(default_factory=lambda: np.ones(1))
    dimension: int = field(default=1, metadata={"static": True})

    @property
    def samples(self):
        return (self.weights,)

    def losses(self, x, _):
        from jax.numpy import cos

        return -cos(x)

    def oracle(self, batch=None, probes=None):
        return minibatch(self, batch, probes)


EXACT = {"beta1": 0.0, "beta2": 0.0, "lazy_hessian": 1, "diagonal": "exact"}


CLIMB = 1e-11  # a climb of 4 falls short by 1e-12 over the gradient's norm, 0.757 or 4/5


def test_a_constant_climb_ends_at_two_pi_less_four():
    """A step contracts by 1 - 0.2/(1 + 1) near the point, so 400 steps reach it to rounding."""
    how = {"lr": 0.2, "rho": 4.0, "eps": 1.0} | EXACT
    x = Lab().run(Cosine(), "sassha", x0=np.array([2.0]), steps=400, batch=None, **how).x[0, -1, 0]
    assert x == pytest.approx(2 * np.pi - 4, abs=CLIMB)
    assert np.sin(x) == pytest.approx(0.757, abs=5e-4)  # its gradient


def test_the_witness_of_a_constant_climb_rests_in_a_simulation():
    """sin x = 4/5, cos x = -3/5, and the climb to 2 pi."""
    x0 = np.arctan2(4, -3)
    how = {"lr": 0.2, "rho": 2 * np.pi - x0, "eps": 1.0} | EXACT
    run = Lab().run(Cosine(), "sassha", x0=np.array([x0]), steps=20, batch=None, **how)
    assert run.x[0, :, 0] == pytest.approx(x0, abs=CLIMB)


def test_the_limit_with_decay_by_hand():
    """h = c = 1, eps = 1, w = 1/2: 1/(1 + 1/2 (1 + 1)) = 1/2, as in the refutation."""
    claim = module("sassha_decay_limit")
    assert claim.formula(SimpleNamespace(r=1.0, eps=1.0, w=0.5, c=1.0)) == 0.5


PAIR = SimpleNamespace(h1=4.0, h2=1.0, c1=1.0, c2=-1.0)  # 2(x - 1)^2 and (x + 1)^2/2


@pytest.mark.parametrize(("beta", "told"), [(0.0, 1 / 3), (0.5, 0.485), (0.9, 0.58)])
def test_where_sassha_rests_when_the_batch_gives_the_curvature(beta, told):
    """A_i from the Laplace transform: D^(-1/2) = int t^(-1/2) e^(-tD) dt / sqrt(pi), t = s^2."""

    def transform(t):
        k = np.arange(400)
        weights = (1 - beta) * beta**k
        return np.prod((np.exp(-t * weights * 4) + np.exp(-t * weights)) / 2)

    def scale(h):
        return quad(lambda s: np.exp(-(s**2) * (1 - beta) * h) * transform(s**2 * beta), 0, 12)[0]

    claim = module("sassha_batch_curvature_limit")
    at = claim.exact(PAIR, beta)
    assert at == pytest.approx(claim.rest(PAIR, scale(4), scale(1)), rel=1e-8)
    assert at == pytest.approx(told, abs=5e-4)
    assert claim.rest(PAIR, 1, 1) == 3 / 5


def test_the_refuted_point_of_rest_is_the_limit_without_memory():
    claim = module("sassha_batch_curvature_limit")
    witness = module("sassha_converges_with_batch_curvature").CLAIM.domain.complete["x"]
    x = witness(SimpleNamespace(r1=2.0, r2=1.0, c1=1.0, c2=-1.0))
    assert claim.exact(PAIR, 0.0) == pytest.approx(x, rel=1e-12)

"""M-Sassha's fixed behaviour against a loop in NumPy or fractions, written from its definition."""

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from sims.lab import Lab
from theory import catalogue
from theory.claims._sassha import run


def module(key):
    return catalogue.load("theory.claims", key)


def steps(x, m, count, *, a, rho, beta, w=0.0, corrected=False):
    """Iterates and averages, on a bowl of curvature 1 and dimension len(x): lists of arrays.

    `corrected`: m starts at zero and its bias is corrected; otherwise that is taken to be over.
    """
    path = [(x, m)]
    for t in range(1, count + 1):
        size = np.linalg.norm(m)
        gradient = x + (rho * m / size if size > 0 else 0 * m)
        m = beta * m + (1 - beta) * gradient
        x = x - a * m / (1 - beta**t if corrected else 1) - a * w * x
        path.append((x, m))
    return [np.array(part) for part in zip(*path, strict=True)]


# --- rest ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("factor", "stays"), [(0.97, True), (1.03, False)])
@pytest.mark.parametrize(("beta", "w"), [(0.0, 0.3), (0.5, 0.2), (0.9, 0.05)])
def test_the_rest_point_attracts_up_to_the_momentum_edge(beta, w, factor, stays):
    """eta b = (2 - eta w)(1 + beta)/(1 - beta) with b = 1, from a millionth beside the point."""
    a = factor * 2 * (1 + beta) / (1 - beta + w * (1 + beta))
    rest = module("msassha_rest_point").place(SimpleNamespace(rho=1.0, w=w, r=1.0, eps=0.0))
    m = np.array([w / (1 + w)])
    x, _ = steps(np.array([rest + 1e-6]), m, 600, a=a, rho=1.0, beta=beta, w=w)
    assert x[-1, 0] == pytest.approx(rest, rel=1e-9) if stays else abs(x[-1, 0] - rest) > 1e-3


def test_without_decay_small_steps_end_a_climb_away_on_the_other_side():
    """Positive roots, a <= (1 - sqrt(beta))/(1 + sqrt(beta)): from the right to -rho.

    Once x + rho is lost in rounding the sign of m is anyone's: only the way there is looked at.
    """
    for beta, a in ((0.0, 0.9), (0.25, 1 / 3), (0.81, 0.05)):
        x, m = steps(np.array([2.0]), np.zeros(1), 400, a=a, rho=0.7, beta=beta, corrected=True)
        arrived = np.flatnonzero(np.abs(x[:, 0] + 0.7) < 1e-9)[0]
        assert (m[1:arrived] > 0).all()
        assert (x[:arrived, 0] > -0.7).all()


def test_what_is_added_to_the_norm_lets_go_of_the_climb_in_the_end():
    """In the implementation x comes within a thousandth of -rho, and later crosses to the right."""
    how = {"optimizer": "msassha", "lr": 0.3, "rho": 1.0, "steps": 200}
    x = run(Lab(), (1.0,), (0.7,), **how).x[0, :, 0]
    near = np.flatnonzero(np.abs(x + 1) < 1e-3)
    assert len(near) > 10 and (x[near[0] :] > 0.9).any()


# --- the cycle -----------------------------------------------------------------------------------


def on_the_cycle(beta, a, rho=1):
    """(p, y, n) at the start of a run."""
    m = SimpleNamespace(beta=beta, a=a, rho=rho)
    complete = module("msassha_cycle").CLAIM.domain.complete
    for name in ("U", "V", "y", "n"):
        setattr(m, name, complete[name](m))
    return module("msassha_cycle").powers(m)[0], m


def in_a_window(m):
    given = module("msassha_cycle").given(m)
    return given[-2].lhs < given[-2].rhs and given[-1].lhs < given[-1].rhs


def test_the_cycle_without_memory_by_hand():
    """beta = 0, a = 3/2, rho = 1: y = 2/(1 + 1/4) = 8/5, so x = 3/5, -9/5, -3/5, 9/5 and again.

    In general rho a^2/(1 + (1 - a)^2) and rho a (2 - a)/(1 + (1 - a)^2) from the minimum.
    """
    a = Fraction(3, 2)
    p, m = on_the_cycle(Fraction(0), a)
    assert (p, m.y) == (2, Fraction(8, 5))
    x, n, seen = m.y - 1, m.n, []
    for _ in range(8):
        seen.append(x)
        n = x + (1 if n > 0 else -1)
        x = x - a * n
    assert seen == [Fraction(k, 5) for k in (3, -9, -3, 9)] * 2
    square = 1 + (1 - a) ** 2
    assert {abs(x) for x in seen} == {a**2 / square, a * (2 - a) / square}


@pytest.mark.parametrize("seed", range(20))
def test_a_cycle_returns_after_two_runs_and_attracts(seed):
    rng = np.random.default_rng(seed)
    while True:
        beta = rng.uniform(0.1, 0.85)
        a = rng.uniform(0.1, 1) ** 2 * 2 * (1 + beta) / (1 - beta)
        try:
            p, m = on_the_cycle(beta, a)
        except ValueError:  # the average never turns
            continue
        if in_a_window(m):
            break
    x, n = steps(np.array([m.y - 1]), np.array([m.n]), 2 * p, a=a, rho=1.0, beta=beta)
    assert x[p, 0] == pytest.approx(-x[0, 0], abs=1e-11)
    assert x[2 * p, 0] == pytest.approx(x[0, 0], abs=1e-11)
    assert (n[:p] > 0).all() and (n[p : 2 * p] < 0).all()
    assert np.abs(x).max() == pytest.approx(module("msassha_cycle").exact(m), rel=1e-11)
    beside, _ = steps(x[0] + 1e-7, n[0], 200 * p, a=a, rho=1.0, beta=beta)
    assert beside[-1, 0] == pytest.approx(x[0, 0], abs=1e-9)  # beta^(100 p) of 1e-7, and rounding


def test_the_closed_form_is_a_sum_of_powers_of_the_roots():
    """x_t by 2 rho Im[(1 - z') z^(t+1)/(1 + z^p)]/Im z - rho, step by step through a run."""
    beta, a = 0.6, 0.8
    p, m = on_the_cycle(beta, a)
    x, _ = steps(np.array([m.y - 1]), np.array([m.n]), p, a=a, rho=1.0, beta=beta)
    z = np.roots([1, -(1 + beta - a * (1 - beta)), beta])[0]
    t = np.arange(p + 1)
    closed = 2 * ((1 - z.conjugate()) * z ** (t + 1) / (1 + z**p)).imag / z.imag - 1
    assert x[:, 0] == pytest.approx(closed, abs=1e-13)


def test_it_never_bounces_to_and_fro_each_step():
    """p = 1 would need U_0 = 1 < 0; where a step at once turns the average, two follow."""
    for beta in (0.0, 0.3, 0.8):
        for share in (0.51, 0.75, 0.99):
            assert on_the_cycle(beta, share * 2 * (1 + beta) / (1 - beta))[0] == 2


def test_the_first_step_does_not_climb():
    x, _ = steps(np.array([1.0]), np.zeros(1), 1, a=0.3, rho=5.0, beta=0.9, corrected=True)
    assert x[1, 0] == pytest.approx(1 - 0.3, rel=1e-15)
    seen = run(Lab(), (1.0,), (1.0,), optimizer="msassha", lr=0.3, rho=5.0, beta1=0.9)
    assert seen.x[0, 1, 0] == pytest.approx(1 - 0.3, rel=1e-14)


# --- the circle ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("a", "beta", "w"), [(0.3, 0.0, 0.0), (0.5, 0.9, 0.0), (1.2, 0.5, 0.1)])
def test_a_plane_of_equal_curvature_is_circled(a, beta, w):
    """From a start that is not collinear with m; the angle from two successive points."""
    x, _ = steps(np.array([1.0, 0.2]), np.array([0.3, 0.9]), 4000, a=a, rho=0.7, beta=beta, w=w)
    kappa = 1 - a * w
    m = SimpleNamespace(a=a, beta=beta, kappa=kappa, rho=0.7)
    assert np.linalg.norm(x[-1]) == pytest.approx(module("msassha_circle").formula(m), rel=1e-12)
    cosine = x[-1] @ x[-2] / (x[-1] @ x[-1])
    assert 2 * kappa * cosine == pytest.approx(1 + kappa**2 - (1 - beta) * a * kappa, rel=1e-11)
    if w == 0:
        assert np.linalg.norm(x[-1]) == pytest.approx(0.7 * np.sqrt(a / (1 - beta)), rel=1e-12)

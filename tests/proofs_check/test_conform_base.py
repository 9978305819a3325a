"""The five numbers of a base against its steps worked out by their published formulas."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofs_check.conform.base import Base, decode

LR = 0.07
MOMENTA = st.floats(0.05, 0.99)
DECAYS = st.floats(1e-4, 0.5)
BASES = st.builds(
    Base,
    momentum=MOMENTA,
    averaged=st.booleans(),
    nesterov=st.booleans(),
    decay=DECAYS,
    decoupled=st.booleans(),
)


def walk(base, lr, x, gradients):
    """The definition: a buffer, PyTorch's Nesterov, decay in the gradient or on x."""
    path, b = [x], 0.0
    share = 1 - base.momentum if base.averaged else 1.0
    for g in gradients:
        shrink = base.decay if base.fixed else lr * base.decay
        rest, u = ((1 - shrink) * x, g) if base.decoupled else (x, g + base.decay * x)
        b = base.momentum * b + share * u
        x = rest - lr * (share * u + base.momentum * b if base.nesterov else b)
        path.append(x)
    return path


@given(BASES | BASES.map(lambda b: replace(b, decoupled=True, fixed=True)), st.integers(0, 10))
def test_the_recursion_is_the_definition(base, seed):
    x, *g = np.random.default_rng(seed).normal(size=7)
    path = walk(base, LR, x, g)
    how = base.recursion(LR)
    assert path[1] == pytest.approx((1 - how.shrink) * x + how.now * g[0], rel=1e-12, abs=1e-13)
    for t in range(1, 6):
        expected = (
            how.here * path[t] + how.before * path[t - 1] + how.now * g[t] + how.then * g[t - 1]
        )
        assert path[t + 1] == pytest.approx(expected, rel=1e-11, abs=1e-13)


@given(BASES)
def test_a_convention_is_read_back_from_its_numbers(base):
    found, factor = decode(base.recursion(LR), LR)
    assert factor == pytest.approx(1, rel=1e-9)
    assert (found.averaged, found.nesterov, found.decoupled) == (
        base.averaged,
        base.nesterov,
        base.decoupled,
    )
    assert found.momentum == pytest.approx(base.momentum, rel=1e-9)
    assert found.decay == pytest.approx(base.decay, rel=1e-6)


@given(BASES, st.floats(0.1, 10))
def test_a_factor_in_the_step_is_read_back(base, factor):
    """A heavy ball with its step times 1 - momentum is a moving average, and is called that."""
    if base.averaged or abs(factor - (1 - base.momentum)) < 1e-3:
        return
    found = decode(Base(base.momentum, nesterov=base.nesterov).recursion(factor * LR), LR)[1]
    assert found == pytest.approx(factor, rel=1e-9)


@pytest.mark.parametrize(
    ("base", "critical"),
    [
        (Base(), 2 / LR),
        (Base(decay=3.0), 2 / LR - 3),
        (Base(momentum=0.9), 2 * 1.9 / LR),
        (Base(momentum=0.9, averaged=True), 2 * 1.9 / (0.1 * LR)),
        (Base(momentum=0.9, nesterov=True), 2 * 1.9 / (2.8 * LR)),
    ],
)
def test_the_critical_curvature_is_the_known_one(base, critical):
    assert base.recursion(LR).critical == pytest.approx(critical, rel=1e-12)


@given(BASES)
def test_a_root_leaves_the_unit_circle_at_the_critical_curvature(base):
    how = base.recursion(LR)
    assert np.abs(how.roots(how.critical) + 1).min() < 1e-6  # a root -1, double only near mu = 1
    assert np.abs(how.roots(1.001 * how.critical)).max() > 1

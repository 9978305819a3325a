"""Lazy vectors obey the laws of vectors, and refuse what would need coordinates."""

from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sims._vectors import Vector, value
from sims.engine import Setting, Simulation
from theory.core import InputError
from theory.problems.linear import generate

WIDE = generate(n=6, d=9, noise=0.3, weights=np.arange(1.0, 7.0))
TALL = generate(n=8, d=5, noise=0.3, weights=np.arange(8.0, 0.0, -1))
RNG = np.random.default_rng(0)
HELD, ROWS = RNG.normal(size=(2, 5)), RNG.normal(size=(2, 3, 5))  # two windows of three rows
LEAVES = [Vector({0: 1.0}, {}), Vector({1: 1.0}, {})]
LEAVES += [Vector({}, {w: RNG.normal(size=3)}) for w in (0, 1)]


def dense(v):
    """(5,), the coordinates that a lazy vector stands for."""
    held = sum((s * HELD[k] for k, s in v.scales.items()), np.zeros(5))
    return held + sum((value(c) @ ROWS[w] for w, c in v.pending.items()), np.zeros(5))


numbers = st.one_of(
    st.sampled_from([0.0, 1.0, -1, 2, np.float64(0.3), np.array(-0.7), jnp.asarray(1.5)]),
    st.floats(0.25, 4),
    st.floats(-4, -0.25),
)
steps = st.lists(
    st.tuples(st.sampled_from("+-*r/n"), st.sampled_from(range(4)), numbers), min_size=1, max_size=8
)


@given(start=st.sampled_from(range(4)), steps=steps)
@settings(max_examples=60)
def test_arithmetic_on_lazy_vectors_is_arithmetic_on_what_they_stand_for(start, steps):
    v, x = LEAVES[start], dense(LEAVES[start])
    for what, other, number in steps:
        if what in "+-":
            sign = 1 if what == "+" else -1
            v = v + LEAVES[other] if what == "+" else v - LEAVES[other]
            x = x + sign * dense(LEAVES[other])
        elif what in "*r":
            v, x = (v * number if what == "*" else number * v), x * float(number)
        elif what == "/":
            divisor = float(number) or 3
            v, x = v / divisor, x / divisor
        else:
            v, x = -v, -x
        assert isinstance(v, Vector)
        # eight operations on numbers that may have grown by 4 at each and cancelled again
        assert np.allclose(dense(v), x, rtol=1e-12, atol=1e-15 * 4**8)
        assert np.allclose(dense(v.divided()), dense(v), rtol=1e-15)


def test_floats_stay_part_of_the_structure_and_cost_nothing():
    v = 0.0 * LEAVES[0] + 2 * LEAVES[1] / 4 - LEAVES[1]
    assert {k: (type(s), s) for k, s in v.scales.items()} == {0: (float, 0.0), 1: (float, -0.5)}
    assert jax.tree.leaves(v) == []
    traced = jnp.asarray(2.0) * LEAVES[0]
    assert len(jax.tree.leaves(traced)) == 1
    leaves, structure = jax.tree.flatten(v + LEAVES[2])
    assert np.array_equal(dense(jax.tree.unflatten(structure, leaves)), dense(v + LEAVES[2]))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda v: v * v,
        lambda v: v / v,
        lambda v: v + 1.0,
        lambda v: 1.0 - v,
        lambda v: v - np.ones(5),
        lambda v: np.ones(5) + v,
        lambda v: v**2,
        lambda v: 1.0 / v,
        lambda v: v @ v,
        abs,
        lambda v: v[0],
        jnp.sqrt,
        jnp.sign,
    ],
)
def test_what_vectors_cannot_do_is_an_error(wrong):
    for v in LEAVES:
        with pytest.raises(TypeError):
            wrong(v)


@pytest.mark.parametrize("array", [np.ones(3), jnp.ones(3), np.ones(1)])
def test_an_array_is_no_factor_though_it_be_as_long_as_a_batch(array):
    for wrong in (lambda v: v * array, lambda v: array * v, lambda v: v / array):
        with pytest.raises(InputError, match="space: got 'gram'; allowed: 'plain' for an optim"):
            wrong(LEAVES[2])


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Wanderer:
    """Uses whatever an oracle offers that needs no axes: held vectors' norms, losses, products."""

    lr: Any = 0.05

    def init(self, x):
        return x, 0.0 * x, 0

    def step(self, oracle, x, state):
        anchor, buffer, t = state
        g = oracle.grad(x)
        buffer = 0.9 * buffer + g / (1 + oracle.norm(buffer) + oracle.norm(x - anchor) / 2)
        curved = oracle.hvp(x, buffer - 2 * g)
        y = x - self.lr * buffer - self.lr * curved / (3 + oracle.norm(curved + g))
        apart = oracle.each(lambda one: one.grad(x) / (1 + one.norm(one.grad(x) - 0.1 * x)))
        slope = oracle.loss(y) / (1 + oracle.norm(x) ** 2)
        x = y - self.lr * slope * oracle.grad(y) - self.lr * (apart + 0.01 * anchor)
        return x, (anchor + 0.1 * (x - anchor), buffer, t + 1)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Hiding:
    """Moves along `needs(oracle, x)`, whatever that may need."""

    lr: Any = 0.05
    needs: ClassVar[Any] = None

    def init(self, x):
        return None

    def step(self, oracle, x, state):
        return x - self.lr * self.needs(oracle, x), None


@pytest.mark.parametrize(
    ("problem", "batch", "shared"),
    [(WIDE, 1, True), (TALL, 3, False), (WIDE, 9, True), (TALL, None, False)],
    ids=["one, shared", "three", "nine, shared", "all"],
)
def test_an_optimizer_of_ones_own_takes_the_same_steps(problem, batch, shared, by_hand):
    steps, seeds = 7, np.array([4, 4, 4] if shared else [4, 5, 6])
    record = ("x", "x_norm", "loss", "grad_norm")
    setting = Setting(problem, Wanderer(), steps, steps, batch, record=record, space="gram")
    prepared = Simulation(setting)
    lr = np.array([0.05, 0.02, 0.1])
    found = prepared.run(prepared.runs({"lr": lr}, seeds, 0), shared=shared)
    full = problem.oracle(None)
    for run, (rate, seed) in enumerate(zip(lr, seeds, strict=True)):
        end = by_hand(problem, Wanderer(rate), steps, batch=batch, seed=int(seed))[-1]
        last = {key: values[run, -1] for key, values in found.items() if key != "diverged_at"}
        # seven steps of some tens of operations each, none of which amplifies an error
        assert np.allclose(last["x"], end, rtol=1e-12, atol=1e-13)
        assert last["x_norm"] == pytest.approx(full.norm(end), rel=1e-12)
        assert last["loss"] == pytest.approx(full.loss(end), rel=1e-12)
        assert last["grad_norm"] == pytest.approx(full.norm(full.grad(end)), rel=1e-12)


@pytest.mark.parametrize(
    "needs",
    [
        lambda oracle, x: oracle.grad(x) * oracle.grad(x),
        lambda oracle, x: jnp.sign(oracle.grad(x)),
        lambda oracle, x: oracle.grad(x) * np.array([1.0, 0.0]),
        lambda oracle, x: oracle.probe(0, 0) * oracle.loss(x),
        lambda oracle, x: oracle.ravel(oracle.tensors(x)),
    ],
)
def test_an_optimizer_that_hides_its_need_of_coordinates_is_stopped(needs, monkeypatch):
    monkeypatch.setattr(Hiding, "needs", staticmethod(needs))
    problem = generate(n=4, d=2)  # as many coordinates as samples in a batch
    prepared = Simulation(Setting(problem, Hiding(), 2, batch=2, space="gram"))
    with pytest.raises((TypeError, InputError)):
        prepared.run(prepared.runs({}, [0], 0))


@pytest.mark.parametrize(("batch", "size"), [(4, 3), (1, 2), (None, 5)])
def test_groups_that_do_not_fill_a_batch_are_refused(batch, size, monkeypatch):
    grouped = staticmethod(lambda oracle, x: oracle.each(lambda one: one.grad(x), size))
    monkeypatch.setattr(Hiding, "needs", grouped)
    prepared = Simulation(Setting(TALL, Hiding(), 2, batch=batch, space="gram"))
    with pytest.raises(InputError, match=f"size: got {size}; allowed: a divisor"):
        prepared.run(prepared.runs({}, [0], 0))

"""Costs counted by hand: what each step asks, times the samples in its batch."""

from dataclasses import dataclass

import jax
import numpy as np
import pytest

from sims.cost import Cost, cost
from sims.lab import OPTIMIZERS, build
from theory import catalogue
from theory.core import InputError
from theory.problems.quadratic import quadratic
from theory.problems.two_layer import two_layer

FIVE = quadratic(factors=np.random.default_rng(0).normal(size=(5, 2, 3)))


def lazy(branch, k=3, probes=2):
    """An optimizer that asks for `probes` Hessian products at every k-th step, from the first."""

    @dataclass(frozen=True)
    class Lazy:
        def init(self, x):
            return 0, 0 * x

        def step(self, oracle, x, state):
            t, kept = state

            def refreshed():
                products = [oracle.hvp(x, oracle.probe(t, j)) for j in range(probes)]
                return sum(products) / probes

            kept = branch(t % k == 0, refreshed, lambda: kept)
            return x - 0.1 * oracle.grad(x) - 0.1 * kept, (t + 1, kept)

    return Lazy()


def in_python(condition, then, otherwise):
    return then() if condition else otherwise()


def test_sgd_asks_once_and_sam_twice():
    assert cost(build("sgd"), FIVE, 10) == Cost(10, 0)
    assert cost(build("sam", rho=0.1), FIVE, 10) == Cost(20, 0)
    assert cost(build("sam", momentum=0.9, weight_decay=0.1), FIVE, 10, batch=4) == Cost(80, 0)


@pytest.mark.parametrize("ascent", ["shared", "per-sample"])
def test_per_sample_ascent_costs_what_shared_ascent_does(ascent):
    assert cost(build("usam", ascent=ascent), FIVE, 7, batch=3) == Cost(42, 0)


def test_the_full_batch_is_all_samples():
    assert cost(build("sgd"), FIVE, 2, batch=None) == Cost(10, 0)


@pytest.mark.parametrize("branch", [in_python, jax.lax.cond])
@pytest.mark.parametrize(("steps", "refreshes"), [(0, 0), (1, 1), (3, 1), (4, 2), (10, 4)])
def test_lazy_refreshes_are_counted_when_they_happen(branch, steps, refreshes):
    """Steps 0, 3, 6, 9, with two products of four samples each; a branch not taken is free."""
    assert cost(lazy(branch), FIVE, steps, batch=4) == Cost(4 * steps, 8 * refreshes)


def test_a_compiled_loop_over_probes_is_counted_product_by_product():
    @dataclass(frozen=True)
    class Looping:
        def init(self, x):
            return None

        def step(self, oracle, x, state):
            def add(j, total):
                return total + oracle.hvp(x, oracle.probe(0, j))

            return x - jax.lax.fori_loop(0, 5, add, 0 * x), state

    assert cost(Looping(), FIVE, 3) == Cost(0, 15)


def test_questions_that_cannot_be_counted_are_refused():
    @dataclass(frozen=True)
    class Batched:
        def init(self, x):
            return None

        def step(self, oracle, x, state):
            return x - jax.vmap(lambda v: oracle.hvp(x, v))(np.eye(len(x))).sum(0), state

    with pytest.raises(TypeError, match="hvp: asked with a traced vector"):
        cost(Batched(), FIVE, 1)


def test_groups_must_divide_the_batch():
    @dataclass(frozen=True)
    class Pairs:
        def init(self, x):
            return None

        def step(self, oracle, x, state):
            return x - oracle.each(lambda pair: pair.grad(x), 2), state

    assert cost(Pairs(), FIVE, 3, batch=4) == Cost(12, 0)
    with pytest.raises(InputError, match="size"):
        cost(Pairs(), FIVE, 3, batch=5)


@pytest.mark.parametrize(("steps", "batch"), [(-1, 1), (1, 0), (1, 1.5)])
def test_steps_and_batch_are_checked(steps, batch):
    with pytest.raises(InputError):
        cost(build("sgd"), FIVE, steps, batch)


def test_tensors_and_their_inverse_are_there_for_whoever_asks():
    @dataclass(frozen=True)
    class Blockwise:
        def init(self, x):
            return None

        def step(self, oracle, x, state):
            tensors = oracle.tensors(x - oracle.grad(x))
            assert sorted(tensor.ndim for tensor in tensors) == [1, 2]
            assert np.array_equal(oracle.ravel(tensors), x - 1)
            return oracle.ravel(tensors), state

    network = two_layer(np.ones((2, 3)), [0.0, 1.0], 4)
    assert cost(Blockwise(), network, 2) == Cost(2, 0)


def test_an_exact_diagonal_costs_a_product_for_each_parameter():
    exact = build("sassha", diagonal="exact", lazy_hessian=5)
    assert cost(exact, FIVE, 10, batch=2) == Cost(2 * 2 * 10, 2 * 2 * FIVE.dimension)


@pytest.mark.parametrize("key", catalogue.keys(OPTIMIZERS))
def test_every_optimizer_can_be_counted_whatever_its_rate(key):
    """At a rate of 1e6 a trajectory overflows at once: counting needs no trajectory."""
    found = cost(build(key, lr=1e6), FIVE, 50, batch=2)
    assert found.gradients >= 100
    assert found.gradients % 2 == 0 and found.hessian_products % 2 == 0

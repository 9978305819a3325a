"""Shampoo's steps, worked by hand and beside dense Kronecker products."""

import numpy as np
import pytest
from scipy.linalg import fractional_matrix_power

from sims.lab import Lab, build
from sims.optimizers._tensors import fitted
from theory.core import InputError
from theory.problems.quadratic import quadratic
from theory.problems.two_layer import two_layer

RNG = np.random.default_rng(4)
NETWORK = two_layer(RNG.normal(size=(6, 2)), RNG.normal(size=6), 3)
START = RNG.normal(size=9)
INDICES = RNG.integers(6, size=(1, 15, 2))


def test_a_vector_takes_the_inverse_root_of_its_summed_outer_products():
    # g = (3, 4): (g g' + 11 I)^{-1/2} g = g/sqrt(25 + 11)
    bowl = quadratic(np.eye(2)[None])
    x = Lab().run(bowl, "shampoo", x0=[3.0, 4.0], steps=2, batch=None, lr=3.0, eps=11.0).x[0]
    assert x[1] == pytest.approx([1.5, 2.0], rel=1e-14)
    # g = (3, 4)/2: sums 25 + 25/4 + 11 = 42.25
    assert x[2] == pytest.approx(np.array([1.5, 2.0]) * (1 - 3 / 6.5), rel=1e-14)


def test_where_no_gradient_has_been_eps_alone_preconditions():
    # g = (1, 0): the first coordinate is divided by sqrt(1 + 3)
    flat = quadratic([[[1.0, 0.0], [0.0, 0.0]]])
    x = Lab().run(flat, "shampoo", x0=[1.0, 5.0], steps=1, batch=None, lr=1.0, eps=3.0).x[0]
    assert x[1] == pytest.approx([0.5, 5.0], rel=1e-14)


def dense(indices, *, lr, momentum, eps, power, weight_decay):
    """vec(L^{-a} B R^{-a}) = (L^a kron R^a)^{-1} vec(B), with W's rows end to end."""
    x, b = START, np.zeros(9)
    L, R, H = eps * np.eye(3), eps * np.eye(2), eps * np.eye(3)
    out = [x]
    for batch in indices:
        g = NETWORK.oracle(batch).grad(x)
        G, h = g[:6].reshape(3, 2), g[6:]
        L, R, H = L + G @ G.T, R + G.T @ G, H + np.outer(h, h)
        b = momentum * b + g
        both = np.kron(*(fractional_matrix_power(M, power / 2) for M in (L, R)))
        alone = fractional_matrix_power(H, power)
        move = np.concatenate([np.linalg.solve(both, b[:6]), np.linalg.solve(alone, b[6:])])
        x = (1 - lr * weight_decay) * x - lr * move
        out.append(x)
    return np.array(out)


@pytest.mark.parametrize("power", [0.5, 1.0])
def test_a_network_moves_as_dense_kronecker_products_say(power):
    how = {"lr": 0.1, "momentum": 0.6, "eps": 0.02, "power": power, "weight_decay": 0.1}
    x = Lab().run(NETWORK, "shampoo", x0=START, indices=INDICES, **how).x[0]
    assert np.allclose(x, dense(INDICES[0], **how), rtol=1e-10, atol=1e-13)


def test_an_axis_more_is_a_matrix_more():
    """A 2 x 1 x 3 tensor against its unfoldings, one axis at a time, each to the power -1/6."""
    g = RNG.normal(size=6)
    problem = fitted(build("shampoo", eps=0.1, shapes=((2, 1, 3),)), quadratic(np.eye(6)[None]))

    class Cube:
        def grad(self, x):
            return g

        def tensors(self, x):
            return [x.reshape(2, 1, 3)]

        def ravel(self, tensors):
            return tensors[0].ravel()

    x, _ = problem.step(Cube(), np.zeros(6), problem.init(np.zeros(6)))
    G = g.reshape(2, 1, 3)
    A, B, C = (
        fractional_matrix_power(np.einsum(f"{a}->xX", G, G) + 0.1 * np.eye(n), -1 / 6)
        for a, n in (("xjk,Xjk", 2), ("ixk,iXk", 1), ("ijx,ijX", 3))
    )
    assert np.allclose(x, -0.2 * np.einsum("iI,jJ,kK,IJK->ijk", A, B, C, G).ravel(), rtol=1e-12)


def test_tensors_it_was_not_told_of_are_refused():
    unaware = build("shampoo")
    with pytest.raises(
        InputError, match=r"shapes: got \[\(9,\)\]; allowed: .*\[\(3, 2\), \(3,\)\]"
    ):
        unaware.step(NETWORK.oracle(None), START, unaware.init(START))
    assert fitted(unaware, NETWORK).shapes == ((3, 2), (3,))
    assert fitted(unaware, quadratic(np.eye(2)[None])).shapes == ((2,),)
    by_hand = build("shampoo", shapes=((9,),))
    assert fitted(by_hand, NETWORK) is by_hand
    sgd = build("sgd")
    assert fitted(sgd, NETWORK) is sgd

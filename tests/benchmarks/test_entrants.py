"""Entrants do the same work: against the readable loop, and against dense Hessians."""

import importlib.util

import jax
import numpy as np
import pytest

from benchmarks._entrant import Case, compete, difference
from benchmarks._kernel import Kernel, NetworkKernel
from benchmarks._numpy import Loop, OverRuns
from benchmarks._optax import Optax
from benchmarks._ours import Flatproof
from benchmarks._workload import EVERY, least_squares, network
from theory.problems.two_layer import two_layer

RUNS, STEPS = 4, 20  # a side of the grid


def entrants():
    found = [Flatproof(), Kernel(), OverRuns(), OverRuns(block=3), Optax(opaque=True)]
    found += [Optax(opaque=False), Optax(blocks=(8, 5, 4), opaque=True)]
    if importlib.util.find_spec("numba"):
        from benchmarks._numba import Kernel as NumbaKernel

        found.append(NumbaKernel())
    if importlib.util.find_spec("torch"):
        from benchmarks import _torch

        found += [_torch.Loop(), _torch.OverRuns()]
    return found


@pytest.mark.parametrize("shared", [False, True], ids=["own", "shared"])
def test_all_agree_with_the_readable_loop(shared):
    w = least_squares("small", d=12, n=6, side=RUNS, repeats=2, steps=STEPS, shared=shared)
    assert w.indices.shape == (1 if shared else 2 * RUNS**2, STEPS, 1)
    assert (w.indices.min(), w.indices.max()) == (0, 5)
    cases = [Case(entrant, w) for entrant in [Loop(), *entrants()]]
    compete(cases, rounds=1, least=0.0)
    for case in cases[1:]:
        assert difference(case, cases[0]) <= case.entrant.tolerance


def test_the_loop_is_sam_step_by_step():
    """Two steps on rows e_1 and 2 e_2 by hand: |climb| is rho along one axis."""
    w = least_squares("tiny", d=2, n=2, side=1, repeats=1, steps=2)
    w = w.cut(1, 2)
    object.__setattr__(w, "inputs", np.diag([1.0, 2.0]))
    object.__setattr__(w, "targets", np.zeros(2))
    object.__setattr__(w, "starts", np.array([[1.0, -1.0]]))
    object.__setattr__(w, "indices", np.array([[[0], [1]]], dtype=np.int32))
    lr, rho = w.lr[0], w.rho[0]
    loop = Loop()
    loop.prepare(w)
    first, second = 1 - lr * (1 + rho), -1 + lr * 4 * (1 + rho)
    expected = (first**2 + (2 * second) ** 2) / 4
    np.testing.assert_allclose(loop.run()["loss"], [expected], rtol=1e-11)  # TINY is not by hand


def test_lambda_max_is_that_of_the_dense_hessian():
    """The measured starts, and losses at the end by two routes."""
    w = network("small", width=3, side=2, repeats=1, steps=EVERY, batch=4)
    loss = two_layer(w.inputs, w.targets, w.width).oracle(None).loss
    expected = [np.linalg.eigvalsh(jax.hessian(loss)(start))[-1] for start in w.starts]
    cases = [Case(e, w) for e in (NetworkKernel(), Flatproof(), Optax(opaque=True))]
    compete(cases, rounds=1, least=0.0)
    for case in cases:
        assert case.found["lambda_max"].shape == (4, 2)
        np.testing.assert_allclose(case.found["lambda_max"][:, 0], expected, rtol=1e-6)
        assert difference(case, cases[0]) <= 1e-6

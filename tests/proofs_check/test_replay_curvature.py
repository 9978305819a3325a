"""Fresh recordings of the Hessian-based optimizers, made without ours, are repeated to rounding.

What is replayed here comes from plain NumPy, written from the description of the format: Hessians
are explicit matrices, those of the network from its gradient's derivative worked out by hand, and
the averages are sums over the whole past.
"""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs_check.replay import replay_files

KEYS = ["adahessian", "sophiah", "sassha", "msassha"]
STEPS = 13


class Form:
    """f_i(x) = x'H_i x/2 in three dimensions."""

    shapes = ((3,),)

    def __init__(self, rng):
        factors = rng.normal(size=(4, 2, 3))
        self.hessians = np.swapaxes(factors, 1, 2) @ factors - np.diag([0, 0, 0.3])
        self.start = rng.normal(size=3)
        self.data = {"hessians": self.hessians.tolist(), "x0": self.start.tolist()}

    def gradient_and_hessian(self, x, batch):
        H = sum(self.hessians[i] for i in batch) / len(batch)
        return H @ x, H


class Network:
    """f(x) = a . tanh(W x), (f - y)^2/2, with two inputs and three hidden units."""

    shapes = ((3, 2), (3,))

    def __init__(self, rng):
        self.inputs, self.targets = rng.normal(size=(4, 2)), rng.normal(size=4)
        self.start = rng.normal(size=9)
        W, a = self.start[:6].reshape(3, 2), self.start[6:]
        self.data = {"inputs": self.inputs.tolist(), "targets": self.targets.tolist()}
        self.data |= {"W0": W.tolist(), "a0": a.tolist()}

    def gradient_and_hessian(self, x, batch):
        gradient, hessian = np.zeros(9), np.zeros((9, 9))
        for i in batch:
            g, H = self.of_sample(x[:6].reshape(3, 2), x[6:], self.inputs[i], self.targets[i])
            gradient, hessian = gradient + g / len(batch), hessian + H / len(batch)
        return gradient, hessian

    @staticmethod
    def of_sample(W, a, x, y):
        """J'J + r f'': f'' couples each row of W with itself and with its own entry of a."""
        h = np.tanh(W @ x)
        slope, residual = 1 - h**2, a @ h - y
        J = np.concatenate([np.outer(a * slope, x).ravel(), h])
        second = np.zeros((9, 9))
        for u in range(3):
            row = slice(2 * u, 2 * u + 2)
            second[row, row] = -2 * a[u] * h[u] * slope[u] * np.outer(x, x)
            second[row, 6 + u] = second[6 + u, row] = slope[u] * x
        return residual * J, np.outer(J, J) + residual * second


def average(past, beta, weight=None):
    """Sum of (1 - beta) beta^age over the past, divided by `weight` where there is one."""
    ages = np.arange(len(past))[::-1]
    total = sum((1 - beta) * beta**age * each for age, each in zip(ages, past, strict=True))
    return total if weight is None else total / weight


def by_hand(key, model, batches, probes, opt):
    """The trajectory, (steps+1, d), and how many of the probes it took."""
    (b1, b2), k, rho = opt["betas"], opt["lazy_hessian"], opt.get("rho", 0.0)
    x, gradients, diagonals, drawn = model.start, [], [], 0
    trajectory = [x]
    for step, batch in enumerate(batches, start=1):
        if key == "sassha":
            along = model.gradient_and_hessian(x, batch)[0]
        else:
            along = average(gradients, b1) if gradients and key == "msassha" else 0 * x
        above = x + rho * along / (np.linalg.norm(along) + 1e-12)
        gradient, H = model.gradient_and_hessian(above, batch)
        gradients.append(gradient)
        if step % k == 1 or k == 1:
            zs = probes[drawn : drawn + opt.get("n_samples", 1)]
            drawn += len(zs)
            found, last = np.mean([z * (H @ z) for z in zs], axis=0), step
            diagonals.append(found)
        elif key == "adahessian":
            diagonals.append(diagonals[-1])
        if key == "sophiah":
            D = average(diagonals, b2)
            move = average(gradients, b1) / np.maximum(opt["clip_threshold"] * D, opt["eps"])
            move = np.clip(move, -1, 1)
        else:
            if key == "adahessian":
                D = average([d**2 for d in diagonals], b2, 1 - b2**step)
            else:
                D = average([abs(d) for d in diagonals], b2, 1 - b2**last)
            move = average(gradients, b1, 1 - b1**step) / (np.sqrt(D) + opt["eps"])
        x = x - opt["lr"] * opt.get("weight_decay", 0.0) * x - opt["lr"] * move
        trajectory.append(x)
    return trajectory, drawn


def fresh(key, kind, seed):
    """A random run in the recorded form; shapes are the same for all, the rest is not."""
    rng = np.random.default_rng(seed)
    model = kind(rng)
    opt = {"lr": rng.uniform(0.01, 0.05), "betas": rng.uniform(0, 0.999, 2).tolist()}
    opt |= {"eps": 10 ** rng.uniform(-3, -1), "lazy_hessian": int(rng.choice([1, 2, 3, 5, 20]))}
    if key in ("sassha", "msassha"):
        opt["rho"] = rng.uniform(0, 0.3)
    if key == "sophiah":
        opt["clip_threshold"] = rng.uniform(0.1, 3)
    if rng.random() < 0.7:
        opt["weight_decay"] = rng.uniform(0, 0.2)
    if rng.random() < 0.7:
        opt["n_samples"] = int(rng.integers(1, 4))
    batches = [rng.integers(4, size=rng.choice([1, 3])).tolist() for _ in range(STEPS)]
    probes = rng.choice([-1.0, 1.0], size=(3 * STEPS, len(model.start)))
    trajectory, drawn = by_hand(key, model, batches, probes, opt)
    name = {Form: "quadratic", Network: "mlp"}[kind]
    run = {"problem": name, "optimizer": key, "config": {"opt": opt}, "data": model.data}
    run |= {"batches": batches, "probes": [in_tensors(model, z) for z in probes[:drawn]]}
    return run | {"trajectory": [in_tensors(model, x) for x in trajectory]}


def in_tensors(model, x):
    parts = np.split(x, np.cumsum([np.prod(shape) for shape in model.shapes])[:-1])
    return [part.reshape(shape).tolist() for part, shape in zip(parts, model.shapes, strict=True)]


def replayed(run, folder):
    path = folder / "fresh.json"
    path.write_text(json.dumps(run), encoding="utf-8")
    return replay_files([path])


def test_the_hessian_worked_out_is_the_gradients_derivative():
    network = Network(np.random.default_rng(0))
    x, h = network.start, 1e-5

    def slope(at):
        return network.gradient_and_hessian(at, [0, 2])[0]

    columns = [(slope(x + e) - slope(x - e)) / (2 * h) for e in h * np.eye(9)]
    # differences of order two: h^2 and, from rounding, 1e-16/h
    assert np.allclose(columns, network.gradient_and_hessian(x, [0, 2])[1], rtol=0, atol=1e-8)


@pytest.mark.parametrize("kind", [Form, Network])
@pytest.mark.parametrize("key", KEYS)
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=12)
def test_fresh_runs_by_an_independent_implementation_agree(tmp_path_factory, key, kind, seed):
    assert replayed(fresh(key, kind, seed), tmp_path_factory.getbasetemp()) == 0


@pytest.mark.parametrize("option", ["lr", "eps", "betas", "rho", "weight_decay", "clip_threshold"])
@pytest.mark.parametrize("key", KEYS)
def test_it_is_told_from_ours_with_another_option(key, option, tmp_path):
    run = fresh(key, Network, 5)
    opt = run["config"]["opt"]
    if option in opt:
        old = opt[option]
        opt[option] = [old[0], old[1] / 2] if option == "betas" else 1.01 * old
        assert replayed(run, tmp_path) == 1

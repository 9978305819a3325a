"""A stand-in for the engine, so that tests of grids compile nothing, and one to hold it against."""

from types import SimpleNamespace

import numpy as np
import pytest


@pytest.fixture
def stand_in(monkeypatch):
    """Replaces `sims.engine.simulate`; counts the runs it was asked for.

    The k-th record of a run is (k + 1) (seed + 10 lr + 100 rho + 1000 batch + its optimizer), with
    0 for a field that the optimizer lacks and for the full batch; grad_norm is its negative. The
    optimizer is 1e4 times the first letter's place in the alphabet, doubled for per-sample ascent.
    Runs with lr of at least 8 diverge at step 1.
    """
    from sims import engine

    count = SimpleNamespace(runs=0, calls=0)

    def simulate(setting, hyper, seeds, *, root):
        def field(name):
            return hyper.get(name, getattr(setting.optimizer, name, 0.0))

        count.runs += len(seeds)
        count.calls += 1
        chosen = 1e4 * (ord(type(setting.optimizer).__name__[0]) - ord("A") + 1)
        chosen *= 2 if field("ascent") == "per-sample" else 1
        base = seeds + 10 * field("lr") + 100 * field("rho") + 1000 * (setting.batch or 0) + chosen
        records = base[:, None] * np.arange(1, setting.steps // setting.every + 2)
        gone = field("lr") >= 8 + np.zeros(len(seeds))
        records[gone, 1:] = np.inf
        found = {"loss": records, "grad_norm": -records, "x": np.stack([records] * 3, axis=2)}
        found = {key: found[key].copy() for key in setting.record}
        return found | {"diverged_at": np.where(gone, 1, -1)}

    monkeypatch.setattr(engine, "simulate", simulate)
    return count


@pytest.fixture(scope="session")
def by_hand():
    """`by_hand(problem, optimizer, steps, ...)`: every iterate (steps+1, d), one step at a time.

    The loop anyone would write, on NumPy arrays; only its random numbers are the engine's.
    """
    from sims import _draw
    from sims.optimizers._tensors import fitted

    def loop(problem, optimizer, steps, *, batch=1, sampling="with", seed=0, root=0):
        key = _draw.keys(root, [seed])[0]
        drawn = _draw.probes(key, problem.dimension)
        sampler = batch and _draw.sampler(problem.weights, batch, sampling)
        optimizer = fitted(optimizer, problem)
        x = problem.start(np.random.default_rng([root, seed]))
        state, out = optimizer.init(x), [x]
        for t in range(steps):
            indices = sampler.draw(np, key, t) if batch else None
            oracle = problem.oracle(indices, lambda *which: np.asarray(drawn(*which)))
            x, state = optimizer.step(oracle, x, state)
            out.append(x)
        return np.array(out)

    return loop

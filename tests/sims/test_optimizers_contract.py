"""What every file of sims/optimizers owes; a new file is covered by being there.

A case is an optimizer with at most one of its conventions changed. All runs of a case share one
compiled program: same shapes, everything else traced.
"""

from dataclasses import fields, replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sims.lab import OPTIMIZERS, build
from sims.optimizers._tensors import fitted
from theory import catalogue
from theory.core import InputError
from theory.problems.quadratic import Quadratic, quadratic

KEYS = catalogue.keys(OPTIMIZERS)
MORE = {"msam": [{"m": 2}], "sassha": [{"power": 0.8}], "msassha": [{"power": 0.8}]}
RNG = np.random.default_rng(0)
STEPS, BATCH, SAMPLES, DIMENSION, RUNS = 20, 2, 5, 4, 3
INDICES = RNG.integers(SAMPLES, size=(STEPS, BATCH))
PROBES = RNG.normal(size=(STEPS, 4, DIMENSION))
SIGNS = np.sign(PROBES)
START = np.array([0.8, -0.6, 0.3, 0.5])


@jax.tree_util.register_dataclass
class Sheet(Quadratic):
    """A quadratic whose parameters are one 2 x 2 matrix."""

    shapes = ((2, 2),)


def sheet(hessians):
    return Sheet(np.asarray(hessians), np.full(SAMPLES, 1 / SAMPLES))


BOWL = sheet([np.eye(DIMENSION)] * SAMPLES)
UNLIKE = sheet(quadratic(factors=RNG.normal(size=(SAMPLES, 2, DIMENSION)) / 2).hessians)


def variants(key):
    """The defaults, and every other choice of every field that offers some."""
    offered = ((f.name, f.metadata.get("choices", ())[1:]) for f in fields(build(key)))
    return [
        {},
        *({name: other} for name, others in offered for other in others),
        *MORE.get(key, []),
    ]


CASES = [(key, choice) for key in KEYS for choice in variants(key)]
every_case = pytest.mark.parametrize(("key", "choice"), CASES, ids=str)


def names(key):
    return {field.name for field in fields(build(key))}


def prepared(key, choice, **hyper):
    """With decay and momentum in the program, at 0 unless given, so that it need not be remade."""
    idle = {"weight_decay": 0.0, "momentum": 0.0}
    hyper = {name: value for name, value in (idle | choice | hyper).items() if name in names(key)}
    return fitted(build(key, **hyper), UNLIKE)


@jax.jit
def _paths(problem, optimizer, floats, starts, probes):
    def one(floats, start):
        chosen = replace(optimizer, **floats)

        def step(carry, batch):
            oracle = problem.oracle(batch, lambda t, j, kind: probes[t, j])
            carry = chosen.step(oracle, *carry)
            return carry, carry[0]

        return jax.lax.scan(step, (start, chosen.init(start)), INDICES)[1]

    return jnp.concatenate([starts[:, None], jax.vmap(one)(floats, starts)], axis=1)


def paths(optimizer, problem=UNLIKE, starts=(START,) * RUNS, probes=SIGNS, **grid):
    """(3, steps+1, 4) from three starts; floats may be given one a run, integers are shared."""
    known = {f.name: getattr(optimizer, f.name) for f in fields(optimizer)}
    known = {name: value for name, value in known.items() if getattr(value, "dtype", 0) == "f8"}
    floats = {name: np.broadcast_to(grid.get(name, value), RUNS) for name, value in known.items()}
    return np.asarray(_paths(problem, optimizer, floats, np.array(starts), probes))


def losses(x):
    H = UNLIKE.hessians.mean(axis=0)
    return np.einsum("rti,ij,rtj->rt", x, H, x) / 2


def test_the_folder_is_found_by_listing():
    ours = "adahessian adamw msam msassha sam sassha sgd shampoo sophiah usam"
    assert set(ours.split()) <= set(KEYS)


@every_case
def test_defaults_descend_on_a_bowl(key, choice):
    probes = PROBES if choice.get("probe") == "gaussian" else SIGNS
    x = paths(prepared(key, choice, n_samples=4), BOWL, probes=probes)[0]
    loss = (x**2).sum(axis=1) / 2
    assert loss[-1] < loss[0] / 3  # with other conventions, at the default step size
    if not choice:
        assert np.all(np.diff(loss) < 0)
        assert loss[-1] < loss[0] / 10


@every_case
def test_nothing_moves_without_a_gradient_and_nothing_becomes_nan(key, choice):
    """At a minimum, and where the Hessian vanishes too; whatever eps, and with no memory."""
    edges = {"eps": [0, 1e-4, 0], "beta1": [0.9, 0, 0], "beta2": [0, 0.999, 0.99]}
    optimizer = prepared(key, choice)
    at_rest = paths(optimizer, starts=np.zeros((RUNS, DIMENSION)), **edges)
    assert np.array_equal(at_rest, np.zeros_like(at_rest))
    on_a_plain = paths(optimizer, sheet(np.zeros((SAMPLES, 4, 4))), **edges)
    assert np.array_equal(on_a_plain, np.full_like(on_a_plain, START))


@every_case
def test_averages_without_memory_and_old_ones_are_finite(key, choice):
    x = paths(prepared(key, choice, n_samples=4), beta1=[0, 0.9, 0], beta2=[0, 0, 0.999])
    assert np.isfinite(x).all()
    if "beta1" in names(key):
        optimizer = prepared(key, choice)
        _, *averages = optimizer.init(START)
        old = (10**9, *(average + 1 for average in averages))
        after, (t, *_) = optimizer.step(UNLIKE.oracle(None, lambda *_: SIGNS[0, 0]), START, old)
        assert np.isfinite(after).all() and t == 10**9 + 1


@every_case
def test_a_grid_of_hyperparameters_is_traced_and_compiles_once(key, choice):
    paths(prepared(key, choice, lazy_hessian=1, n_samples=1))
    before = _paths._cache_size()
    grid = {"lr": [0.01, 0.02, 0.05], "rho": [0.0, 0.1, 0.3], "eps": [1e-2, 1e-3, 0.1]}
    for k, samples in ((3, 2), (1, 4)):
        x = paths(prepared(key, choice, lazy_hessian=k, n_samples=samples), **grid)
        assert len({tuple(end) for end in x[:, -1]}) == RUNS
    paths(prepared(key, choice, momentum=0.5, beta1=0.5, clip_threshold=0.2, weight_decay=1))
    assert _paths._cache_size() == before


@every_case
def test_a_step_on_plain_numpy_is_the_same_step(key, choice):
    how = {"weight_decay": 0.1, "momentum": 0.5, "lazy_hessian": 3, "n_samples": 2, "eps": 0.01}
    optimizer = prepared(key, choice, **how)
    traced = paths(optimizer)[0]
    x, state = START, optimizer.init(START)
    for batch, ours in zip(INDICES, traced[1:], strict=True):
        oracle = UNLIKE.oracle(batch, lambda t, j, kind: SIGNS[t, j])
        x, state = optimizer.step(oracle, x, state)
        assert isinstance(x, np.ndarray) and x.dtype == float
        # rounding in another order, and what a few steps make of it
        assert np.allclose(x, ours, rtol=1e-11, atol=1e-14)


@every_case
def test_coordinates_are_declared_needed_where_rotating_them_changes_the_path(key, choice):
    Q = np.linalg.qr(np.random.default_rng(1).normal(size=(DIMENSION, DIMENSION)))[0]
    optimizer = prepared(key, choice, lr=0.05, rho=0.2, momentum=0.5, weight_decay=0.1, eps=0.01)
    x = paths(optimizer)
    rotated = paths(optimizer, sheet(Q.T @ UNLIKE.hessians @ Q), starts=[START @ Q] * RUNS) @ Q.T
    assert np.allclose(rotated[:, 0], x[:, 0], rtol=1e-13)
    gap = np.abs(rotated - x).max()
    assert gap > 1e-3 if getattr(optimizer, "needs_coordinates", False) else gap < 1e-13


def without_a_climb(key, choice, indices, *, lr, beta1, beta2, eps, weight_decay, k, samples):
    """SGD or, for the second-order ones, Adam with the Hessian's diagonal: explicit Hessians."""
    x, m, D, seen = START, np.zeros(4), np.zeros(4), (0, 0)
    out = [x]
    for t, batch in enumerate(indices):
        H = UNLIKE.hessians[batch].mean(axis=0)
        if "beta1" not in names(key):
            x = x - lr * (H @ x + weight_decay * x)
            out.append(x)
            continue
        m = beta1 * m + (1 - beta1) * (H @ x)
        if t % k == 0:
            diagonal = np.mean([z * (H @ z) for z in SIGNS[t, :samples]], axis=0)
            diagonal = np.diag(H) if choice.get("diagonal") == "exact" else diagonal
            D = beta2 * D + (1 - beta2) * (
                np.abs(diagonal) if choice.get("absolute", 1) else diagonal
            )
            seen = (t + 1, seen[1] + 1)
        rule = choice.get("bias_correction", "step")
        weight = {"step": 1 - beta2 ** seen[0], "refresh": 1 - beta2 ** seen[1], "none": 1}[rule]
        root = np.sign(D) * (np.abs(D) / weight) ** choice.get("power", 0.5)
        root = np.maximum(root, eps) if choice.get("guard") == "clipping" else root + eps
        x = (1 - lr * weight_decay) * x - lr * m / (1 - beta1 ** (t + 1)) / root
        out.append(x)
    return np.array(out)


@pytest.mark.parametrize(
    ("key", "choice"), [case for case in CASES if "rho" in names(case[0])], ids=str
)
def test_without_a_radius_it_is_its_base(key, choice):
    how = {"lr": 0.04, "beta1": 0.8, "beta2": 0.95, "eps": 0.05, "weight_decay": 0.02}
    base = without_a_climb(key, choice, INDICES, **how, k=3, samples=2)
    optimizer = prepared(key, choice, lazy_hessian=3, n_samples=2, **how)
    flat, _, climbing = paths(optimizer, rho=[0.0, 0.1, 0.5])
    assert np.allclose(flat, base, rtol=1e-11, atol=1e-14)
    assert not np.allclose(climbing, base, rtol=1e-3)


@pytest.mark.parametrize("key", ["sam", "usam", "msam"])
def test_without_a_radius_momentum_and_decay_are_those_of_sgd(key):
    how = {"lr": 0.2, "momentum": 0.5, "weight_decay": 0.01}
    sgd, flat = (paths(prepared(name, {}, rho=0.0, **how)) for name in ("sgd", key))
    assert np.allclose(flat, sgd, rtol=1e-13, atol=1e-15)


@every_case
def test_a_field_out_of_its_range_is_refused_by_name(key, choice):
    for field in fields(build(key)):
        wrong = [0] if field.metadata.get("count") or field.name == "m" else []
        wrong += [1.0, np.array(1.5)] if field.metadata.get("share") else []
        wrong += ["sideways"] if "choices" in field.metadata else []
        for value in wrong:
            with pytest.raises(InputError) as caught:
                build(key, **{field.name: value})
            assert caught.value.field == field.name

"""The largest eigenvalue, on spectra made to be hard for Lanczos, against what is known of them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sims.measures._lanczos import MOST, STRIDE, largest, top_root

D, ROWS, STARTS = 300, 16, 32
RNG = np.random.default_rng(2)


def padded(*top, rest):
    """A spectrum of D eigenvalues."""
    return np.concatenate([top, rest(D - len(top))])


SPECTRA = {
    "even": np.linspace(0, 1, D),
    "geometric": np.logspace(0, -6, D),
    "a close pair": padded(1, 1 - 1e-2, rest=lambda m: np.linspace(0, 0.9, m)),
    "a double eigenvalue": padded(1, 1, rest=lambda m: np.linspace(0, 0.9, m)),
    "just above a bulk": padded(1.001, rest=np.ones),
    "a large negative outlier": padded(-100, rest=lambda m: np.linspace(-1, 1, m)),
    "negative definite": -np.linspace(1, 2, D),
    "tiny": 1e-9 * np.linspace(0, 1, D) ** 4,
    "low rank": padded(1, 0.5, 0.25, rest=np.zeros),
    "a multiple of the identity": np.full(D, 3.0),
    "zero": np.zeros(D),
    "random, square": np.linalg.svd(RNG.normal(size=(D, D)), compute_uv=False) ** 2 / D,
}
DENSE_AT_THE_TOP = np.cos(np.linspace(0, np.pi, D))  # 300 eigenvalues, the first gap 5e-5


@jax.jit
def compiled(spectra, starts):
    def one(values, start):
        return largest(lambda v: values * v, start)

    return jax.vmap(jax.vmap(one, in_axes=(None, 0)))(spectra, starts)


def found(*spectra, seed=2):
    """(16, 32) by `largest`, whose products here are with diagonals; the last spectrum fills up."""
    rows = [*spectra, *[spectra[-1]] * (ROWS - len(spectra))]
    starts = np.random.default_rng(seed).normal(size=(ROWS, STARTS, D))
    return np.asarray(compiled(np.stack(rows), starts))


@pytest.fixture(scope="module")
def results():
    names = [*SPECTRA, "dense at the top"]
    return dict(zip(names, found(*SPECTRA.values(), DENSE_AT_THE_TOP), strict=False))


@pytest.mark.parametrize("name", SPECTRA)
def test_the_largest_eigenvalue_is_found_to_the_stated_accuracy(results, name):
    """The residual is at most 1e-5; rounding adds EPS of the norm for each of 128 products."""
    top, norm = SPECTRA[name].max(), np.abs(SPECTRA[name]).max()
    short = top - results[name]
    assert np.all(short <= 1e-5 * abs(top))
    assert np.all(short >= -128 * 2.3e-16 * norm)  # a Rayleigh quotient is not above it


def test_a_spectrum_dense_at_its_top_is_cut_short_within_the_bound(results):
    """0.6% of the width in theory; that it is cut short shows in an error above the tolerance."""
    short = 1 - results["dense at the top"]
    assert 1e-5 < short.max() < 0.006 * 2


def test_a_start_that_misses_the_top_is_why_the_tolerance_is_no_larger():
    """Of two eigenvalues 1e-3 apart a start may favour the lower so that its residual is small.

    That happens once in a thousand starts, once in a hundred at ten times the tolerance.
    """
    pair = padded(1, 1 - 1e-3, rest=lambda m: np.linspace(0, 0.5, m))
    assert np.mean(1 - found(pair) > 1e-5) <= 0.004


def test_one_run_does_not_depend_on_those_beside_it():
    """Runs that need more products keep the loop going; the finished ones must not move."""
    fast, slow = SPECTRA["low rank"], SPECTRA["even"]
    both = found(fast, slow)
    assert np.array_equal(both[0], found(fast)[0])
    assert np.array_equal(both[1:], found(slow)[1:])


def test_a_complete_krylov_space_adds_no_eigenvalue():
    """From an axis it is complete after one product: the places left over must not count as 0."""
    axis = np.eye(D)[0]
    assert jax.jit(lambda v: largest(lambda v: -3.0 * v, v))(axis) == -3.0


@pytest.mark.parametrize("entry", [np.nan, np.inf])
def test_what_is_not_finite_ends_the_loop(entry):
    values = SPECTRA["even"].copy()
    values[7] = entry
    assert np.isnan(found(values)).all()


def test_products_stop_when_the_tolerance_is_met():
    """A spectrum with one outlier needs a handful, a hard one all there are."""
    calls = []

    def counted(values):
        def product(v):
            jax.debug.callback(lambda: calls.append(1))
            return values * v

        calls.clear()
        jax.block_until_ready(jax.jit(largest, static_argnums=0)(product, RNG.normal(size=D)))
        jax.effects_barrier()
        return len(calls)

    assert counted(jnp.asarray(padded(1, rest=lambda m: np.linspace(0, 0.3, m)))) in (8, 12)
    assert counted(jnp.asarray(DENSE_AT_THE_TOP)) == MOST
    assert MOST % STRIDE == 0


TRIDIAGONAL = {
    "random": (RNG.normal(size=40), RNG.random(40)),
    "Wilkinson's, two roots 1e-15 apart": (np.abs(np.arange(-10.0, 11)), np.ones(21)),
    "the discrete Laplacian": (np.full(40, 2.0), np.ones(40)),
    "tiny": (1e-9 * RNG.normal(size=30), 1e-9 * RNG.random(30)),
    "negative": (RNG.normal(size=30) - 9, RNG.random(30)),
    "a cluster": (np.ones(30), 1e-9 * RNG.random(30)),
    "one entry": (np.array([3.0]), np.array([0.5])),
    "converged, then far from it": (np.r_[9.0, np.zeros(39)], np.r_[1e-3, np.ones(39)]),
    "zero": (np.zeros(1), np.zeros(1)),
}


@pytest.mark.parametrize("name", TRIDIAGONAL)
def test_the_largest_root_and_its_residual(name):
    """The residual of the best cut-off eigenvector, entry by entry from LAPACK's."""
    diagonal, beside = TRIDIAGONAL[name]
    m = len(diagonal)
    matrix = np.diag(diagonal) + np.diag(beside[:-1], 1) + np.diag(beside[:-1], -1)
    values, vectors = np.linalg.eigh(matrix)
    absent = 40 - m  # places that stand empty, as before the first products
    alphas = np.concatenate([np.full(absent, -np.inf), diagonal])
    root, residual = jax.jit(top_root)(alphas, np.concatenate([np.zeros(absent), beside]))
    norm = np.abs(values).max()
    assert abs(root - values[-1]) <= 16 * 2.3e-16 * norm

    beyond = np.vstack([matrix, beside[-1] * np.eye(m)[-1]]) - values[-1] * np.eye(m + 1, m)
    cut = [np.where(np.arange(m) <= j, vectors[:, -1], 0.0) for j in range(m)]
    best = min(np.linalg.norm(beyond @ y) / np.linalg.norm(y) for y in cut if y.any())
    assert residual == pytest.approx(best, rel=1e-6, abs=1e-7 * norm)

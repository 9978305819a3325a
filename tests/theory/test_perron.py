"""The enclosure holds whatever Lanczos found, and whatever rounding of the stated size did."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.stability import gain as gain_module
from theory.stability import perron
from theory.stability.exact_edge import exact_law, exact_mean_square
from theory.stability.gain import Gain, Kernel, Space
from theory.stability.mean_square import critical, gain_of, space_of
from theory.stability.minimum import minimum
from theory.stability.perron import certify, enclose, lanczos, ones
from theory.stability.steps import reduced

SEEDS = st.integers(0, 2**32 - 1)


def kernel(seed: int, n: int, k: int, d: int) -> tuple[Kernel, np.ndarray]:
    """A gain with unequal weights and its response at a critical step (p = 1)."""
    rng = np.random.default_rng(seed)
    F = rng.normal(size=(n, k, d)) * np.exp(rng.normal(size=(n, 1, 1)))
    gain, response = gain_of(reduced(minimum(factors=F, weights=rng.uniform(0.1, 1, n))))
    assert isinstance(gain, Kernel)
    return gain, response.kernel(response.slope)


def space(seed: int, n: int, k: int, d: int) -> tuple[Space, np.ndarray]:
    rng = np.random.default_rng(seed)
    F = rng.normal(size=(n, k, d))
    steps = reduced(minimum(factors=F), rho=0.2, batch=2)
    gain, response = gain_of(steps)
    assert isinstance(gain, Space)
    return gain, response.kernel(response.slope)


def psd(rng: np.random.Generator, shape: tuple[int, int, int]) -> np.ndarray:
    """A stack of rank one, on the boundary of the cone."""
    v = rng.normal(size=shape[:2])
    return v[:, :, None] * v[:, None, :]


def matrix(gain: Gain, K: np.ndarray) -> np.ndarray:
    """`symmetric` as a matrix, column by column."""
    size = math.prod(gain.shape)
    columns = [gain.symmetric(e.reshape(gain.shape), K).ravel() for e in np.eye(size)]
    return np.array(columns).T


GAINS = [(kernel, 5, 1, 3), (kernel, 4, 2, 5), (kernel, 3, 3, 2), (space, 4, 2, 3)]


@pytest.mark.parametrize("case", GAINS)
@settings(max_examples=15)
@given(SEEDS)
def test_the_map_keeps_the_cone_and_its_symmetric_form_is_similar(case, seed):
    make, *size = case
    gain, K = make(seed, *size)
    rng = np.random.default_rng(seed + 1)
    V = psd(rng, gain.shape)
    image = gain.positive(V, K)
    values = np.linalg.eigvalsh(image)
    assert values.min() >= -1e-13 * np.abs(values).max()
    X, Y = rng.normal(size=(2, *gain.shape))  # not symmetric: a Krylov vector after rounding
    left, right = np.vdot(X, gain.symmetric(Y, K)), np.vdot(gain.symmetric(X, K), Y)
    size = float(np.linalg.norm(gain.symmetric(X, K)) * np.linalg.norm(Y))
    assert left == pytest.approx(right, abs=1e-12 * size)
    Z = X + np.swapaxes(X, 1, 2)
    similar = gain.positive(gain.cone(Z, K), K)
    assert gain.cone(gain.symmetric(Z, K), K) == pytest.approx(
        similar, abs=1e-12 * np.abs(similar).max()
    )


def test_for_single_rows_the_kernel_is_the_matrix_of_the_theory():
    """theory.md, section 2: (G v)_i = n sum_ab U_ia U_ib L_ab [U' diag(v) U]_ab, L = l l/(l + l)."""
    J = np.random.default_rng(0).normal(size=(5, 3))
    gain, response = gain_of(reduced(minimum(jacobian=J)))
    lam, U = np.linalg.eigh(J @ J.T / 5)
    lam, U = lam[2:], U[:, 2:]
    L = np.outer(lam, lam) / (lam[:, None] + lam)
    G = 5 * np.einsum("ia,ib,ab,ja,jb->ij", U, U, L, U, U)
    ours = matrix(gain, response.kernel(response.slope))
    assert ours == pytest.approx(G, abs=1e-13 * np.abs(G).max())
    assert G.min() >= 0


@pytest.mark.parametrize("case", GAINS)
def test_the_gradient_is_that_of_the_eigenvalue(case):
    make, *size = case
    gain, K = make(1, *size)
    change = np.random.default_rng(2).uniform(size=K.shape) * K
    change += change.T
    value, z, _ = lanczos(gain, K, ones(gain), 1e-13)
    h = 1e-5
    ends = [lanczos(gain, K + s * h * change, ones(gain), 1e-13)[0] for s in (1, -1)]
    slope = float((gain.gradient(z, K) * change).sum())
    # central differences: h^2, and the rounding of the eigenvalue over h
    assert slope == pytest.approx((ends[0] - ends[1]) / (2 * h), rel=1e-7)
    assert np.vdot(z, gain.symmetric(z, K)) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("case", GAINS)
@settings(max_examples=20)
@given(SEEDS)
def test_lanczos_finds_the_largest_eigenvalue_and_the_bounds_hold_it(case, seed):
    make, *size = case
    gain, K = make(seed, *size)
    G = matrix(gain, K)
    truth = np.linalg.eigvalsh((G + G.T) / 2)[-1]
    top = enclose(gain, K)
    assert top.value == pytest.approx(truth, rel=1e-11)
    # G itself is summed by the same products: its eigenvalue carries their rounding
    assert top.lower <= truth * (1 + 1e-13)
    assert top.upper >= truth * (1 - 1e-13)
    assert top.lower <= top.upper <= top.lower * (1 + (1e-9 if make is space else 1e-10))


@pytest.mark.parametrize("case", GAINS)
@settings(max_examples=15)
@given(SEEDS)
def test_the_bounds_hold_for_any_vector_at_all(case, seed):
    make, *size = case
    gain, K = make(seed, *size)
    G = matrix(gain, K)
    truth = np.linalg.eigvalsh((G + G.T) / 2)[-1]
    rng = np.random.default_rng(seed)
    z = rng.normal(size=gain.shape)
    z = z @ np.swapaxes(z, 1, 2)
    z /= np.linalg.norm(z)
    lower, upper, _ = certify(gain, K, z, noise=0.0, tolerance=1e-10)
    assert lower <= truth * (1 + 1e-13)
    assert upper >= truth * (1 - 1e-13)


def edge_of(rows, *, weights=None, batch=1):
    return critical(reduced(minimum(jacobian=rows, weights=weights), batch=batch))


@pytest.mark.parametrize("gap", [0, 1e-12, 1e-9, 1e-6, 1e-3, 0.5])
@pytest.mark.parametrize("batch", [1, 2])
def test_orthogonal_groups_are_enclosed_at_every_gap(gap, batch):
    """Reducible: the eigenvector vanishes on a group, and does so badly where two nearly tie."""
    rows = np.diag([1, math.sqrt(1 + gap), 1e-3])
    chances, A = exact_law(rows[:, None], [1] * 3, batch=batch)
    truth = exact_mean_square(chances, A)
    edge = edge_of(rows, batch=batch)
    assert edge.lower <= truth.lower <= truth.upper <= edge.upper
    assert edge.upper - edge.lower <= 1e-10 * edge.value
    many = np.diag(np.sqrt(1 + gap * np.random.default_rng(0).random(60)))
    edge = edge_of(many)  # alone in its direction, a row has its curvature's edge
    assert edge.lower <= 2 / (many.max() ** 2) * (1 + 1e-15)
    assert edge.upper >= 2 / (many.max() ** 2) * (1 - 1e-15)
    assert edge.upper - edge.lower <= 1e-10 * edge.value


@pytest.mark.parametrize("touch", [0, 1e-8, 1e-5, 1e-3])
@pytest.mark.parametrize("batch", [1, 2])
def test_two_clusters_that_hardly_touch_are_enclosed(touch, batch):
    rng = np.random.default_rng(4)
    rows = np.zeros((8, 4))
    rows[:4, :2], rows[4:, 2:] = rng.normal(size=(2, 4, 2))
    rows[0, 2] = touch
    chances, A = exact_law(rows[:, None], [1] * 8, batch=batch)
    truth = exact_mean_square(chances, A)
    edge = edge_of(rows, batch=batch)
    assert edge.lower <= truth.lower <= truth.upper <= edge.upper
    assert edge.upper - edge.lower <= 1e-10 * edge.value


@pytest.mark.parametrize("ratio", [1e3, 1e6])
@pytest.mark.parametrize("batch", [1, 3])
def test_one_row_far_above_the_others_is_enclosed(ratio, batch):
    rows = np.random.default_rng(5).normal(size=(6, 3))
    rows[0] *= ratio
    chances, A = exact_law(rows[:, None], [1] * 6, batch=batch)
    truth = exact_mean_square(chances, A)
    edge = edge_of(rows, batch=batch)
    assert edge.lower <= truth.lower <= truth.upper <= edge.upper
    assert edge.upper - edge.lower <= 1e-10 * edge.value


@pytest.mark.parametrize("batch", [1, 7])
def test_thousands_of_tiny_rows_beside_one_are_enclosed(batch):
    rng = np.random.default_rng(6)
    rows = rng.normal(size=(4000, 5)) * 1e-3
    rows[0] = rng.normal(size=5)
    edge = edge_of(rows, batch=batch)
    assert edge.upper - edge.lower <= 1e-10 * edge.value
    # twice the tiny rows, each at half the weight: another sum, the same law (B = 1)
    again = np.concatenate([rows, rows[1:]])
    weights = np.concatenate([[1], np.full(2 * 3999, 0.5)])
    same = edge_of(again, weights=weights, batch=batch)
    assert same.value == pytest.approx(edge.value, rel=1e-10)
    assert same.lower <= edge.upper
    assert edge.lower <= same.upper


def test_padded_blocks_are_enclosed():
    """Blocks of unlike rank are padded with zero rows, where no eigenvector is positive."""
    F = np.random.default_rng(7).normal(size=(5, 3, 4))
    F[1, 1:], F[2, 2], F[3], F[4] = 0, F[2, 1], F[0], 0
    chances, A = exact_law(F, [1] * 5, batch=2)
    truth = exact_mean_square(chances, A)
    edge = critical(reduced(minimum(factors=F), batch=2))
    assert edge.lower <= truth.lower <= truth.upper <= edge.upper
    assert edge.upper - edge.lower <= 1e-10 * edge.value


@pytest.mark.parametrize(
    ("rows", "expected"),
    [([[2.0, 1.0]], 2 / 5), ([[1, 2]] * 4, 2 / 5), ([[2.0], [1.0], [3.0]], 2 * 14 / 98)],
)
def test_one_row_equal_rows_and_one_direction_have_known_edges(rows, expected):
    edge = edge_of(rows)
    assert edge.value == pytest.approx(expected, rel=1e-14)
    assert edge.lower <= expected <= edge.upper
    assert edge.upper - edge.lower <= 1e-12 * expected


@dataclass
class Rounded:
    """A gain whose arithmetic errs by tau as `room` allows, always to one `side`."""

    exact: Kernel
    tau: float
    side: int

    @property
    def shape(self):
        return self.exact.shape

    def __getattr__(self, name):
        return getattr(self.exact, name)

    def error(self, V, K):
        room = self.exact.room(V, self.exact.positive(V, K), K)
        return self.side * self.tau * room[:, None, None] * np.eye(self.shape[1])

    def positive(self, V, K):
        return self.exact.positive(V, K) + self.error(V, K)

    def symmetric(self, Z, K):
        """Off by as much along Z."""
        V = self.exact.cone(Z, K)
        sign = 1 if np.trace(V, axis1=1, axis2=2).sum() > 0 else -1
        return self.exact.symmetric(Z, K) + sign * self.error(V, K) / self.scale[:, None, None]


SIZES = [(5, 1, 3), (60, 1, 4), (8, 2, 5), (300, 1, 3)]


def held(size: tuple[int, int, int], tau: float, allowed: float) -> tuple[bool, bool]:
    """Whether lower and upper bound hold the eigenvalue of the exact gain."""
    gain, K = kernel(11, *size)
    truth, z, _ = lanczos(gain, K, ones(gain), 1e-13)
    high: Any = Rounded(gain, tau, 1)
    low: Any = Rounded(gain, tau, -1)
    lower, _, _ = certify(high, K, z, noise=allowed, tolerance=1e-3)
    _, upper, _ = certify(low, K, z, noise=allowed, tolerance=1e-3)
    return lower <= truth, truth <= upper


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("tau", [1e-7, 1e-5])
def test_bounds_hold_when_arithmetic_errs_by_what_was_allowed(size, tau):
    assert held(size, tau, tau) == (True, True)


@pytest.mark.parametrize("size", SIZES)
def test_without_the_allowance_neither_bound_would_hold(size, monkeypatch):
    assert held(size, 1e-7, 0.0) == (False, False)
    monkeypatch.setattr(perron, "_tau", lambda gain, K, noise: 0.0)
    assert held(size, 1e-7, 1e-7) == (False, False)


@pytest.mark.parametrize("size", SIZES)
def test_an_allowance_weighted_by_the_sample_would_be_too_small(size, monkeypatch):
    def weighted(self, V, K, value):
        traces = np.abs(np.trace(V, axis1=1, axis2=2)) / self.scale**2
        return float(traces @ self.room(V / np.abs(V).max() * traces.max(), V, K))

    monkeypatch.setattr(Kernel, "quadratic_room", weighted)
    assert held(size, 1e-7, 1e-7) == (False, True)


@settings(max_examples=40)
@given(SEEDS, st.sampled_from([(6, 1, 3), (40, 1, 6), (5, 2, 4)]))
def test_bounds_from_rows_in_single_precision_hold_the_edge_of_the_rows(seed, size):
    rng = np.random.default_rng(seed)
    n, k, d = size
    F = rng.normal(size=(n, k, d)) * 10.0 ** -rng.uniform(0, 3, size=(n, 1, 1))
    truth = critical(reduced(minimum(factors=F)))
    steps = reduced(minimum(factors=F.astype(np.float32)))
    gain, response = gain_of(steps)
    # a row errs by half a unit of 2^-23 in every entry, a block F'F by twice that
    top = enclose(gain, response.kernel(response.slope), noise=2.0**-23)
    assert 1 / top.upper <= truth.value <= 1 / top.lower
    assert top.upper <= top.lower * (1 + 1e-3)


def test_a_gain_that_reads_one_triangle_lets_lanczos_pass_the_eigenvalue(monkeypatch):
    """What `Kernel` guards against, planted: antisymmetric parts then count as growth."""
    monkeypatch.setattr(gain_module, "SMALL", 0)
    monkeypatch.setattr(gain_module, "NARROW", 0)
    gain, K = kernel(2, 4, 2, 3)
    G = matrix(gain, K)
    assert pytest.approx(G.T, abs=1e-13 * np.abs(G).max()) == G
    monkeypatch.setattr("theory.stability.gain._mirrored", lambda X: X)
    G = matrix(gain, K)
    assert np.abs(G - G.T).max() > 0.1 * np.abs(G).max()


def by_both(seed: int, k: int) -> float:
    """How far `symmetric` and `positive` by roots of shifted blocks are from those without."""
    gain, K = kernel(seed, 60, k, 50)
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=gain.shape)  # of both signs: every block needs the shift
    Z += np.swapaxes(Z, 1, 2)
    results = []
    for plain in (True, False):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Kernel, "_plain", plain)
            results.append([gain.symmetric(Z, K), gain.positive(Z, K), gain.gradient(Z, K)])
    return max(np.abs(a - b).max() / np.abs(a).max() for a, b in zip(*results, strict=True))


@pytest.mark.parametrize("k", [1, 3])
def test_blocks_shifted_to_have_roots_give_the_same_products(k, monkeypatch):
    assert max(by_both(seed, k) for seed in range(5)) < 1e-13  # sums of 60 k terms, twice
    roots = gain_module._roots
    monkeypatch.setattr(gain_module, "_roots", lambda blocks: (0.0, roots(blocks)[1]))
    assert by_both(0, k) > 1e-3


def test_large_products_are_those_that_take_the_shift():
    def plain(n, r):
        return Kernel(np.zeros((n, 1, r)), np.ones(n))._plain

    assert plain(gain_module.SMALL // gain_module.NARROW - 1, gain_module.NARROW)
    assert not plain(gain_module.SMALL // gain_module.NARROW + 1, gain_module.NARROW)
    assert plain(gain_module.SMALL, gain_module.NARROW - 1)


def test_the_two_forms_have_the_same_largest_eigenvalue():
    rng = np.random.default_rng(8)
    steps = reduced(minimum(factors=rng.normal(size=(4, 2, 3))))
    gain, response = gain_of(steps)
    K = response.kernel(response.slope)
    other, _ = space_of(steps)
    ours = np.linalg.eigvalsh(matrix(gain, K))
    theirs = np.linalg.eigvalsh(matrix(other, K))
    # beyond symmetric stacks both are zero, or read the symmetric part
    big = ours[ours > 1e-10 * ours[-1]]
    assert theirs[theirs > 1e-10 * theirs[-1]][::-1] == pytest.approx(big[::-1], rel=1e-10)

"""Both routes to the crossing word are its sum over pairs; neither holds n^2 numbers."""

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.moments import EPS
from theory.stability import crossing
from theory.stability.crossing import Crossing, operations

COMMON = settings(deadline=None, max_examples=60, derandomize=True)
ROUNDING = 1000 * EPS  # four products of r x r matrices, r <= 5, and sums of n^2 k^2 <= 324 terms


def instance(seed: int, n: int, k: int, r: int) -> tuple[Crossing, np.ndarray]:
    rng = np.random.default_rng(seed)
    M, X = rng.normal(size=(2, r, r))
    return Crossing(rng.normal(size=(n, k, r)), rng.dirichlet(np.ones(n)), M + M.T), X + X.T


def by_hand(of: Crossing, X: np.ndarray) -> np.ndarray:
    H, M, w = of.blocks.mT @ of.blocks, of.metric, of.weights
    pairs = ((i, j) for i in range(len(H)) for j in range(len(H)))
    words = [w[i] * w[j] * (H[i] @ M @ H[j] @ X @ H[i] @ M @ H[j]) for i, j in pairs]
    return np.sum(words, axis=0)


def size(of: Crossing, X: np.ndarray) -> float:
    largest = np.linalg.norm(of.blocks, 2, axis=(1, 2)).max() ** 2
    return largest**4 * np.linalg.norm(of.metric, 2) ** 2 * np.linalg.norm(X)


@COMMON
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 3), st.integers(1, 5))
def test_both_routes_are_the_sum_over_all_pairs(seed, n, k, r):
    of, X = instance(seed, n, k, r)
    wanted, slack = by_hand(of, X), ROUNDING * size(of, X)
    for route in (of.by_pairs, of.by_tensor, of):
        assert np.abs(route(X) - wanted).max() < slack


def test_two_samples_by_hand():
    """H_1 = e e', H_2 = f f', e'f = 1, M = I: X with e'Xe = f'Xf = 0 and e'Xf = 1."""
    e, f = np.array([1.0, 0.0]), np.array([1.0, 1.0])
    X = np.array([[0.0, 1.0], [1.0, -2.0]])
    assert (e @ X @ e, f @ X @ f, e @ X @ f) == (0, 0, 1)
    # i = 1, j = 2: e (e'f)(f'X e)(e'f) f' = e f'; i = 2, j = 1 its transpose; i = j: 0
    wanted = (np.outer(e, f) + np.outer(f, e)) / 4
    of = Crossing(np.array([[e], [f]]), np.full(2, 0.5), np.eye(2))
    for route in (of.by_pairs, of.by_tensor):
        assert np.allclose(route(X), wanted, rtol=0, atol=8 * EPS)


@pytest.mark.parametrize("entries", [1, 40, 77, 10**6])
def test_the_chunks_do_not_matter(entries, monkeypatch):
    of, X = instance(1, 7, 2, 3)
    wanted, slack = by_hand(of, X), ROUNDING * size(of, X)
    monkeypatch.setattr(crossing, "CHUNK_ENTRIES", entries)
    assert np.abs(of.by_pairs(X) - wanted).max() < slack
    assert np.abs(of.by_tensor(X) - wanted).max() < slack


class Counting(np.ndarray):
    """An array whose products count their multiplications and additions in `spent`."""

    spent: float = 0

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        out = options.pop("out", None)
        plain = [np.asarray(x) for x in inputs]
        where = {} if out is None else {"out": tuple(np.asarray(x) for x in out)}
        result = getattr(ufunc, method)(*plain, **where, **options)
        inner = 2 * plain[0].shape[-1] if ufunc is np.matmul else 1
        Counting.spent += result.size * inner
        return result.view(Counting)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        plain = [np.asarray(x) if isinstance(x, Counting) else x for x in args]
        result = np.asarray(function(*plain, **kwargs))
        if function is np.tensordot:  # every index that is summed occurs in both factors
            factors = plain[0].size * plain[1].size
            Counting.spent += 2 * np.sqrt(factors * result.size)
        if function is np.einsum:
            sizes: dict[str, int] = {}
            for names, array in zip(args[0].split("->")[0].split(","), plain[1:], strict=True):
                sizes.update(zip(names, array.shape, strict=True))
            Counting.spent += 2 * float(np.prod(list(sizes.values())))
        return result.view(Counting)


def counted(route: str, n: int, k: int, r: int, applications: int) -> float:
    """Operations for an application, what is built once shared among all of them."""
    of, X = instance(0, n, k, r)
    counting = Crossing(*(a.view(Counting) for a in (of.blocks, of.weights, of.metric)))
    Counting.spent = 0
    for _ in range(applications):
        getattr(counting, route)(X.view(Counting))
    return Counting.spent / applications


@pytest.mark.parametrize(("n", "k", "r"), [(300, 1, 6), (200, 2, 8), (64, 3, 5)])
def test_the_cost_that_chooses_is_the_cost_that_is_paid(n, k, r):
    """Within a third: passes that only weigh, copy or add are not in the formulas."""
    for route, promised in zip(("by_pairs", "by_tensor"), operations(n, k, r), strict=True):
        assert counted(route, n, k, r, crossing.APPLICATIONS) == pytest.approx(promised, rel=1 / 3)


def test_twice_the_samples_cost_at_most_twice_through_the_tensor_and_four_times_over_pairs():
    k, r = 2, 6
    for route, factor in (("by_tensor", 2), ("by_pairs", 4)):
        once, twice = (counted(route, n, k, r, 4) for n in (400, 800))
        assert once < twice <= factor * once
    assert counted("by_pairs", 800, k, r, 4) > 3 * counted("by_pairs", 400, k, r, 4)


@pytest.mark.parametrize(
    ("n", "k", "r", "route"),
    [(5000, 1, 8, "by_tensor"), (20, 1, 20, "by_pairs"), (10**6, 1, 200, "by_pairs")],
)
def test_the_cheaper_route_is_taken_and_a_tensor_that_would_not_fit_never_is(
    n, k, r, route, monkeypatch
):
    taken = []
    for name in ("by_pairs", "by_tensor"):
        monkeypatch.setattr(Crossing, name, lambda *_, name=name: taken.append(name))
    blocks = np.broadcast_to(np.zeros(()), (n, k, r))
    Crossing(blocks, np.ones(n), np.eye(1))(np.eye(1))
    assert taken == [route]


@pytest.mark.parametrize("route", ["by_pairs", "by_tensor"])
def test_no_array_over_pairs_and_no_stack_of_matrices_is_held(route, monkeypatch):
    """Peak memory grows like n: with chunks of 64 KiB, 1500 samples would need 18 MB for n^2."""
    monkeypatch.setattr(crossing, "CHUNK_ENTRIES", 2**13)
    of, X = instance(0, 1500, 1, 12)
    tracemalloc.start()
    getattr(of, route)(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # copies of the factors, a few chunks, and the two tensors with two temporaries
    assert peak < 8 * (6 * of.blocks.size + 8 * 2**13 + 6 * 12**4)

"""Drawn numbers are the hash that is described, in plain integers, and honest about weights."""

import itertools
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sims import _draw
from theory.core import InputError

MASK, LARGEST = 2**32 - 1, 2**63 - 1
KNOWN_WORDS = [2040311359, 105324473, 129702124, 3592806377]
KNOWN_BATCHES = [[3, 1, 0, 8, 4], [3, 2, 1, 9, 6], [9, 9, 8, 7, 4]]


def split_mix(h):
    h = (h + 0x9E3779B97F4A7C15) % 2**64
    h = (h ^ h >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    h = (h ^ h >> 27) * 0x94D049BB133111EB % 2**64
    return h ^ h >> 31


def key_of(root, seed):
    return divmod(split_mix(split_mix(root) ^ seed), 2**32)


def mixed(h, word):
    h = (h ^ h >> 16) * 0x7FEB352D % 2**32 ^ word
    h = (h ^ h >> 15) * 0x846CA68B % 2**32
    return h ^ h >> 16


def word(key, stream, counter, place):
    shared = mixed(counter * stream % 2**32, 0) ^ place * 0xC2B2AE35 % 2**32
    return mixed(key[0] ^ shared, key[1])


def word_of(key, step, place, stream=_draw.STEPS):
    return _draw.bits(np, key, stream, step, np.array([place]))[0]


def batch(root, seed, step, n, size, sampling="with", tables=None):
    key, order = key_of(root, seed), list(range(n))
    hashes = [word(key, 0x9E3779B9, step, place) for place in range(size)]
    if sampling == "without":  # Fisher and Yates, literally
        for k, h in enumerate(hashes):
            other = k + h * (n - k) // 2**32
            order[k], order[other] = order[other], order[k]
        return order[:size]
    drawn = [divmod(h * n, 2**32) for h in hashes]
    if tables is None:
        return [place for place, _ in drawn]
    return [place if rest < tables[0][place] else tables[1][place] for place, rest in drawn]


def test_the_key_is_split_mix_as_published():
    assert split_mix(0) == 0xE220A8397B1DCDAF  # the first output of seed 0, by its authors' code
    assert _draw._split_mix(np.zeros(1, np.uint64))[0] == 0xE220A8397B1DCDAF


@given(
    root=st.integers(0, LARGEST),
    seed=st.integers(0, LARGEST),
    step=st.integers(0, MASK),
    place=st.integers(0, MASK),
    stream=st.sampled_from([_draw.STEPS, _draw.PROBES]),
)
def test_a_word_is_that_of_plain_integers(root, seed, step, place, stream):
    key = _draw.keys(root, np.array([seed]))[0]
    assert tuple(key) == key_of(root, seed)
    assert word_of(key, step, place, stream) == word(key_of(root, seed), stream, step, place)


def test_known_words_and_batches_stay_as_they_are():
    keys = [_draw.keys(root, np.array([seed]))[0] for root, seed in ((0, 0), (7, 2**40))]
    found = [word_of(key, step, place) for key in keys for step, place in ((0, 0), (5, 3))]
    assert found == KNOWN_WORDS
    equal, other = np.full(10, 0.1), np.arange(1, 11) / 55
    cases = (equal, "with"), (equal, "without"), (other, "with")
    drawn = [_draw.sampler(w, 5, how).draw(np, keys[1], np.array(9)).tolist() for w, how in cases]
    assert drawn == KNOWN_BATCHES


def test_a_batch_is_that_of_plain_integers_in_numpy_and_in_a_compiled_loop():
    seeds, steps = np.array([0, 1, 2**32, LARGEST]), np.array([0, 1, 2, 127, 128, 10**6])
    unequal = np.random.default_rng(0).dirichlet(np.ones(9))
    cases = [(9, 4, "with", None), (9, 4, "with", unequal), (1, 3, "with", None)]
    cases += [(9, size, "without", None) for size in (1, 2, 9)]
    for root, (n, size, how, weights) in itertools.product((0, 3, LARGEST), cases):
        sampler = _draw.sampler(np.full(n, 1 / n) if weights is None else weights, size, how)
        keys = _draw.keys(root, seeds)
        found = sampler.draw(np, keys, steps[:, None])
        compiled = jax.jit(lambda k, t, s=sampler: s.draw(jnp, k, t))(keys, steps[:, None])
        tables = None if sampler.tables is None else [a.tolist() for a in sampler.tables]
        plain = [
            [batch(root, seed, step, n, size, how, tables) for seed in seeds.tolist()]
            for step in steps.tolist()
        ]
        assert found.dtype == compiled.dtype == np.int32
        assert found.tolist() == compiled.tolist() == plain


def test_different_seeds_and_roots_have_different_keys():
    seeds = np.concatenate([np.arange(100_000), LARGEST - np.arange(1000)])
    keys = np.concatenate([_draw.keys(root, seeds) for root in (0, 1, LARGEST)])
    joined = keys[:, 0].astype(np.uint64) << np.uint64(32) | keys[:, 1]
    assert len(np.unique(joined)) == len(joined)


def cells(n, tables):
    """(first word, sample) of the intervals in which words draw one sample, as exact integers."""
    for j in range(n):
        low, high = -(-(j << 32) // n), -(-(j + 1 << 32) // n)
        cut = min(high, -(-((j << 32) + int(tables[0][j])) // n))
        yield low, cut, j
        yield cut, high, int(tables[1][j])


def extreme_weights():
    tail = np.append(np.full(6, 1 / 6), [1e-13, 1e-15])
    rng = np.random.default_rng(2)
    return [
        *(rng.dirichlet(np.full(n, shape)) for n, shape in ((2, 1), (7, 0.1), (32, 1), (1000, 3))),
        tail / tail.sum(),
        np.array([1e-300, 1.0]),
        np.array([1.0, 2**-33, 2**-40]),
        np.arange(1, 8) / 28,
    ]


@pytest.mark.parametrize("weights", extreme_weights(), ids=lambda w: f"{len(w)}, {w.min():.0e}")
def test_every_weight_is_honoured_to_one_word_in_each_place(weights, monkeypatch):
    n = len(weights)
    sampler = _draw.sampler(weights, 1, "with")
    counts, edges = [0] * n, []
    for low, high, sample in cells(n, sampler.tables):
        counts[sample] += high - low
        edges += [(h, sample) for h in {low, high - 1} if low < high]
    assert sum(counts) == 2**32
    off = [abs(Fraction(c, 2**32) - Fraction(w)) for c, w in zip(counts, weights, strict=True)]
    assert max(off) <= Fraction(n + 1, 2**32)
    drawn_by, expected = np.array(edges, dtype=np.uint32).T
    monkeypatch.setattr(_draw, "bits", lambda *_: drawn_by[:, None])
    assert np.array_equal(sampler.draw(np, None, None)[:, 0], expected)


def test_without_replacement_every_ordered_batch_has_the_same_number_of_words(monkeypatch):
    n, size = 6, 4
    ranks = np.array(list(itertools.product(*(range(n - k) for k in range(size)))))
    smallest = [[-(-int(r << 32) // (n - k)) for k, r in enumerate(row)] for row in ranks]
    monkeypatch.setattr(_draw, "bits", lambda *_: np.array(smallest, dtype=np.uint32))
    drawn = _draw.sampler(np.full(n, 1 / n), size, "without").draw(np, None, None)
    assert sorted(map(tuple, drawn.tolist())) == list(itertools.permutations(range(n), size))


def test_the_extreme_probes_are_finite():
    edges = jnp.array([0, 2**31, MASK], dtype=jnp.uint32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_draw, "bits", lambda *_: edges)
        found = np.asarray(_draw.probes(np.zeros(2, np.uint32), 3)(0, 0, "gaussian"))
    quantiles = stats.norm.ppf((np.array([0, 2**31, MASK]) + 0.5) / 2**32)
    assert np.allclose(found, quantiles, rtol=1e-9)  # the upper one is rounded next to 1


def test_an_unknown_kind_of_probe_is_refused():
    with pytest.raises(InputError, match="probe: got 'cauchy'; allowed: 'rademacher' or 'gaus"):
        _draw.probes(np.zeros(2, np.uint32), 3)(0, 0, "cauchy")


@pytest.mark.parametrize(
    ("field", "weights", "size", "sampling"),
    [
        ("batch", np.ones(3) / 3, 0, "with"),
        ("batch", np.ones(3) / 3, 1.0, "with"),
        ("batch", np.ones(3) / 3, True, "with"),
        ("batch", np.ones(3) / 3, 4, "without"),
        ("sampling", np.ones(3) / 3, 2, "sometimes"),
        ("weights", np.arange(1, 4) / 6, 2, "without"),
    ],
)
def test_samplers_that_cannot_be_are_refused_by_name(field, weights, size, sampling):
    with pytest.raises(InputError) as caught:
        _draw.sampler(weights, size, sampling)
    assert caught.value.field == field

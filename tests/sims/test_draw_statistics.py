"""Drawn numbers look random: uniform, and independent of every number beside them.

Seeds are fixed, so nothing here is random: a test either always holds or never does. That the
thresholds are fair is still computed: `judged` takes every p-value of this file, from either side.
"""

import itertools

import jax
import numpy as np
import pytest
from scipy import stats

from sims import _draw

MOST_JUDGED, FALSE_ALARMS = 100, 1e-3  # of an ideal generator: the chance that this file fails
judged_so_far = []


def judged(*p_values):
    """Neither too unlike chance nor too much like a grid."""
    judged_so_far.extend(p_values)
    assert len(judged_so_far) <= MOST_JUDGED
    least = FALSE_ALARMS / (2 * MOST_JUDGED)
    assert least < min(p_values) and max(p_values) < 1 - least


def uniform(found, cells):
    """p-value of Pearson's test that integers below `cells` are uniform."""
    return stats.chisquare(np.bincount(np.ravel(found), minlength=cells)).pvalue


def signs(words):
    return ((np.ravel(words)[:, None] >> np.arange(32, dtype=np.uint32)) & 1) * 2.0 - 1


def related(words, others):
    """p-value of all 32 x 32 correlations between their bits; 1024 squares of about N(0, 1)."""
    z = signs(words).T @ signs(others) / np.sqrt(np.size(words))
    return stats.chi2.sf((z**2).sum(), z.size)


def words(key, counter, places=0, stream=_draw.STEPS):
    return _draw.bits(np, key, stream, counter, np.atleast_1d(places))


def probe_words(key, counter, places):
    return _draw.bits(np, key[..., ::-1], _draw.PROBES, counter, places)


@pytest.mark.parametrize("n", [2, 3, 7, 32, 1000])
def test_samples_are_uniform_along_a_run_and_across_runs(n):
    sampler = _draw.sampler(np.full(n, 1 / n), 2, "with")
    along = sampler.draw(np, _draw.keys(0, [5])[0], np.arange(50_000))
    across = sampler.draw(np, _draw.keys(0, np.arange(50_000)), 0)
    both = sampler.draw(np, _draw.keys(1, np.arange(200)), np.arange(250)[:, None])
    judged(*(uniform(found, n) for found in (along, across, both)))


def test_pairs_in_time_in_a_batch_and_of_neighbouring_seeds_are_uniform():
    n, steps = 8, np.arange(100_000)
    sampler = _draw.sampler(np.full(n, 1 / n), 2, "with")
    first, second = sampler.draw(np, _draw.keys(0, [1])[0], steps).T
    other = sampler.draw(np, _draw.keys(0, [2])[0], steps)[:, 0]
    pairs = [(first[:-1], first[1:]), (first[:-128], first[128:]), (first, second), (first, other)]
    judged(*(uniform(n * a + b, n * n) for a, b in pairs))


def test_bits_are_independent_of_all_bits_beside_them():
    runs, steps = 100_000, np.arange(100_000)
    keys = _draw.keys(0, np.arange(runs))
    one, two = keys[10], keys[11]
    here, there = words(one, steps), words(keys, 5)
    judged(
        related(here, words(one, steps + 1)),
        related(here, words(one, steps, 1)),
        related(here, words(two, steps)),
        related(here, words(two, steps + 1)),
        related(there, words(keys, 6)),
        related(there, words(keys, 5, 1)),
        related(there, words(_draw.keys(1, np.arange(runs)), 5)),
        related(there[:-1], there[1:]),
        *(related(words(a, steps), words(b, steps)) for a, b in itertools.pairwise(keys[20:31])),
    )


def test_a_weak_hash_would_be_caught():
    """Multiplication alone, without the shifts: a grid, and related to what is beside it."""
    steps = np.arange(100_000)
    weak = np.uint32(12345) ^ (steps.astype(np.uint32) * np.uint32(0x9E3779B9))
    assert related(weak, np.roll(weak, 1)) < 1e-9
    assert 1 - uniform(weak.astype(np.uint64) * 1000 >> np.uint64(32), 1000) < 1e-9


def test_weighted_samples_are_independent_from_step_to_step():
    weights = np.arange(1, 6) / 15
    drawn = _draw.sampler(weights, 1, "with").draw(np, _draw.keys(0, [3])[0], np.arange(100_000))
    seen = np.bincount(5 * drawn[:-1, 0] + drawn[1:, 0], minlength=25)
    judged(stats.chisquare(seen, np.outer(weights, weights).ravel() * seen.sum()).pvalue)


def test_without_replacement_pairs_orders_and_every_place_are_uniform():
    keys = _draw.keys(0, np.arange(60_000))
    order = _draw.sampler(np.full(4, 1 / 4), 4, "without").draw(np, keys, 3)
    pair = _draw.sampler(np.full(7, 1 / 7), 2, "without").draw(np, keys, 3)
    some = _draw.sampler(np.full(32, 1 / 32), 5, "without").draw(np, keys, 3)
    assert np.array_equal(np.sort(order), np.tile(np.arange(4), (len(keys), 1)))
    assert (np.diff(np.sort(some)) > 0).all()
    orders = np.unique(order @ 4 ** np.arange(4), return_counts=True)[1]
    pairs = np.bincount(pair @ [7, 1], minlength=49).reshape(7, 7)
    assert len(orders) == 24 and (np.diag(pairs) == 0).all()
    judged(
        stats.chisquare(orders).pvalue,
        stats.chisquare(pairs[~np.eye(7, dtype=bool)]).pvalue,
        *(uniform(some[:, place], 32) for place in range(5)),
    )


def test_probes_are_signs_or_normal_and_independent_of_each_other():
    d = 50_000
    key = _draw.keys(0, [4])[0]
    probe = _draw.probes(key, d)
    steps = {(t, j): np.asarray(probe(t, j, "gaussian")) for t in (0, 1) for j in (0, 1)}
    normal = steps[0, 0]
    flips = np.asarray(probe(0, 0, "rademacher"))
    assert set(flips) == {-1.0, 1.0} and normal.dtype == flips.dtype == np.float64
    assert np.array_equal(np.sign(flips), -np.sign(normal))  # one number, two kinds
    others = [steps[where] for where in ((0, 1), (1, 0), (1, 1))]
    judged(
        stats.binomtest(int((flips > 0).sum()), d).pvalue / 2,
        stats.kstest(normal, "norm").pvalue,
        stats.chi2.sf((normal**2).sum(), d),  # the variance is 1
        *(stats.norm.sf(normal @ other / np.sqrt(d)) for other in others),
        stats.norm.sf(normal[1:] @ normal[:-1] / np.sqrt(d)),
        related(probe_words(key, 0, np.arange(d)), probe_words(key, 0, np.arange(d) + 1)),
        related(probe_words(key, 0, np.arange(d)), probe_words(key, 1, np.arange(d))),
    )


def test_probes_never_repeat_the_numbers_that_draw_samples():
    """At step 0 a stream is multiplied away; a key turned around sets the two apart."""
    keys = _draw.keys(0, np.arange(100_000))
    samples = words(keys, 0)
    judged(related(samples, probe_words(keys, 0, [0])))
    assert np.array_equal(samples, words(keys, 0, 0, _draw.PROBES))  # what would be otherwise
    index = _draw.sampler(np.full(2, 1 / 2), 1, "with").draw(np, keys, 0)[:, 0]
    probe = jax.vmap(lambda key: _draw.probes(key, 1)(0, 0, "rademacher")[0])(keys)
    judged(uniform(2 * index + (np.asarray(probe) > 0), 4))

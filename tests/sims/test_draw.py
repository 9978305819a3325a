"""Random numbers by counting: the integers are those of the definition, and they look random."""

import itertools

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import chi2, norm

from sims import _draw
from theory.core import InputError

MASK, MASK64 = 2**32 - 1, 2**64 - 1
BUDGET = 1e-6  # false alarms of one statistical test, were its seed drawn anew


def split_mix(h):
    h = (h + 0x9E3779B97F4A7C15) & MASK64
    h = ((h ^ (h >> 30)) * 0xBF58476D1CE4E5B9) & MASK64
    h = ((h ^ (h >> 27)) * 0x94D049BB133111EB) & MASK64
    return h ^ (h >> 31)


def mix(h, word):
    h = ((h ^ (h >> 16)) * 0x7FEB352D & MASK) ^ word
    h = (h ^ (h >> 15)) * 0x846CA68B & MASK
    return h ^ (h >> 16)


def by_hand(root, seed, stream, step, place):
    """The definition, in Python's integers."""
    key = split_mix(split_mix(root) ^ seed)
    shared = mix(step * stream & MASK, 0) ^ (place * _draw.PLACES & MASK)
    return mix((key >> 32) ^ shared, key & MASK)


@pytest.mark.parametrize(("root", "seed"), [(0, 0), (0, 1), (7, 2**63 - 1), (2**63 - 1, 12345)])
def test_the_bits_are_those_of_the_definition(root, seed):
    steps, places = [0, 1, 2, 1000, 2**32 - 1], range(3)
    key = _draw.keys(root, [seed])[0]
    found = _draw.bits(np, key, _draw.STEPS, np.array(steps), np.arange(3))
    expected = [[by_hand(root, seed, _draw.STEPS, t, p) for p in places] for t in steps]
    assert np.array_equal(found, expected)
    traced = _draw.bits(jnp, jnp.asarray(key), _draw.STEPS, jnp.array(steps), jnp.arange(3))
    assert np.array_equal(traced, expected)


SAMPLERS = [
    (np.full(7, 1 / 7), 3, "with"),
    (np.full(7, 1 / 7), 7, "without"),
    (np.array([0.5, 0.2, 0.2, 0.1]), 2, "with"),
]


@pytest.mark.parametrize(("weights", "size", "sampling"), SAMPLERS)
def test_numpy_and_jax_draw_the_same_samples(weights, size, sampling):
    drawn = _draw.sampler(weights, size, sampling)
    keys = _draw.keys(3, np.arange(5))
    plain = drawn.draw(np, keys[:, None], np.arange(20))
    assert plain.shape == (5, 20, size) and plain.min() >= 0 and plain.max() < len(weights)
    assert np.array_equal(plain, drawn.draw(jnp, jnp.asarray(keys)[:, None], jnp.arange(20)))


def surprise(counts, chances):
    """The chance of counts so far from their expectation."""
    expected = counts.sum() * np.asarray(chances)
    return chi2.sf(((counts - expected) ** 2 / expected).sum(), len(counts) - 1)


@pytest.mark.parametrize("n", [2, 3, 7, 32, 1000])
def test_equal_samples_are_equally_likely_along_a_run_and_across_runs(n):
    drawn = _draw.sampler(np.full(n, 1 / n), 1, "with")
    along = drawn.draw(np, _draw.keys(1, [2]), np.arange(100_000))
    across = drawn.draw(np, _draw.keys(1, np.arange(100_000)), 5)
    for found in (along, across):
        assert surprise(np.bincount(found.ravel(), minlength=n), np.full(n, 1 / n)) > BUDGET


def test_weights_are_honoured_down_to_rare_samples():
    weights = np.array([0.6, 0.3, 0.09, 0.0099, 0.0001])
    drawn = _draw.sampler(weights, 4, "with")
    found = drawn.draw(np, _draw.keys(0, np.arange(1000))[:, None], np.arange(100))
    assert surprise(np.bincount(found.ravel(), minlength=5), weights) > BUDGET
    wrong = np.array([0.6, 0.3, 0.089, 0.0109, 0.0001])  # one per cent of a per cent elsewhere
    assert surprise(np.bincount(found.ravel(), minlength=5), wrong) < BUDGET


def test_without_replacement_every_ordered_batch_is_equally_likely():
    drawn = _draw.sampler(np.full(5, 0.2), 3, "without")
    found = drawn.draw(np, _draw.keys(4, np.arange(600))[:, None], np.arange(100)).reshape(-1, 3)
    ordered = {batch: k for k, batch in enumerate(itertools.permutations(range(5), 3))}
    counts = np.bincount([ordered[tuple(batch)] for batch in found.tolist()], minlength=60)
    assert surprise(counts, np.full(60, 1 / 60)) > BUDGET


def test_neighbouring_steps_seeds_roots_and_places_are_independent():
    """Pairs of six-sided draws, one step, seed, root or place apart, fill a 6 x 6 table evenly."""
    drawn = _draw.sampler(np.full(6, 1 / 6), 2, "with")
    seeds = np.arange(300)
    of = drawn.draw(np, _draw.keys(9, seeds)[:, None], np.arange(200))
    other = drawn.draw(np, _draw.keys(10, seeds)[:, None], np.arange(200))
    pairs = {
        "step": (of[:, 1:, 0], of[:, :-1, 0]),
        "seed": (of[1:, :, 0], of[:-1, :, 0]),
        "root": (of[..., 0], other[..., 0]),
        "place": (of[..., 0], of[..., 1]),
    }
    for name, (a, b) in pairs.items():
        counts = np.bincount((6 * a + b).ravel(), minlength=36)
        assert surprise(counts, np.full(36, 1 / 36)) > BUDGET, name


@pytest.mark.parametrize("kind", ["rademacher", "gaussian"])
def test_probes_have_mean_zero_and_variance_one_and_differ_by_step_and_index(kind):
    probe = _draw.probes(jnp.asarray(_draw.keys(0, [1])[0]), 20_000)
    one, again, other, later = (probe(t, j, kind) for t, j in ((0, 0), (0, 0), (0, 1), (1, 0)))
    z = np.asarray(one)
    reach = norm.isf(BUDGET / 2) / len(z) ** 0.5
    assert np.array_equal(one, again)
    assert abs(z.mean()) < reach
    for unlike in (other, later):
        assert abs(np.mean(z * np.asarray(unlike))) < reach
    if kind == "rademacher":
        assert set(np.unique(z)) == {-1.0, 1.0}
    else:
        assert abs((z**2).mean() - 1) < reach * 2**0.5


def test_probes_do_not_repeat_the_samples_of_their_step():
    key = _draw.keys(0, [1])[0]
    drawn = _draw.bits(np, key, _draw.STEPS, 0, np.arange(8))
    probe = np.asarray(_draw.probes(jnp.asarray(key), 8)(0, 0, "rademacher"))
    assert not np.array_equal(probe, 1.0 - 2.0 * (drawn >> 31))


def test_unknown_probes_and_samplings_are_refused():
    with pytest.raises(InputError, match="probe"):
        _draw.probes(jnp.asarray(_draw.keys(0, [1])[0]), 3)(0, 0, "uniform")
    for how, field in [
        ((1, "twice"), "sampling"),
        ((4, "without"), "batch"),
        ((0, "with"), "batch"),
    ]:
        with pytest.raises(InputError) as caught:
            _draw.sampler(np.full(3, 1 / 3), *how)
        assert caught.value.field == field
    with pytest.raises(InputError, match="weights"):
        _draw.sampler([0.5, 0.3, 0.2], 2, "without")

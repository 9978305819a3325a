"""Structured families are what they say, and the search on them finds the shipped witnesses again."""

import json

import numpy as np
import pytest

from proofs_check import library
from proofs_check.checker import replay
from proofs_check.search.families import RECIPES, find, mirror, orbit, star
from proofs_check.search.rounding import Rounding
from proofs_check.search.shrink import size, witness_of
from theory.core import InputError, Verdict
from theory.domains import Family
from theory.stability.threshold import mean_square_critical_step

DOMAIN = library.entry("sharpness_bound").claim.domain
assert isinstance(DOMAIN, Family)
FAST = ("one_step_necessary", "third_moment_order", "fourth_moment_small_step")
REGIMES = {
    "third_moment_bound": 1,
    "fourth_moment_bound": 1,
    "third_moment_small_step": -1,
    "fourth_moment_small_step": -1,
}


def shipped(key):
    return json.loads((library.CERTIFICATES / f"{key}.json").read_text())


def refutes(certificate, key):
    assert certificate is not None
    claim = library.entry(key).claim
    shown = replay(certificate, claim)
    assert shown.verdict is Verdict.REFUTED
    assert shown.violation is not None or key == "one_step_second_small_step"  # its bound is < 0
    return shown.violation or 0


@pytest.mark.parametrize("d", [1, 2, 3, 5])
def test_an_orbit_is_carried_into_itself_by_every_permutation(d):
    chart = orbit(d)(DOMAIN)
    m = chart.model(chart.start(np.random.default_rng(0)))
    assert len(m.samples) == d + 1
    for p in (np.roll(np.arange(d), 1), np.arange(d)[::-1]):
        moved = m.samples[:, p][:, :, p]
        for H in moved[:d]:
            assert min(np.abs(m.samples[:d] - H).max(axis=(1, 2))) == 0
        np.testing.assert_allclose(moved[d], m.samples[d], rtol=1e-14)  # sums of d in another order


@pytest.mark.parametrize("d", [2, 4])
def test_a_star_is_an_orbit_in_other_axes(d):
    """The eigenvalues of H, and all inner products of rows, are those of some orbit."""
    chart = star(d)(DOMAIN)
    m = chart.model(chart.start(np.random.default_rng(1)))
    products = np.einsum("nij,mij->nm", m.samples[:d], m.samples[:d])
    off = products[~np.eye(d, dtype=bool)]
    np.testing.assert_allclose(off, off[0], rtol=1e-12)  # a few products of numbers below 10
    np.testing.assert_allclose(np.diag(products), products[0, 0], rtol=1e-12)
    mean = m.M(1)
    assert np.abs(mean - np.diag(np.diag(mean))).max() <= 1e-12 * np.abs(mean).max()


def test_a_mirror_keeps_the_mean_diagonal_when_rounded():
    chart = mirror(mean_square_critical_step)(DOMAIN)
    theta = np.array([-1.0, 1.0, 0.0, 1.0, 5.0, -3.0])
    exact = DOMAIN.exact(chart.point(theta, Rounding(denominator=8)))
    assert exact.M(1).rows[0][1] == 0
    assert [str(x) for x in (exact.samples[1].rows[0][1], exact.samples[2].rows[0][1])] == [
        "33/32",
        "-33/32",
    ]


def test_rounded_orbits_carry_no_rows_of_zeros():
    chart = orbit(3)(DOMAIN)
    point = chart.point(chart.start(np.random.default_rng(2)), Rounding(denominator=100))
    assert [len(F) for F in point["factors"]] == [1, 1, 1, 3]


@pytest.mark.parametrize("key", RECIPES)
def test_every_claim_with_a_recipe_ships_a_witness_that_replays(key):
    refutes(shipped(key), key)


@pytest.mark.parametrize("key", REGIMES)
def test_each_regime_has_a_witness_of_its_own(key):
    point = witness_of(shipped(key))
    assert (point["eta"] - 2 * point["rho"]) * REGIMES[key] >= 0
    assert refutes(shipped(key), key) > 0.01  # visible: over one per cent


@pytest.mark.parametrize("key", FAST)
def test_a_witness_is_found_again_from_scratch(key):
    found = find(key)
    assert found is not None and refutes(found, key) > 0
    assert size(witness_of(found))[0] <= 2 * size(witness_of(shipped(key)))[0]


@pytest.mark.soak
@pytest.mark.parametrize("key", [key for key in RECIPES if key not in FAST])
def test_the_slower_witnesses_are_found_again_from_scratch(key):
    refutes(find(key), key)


def test_a_claim_without_a_recipe_is_named():
    with pytest.raises(InputError, match="sharpness_bound"):
        find("sharpness_bound")

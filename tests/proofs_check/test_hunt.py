"""The hunt finds what is there, exactly, and finds the same thing every time."""

from dataclasses import replace

import numpy as np
import pytest

from proofs_check.checker import replay
from proofs_check.engine import EVALUATIONS
from proofs_check.library import entry
from proofs_check.search.charts import DIMENSION, EDGES, SAMPLES, FamilyChart, draw
from proofs_check.search.hunt import hunt, sample
from proofs_check.search.rounding import Rounding
from proofs_check.search.slack import slack
from theory.core import Verdict

FALSE = ("one_step_necessary", "second_moment_bound", "third_moment_order")


@pytest.mark.parametrize("key", FALSE)
def test_a_shipped_false_claim_is_refuted_without_its_certificate(key):
    claim = entry(key).claim
    result = hunt(claim, evaluations=EVALUATIONS)
    assert result.certificate is not None
    assert replay(result.certificate, claim).verdict is Verdict.REFUTED


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("key", FALSE)
def test_a_shipped_false_claim_is_refuted_from_every_seed(key, seed):
    result = hunt(entry(key).claim, evaluations=EVALUATIONS, seed=seed)
    assert result.certificate is not None


def test_a_hunt_depends_on_its_seed_alone():
    claim = entry("third_moment_order").claim
    assert hunt(claim, evaluations=3000, seed=3) == hunt(claim, evaluations=3000, seed=3)
    assert (
        hunt(claim, evaluations=3000, seed=3).certificate
        != hunt(claim, evaluations=3000, seed=4).certificate
    )


def test_a_hunt_keeps_to_its_budget():
    result = hunt(entry("sharpness_bound").claim, evaluations=700)
    assert result.certificate is None
    # A descent finishes its last gradients: one evaluation a number, up to 150 of them.
    assert result.evaluations <= 700 + 2 * SAMPLES * DIMENSION**2


@pytest.mark.parametrize("edge", [edge for edge in EDGES if edge is not None])
def test_a_chart_with_an_edge_stays_just_inside_it(edge):
    claim = entry("sharpness_bound").claim
    rng = np.random.default_rng(0)
    chart = FamilyChart(claim.domain, n=3, k=1, d=2, weighted=True, edge=edge)
    for _ in range(20):
        theta = chart.start(rng)
        m = chart.model(theta)
        step = edge(np.asarray(m.weights), np.asarray(m.A))
        assert 0 < step - m.eta < 1e-6 * step
        exact = claim.domain.exact(chart.point(theta, Rounding(denominator=1000)))
        floats = np.array([[[float(x) for x in row] for row in A.rows] for A in exact.A])
        weights = np.array([float(w) for w in exact.weights])
        assert float(exact.eta) <= edge(weights, floats)


def test_sampled_settings_meet_every_hypothesis():
    for key in ("usam_linear_rate", "sharpness_bound", "sam_two_cycle"):
        claim = entry(key).claim
        models = sample(claim, 20)
        assert len(models) == 20
        for m in models:
            assert all(slack(atom) >= -1e-9 for atom in claim.given(m))


def test_every_shape_of_family_is_drawn():
    rng = np.random.default_rng(0)
    domain = entry("sharpness_bound").claim.domain
    charts = [draw(domain, rng) for _ in range(1500)]
    shapes = {(c.n, c.k, c.d) for c in charts}
    assert shapes >= {(n, k, d) for n in (1, 2, 3, 4) for d in (1, 2, 3) for k in range(1, d + 1)}
    assert {n for n, _, _ in shapes} == set(range(1, SAMPLES + 1))
    assert {d for _, _, d in shapes} == set(range(1, DIMENSION + 1))
    assert all(k <= d for _, k, d in shapes)
    assert {c.edge for c in charts} == set(EDGES)


def test_a_hypothesis_nothing_meets_is_reported():
    claim = entry("third_moment_order").claim
    from theory.atoms import loewner

    never = replace(claim, given=lambda m: (loewner(m.I, 0 * m.I),))
    result = hunt(never, evaluations=2000)
    assert result.certificate is None
    assert result.satisfying == 0

"""The search draws, floats and rounds functions, and finds what is false about them."""

from dataclasses import replace

import numpy as np
import pytest

from proofs_check.checker import holds, replay
from proofs_check.library import entry
from proofs_check.search.charts import draw, extent
from proofs_check.search.hunt import Hunt, _descend, exact_witness, hunt
from proofs_check.search.piecewise import BATCHES, SAMPLES, FunctionChart, most_in
from proofs_check.search.rounding import Rounding
from theory.atoms import at_most, below
from theory.claims._theorem7 import progress
from theory.core import Verdict
from theory.curves import batches
from theory.piecewise import Piecewise

MANY = Piecewise(("x",), samples=True, counts=("B",))


@pytest.mark.parametrize("domain", [MANY, Piecewise(("x", "y"), functions=("p", "q"))])
def test_the_float_model_is_the_rational_one_nearly(domain):
    rng, seen = np.random.default_rng(0), 0
    for _ in range(60):
        chart = draw(domain, rng)
        theta = chart.start(rng)
        rough, exact = chart.model(theta), domain.exact(chart.point(theta, Rounding(digits=12)))
        pairs = zip(rough.functions.values(), exact.functions.values(), strict=True)
        for f, g in pairs:
            # Twelve digits of numbers up to a thousand, and curvatures times lengths squared.
            scale = 1 + g.smoothness * 10
            assert f(1.25) == pytest.approx(float(g(1.25)), abs=1e-6 * float(scale), rel=1e-6)
            seen += 1
    assert seen >= 60


def test_every_shape_is_drawn():
    rng = np.random.default_rng(0)
    charts = [draw(MANY, rng) for _ in range(600)]
    assert {len(c.sizes) for c in charts} == set(range(1, SAMPLES + 1))
    for shape in ("resting", "joint", "balanced", "weighted", "wide"):
        assert {getattr(c, shape) for c in charts} == {True, False}
    assert {c.ends for c in charts} == {(), (0, 1), (1, 1)}
    assert "functions" in extent(MANY)


def test_a_balanced_chart_has_one_curvature_in_the_mean():
    rng = np.random.default_rng(1)
    charts = [c for c in (draw(MANY, rng) for _ in range(300)) if c.balanced]
    assert charts
    for chart in charts:
        m = MANY.exact(chart.point(chart.start(rng), Rounding(denominator=1000)))
        assert m.f.convexity == max(m.f.curvatures)
        if chart.ends:
            assert m.samples[0].curvatures[0] == chart.ends[0] * m.f.curvatures[0]


def test_a_step_has_few_outcomes_at_the_largest_batch():
    for n in range(1, SAMPLES + 1):
        assert len(list(batches(most_in(n), [1 / n] * n, True))) <= BATCHES


def test_the_hunt_refutes_a_false_statement_about_functions():
    """Two-pieced functions with f'' >= 1/10 whose PL constant is f''(0): false when that is larger."""
    claim = replace(
        entry("sam_limit_is_stationary").claim,
        domain=Piecewise(("x",), functions=("f",)),
        given=lambda m: (below(1, 10 * m.f.convexity),),
        then=lambda m: (at_most(m.f.curvature(m.x), m.f.pl),),
    )
    result = hunt(claim, evaluations=3000)
    assert result.certificate is not None
    assert replay(result.certificate, claim).verdict is Verdict.REFUTED


@pytest.mark.parametrize("key", ["sam_limit_is_stationary"])
def test_a_shipped_false_claim_is_refuted_without_its_certificate(key):
    result = hunt(entry(key).claim, evaluations=30_000, seed=1)
    assert result.certificate is not None


def sides(m, ascent):
    """Theorem 7's promise and what a step keeps, with either ascent."""
    return progress(m) * m.f(m.x0), m.expected_decrease(m.x0, ascent)


def test_a_descent_from_nearby_finds_a_batch_that_breaks_the_per_sample_rate():
    """From the pair of theory rounded to one digit; the same start is no counterexample to sharing."""
    found = {}
    theorem = entry("usam_per_sample_rate").claim
    shared = replace(theorem, then=lambda m: (at_most(*sides(m, "shared")),))
    for key, claim in (("per-sample", theorem), ("shared", shared)):
        chart = FunctionChart(
            claim.domain, sizes=(3, 3), resting=True, joint=True, balanced=True, ends=(0, 1),
            counts={"B": 10},
        )  # fmt: skip
        start = np.array([0.55, 0.95, 1.2, 10, -8, 1, 1, 0.05])
        value, theta = _descend(claim, chart, start, 400, Hunt())
        found[key] = value < 0 and exact_witness(claim, chart, theta)
    assert found["per-sample"] and not found["shared"]
    certificate, claim = found["per-sample"], theorem
    assert replay(certificate, claim).violation > 0
    m = claim.domain.exact(certificate["witness"])
    assert all(holds(atom) for atom in claim.given(m))

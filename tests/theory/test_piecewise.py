"""The domain: what a point must look like, and the claims read by hand."""

from fractions import Fraction
from itertools import pairwise

import pytest

from proofs_check.checker import holds, read
from proofs_check.library import entry
from theory import catalogue
from theory.core import InputError
from theory.curves import Curve
from theory.piecewise import Piecewise

F = Fraction
BOWL = {"at": 0, "value": 0, "slope": 0, "breaks": [], "curvatures": [1]}
ONE = Piecewise(("x",), functions=("g",))
MANY = Piecewise(("x",), samples=True, counts=("B",))


def test_a_point_becomes_its_functions():
    m = ONE.exact({"g": BOWL | {"breaks": ["1/2"], "curvatures": [1, "3/2"]}, "x": "1/3"})
    assert m.g == Curve(F(0), F(0), F(0), (F(1, 2),), (F(1), F(3, 2))) and m.x == F(1, 3)
    m = MANY.exact(
        {"samples": [BOWL, BOWL | {"curvatures": [4]}], "weights": [2, 1], "x": 1, "B": 2}
    )
    assert m.f.curvatures == (F(2),) and m.weights == (F(2, 3), F(1, 3))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"curvatures": [1, 2]}, "g.curvatures: got 2; allowed: one more than there are breaks"),
        ({"breaks": [1, 1], "curvatures": [1, 2, 3]}, "g.breaks: got 1, 1; allowed: strictly incr"),
        ({"breaks": "12", "curvatures": [1, 2, 3]}, "g.breaks: got '12'; allowed: a list"),
        ({"value": 0.5}, "g.value: got 0.5"),
        ({"kink": 1}, "g: got .* allowed: a function by at, value"),
    ],
)
def test_what_is_no_function_is_refused_in_one_line(change, message):
    with pytest.raises(InputError, match=message):
        ONE.exact({"g": BOWL | change, "x": 1})


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"B": 0}, "B"),
        ({"B": "3/2"}, "B"),
        ({"weights": [1, 0]}, "weights"),
        ({"weights": [1]}, "weights"),
        ({"samples": []}, "weights"),
        ({"y": 1}, "point"),
    ],
)
def test_what_is_no_family_is_refused(change, field):
    with pytest.raises(InputError) as caught:
        MANY.exact({"samples": [BOWL, BOWL], "x": 1, "B": 2} | change)
    assert caught.value.field == field


@pytest.mark.parametrize(
    "declared",
    [{}, {"functions": ("g",), "samples": True}, {"samples": True, "names": ("f",)},
     {"functions": ("g",), "names": ("g",)}, {"functions": ("steps",)}],
)  # fmt: skip
def test_names_shadow_nothing_and_a_domain_has_functions_or_samples(declared):
    with pytest.raises(InputError):
        Piecewise(**declared)


def test_generic_models_are_bounded_below_and_differ():
    for domain in (ONE, MANY, Piecewise(functions=("p", "q"))):
        models = domain.generic()
        functions = [f for m in models for f in (*m.functions.values(), *m.samples)]
        assert all(f.bounded_below and f.pl >= 0 for f in functions)
        assert len({repr(m.functions) for m in models}) == len(models)
    assert (
        len({MANY.signature(), ONE.signature(), Piecewise(("x",), samples=True).signature()}) == 3
    )


def test_what_the_witness_against_per_sample_ascent_says_by_hand():
    """f_i = x^2/2 +- h, h'(16) = 9 * 6 - 9 - 9 = 36, falling by 9; rho = 1/20, eta = 1/45."""
    claim = entry("usam_per_sample_rate").claim
    m = claim.domain.exact(witness("usam_per_sample_rate"))
    assert [f.slope(16) for f in m.samples] == [52, -20]
    climbs = [16 + F(52, 20), 16 - F(20, 20)]
    G1, G2 = (f.slope(x) for f, x in zip(m.samples, climbs, strict=True))
    assert (G1, G2) == (climbs[0] + 36 - 9 * F(26, 10), climbs[1] - 36 - 9)
    average, spread = (G1 + G2) / 2, (G1 - G2) ** 2 / 4 / 6
    after = ((16 - average / 45) ** 2 + spread / 45**2) / 2
    assert 128 - after == m.expected_decrease(m.x0, "per-sample") == F(3931, 22500)
    assert [f.least for f in m.samples] == [0, 0] and m.f == Curve(0, 0, 0, (9, 15, 19), (1,) * 4)


def test_the_pair_of_theory_at_a_batch_of_a_hundred():
    """beta = 25, h'' = -1, 24, -24, 0: E f(x_1)/f(x_0) = .9831 where theorem 7 has .7324."""
    claim, theorem = (
        entry("usam_per_sample_rate").claim,
        catalogue.load("theory.claims", "_theorem7"),
    )
    s, t = F(464, 625), F(97, 100)
    r = t + (24 * (t - s) - s) / 24  # h' is back at 0
    pair = [
        {"at": 0, "value": 0, "slope": 0, "breaks": [s, t, r], "curvatures": [1 + k * c for c in h]}
        for h, k in (((-1, 24, -24, 0), 1), ((-1, 24, -24, 0), -1))
    ]
    point = {"samples": pair, "B": 100, "x0": 1, "rho": F(1, 100), "beta": 25, "lam": 1, "alpha": 1}
    eta = theorem.step(claim.domain.exact(point | {"eta": 0}))
    m = claim.domain.exact(point | {"eta": eta})
    assert all(holds(atom) for atom in claim.given(m))
    kept = 1 - m.expected_decrease(m.x0, "per-sample") / m.f(m.x0)
    assert float(kept) == pytest.approx(0.9831, abs=5e-5)
    assert float(1 - theorem.progress(m)) == pytest.approx(0.7324, abs=5e-5)
    assert not holds(claim.then(m)[0])
    assert m.expected_decrease(m.x0, "shared") >= theorem.progress(m) * m.f(m.x0)


def test_the_pair_obeys_theorem_7_with_shared_ascent_and_the_repaired_rate_with_its_own_step():
    """The repair is `per_sample_ascent_rate`, with a rational u a little above sqrt(beta/alpha)."""
    claim, point = entry("usam_per_sample_rate").claim, witness("usam_per_sample_rate")
    theorem = catalogue.load("theory.claims", "_theorem7")
    m = claim.domain.exact(point)
    assert m.expected_decrease(m.x0, "shared") >= theorem.progress(m) * m.f(m.x0)
    rho, u = F(1, 40), F(16, 5)  # u^2 = 10.24 > beta, and beta rho u = 4/5
    V = F(5, 6) * (1 + F(4, 5)) ** 2 + F(1, 6) * (u * F(5, 4)) ** 2
    m = claim.domain.exact(point | {"rho": rho, "eta": F(1, 5) / V})
    assert m.beta * rho * u == F(4, 5) and (m.alpha, m.lam) == (1, 1)
    assert m.expected_decrease(m.x0, "per-sample") >= m.eta * F(1, 5) * m.f(m.x0)


def witness(key):
    from proofs_check.library import CERTIFICATES

    return {**read(CERTIFICATES / f"{key}.json")["witness"]}


def test_sam_runs_into_the_false_minimiser():
    """From -14/5 the distance to -3 halves at every step; f'(-3) = 1 while the minima are 0 and -4."""
    m = entry("sam_limit_is_stationary").claim.domain.exact(witness("sam_limit_is_stationary"))
    path = [F(-14, 5)]
    for _ in range(30):
        path.append(m.f.sam(path[-1], m.eta, m.rho))
    assert all(b + 3 == (a + 3) / 2 for a, b in pairwise(path))
    assert m.f.slope(F(-3)) == 1 and m.f.least == m.f(F(0)) == m.f(F(-4)) == 0


def test_on_the_line_no_function_is_worse_than_a_quadratic_at_any_radius():
    """The argument: mu(1 + rho mu) <= f'(1 + rho f'(1)) <= L(1 + rho L) by monotone slopes."""
    import numpy as np

    rng = np.random.default_rng(0)
    for _ in range(300):
        breaks, bends = (
            np.sort(rng.uniform(0, 4, 4)),
            rng.choice([0.01, 1.0, *rng.uniform(0.01, 1, 2)], 5),
        )
        f = Curve(0.0, 0.0, 0.0, tuple(breaks), tuple(bends))
        mu, L, rho, eta = f.convexity, f.smoothness, rng.uniform(0, 5), rng.uniform(0, 2)
        worst = max(abs(1 - eta * c * (1 + rho * c)) for c in (mu, L))
        assert abs(f.usam(1.0, eta, rho)) <= worst + 1e-12

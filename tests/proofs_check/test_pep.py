"""The dual of a performance-estimation program, made exact: found where it exists, and only there."""

import sys
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs_check.checker import replay
from proofs_check.search.pep import dual, fixed, prove
from theory.atoms import at_most, below, equal
from theory.claims._smooth_convex import sector
from theory.claims.gd_worst_case_rate import CLAIM as GD
from theory.claims.usam_worst_case_contraction import CLAIM as USAM
from theory.core import InputError, Verdict
from theory.domains import Operators
from theory.exact import Matrix, negative_direction

F = Fraction
PERCENT = F(1, 100)
SECANT = 4  # GD's hypothesis about vectors


def gd(gamma, mu, L):
    """Gradient descent's claim at one setting, r attained."""
    r = max(1 - gamma * mu, gamma * L - 1)
    return fixed(GD, {"gamma": gamma, "mu": mu, "L": L, "r": r}), r


def usam(eta, rho, mu, L, *, spare=F(0), claim=USAM):
    """USAM's claim at one setting, r attained or with something to spare."""
    low, high = sector(SimpleNamespace(rho=rho, mu=mu, L=L))
    r = max(1 - eta * low, eta * high - 1) + spare
    return fixed(claim, {"eta": eta, "rho": rho, "mu": mu, "L": L, "r": r})


def balances(claim, found, index=0):
    """conclusion = sum multiplier x hypothesis + sum S_ab <v_a, v_b> at vectors with no relation."""
    names = claim.domain.vectors
    point = {name: [F(3 * i * i + 7 * j, 2 + i + 3 * j) for j in range(4)]
             for i, name in enumerate(names)}  # fmt: skip
    m = claim.domain.exact(point)
    rest = claim.then(m)[index].rhs - claim.then(m)[index].lhs
    for weight, atom in zip(found.multipliers, claim.given(m), strict=True):
        rest -= weight * (atom.rhs - atom.lhs)
    for a, row in zip(names, found.slack.rows, strict=True):
        for b, s in zip(names, row, strict=True):
            rest -= s * m.inner(getattr(m, a), getattr(m, b))
    return rest == 0


@pytest.mark.parametrize(
    ("gamma", "mu", "L"),
    [
        (F(1), F(1, 10), F(1)),
        (F(19, 10), F(1, 10), F(1)),
        (F(23, 10), F(1, 10), F(1)),
        (F(4, 3), F(1, 2), F(1)),  # both quadratics tie, and nothing is left over
        (F(1, 3), F(1, 7), F(5, 2)),
        (F(1, 5), F(-1), F(2)),  # a weakly convex function
    ],
)
def test_gradient_descent_has_the_certificate_known_by_hand(gamma, mu, L):
    """With p = g - mu x and q = L x - g: the multiplier is 2 gamma r/(L - mu), and what is left over
    is gamma |2 - gamma (L + mu)|/(L - mu) times |p|^2 for short steps, |q|^2 for long ones.
    """
    claim, r = gd(gamma, mu, L)
    found = dual(claim)
    short = gamma * (L + mu) <= 2
    root = Matrix.column([-mu, 1] if short else [L, -1])  # p or q on (x, g)
    left = gamma * abs(2 - gamma * (L + mu)) / (L - mu)
    assert found is not None
    assert found.multipliers[SECANT] == 2 * gamma * r / (L - mu)
    assert found.slack == left * (root @ root.T)


SETTINGS = [  # eta, rho, mu, L
    (F(1, 2), F(1, 2), F(1, 10), F(1)),
    (F(5, 4), F(1, 2), F(1, 10), F(1)),
    (F(4, 5), F(1), F(1, 2), F(1)),  # both quadratics tie
    (F(9, 10), F(10, 9), F(1, 10), F(1)),  # the largest climb
    (F(1, 3), F(1, 5), F(1, 7), F(3)),
    (F(1), F(0), F(1, 3), F(1)),  # no climb
    (F(1), F(1), F(0), F(1)),  # no strong convexity
]


@pytest.mark.parametrize("setting", SETTINGS)
def test_usam_has_an_exact_certificate(setting):
    claim = usam(*setting)
    found = dual(claim)
    assert found is not None
    assert balances(claim, found)
    assert min(found.multipliers) >= 0
    assert negative_direction(found.slack) is None


@pytest.mark.parametrize("setting", SETTINGS)
def test_what_is_found_replays_as_a_proof(setting):
    claim = usam(*setting)
    certificate = prove(claim)
    assert certificate is not None
    assert replay(certificate, claim).verdict is Verdict.PROVED


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_rate_one_per_cent_too_small_has_none(setting):
    claim = usam(*setting).altered(PERCENT)
    assert dual(claim) is None
    assert prove(claim) is None
    weaker = usam(*setting).altered(-PERCENT)
    assert dual(weaker) is not None


RATIOS = st.fractions(min_value=F(1, 12), max_value=F(11, 12), max_denominator=12)


@settings(max_examples=25, deadline=None)
@given(mu=RATIOS, climb=RATIOS, part=RATIOS, spare=st.sampled_from([F(0), F(1, 20)]))
def test_every_setting_with_small_denominators_is_certified(mu, climb, part, spare):
    """L = 1, rho = climb/(1 - mu), eta = part of the last step at which L contracts."""
    rho = climb / (1 - mu)
    claim = usam(2 * part / (1 + rho), rho, mu, F(1), spare=spare)
    found = dual(claim)
    assert found is not None
    assert balances(claim, found)
    assert prove(claim) is not None


def test_beyond_the_largest_climb_there_is_none():
    """rho (L - mu) = 108/100, at the step where both quadratics tie, without that hypothesis."""
    mu, rho = F(1, 10), F(12, 10)
    any_climb = replace(USAM, given=lambda m: USAM.given(m)[:3] + USAM.given(m)[4:])
    low, high = sector(SimpleNamespace(rho=rho, mu=mu, L=F(1)))
    assert dual(usam(2 / (low + high), rho, mu, F(1), claim=any_climb)) is None
    assert dual(usam(2 / (low + high), F(1), mu, F(1), spare=F(1, 10), claim=any_climb)) is not None


def plain(given, then):
    """A claim about two vectors x and y."""
    return replace(
        GD,
        domain=Operators(vectors=("x", "y")),
        given=given,
        then=then,
        squares=None,
        tightest={"x": [1], "y": [0]},
    )


def test_an_equality_may_have_a_multiplier_of_either_sign():
    """For orthogonal x and y, |x|^2 <= |x +- y|^2."""
    for sign in (1, -1):
        claim = plain(
            lambda m: (equal(m.inner(m.x, m.y), 0),),
            lambda m, s=sign: (at_most(m.inner(m.x, m.x), m.inner(m.x + s * m.y, m.x + s * m.y)),),
        )
        found = dual(claim)
        assert found is not None
        assert found.multipliers == (F(-2 * sign),)  # rhs - lhs of x'y = 0 is -x'y
        assert balances(claim, found)
        assert prove(claim) is not None


def test_several_conclusions_are_proved_one_by_one():
    claim = plain(
        lambda m: (),
        lambda m: tuple(
            at_most(s * 2 * m.inner(m.x, m.y), m.inner(m.x, m.x) + m.inner(m.y, m.y))
            for s in (1, -1)
        ),
    )
    certificate = prove(claim)
    assert certificate is not None
    assert len(certificate["steps"]) == 2


def test_a_conclusion_false_in_one_direction_has_no_certificate():
    claim = plain(lambda m: (), lambda m: (at_most(m.inner(m.x, m.y), m.inner(m.x, m.x)),))
    assert dual(claim) is None


def test_a_setting_outside_the_hypotheses_is_named():
    with pytest.raises(InputError, match="given\\[0\\]"):
        fixed(GD, {"gamma": 1, "mu": 2, "L": 1, "r": 3})


def test_a_setting_names_all_scalars():
    with pytest.raises(InputError, match="point"):
        fixed(GD, {"gamma": 1})


def test_a_claim_about_operators_is_refused():
    with pytest.raises(InputError, match="vectors and scalars alone"):
        fixed(replace(GD, domain=Operators(symmetric=("A",), vectors=("x",))), {})


@pytest.mark.parametrize(
    "atom",
    [
        lambda m: below(m.inner(m.x, m.y), m.inner(m.x, m.x)),
        lambda m: at_most(m.inner(m.x, m.y), 1),
        lambda m: equal(m.inner(m.x, m.y), 0),
    ],
    ids=["strict", "a constant", "an equality"],
)
def test_a_conclusion_it_does_not_treat_is_refused(atom):
    with pytest.raises(InputError):
        dual(plain(lambda m: (), lambda m: (atom(m),)))


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cvxpy", None)
    with pytest.raises(InputError, match="flatproof\\[pep\\]"):
        dual(gd(F(1), F(1, 10), F(1))[0])

"""What PEPit (Goujaud et al. 2024) finds as the worst case over all smooth strongly convex functions.

It builds its own semidefinite programs from interpolation conditions, and knows nothing of ours.
"""

import numpy as np
import pytest
from PEPit import PEP
from PEPit.examples.stochastic_and_randomized_convex_minimization import wc_sgd_overparametrized
from PEPit.functions import SmoothStronglyConvexFunction

from theory.claims.gd_worst_case_rate import CLAIM as GD
from theory.claims.usam_worst_case_contraction import CLAIM as USAM
from theory.stability.mean_square import rate
from theory.stability.steps import listed

SOLVER = {"wrapper": "cvxpy", "solver": "CLARABEL", "verbose": 0}
# Clarabel stops at gaps and residuals of 1e-8; ten times that, since both add up over constraints.
CLOSE = 1e-7


def worst_case(*, mu: float, L: float, rho: float, eta: float) -> float:
    """PEPit's largest ||x+ - x*||^2 after one full-batch USAM step from ||x - x*|| = 1."""
    problem = PEP()
    f = problem.declare_function(SmoothStronglyConvexFunction, mu=mu, L=L)
    target, x = f.stationary_point(), problem.set_initial_point()
    problem.set_initial_condition((x - target) ** 2 <= 1)
    climbed = f.gradient(x + rho * f.gradient(x))
    problem.set_performance_metric((x - eta * climbed - target) ** 2)
    return problem.solve(**SOLVER)


def extreme_quadratics(*, mu: float, L: float, rho: float, eta: float, n: int = 1) -> float:
    """r(T) for n samples that all have curvatures mu and L: the larger (1 - eta l (1 + rho l))^2."""
    curvatures = np.array([mu, L])
    A = np.array([np.diag(curvatures * (1 + rho * curvatures))] * n)
    return rate(listed(np.full(n, 1 / n), A), eta)


@pytest.mark.parametrize("mu", [0.01, 0.1, 0.5])
@pytest.mark.parametrize("climb", [0.0, 0.4, 0.99])
@pytest.mark.parametrize("part", [0.3, 0.9, 0.99, 1.05])
def test_usam_has_no_worse_function_than_its_extreme_quadratics(mu, climb, part):
    """rho = climb/L, and eta = part of the step at which curvature L stops contracting; L = 1."""
    setting = {"mu": mu, "L": 1.0, "rho": climb, "eta": part * 2 / (1 + climb)}
    assert worst_case(**setting) == pytest.approx(extreme_quadratics(**setting), rel=CLOSE)


def test_the_units_of_curvature_do_not_matter():
    setting = {"mu": 0.04, "L": 4.0, "rho": 0.2, "eta": 0.25}
    assert worst_case(**setting) == pytest.approx(extreme_quadratics(**setting), rel=CLOSE)


@pytest.mark.parametrize("mu", [0.1, 0.5])
@pytest.mark.parametrize("part", [0.5, 0.9, 1.0])
def test_the_largest_climb_is_one_over_the_spread_of_curvatures(mu, part):
    """rho (L - mu) = 1 is beyond rho L = 1; `part` is of the step at which both quadratics tie."""
    rho = 1 / (1 - mu)
    eta = part * 2 / (mu * (1 + rho * mu) + 1 + rho)
    setting = {"mu": mu, "L": 1.0, "rho": rho, "eta": eta}
    assert worst_case(**setting) == pytest.approx(extreme_quadratics(**setting), rel=CLOSE)


@pytest.mark.parametrize("mu", [0.1, 0.5])
def test_a_larger_climb_has_a_worse_function(mu):
    """Five per cent beyond, at the step where both quadratics tie, the excess is 1e-5 or more."""
    rho = 1.05 / (1 - mu)
    eta = 2 / (mu * (1 + rho * mu) + 1 + rho)
    setting = {"mu": mu, "L": 1.0, "rho": rho, "eta": eta}
    assert worst_case(**setting) > extreme_quadratics(**setting) + 100 * CLOSE


def test_far_beyond_it_usam_may_move_away():
    setting = {"mu": 0.001, "L": 1.0, "rho": 2.0, "eta": 2 / 3}
    assert extreme_quadratics(**setting) == pytest.approx(1, rel=1e-12)
    assert worst_case(**setting) == pytest.approx(1.11, abs=0.005)  # the digits theory quotes


@pytest.mark.parametrize("gamma", [0.5, 1.0, 20 / 11, 1.9, 2.3])
def test_gradient_descent_has_its_known_rate(gamma):
    setting = {"mu": 0.1, "L": 1.0, "rho": 0.0, "eta": gamma}
    known = max(1 - gamma * 0.1, gamma - 1) ** 2
    assert worst_case(**setting) == pytest.approx(known, rel=CLOSE)
    assert extreme_quadratics(**setting) == pytest.approx(known, rel=1e-12)  # a few roundings


@pytest.mark.parametrize("n", [1, 2, 5])
def test_a_published_example_of_interpolating_sgd_is_our_mean_square_rate(n):
    """PEPit's sgd_overparametrized: 1.69 at mu = 0.1, L = 1, gamma = 2.3, for every n."""
    found, published = wc_sgd_overparametrized(
        L=1, mu=0.1, gamma=2.3, n=n, **{**SOLVER, "verbose": -1}
    )
    ours = extreme_quadratics(mu=0.1, L=1.0, rho=0.0, eta=2.3, n=n)
    assert found == pytest.approx(ours, rel=CLOSE)
    assert published == pytest.approx(ours, rel=1e-12)  # a few roundings
    assert round(ours, 2) == 1.69


def test_the_claims_bound_what_pepit_finds():
    """Each claim's own formula, at its tightest point, is PEPit's worst case there."""
    for claim, step in ((GD, "gamma"), (USAM, "eta")):
        point = {name: float(value) for name, value in _scalars(claim).items()}
        setting = {"mu": point["mu"], "L": point["L"], "rho": point.get("rho", 0.0)}
        found = worst_case(**setting, eta=point[step])
        assert found == pytest.approx(point["r"] ** 2, rel=CLOSE)


def _scalars(claim):
    model = claim.domain.exact(claim.tightest)
    return {name: getattr(model, name) for name in claim.domain.scalars}

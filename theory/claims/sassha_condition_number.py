r"""Sassha works at the root of the condition number, and its climb adds a factor of its own.

Without decay and $\varepsilon$ a coordinate of curvature $\lambda$ shrinks by $1 - \eta q$, $q =
\sqrt\lambda(1 + \rho\lambda)$ (see `sassha_threshold`). The best step makes the fastest and the
slowest equally slow: it contracts by $(K - 1)/(K + 1)$ with $K = q_1/q_d$, where gradient descent
has $\kappa = \lambda_1/\lambda_d$ for $K$. As $q_1/q_d = \sqrt\kappa\,(1 + \rho\lambda_1)/(1 +
\rho\lambda_d)$, the root is a gain and the climb, which no root tames, a loss. In the atoms
$\lambda_1 = r^2$, $\lambda_d = t^2$ and $k = \sqrt\kappa$.
"""

from theory.atoms import below, equal
from theory.claims._sassha import run
from theory.core import Claim, Conventions, Kind, Source, Tolerance
from theory.domains import Scalars

STEP = 1e-2  # small, so that no coordinate of the start box is thrown across the minimum


def given(m):
    return (
        below(0, m.r),
        below(0, m.t),
        equal(m.k * m.t, m.r),
        equal(m.r * m.fast, m.r**2 * (1 + m.rho * m.r**2)),
        equal(m.t * m.slow, m.t**2 * (1 + m.rho * m.t**2)),
    )


def then(m):
    return (equal(m.fast * (1 + m.rho * m.t**2), m.k * (1 + m.rho * m.r**2) * m.slow),)


def formula(m):
    """K, the condition number Sassha works at."""
    return m.k * (1 + m.rho * m.r**2) / (1 + m.rho * m.t**2)


def exact(m):
    """The same as a condition number, of P^(-1/2) (H + rho H^2) P^(-1/2) with P = diag(H)^(1/2)."""
    import numpy as np

    H = np.diag([m.r**2, m.t**2])
    P = np.diag(H.diagonal() ** -0.25)
    return np.linalg.cond(P @ (H + m.rho * H @ H) @ P)


def observe(lab, m):
    """The same from how far one simulated step moves the two coordinates."""
    seen = run(lab, (m.r**2, m.t**2), (1, 1), lr=STEP, rho=m.rho, normalised=False)
    fast, slow = 1 - seen.x[0, 1]
    return float(fast / slow)


CLAIM = Claim(
    title="Sassha's effective condition number is √κ (1 + ρλ₁)/(1 + ρλ_d)",
    statement=r"Without decay and $\varepsilon$, Sassha with climb $\rho\nabla f$ and exact "
    r"diagonal multiplies coordinate $j$ of a diagonal quadratic by $1 - \eta q_j$ a step, and "
    r"$\frac{q_1}{q_d} = \sqrt\kappa\,\frac{1 + \rho\lambda_1}{1 + \rho\lambda_d}$ with $\kappa = "
    r"\lambda_1/\lambda_d$.",
    source=Source("P2", "Shin et al. 2025, Sassha on a quadratic", "our own"),
    kind=Kind.EXACT,
    conventions=Conventions(
        normalised=False,
        ascent="shared",
        sampler="full batch",
        bias_correction="no averages to correct",
    ),
    domain=Scalars(
        names=("rho", "k", "t", "r", "fast", "slow"),
        start={"rho": (0.0, 0.5), "k": (1.0, 5.0), "t": (0.2, 1.0)},
        complete={
            "r": lambda m: m.k * m.t,
            "fast": lambda m: m.r * (1 + m.rho * m.r**2),
            "slow": lambda m: m.t * (1 + m.rho * m.t**2),
        },
    ),
    given=given,
    then=then,
    control={"rho": 1, "k": 2, "t": 1, "r": 2, "fast": 1, "slow": 2},
    formula=formula,
    exact=exact,
    observe=observe,
    tolerance=Tolerance(1e-9, "one step, whose rounding of 1e-16 is divided by eta q > 1e-3"),
)

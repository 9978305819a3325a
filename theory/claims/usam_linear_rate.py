r"""USAM converges linearly under interpolation, at a rate that depends on beta/alpha and rho.

Every $f_i \ge 0$ is $\beta$-smooth with $f_i(0) = 0$, $f$ is $\lambda$-smooth and $\alpha$-PL. Write
$\kappa = \beta/(2\alpha)$ (one sample a step) and $c = 1 - (\kappa + \tfrac12)\beta\rho$. Smoothness
gives $E f(x^+) \le f(x) - \eta\langle\nabla f, E g^+\rangle + \tfrac\lambda2\eta^2 E\|g^+\|^2$ with
$g^+ = g_i(x + \rho g_i)$; the climb changes a gradient by at most $\beta\rho\|g_i\|$, and
$E\|g_i\|^2 \le 2\beta f \le (\beta/\alpha)\|\nabla f\|^2$. The step below balances the two terms.
Audited here on quadratics, where one step in $E f$ is the matrix inequality
$\alpha\eta c\,H \preceq H - E\,\Phi_i H \Phi_i$, here divided by $\eta$; $t$ steps follow.
"""

from fractions import Fraction

from theory.atoms import below, equal, loewner
from theory.core import Claim, Conventions, Kind, Looseness, Source, Tolerance
from theory.domains import Family

HALF = Fraction(1, 2)
STEPS = 3


def given(m):
    bounded = [loewner(sample, m.beta * m.I) for sample in m.samples]
    return (
        *bounded,
        loewner(m.H, m.lam * m.I),
        loewner(m.alpha * m.H, m.H @ m.H),
        equal(2 * m.alpha * m.kappa, m.beta),
        equal(m.c, margin(m)),
        below(0, m.c),
        equal(m.eta * 2 * m.lam * m.kappa * (1 + m.beta * m.rho) ** 2, m.c),
    )


def then(m):
    return (loewner((m.alpha * m.c) * m.H, decrease(m)),)


def lemmas(m):
    """Second moments of gradients against ||grad f||^2, in the order of the argument."""
    square, climb = m.H @ m.H, (1 + m.beta * m.rho) ** 2
    second = m.mean([A @ A for A in m.A])
    curved = m.mean([A @ m.H @ A for A in m.A])
    drift = m.mean([A @ m.H + m.H @ A for A in m.A])
    return (
        loewner(m.M(2), 2 * m.kappa * square),
        loewner(second, climb * m.M(2)),
        loewner(second, 2 * m.kappa * climb * square),
        loewner(curved, m.lam * second),
        loewner(curved, 2 * m.lam * m.kappa * climb * square),
        loewner(m.eta * curved, m.c * square),
        loewner(2 * m.c * square, drift),
    )


def squares(m):
    h = m.samples[0]
    return h, m.H, h + m.H, m.A[0]


def decrease(m):
    """(H - E Phi_i H Phi_i)/eta, expanded so that a small step loses no digits to cancellation."""
    drift = m.mean([A @ m.H + m.H @ A for A in m.A])
    return drift - m.eta * m.mean([A @ m.H @ A for A in m.A])


def margin(m):
    """c = 1 - (kappa + 1/2) beta rho."""
    return 1 - (m.kappa + HALF) * m.beta * m.rho


def step_size(m):
    """The theorem's own step."""
    return m.c / (2 * m.lam * m.kappa * (1 + m.beta * m.rho) ** 2)


def _alpha(m):
    from theory.moments import smallest_positive

    return smallest_positive(m.H)


def _beta(m):
    from theory.moments import largest

    return max(largest(sample) for sample in m.samples)


def _lam(m):
    from theory.moments import largest

    return largest(m.H)


def formula(m):
    """The claimed factor of E f a step."""
    return float(1 - m.alpha * m.eta * m.c)


def exact(m):
    """The factor of E f a step over STEPS steps, by exact propagation from a fixed start."""
    X = m.H
    for _ in range(STEPS):
        X = m.T(X)
    x = _start(m)
    return float((x @ X @ x) / (x @ m.H @ x)) ** (1 / STEPS)


def observe(lab, m):
    """The same from the optimizer itself, over every sequence of samples."""
    from theory.problems.quadratic import quadratic

    seen = lab.enumerate(
        quadratic(hessians=m.samples, weights=m.weights),
        "usam",
        x0=_start(m),
        steps=STEPS,
        lr=m.eta,
        rho=m.rho,
    )
    return float(seen.loss[-1] / seen.loss[0]) ** (1 / STEPS)


def faster(m):
    """How many times faster E f decays in the long run than claimed: log r(T) / log(rate)."""
    import math

    from theory.stability.mean_square import rate
    from theory.stability.steps import listed

    radius, claimed = rate(listed(m.weights, m.A), m.eta), formula(m)
    return math.log(radius) / math.log(claimed) if min(radius, claimed) > 0 else math.inf


def _start(m):
    """A start with a part in every direction."""
    import numpy as np

    return np.cos(np.arange(1.0, len(m.I) + 1))


CLAIM = Claim(
    title="USAM converges linearly under interpolation, one sample a step",
    statement=r"Let $f_i \ge 0$ be $\beta$-smooth with $f_i(0) = 0$, $f$ be $\lambda$-smooth and "
    r"$\alpha$-PL, $\kappa = \beta/(2\alpha)$, $\rho < 1/((\kappa + \frac12)\beta)$ and "
    r"$\eta = \frac{1 - (\kappa + \frac12)\beta\rho}{2\lambda\kappa(1 + \beta\rho)^2}$. Then "
    r"$E f(x_t) \le \big(1 - \alpha\eta(1 - (\kappa + \frac12)\beta\rho)\big)^t f(x_0)$. "
    r"Audited on quadratics $f_i(x) = \frac12 x'H_ix$.",
    source=Source("P1", "Shin et al. 2023, theorem 7, at B = 1", "reconstructed"),
    kind=Kind.UPPER_BOUND,
    conventions=Conventions(normalised=False, ascent="shared"),
    domain=Family(
        names=("eta", "rho", "alpha", "beta", "lam", "kappa", "c"),
        complete={
            "alpha": _alpha,
            "beta": _beta,
            "lam": _lam,
            "kappa": lambda m: m.beta / (2 * m.alpha),
            "c": margin,
            "eta": step_size,
        },
    ),
    given=given,
    then=then,
    lemmas=lemmas,
    squares=squares,
    tightest={
        "factors": [[[1]]],
        "eta": 1,
        "rho": 0,
        "alpha": 1,
        "beta": 1,
        "lam": 1,
        "kappa": "1/2",
        "c": 1,
    },
    formula=formula,
    exact=exact,
    observe=observe,
    looseness=Looseness(faster, "in log rate"),
    tolerance=Tolerance(1e-9, "three products of small matrices in double precision"),
)

r"""Sassha with an unnormalised climb is stable on a quadratic exactly up to eta = 2/(w + max q).

On $f(x) = \tfrac12\sum_j \lambda_jx_j^2$, with the exact diagonal and without averages, each
coordinate goes its own way. The gradient after the climb is $\lambda(1 + \rho\lambda)x$, it is
divided by $\sqrt\lambda + \varepsilon$, and decay takes $wx$ more: $x^+ = (1 - \eta(w + q))x$ with
$q = \lambda(1 + \rho\lambda)/(\sqrt\lambda + \varepsilon)$. So $x^2$ changes by $-\eta(w + q)(2 -
\eta(w + q))x^2$, which is a loss for $0 < \eta(w + q) < 2$ only. $q$ grows with $\lambda$: the
sharpest coordinate decides. Here $\lambda = r^2$, and the division is an equation.
"""

from theory.atoms import below, equal
from theory.claims._sassha import run
from theory.core import Claim, Conventions, Kind, Notion, Source, Tolerance
from theory.domains import Scalars

HALF = 0.5  # the second coordinate's root of curvature, relative to the first


def given(m):
    return (
        below(0, m.r),
        below(0, m.r + m.eps),
        equal((m.r + m.eps) * m.q, m.r**2 * (1 + m.rho * m.r**2)),
        equal((m.r + m.eps) * m.step, m.r**2 * (m.x + m.rho * m.r**2 * m.x)),
    )


def then(m):
    pull = m.eta * (m.w + m.q)
    after = m.x - m.eta * m.step - m.eta * m.w * m.x
    return (equal(after**2, m.x**2 - pull * (2 - pull) * m.x**2),)


def pull_at(r, m):
    """q at the curvature r^2."""
    return r**2 * (1 + m.rho * r**2) / (r + m.eps)


def formula(m):
    """The critical step 2/(w + max q) of two coordinates, the second half as sharp in its root."""
    return 2 / (m.w + max(pull_at(m.r, m), pull_at(HALF * m.r, m)))


def exact(m):
    """The same from the largest eigenvalue of P^(-1/2) (H + rho H^2) P^(-1/2) + w I."""
    import numpy as np

    H = np.diag([m.r**2, (HALF * m.r) ** 2])
    P = np.diag(1 / np.sqrt(np.sqrt(H.diagonal()) + m.eps))
    return 2 / np.linalg.eigvalsh(P @ (H + m.rho * H @ H) @ P + m.w * np.eye(2))[-1]


def observe(lab, m):
    """The same from how far one simulated step moves each coordinate."""
    seen = run(
        lab,
        (m.r**2, (HALF * m.r) ** 2),
        (1, 1),
        lr=m.eta,
        rho=m.rho,
        eps=m.eps,
        weight_decay=m.w,
        normalised=False,
    )
    return 2 * m.eta / float(1 - seen.x[0, 1].min())


CLAIM = Claim(
    title="Sassha with an unnormalised climb is stable exactly up to η = 2/(w + max q)",
    statement=r"On $f = \frac12\sum_j\lambda_jx_j^2$ Sassha with climb $\rho\nabla f$, exact "
    r"diagonal, no averages and decay $w$ multiplies $x_j$ by $1 - \eta(w + q_j)$, $q_j = "
    r"\frac{\lambda_j(1 + \rho\lambda_j)}{\sqrt{\lambda_j} + \varepsilon}$, a step; so it keeps "
    r"$\|x\|$ bounded from every start exactly when $\eta \le \frac{2}{w + \max_jq_j}$.",
    source=Source("P2", "Shin et al. 2025, Sassha on a quadratic", "our own"),
    kind=Kind.EXACT,
    conventions=Conventions(
        notion=Notion.ONE_STEP,
        normalised=False,
        ascent="shared",
        sampler="full batch",
        bias_correction="no averages to correct",
    ),
    domain=Scalars(
        names=("eta", "rho", "w", "eps", "r", "x", "q", "step"),
        start={
            "eta": (0.1, 1.0),
            "rho": (0.01, 0.5),
            "w": (0.0, 0.5),
            "eps": (0.0, 0.5),
            "r": (0.5, 2.0),
            "x": (0.1, 2.0),
        },
        complete={
            "q": lambda m: pull_at(m.r, m),
            "step": lambda m: pull_at(m.r, m) * m.x,
        },
    ),
    given=given,
    then=then,
    control={"eta": 1, "rho": 1, "w": 1, "eps": 1, "r": 1, "x": 1, "q": 1, "step": 2},
    formula=formula,
    exact=exact,
    observe=observe,
    tolerance=Tolerance(1e-9, "one step, whose rounding of 1e-16 is divided by eta (w + q) > 1e-3"),
    trusted=("A coordinate stays bounded exactly when no step makes its square larger.",),
)

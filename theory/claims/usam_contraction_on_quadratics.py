r"""On quadratics USAM contracts at every step below 2/(beta(1 + rho beta)), at an explicit rate.

Let $b = \beta(1 + \rho\beta)$. Each $A_i = H_i + \rho H_i^2$ satisfies $A_i^2 \preceq bA_i$, so
$E\,\Phi_i^2 = I - 2\eta A + \eta^2E A_i^2 \preceq I - \eta(2 - \eta b)A$, and $A \succeq \mu$ off
the common null space. To leave that space out, both sides are compared on $x = Ay$: $(2 - \eta
b)\mu A^2 \preceq A(2A - \eta E A_i^2)A$. No interpolation constant, batch or radius is excluded.
"""

from theory.atoms import below, loewner
from theory.core import Claim, Conventions, Kind, Notion, Source
from theory.domains import Family


def given(m):
    A = m.mean(m.A)
    bounded = [loewner(sample, m.beta * m.I) for sample in m.samples]
    return *bounded, loewner(m.mu * A, A @ A), below(m.eta * m.beta * (1 + m.rho * m.beta), 2)


def then(m):
    A = m.mean(m.A)
    drop = 2 * A - m.eta * m.mean([a @ a for a in m.A])
    rate = (2 - m.eta * m.beta * (1 + m.rho * m.beta)) * m.mu
    return (loewner(rate * (A @ A), A @ drop @ A),)


def _beta(m):
    from theory.moments import largest

    return max(largest(sample) for sample in m.samples)


def _mu(m):
    from theory.moments import smallest_positive

    return smallest_positive(m.mean(m.A))


def _eta(m):
    return m.part * 2 / (m.beta * (1 + m.rho * m.beta))


def lemmas(m):
    A, b = m.mean(m.A), m.beta * (1 + m.rho * m.beta)
    return loewner(0 * m.I, A), loewner(m.mean([a @ a for a in m.A]), b * A)


def squares(m):
    return m.samples[0], m.mean(m.A)


CLAIM = Claim(
    title="USAM contracts on quadratics at every step below 2/(β(1 + ρβ))",
    statement=r"If $H_i \preceq \beta$ and $0 < \eta < 2/(\beta(1 + \rho\beta))$ then off the "
    r"common null "
    r"space $E\|x^+\|^2 \le (1 - \eta(2 - \eta\beta(1 + \rho\beta))\lambda_{\min}(A))\|x\|^2$, "
    r"$A = E(H_i + \rho H_i^2)$.",
    source=Source("other", "what holds on quadratics for every radius", "our own"),
    kind=Kind.UPPER_BOUND,
    conventions=Conventions(notion=Notion.ONE_STEP, normalised=False, ascent="any"),
    domain=Family(
        names=("eta", "rho", "beta", "mu", "part"),
        start={"part": (0.05, 0.95)},
        complete={"beta": _beta, "mu": _mu, "eta": _eta},
    ),
    given=given,
    then=then,
    lemmas=lemmas,
    squares=squares,
    tightest={"factors": [[[1]]], "eta": 1, "rho": 0, "beta": 1, "mu": 1, "part": "1/2"},
)

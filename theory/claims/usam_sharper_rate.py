r"""USAM's linear rate holds with $\sqrt{\beta/\alpha}$ where theorem 7 has $(1 + \beta/\alpha)/2$.

At $B = 1$ let $u^2 = \beta/\alpha$ and $c = 1 - \beta\rho u > 0$. By Cauchy's inequality
$E\langle\nabla f, g_i(x + \rho g_i) - g_i\rangle \ge -\beta\rho\|\nabla f\|\sqrt{E\|g_i\|^2} \ge
-\beta\rho u\|\nabla f\|^2$, where theorem 7 uses the weaker $2ab \le a^2 + b^2$. The step
$\eta = c/(\lambda u^2(1 + \beta\rho)^2)$ balances the two terms:
$E f(x^+) \le (1 - \alpha c^2/(\lambda u^2(1 + \beta\rho)^2))f(x)$. Audited on quadratics.
"""

from theory.atoms import below, equal, loewner
from theory.core import Claim, Conventions, Kind, Source
from theory.domains import Family


def given(m):
    bounded = [loewner(sample, m.beta * m.I) for sample in m.samples]
    return (
        *bounded,
        loewner(m.H, m.lam * m.I),
        loewner(m.alpha * m.H, m.H @ m.H),
        equal(m.alpha * m.u**2, m.beta),
        equal(m.c, 1 - m.beta * m.rho * m.u),
        below(0, m.c),
        below(0, m.u),
        equal(m.eta * m.lam * (m.u * (1 + m.beta * m.rho)) ** 2, m.c),
    )


def then(m):
    drift = m.mean([A @ m.H + m.H @ A for A in m.A])
    decrease = drift - m.eta * m.mean([A @ m.H @ A for A in m.A])
    return (loewner((m.alpha * m.c) * m.H, decrease),)


def lemmas(m):
    """As for theorem 7, with Cauchy's inequality at its best ratio u."""
    square, climb = m.H @ m.H, (1 + m.beta * m.rho) ** 2
    second = m.mean([A @ A for A in m.A])
    curved = m.mean([A @ m.H @ A for A in m.A])
    drift = m.mean([A @ m.H + m.H @ A for A in m.A])
    return (
        loewner(m.M(2), m.u**2 * square),
        loewner(second, climb * m.M(2)),
        loewner(second, m.u**2 * climb * square),
        loewner(curved, m.lam * second),
        loewner(curved, m.lam * m.u**2 * climb * square),
        loewner(m.eta * curved, m.c * square),
        loewner(2 * m.c * square, drift),
    )


def squares(m):
    h = m.samples[0]
    return h, m.H, h + m.u * m.H, m.A[0]


def _beta(m):
    from theory.moments import largest

    return max(largest(sample) for sample in m.samples)


def _lam(m):
    from theory.moments import largest

    return largest(m.H)


def _u(m):
    """At least sqrt(beta/alpha), rational where the family is: alpha is then exactly beta/u^2."""
    from fractions import Fraction

    from theory.moments import smallest_positive

    root = float(m.beta / smallest_positive(m.H)) ** 0.5 * (1 + 1e-12)
    return Fraction(root) if isinstance(m.beta, Fraction) else root


CLAIM = Claim(
    title="USAM converges linearly at a sharper rate, one sample a step",
    statement=r"Let $f_i \ge 0$ be $\beta$-smooth with $f_i(0) = 0$, $f$ be $\lambda$-smooth and "
    r"$\alpha$-PL, $u = \sqrt{\beta/\alpha}$, $\beta\rho u < 1$ and "
    r"$\eta = \frac{1 - \beta\rho u}{\lambda u^2(1 + \beta\rho)^2}$. Then "
    r"$E f(x_t) \le \big(1 - \frac{\alpha(1 - \beta\rho u)^2}{\lambda u^2(1 + \beta\rho)^2}\big)^t "
    r"f(x_0)$. Audited on quadratics $f_i(x) = \frac12 x'H_ix$.",
    source=Source("other", "theorem 7 of Shin et al. 2023, sharpened", "our own"),
    kind=Kind.UPPER_BOUND,
    conventions=Conventions(normalised=False, ascent="shared"),
    domain=Family(
        names=("eta", "rho", "alpha", "beta", "lam", "u", "c"),
        complete={
            "beta": _beta,
            "lam": _lam,
            "u": _u,
            "alpha": lambda m: m.beta / m.u**2,
            "c": lambda m: 1 - m.beta * m.rho * m.u,
            "eta": lambda m: m.c / (m.lam * (m.u * (1 + m.beta * m.rho)) ** 2),
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
        "u": 1,
        "c": 1,
    },
)

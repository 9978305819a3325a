r"""Theorem 7 sharpened, for every batch size and every smooth loss, with shared ascent.

Let $s = \beta\rho$, $v = (1 - p) + p\beta/\alpha = u^2$. As for theorem 7, $E\|g\|^2 \le v\|G\|^2$ and
$E\|k\|^2 \le (1 + s)^2v\|G\|^2$ for the climbed gradient $k = g + sd$; but Cauchy's inequality gives
$E\langle G, d\rangle \ge -\|G\|\sqrt{E\|g\|^2} \ge -u\|G\|^2$, where theorem 7 has $-\tfrac12(1 + v)$.
So $c = 1 - su$, and the step $\eta = c/(\lambda v(1 + s)^2)$ gives $E f(x^+) \le (1 - \alpha\eta c)f$.
"""

from theory.atoms import at_most, below, equal
from theory.claims._linear_rate import TRUSTED, after_climb, batch, descent, setting
from theory.core import Claim, Conventions, Kind, Source
from theory.domains import Operators


def given(m):
    return (
        *setting(m),
        at_most(m.inner(m.g, m.g), batch(m, 2 * m.beta * m.f)),
        below(0, m.u),
        equal(m.alpha * m.u**2, (1 - m.p) * m.alpha + m.p * m.beta),
        equal(m.c, 1 - m.s * m.u),
        below(0, m.c),
        equal(m.eta * m.lam * m.u**2 * (1 + m.s) ** 2, m.c),
        at_most(m.after, descent(m, m.inner(after_climb(m), after_climb(m)))),
    )


def then(m):
    return (at_most(m.after, (1 - m.alpha * m.eta * m.c) * m.f),)


def lemmas(m):
    length, k, climb = m.inner(m.G, m.G), after_climb(m), (1 + m.s) ** 2
    return (
        at_most(m.inner(m.g, m.g), m.u**2 * length),
        at_most(m.inner(k, k), climb * m.inner(m.g, m.g)),
        at_most(m.inner(k, k), m.u**2 * climb * length),
        at_most(m.eta * m.lam * m.inner(k, k), m.c * length),
        at_most(m.c * length, m.inner(m.G, k)),
    )


def squares(m):
    return m.u * m.G + m.d, m.g - m.d, m.G


CLAIM = Claim(
    title="USAM converges linearly at a sharper rate, for every batch size",
    statement=r"Let $f_i \ge 0$ be $\beta$-smooth with $f_i(0) = 0$, $f$ be $\lambda$-smooth and "
    r"$\alpha$-PL, $u^2 = 1 - p + p\frac\beta\alpha$ ($p = 1/B$ with replacement), $\beta\rho u < 1$ "
    r"and $\eta = \frac{1 - \beta\rho u}{\lambda u^2(1 + \beta\rho)^2}$. Then $E f(x_t) \le \big(1 - "
    r"\frac{\alpha(1 - \beta\rho u)^2}{\lambda u^2(1 + \beta\rho)^2}\big)^t f(x_0)$ for USAM with the "
    r"batch's own ascent.",
    source=Source("other", "theorem 7 of Shin et al. 2023, sharpened", "our own"),
    kind=Kind.UPPER_BOUND,
    conventions=Conventions(
        normalised=False, ascent="shared", sampler="any batch, with or without replacement"
    ),
    domain=Operators(
        vectors=("G", "g", "d"),
        scalars=("f", "after", "eta", "rho", "s", "alpha", "beta", "lam", "p", "u", "c"),
    ),
    given=given,
    then=then,
    lemmas=lemmas,
    squares=squares,
    tightest={
        "G": [1, 0, 0, 0],
        "g": [1, 1, 1, 1],
        "d": [0, 0, 0, 0],
        "f": "1/2",
        "after": "7/16",
        "eta": "1/8",
        "rho": 0,
        "s": 0,
        "alpha": 1,
        "beta": 4,
        "lam": 2,
        "p": 1,
        "u": 2,
        "c": 1,
    },
    trusted=TRUSTED,
)

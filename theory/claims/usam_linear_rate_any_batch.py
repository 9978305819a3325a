r"""Theorem 7 holds for every batch size and every smooth loss, with shared ascent.

Let $s = \beta\rho$, $2\kappa = (1 - p) + p\beta/\alpha$. Then $E\|g\|^2 \le (1 - p)\|G\|^2 + 2p\beta f
\le 2\kappa\|G\|^2$; the climbed gradient $k = g + sd$, $\|d\| \le \|g\|$, has $E\|k\|^2 \le (1 +
s)^2E\|g\|^2$ and $E\langle G, k\rangle \ge \|G\|^2 - \tfrac s2(\|G\|^2 + E\|g\|^2) \ge c\|G\|^2$ with
$c = 1 - (\kappa + \tfrac12)s$. The step balances the two: $E f(x^+) \le f - \tfrac12\eta c\|G\|^2 \le
(1 - \alpha\eta c)f$. Bassily, Belkin & Ma 2018 is $\rho = 0$.
"""

from fractions import Fraction

from theory.atoms import at_most, below, equal
from theory.claims._linear_rate import TRUSTED, after_climb, batch, descent, setting
from theory.core import Claim, Conventions, Kind, Source
from theory.domains import Operators

HALF = Fraction(1, 2)


def given(m):
    return (
        *setting(m),
        at_most(m.inner(m.g, m.g), batch(m, 2 * m.beta * m.f)),
        equal(2 * m.alpha * m.kappa, (1 - m.p) * m.alpha + m.p * m.beta),
        equal(m.c, 1 - (m.kappa + HALF) * m.s),
        below(0, m.c),
        equal(m.eta * 2 * m.lam * m.kappa * (1 + m.s) ** 2, m.c),
        at_most(m.after, descent(m, m.inner(after_climb(m), after_climb(m)))),
    )


def then(m):
    return (at_most(m.after, (1 - m.alpha * m.eta * m.c) * m.f),)


def lemmas(m):
    length, k, climb = m.inner(m.G, m.G), after_climb(m), (1 + m.s) ** 2
    return (
        at_most(m.inner(m.g, m.g), 2 * m.kappa * length),
        at_most(m.inner(k, k), climb * m.inner(m.g, m.g)),
        at_most(m.inner(k, k), 2 * m.kappa * climb * length),
        at_most(m.eta * m.lam * m.inner(k, k), m.c * length),
        at_most(m.c * length, m.inner(m.G, k)),
    )


def squares(m):
    return m.G + m.d, m.g - m.d, m.G


CLAIM = Claim(
    title="USAM converges linearly under interpolation, for every batch size",
    statement=r"Let $f_i \ge 0$ be $\beta$-smooth with $f_i(0) = 0$, $f$ be $\lambda$-smooth and "
    r"$\alpha$-PL, $\kappa_B = \frac12\big(1 - p + p\frac\beta\alpha\big)$ ($p = 1/B$ with "
    r"replacement), $\rho < 1/((\kappa_B + \frac12)\beta)$ and $\eta = \frac{1 - (\kappa_B + "
    r"\frac12)\beta\rho}{2\lambda\kappa_B(1 + \beta\rho)^2}$. Then $E f(x_t) \le \big(1 - \alpha\eta(1 "
    r"- (\kappa_B + \frac12)\beta\rho)\big)^t f(x_0)$ for USAM with the batch's own ascent.",
    source=Source("P1", "Shin et al. 2023, theorem 7", "reconstructed"),
    kind=Kind.UPPER_BOUND,
    conventions=Conventions(
        normalised=False, ascent="shared", sampler="any batch, with or without replacement"
    ),
    domain=Operators(
        vectors=("G", "g", "d"),
        scalars=("f", "after", "eta", "rho", "s", "alpha", "beta", "lam", "p", "kappa", "c"),
    ),
    given=given,
    then=then,
    lemmas=lemmas,
    squares=squares,
    tightest={
        "G": [1, 0],
        "g": [1, 1],
        "d": [0, 0],
        "f": "1/2",
        "after": "3/8",
        "eta": "1/4",
        "rho": 0,
        "s": 0,
        "alpha": 1,
        "beta": 2,
        "lam": 2,
        "p": 1,
        "kappa": 1,
        "c": 1,
    },
    trusted=TRUSTED,
)

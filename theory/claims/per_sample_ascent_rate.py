r"""With per-sample ascent USAM converges linearly, if the radius does not count on the batch.

Let $s = \beta\rho$, $u^2 = \beta/\alpha$, and $k = g + sd$ one sample's gradient after its own climb,
with mean $G + sD$. Then $E\|g\|^2 \le u^2\|G\|^2$, $\|D\|^2 \le E\|d\|^2 \le u^2\|G\|^2$, so $\langle
G, G + sD\rangle \ge (1 - su)\|G\|^2$ and $\|G + sD\| \le (1 + su)\|G\|$ at every batch size; only the
noise is averaged: $E\|k_S\|^2 \le V\|G\|^2$, $V = (1 - p)(1 + su)^2 + pu^2(1 + s)^2$. The step $\eta =
c/(\lambda V)$, $c = 1 - su$, balances the two.
"""

from theory.atoms import at_most, below, equal
from theory.claims._linear_rate import TRUSTED, after_climb, setting
from theory.core import Claim, Conventions, Kind, Source
from theory.domains import Operators


def given(m):
    K, k = mean_after_climb(m), after_climb(m)
    squared = (1 - m.p) * m.inner(K, K) + m.p * m.inner(k, k)
    fall = m.eta * m.inner(m.G, K) - m.eta**2 * m.lam * squared / 2
    return (
        *setting(m),
        at_most(m.inner(m.g, m.g), 2 * m.beta * m.f),
        equal(m.inner(m.D, m.G), m.inner(m.d, m.G)),
        equal(m.inner(m.D, m.D), m.inner(m.d, m.D)),
        below(0, m.u),
        equal(m.alpha * m.u**2, m.beta),
        equal(m.c, 1 - m.s * m.u),
        below(0, m.c),
        equal(m.V, (1 - m.p) * (1 + m.s * m.u) ** 2 + m.p * noise(m)),
        equal(m.eta * m.lam * m.V, m.c),
        at_most(m.after, m.f - fall),
    )


def then(m):
    return (at_most(m.after, (1 - m.alpha * m.eta * m.c) * m.f),)


def mean_after_climb(m):
    """The mean over samples of their gradients, each after its own climb."""
    return m.G + (m.s) * m.D


def noise(m):
    """What bounds E||k||^2 of one sample, over ||G||^2."""
    return m.u**2 * (1 + m.s) ** 2


def lemmas(m):
    length, K, k = m.inner(m.G, m.G), mean_after_climb(m), after_climb(m)
    climb, mean_climb = (1 + m.s) ** 2, (1 + m.s * m.u) ** 2
    squared = (1 - m.p) * m.inner(K, K) + m.p * m.inner(k, k)
    return (
        at_most(m.inner(m.g, m.g), m.u**2 * length),
        at_most(m.inner(k, k), climb * m.inner(m.g, m.g)),
        at_most(m.inner(k, k), climb * m.u**2 * length),
        at_most(m.inner(m.D, m.D), m.u**2 * length),
        at_most(m.inner(K, K), mean_climb * length),
        at_most(0, 1 - m.p),
        at_most((1 - m.p) * m.inner(K, K), (1 - m.p) * mean_climb * length),
        at_most(squared, m.V * length),
        at_most(m.eta * m.lam * squared, m.c * length),
        at_most(m.c * length, m.inner(m.G, K)),
    )


def squares(m):
    return m.u * m.G + m.D, m.u * m.G - m.D, m.g - m.d, m.d - m.D, m.G


CLAIM = Claim(
    title="With per-sample ascent USAM converges linearly, at a radius no batch enlarges",
    statement=r"Let $f_i \ge 0$ be $\beta$-smooth with $f_i(0) = 0$, $f$ be $\lambda$-smooth and "
    r"$\alpha$-PL, $u^2 = \beta/\alpha$, $\beta\rho u < 1$, $V = (1 - p)(1 + \beta\rho u)^2 + pu^2(1 + "
    r"\beta\rho)^2$ ($p = 1/B$ with replacement) and $\eta = (1 - \beta\rho u)/(\lambda V)$. Then "
    r"$E f(x_t) \le \big(1 - \frac{\alpha(1 - \beta\rho u)^2}{\lambda V}\big)^t f(x_0)$ for USAM "
    r"with each sample's own ascent.",
    source=Source("other", "theorem 7 of Shin et al. 2023, repaired", "our own"),
    kind=Kind.UPPER_BOUND,
    conventions=Conventions(
        normalised=False, ascent="per-sample", sampler="any batch, with or without replacement"
    ),
    domain=Operators(
        vectors=("G", "g", "d", "D"),
        scalars=("f", "after", "eta", "rho", "s", "alpha", "beta", "lam", "p", "u", "c", "V"),
    ),
    given=given,
    then=then,
    lemmas=lemmas,
    squares=squares,
    tightest={
        "G": [1, 0, 0, 0],
        "g": [1, 1, 1, 1],
        "d": [0, 0, 0, 0],
        "D": [0, 0, 0, 0],
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
        "V": 4,
    },
    trusted=TRUSTED,
    repairs="usam_per_sample_rate",
)

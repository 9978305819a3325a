r"""On a line, mean-square stability implies almost-sure stability: the squares' means obey AM and GM.

Multiply $x$ by $a$ or $b$, equally likely. $E x_t^2$ grows by $R = (a^2 + b^2)/2$ a step, and by
the law of large numbers $\log x_t^2/t \to \log|ab|$ almost surely. $R^2 - (ab)^2 = ((a^2 -
b^2)/2)^2$, so $|ab| \le R$: what stays bounded in mean square stays so almost surely, and the two
rates agree only if the factors have one size. The gap has no bound: at $a = 1/10$, $b = 3$ $E
x_t^2$ grows like $4.505^t$ while $x_t^2$ shrinks like $0.3^t$.
"""

from theory.atoms import equal
from theory.core import Claim, Conventions, Kind, Notion, Source, Tolerance
from theory.domains import Scalars

STEPS = 8


def given(m):
    """a and b are the factors of steps of size eta on the curvatures g and h."""
    return equal(m.a, 1 - m.eta * m.g), equal(m.b, 1 - m.eta * m.h)


def then(m):
    square = ((1 - m.eta * m.g) ** 2 + (1 - m.eta * m.h) ** 2) / 2  # of x, after a step from 1
    path = (1 - m.eta * m.g) * (1 - m.eta * m.h)  # of x, after one step of either kind
    return (equal(square**2, path**2 + ((m.a**2 - m.b**2) / 2) ** 2),)


def formula(m):
    """E x_t^2/x_0^2 over the typical x_t^2/x_0^2, after STEPS steps: (R/|ab|)^t."""
    return ((m.a**2 + m.b**2) / abs(2 * m.a * m.b)) ** STEPS


def exact(m):
    """The same from how often each number of factors b is drawn, against their middle number."""
    from math import comb

    mean = sum(comb(STEPS, k) * m.a ** (2 * (STEPS - k)) * m.b ** (2 * k) for k in range(STEPS + 1))
    return mean / 2**STEPS / abs(m.a * m.b) ** STEPS


def observe(lab, m):
    """The same from all simulated sequences: their mean square over the square of the median path."""
    import numpy as np

    from theory.problems.quadratic import quadratic

    pair, how = quadratic(hessians=np.array([[[m.g]], [[m.h]]])), {"x0": np.ones(1), "lr": m.eta}
    mean = lab.enumerate(pair, "sgd", steps=STEPS, **how).second_moment[-1]
    words = np.arange(STEPS)[None, :, None] % 2
    return float(mean / lab.run(pair, "sgd", indices=words, **how).x[0, -1, 0] ** 2)


CLAIM = Claim(
    title="On a line mean-square stability implies almost-sure stability, with any gap between them",
    statement=r"For factors $a$, $b$ drawn with probability one half, $E x_t^2 = R^tx_0^2$ with $R "
    r"= (a^2 + b^2)/2$, and $x_t^2$ behaves like $|ab|^t$ almost surely; $R^2 = |ab|^2 + "
    r"\big(\frac{a^2 - b^2}{2}\big)^2$, so $|ab| \le R$. At $a = \frac1{10}$, $b = 3$: "
    r"$R = 4.505$, $|ab| = 0.3$.",
    source=Source("other", "folklore; Jensen's inequality", "reconstructed"),
    kind=Kind.EXACT,
    conventions=Conventions(notion=Notion.ALMOST_SURE),
    domain=Scalars(
        names=("eta", "g", "h", "a", "b"),
        start={"eta": (0.1, 0.5), "g": (0.5, 1.5), "h": (4.0, 20.0)},
        complete={"a": lambda m: 1 - m.eta * m.g, "b": lambda m: 1 - m.eta * m.h},
    ),
    given=given,
    then=then,
    control={"eta": 1, "g": 1, "h": 2, "a": 1, "b": 1},
    formula=formula,
    exact=exact,
    observe=observe,
    tolerance=Tolerance(1e-9, "sums of positive terms; |1 - eta h| is rarely below 1e-4"),
    trusted=(
        "The law of large numbers: log x_t^2/t tends to log|ab| almost surely.",
        "A square is not negative.",
    ),
    repairs="almost_sure_needs_mean_square",
)

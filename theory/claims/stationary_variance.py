r"""Away from interpolation SGD settles into a variance of eta p g^2/(2h - eta(h^2 + p s^2)) on a line.

Two equally likely samples have curvatures $h \pm s$ and, at the minimum 0 of their mean, gradients
$\pm g$. A step is $x^+ = x - \eta(A_Sx + g_S)$ with $E g_S = 0$, so $E x_t \to 0$, and at $E x = 0$
the cross terms vanish: $E x^{+2} - E x^2 = -2\eta h\,E x^2 + \eta^2(E A_S^2\,E x^2 + E g_S^2)$, $E
A_S^2 = h^2 + ps^2$, $E g_S^2 = pg^2$, $p = 1/B$. In more dimensions the same equation reads
$\mathrm{vec}\,\Sigma = \eta p(2C - \eta D)^+\mathrm{vec}\,\Sigma_g$. Whether sharp samples are the
ones that pull is immaterial.
"""

from fractions import Fraction
from itertools import product

from theory.atoms import below, equal
from theory.core import Claim, Conventions, Kind, Source, Tolerance
from theory.domains import Scalars

SIZES = (1, 2, 3)  # batches in the atoms
BATCH = 2  # in the formula and in the simulation


def given(m):
    """c1, c2, c3 are the variances for batches of one, two and three samples."""
    kept = zip(SIZES, (m.c1, m.c2, m.c3), strict=True)
    return (
        below(0, m.eta),
        below(0, m.h),
        below(m.eta * (m.h**2 + m.s**2), 2 * m.h),
        *(
            equal((2 * B * m.h - m.eta * (B * m.h**2 + m.s**2)) * c, m.eta * m.g**2)
            for B, c in kept
        ),
    )


def then(m):
    """What a step takes off E x^2 in all and what its noise adds, summed over all batches, over eta."""
    atoms = []
    for B, c in zip(SIZES, (m.c1, m.c2, m.c3), strict=True):
        shares = [Fraction(sum(signs), B) for signs in product((1, -1), repeat=B)]
        squares = sum((m.h + m.s * share) ** 2 for share in shares)
        kicks = sum((m.g * share) ** 2 for share in shares)
        atoms.append(equal((2 * m.h * len(shares) - m.eta * squares) * c, m.eta * kicks))
    return tuple(atoms)


def variance(m, B):
    """The stationary E x^2 with B samples a step."""
    return m.eta * m.g**2 / (2 * B * m.h - m.eta * (B * m.h**2 + m.s**2))


def formula(m):
    """The same for the batch that is simulated."""
    return variance(m, BATCH)


def exact(m):
    """The same by the joint equations of E x and E x^2, read off steps from -1, 0 and 1."""
    draws = list(product((1, -1), repeat=BATCH))

    def square(x):
        after = (
            x - m.eta * ((m.h + m.s * sum(w) / BATCH) * x + m.g * sum(w) / BATCH) for w in draws
        )
        return sum(y**2 for y in after) / len(draws)

    kick = square(0)
    return kick / (1 - ((square(1) + square(-1)) / 2 - kick))


def observe(lab, m):
    """The same from E x_1^2 and E x_2^2 over all simulated sequences from 0, which decide the rest."""
    import numpy as np

    from theory.problems._bowls import bowls

    curvatures = np.array([m.h + m.s, m.h - m.s])
    pair = bowls(curvatures[:, None, None], np.array([[-m.g], [m.g]]) / curvatures[:, None])
    words = np.array(list(product((0, 1), repeat=2 * BATCH))).reshape(-1, 2, BATCH)
    run = lab.run(pair, "sgd", x0=np.zeros(1), indices=words, lr=m.eta)
    first, second = (run.x[:, 1:, 0] ** 2).mean(0)
    return float(first / (2 - second / first))


CLAIM = Claim(
    title="Away from interpolation SGD's variance on a line is ηpg²/(2h − η(h² + ps²))",
    statement=r"Let samples of curvature $h \pm s$ pull by $\pm g$ at the minimum of their mean, "
    r"equally likely, $B$ a step with replacement, $p = 1/B$, $\eta(h^2 + ps^2) < 2h$. "
    r"SGD's stationary variance is $\frac{\eta pg^2}{2h - \eta(h^2 + ps^2)}$. Certified "
    r"for $B \le 3$.",
    source=Source("other", "Mandt, Hoffman & Blei 2017 for small steps", "our own"),
    kind=Kind.EXACT,
    conventions=Conventions(sampler="any batch, with replacement"),
    domain=Scalars(
        names=("eta", "h", "s", "g", "c1", "c2", "c3"),
        start={"eta": (0.1, 0.4), "h": (1.0, 2.0), "s": (0.1, 0.9), "g": (0.1, 2.0)},
        complete={
            "c1": lambda m: variance(m, 1),
            "c2": lambda m: variance(m, 2),
            "c3": lambda m: variance(m, 3),
        },
    ),
    given=given,
    then=then,
    control={"eta": 1, "h": 1, "s": 0, "g": 1, "c1": 2, "c2": 2, "c3": 2},
    formula=formula,
    exact=exact,
    observe=observe,
    tolerance=Tolerance(1e-10, "a difference of two means of squares that keeps 1 - r(T) > 0.1"),
    trusted=(
        "E x_t tends to 0 where E x_t^2 is stable, and the second moment's fixed point is its limit.",
        "Batches of more samples follow by the same count of pairs (`batch_size_dilutes_noise`).",
    ),
)

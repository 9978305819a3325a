r"""On the matrix of ones the absolute value of one probe grows like the root of the dimension.

Every row of $h11'$ gives $|h|\,|S_d|$ with $S_d$ a sum of $d$ random signs. From 0 the walk goes
away for certain, from elsewhere it comes nearer as often as it goes away, so $E|S_{d+1}| = E|S_d| +
P(S_d = 0)$. With $E|S_1| = 1$ that gives $E|S_d| = d\binom{d-1}{\lfloor(d-1)/2\rfloor}/2^{d-1}$,
near $\sqrt{2d/\pi}$; the diagonal is $h$ throughout. Here every sign vector is counted, for each
$d$ up to ten.
"""

from fractions import Fraction
from functools import cache
from math import comb

from theory.atoms import equal
from theory.claims._probes import estimates, signs
from theory.core import Claim, Conventions, Kind, Source, Tolerance
from theory.domains import Scalars

LARGEST = 10
OBSERVED = 6  # the dimension simulated, a step for each of its 64 sign vectors


def given(m):
    return ()


def then(m):
    return tuple(equal(counted(d) * m.h, closed(d) * m.h) for d in range(1, LARGEST + 1))


@cache
def counted(d):
    """E|S_d|, by counting."""
    return Fraction(sum(abs(sum(z)) for z in signs(d)), 2**d)


def closed(d):
    """E|S_d|, in closed form."""
    return Fraction(d * comb(d - 1, (d - 1) // 2), 2 ** (d - 1))


def formula(m):
    """The mean of |(Hz)_1| for H = h 11' of dimension OBSERVED."""
    return float(closed(OBSERVED)) * m.h


def exact(m):
    """The same from the binomial distribution of the number of minus signs."""
    import numpy as np
    from scipy.stats import binom

    minus = np.arange(OBSERVED + 1)
    return float(m.h * binom.pmf(minus, OBSERVED, 0.5) @ abs(OBSERVED - 2 * minus))


def observe(lab, m):
    """The mean of what Sassha takes for the diagonal."""
    H = [[m.h] * OBSERVED] * OBSERVED
    return float(estimates(lab, H, signs(OBSERVED)).mean())


CLAIM = Claim(
    title="On the matrix of ones one probe's absolute value grows like the root of d",
    statement=r"For $H = h11'$ of dimension $d$, $h \ge 0$, and a vector $z$ of random signs "
    r"$E|z_j(Hz)_j| = \frac{dC}{2^{d-1}}h$, $C$ the binomial coefficient of $d - 1$ over "
    r"$\lfloor\frac{d-1}{2}\rfloor$. "
    rf"Counted for $d \le {LARGEST}$.",
    source=Source("P2", "Shin et al. 2025, the absolute value in Sassha", "our own"),
    kind=Kind.EXACT,
    conventions=Conventions(sampler="one Rademacher probe"),
    domain=Scalars(names=("h",), start={"h": (0.1, 2.0)}),
    given=given,
    then=then,
    control={"h": 1},
    formula=formula,
    exact=exact,
    observe=observe,
    tolerance=Tolerance(1e-9, "64 estimates, each known to 1e-12 of the row"),
)

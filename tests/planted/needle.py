"""False only within a hundredth of four points: a Motzkin polynomial lowered by 0.0001.

x^4 y^2 + x^2 y^4 + 1 >= 3 x^2 y^2 holds everywhere, with equality at |x| = |y| = 1 alone (and it is
no sum of squares). With 3.0001 it fails, by less than a part in ten thousand and only there.
"""

from dataclasses import replace
from fractions import Fraction

from theory.atoms import at_most
from theory.core import Claim, Conventions, Kind, Source
from theory.domains import Scalars


def given(m):
    return ()


def bound(constant):
    return lambda m: (at_most(constant * m.x**2 * m.y**2, m.x**4 * m.y**2 + m.x**2 * m.y**4 + 1),)


TWIN = Claim(
    title="Motzkin's polynomial is not negative",
    statement=r"$c\,x^2y^2 \le x^4y^2 + x^2y^4 + 1$.",
    source=Source("other", "planted", "our own"),
    kind=Kind.UPPER_BOUND,
    conventions=Conventions(sampler="none"),
    domain=Scalars(("x", "y")),
    given=given,
    then=bound(3),
    tightest={"x": 1, "y": 1},
)
CLAIM = replace(TWIN, then=bound(Fraction(30001, 10000)), tightest={"x": 2, "y": 1})

"""False only within a hundredth of four points: a Motzkin polynomial lowered by 0.0001.

u^4 v^2 + u^2 v^4 + 1 >= 3 u^2 v^2 holds everywhere, with equality at |u| = |v| = 1 alone (and it is
no sum of squares). With 3.0001 it fails, by less than a part in ten thousand and only there. The
points are moved off small denominators, so that rounding does not stumble on them.
"""

from dataclasses import replace
from fractions import Fraction

from theory.atoms import at_most
from theory.core import Claim, Conventions, Kind, Source
from theory.domains import Scalars


def given(m):
    return ()


def bound(constant):
    def then(m):
        u, v = m.x * Fraction(100003, 73009), m.y * Fraction(10007, 15013)
        return (at_most(constant * u**2 * v**2, u**4 * v**2 + u**2 * v**4 + 1),)

    return then


TWIN = Claim(
    title="Motzkin's polynomial is not negative",
    statement=r"$c\,x^2y^2 \le x^4y^2 + x^2y^4 + 1$.",
    source=Source("other", "planted", "our own"),
    kind=Kind.UPPER_BOUND,
    conventions=Conventions(sampler="none"),
    domain=Scalars(("x", "y")),
    given=given,
    then=bound(3),
    tightest={"x": "73009/100003", "y": "15013/10007"},
)
CLAIM = replace(TWIN, then=bound(Fraction(30001, 10000)), tightest={"x": 2, "y": 1})

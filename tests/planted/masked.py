"""False by three per cent in six variables, beside a triviality that breaks at once when altered.

6abcdef <= a^6 + ... + f^6 is the inequality of means. With 0.97 on the right it fails near equal
values; a search that hunts both atoms as one never leaves a = a, and takes its fall for a control.
"""

from dataclasses import replace
from fractions import Fraction

from theory.atoms import at_most, below
from theory.core import Claim, Conventions, Kind, Source
from theory.domains import Scalars

NAMES = ("a", "b", "c", "d", "e", "f")


def given(m):
    return tuple(below(0, getattr(m, name)) for name in NAMES)


def bound(constant):
    def then(m):
        powers = sum(getattr(m, name) ** 6 for name in NAMES)
        return at_most(6 * m.a * m.b * m.c * m.d * m.e * m.f, constant * powers), at_most(m.a, m.a)

    return then


TWIN = Claim(
    title="Means of six numbers",
    statement=r"$6abcdef \le c\,(a^6 + b^6 + c^6 + d^6 + e^6 + f^6)$ for positive numbers.",
    source=Source("other", "planted", "our own"),
    kind=Kind.UPPER_BOUND,
    conventions=Conventions(sampler="none"),
    domain=Scalars(NAMES, start=dict.fromkeys(NAMES, (0.1, 2))),
    given=given,
    then=bound(1),
    tightest=dict.fromkeys(NAMES, 1),
)
CLAIM = replace(TWIN, then=bound(Fraction(97, 100)), tightest={**dict.fromkeys(NAMES, 1), "a": 2})

"""False by one per cent in an equality: the width of SAM's two-cycle. The twin is exact."""

from dataclasses import replace
from fractions import Fraction

from theory.atoms import below, equal
from theory.core import Claim, Conventions, Kind, Source
from theory.domains import Scalars


def given(m):
    return below(0, m.a), below(m.a, 2), below(0, m.rho), equal(m.w * (2 - m.a), m.a * m.rho)


def lands(factor):
    return lambda m: (equal(m.a * (m.w + m.rho) - m.w, factor * m.w),)


TWIN = Claim(
    title="The width of SAM's two-cycle",
    statement=r"With $a = \eta\lambda$, SAM maps $w$ to $-w$ for $w = a\rho/(2 - a)$.",
    source=Source("other", "planted", "our own"),
    kind=Kind.EXACT,
    conventions=Conventions(normalised=True, ascent="shared", sampler="full batch"),
    domain=Scalars(
        ("a", "rho", "w"),
        start={"a": (0.1, 1.9), "rho": (0.1, 1)},
        complete={"w": lambda m: m.a * m.rho / (2 - m.a)},
    ),
    given=given,
    then=lands(1),
    control={"a": 1, "rho": 1, "w": 2},
)
CLAIM = replace(TWIN, then=lands(Fraction(101, 100)))

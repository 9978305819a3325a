"""False on the branch nobody completes: w^2 (2 - a)^2 = (a rho)^2 does not make w positive.

The twin states w > 0. A search that only visits points made by `complete` sees the positive root.
"""

from dataclasses import replace

from theory.atoms import at_most, below, equal
from theory.core import Claim, Conventions, Kind, Source
from theory.domains import Scalars


def squared(m):
    square = equal((m.w * (2 - m.a)) ** 2, (m.a * m.rho) ** 2)
    return below(0, m.a), below(m.a, 2), below(0, m.rho), square


def positive(m):
    return *squared(m), below(0, m.w)


def then(m):
    return (at_most(m.a * m.rho, m.w * (2 - m.a)),)


def root(m):
    return m.a * m.rho / (2 - m.a)


TWIN = Claim(
    title="The width of the two-cycle from its square",
    statement=r"$w(2 - a) \ge a\rho$ for $w^2(2 - a)^2 = a^2\rho^2$.",
    source=Source("other", "planted", "our own"),
    kind=Kind.LOWER_BOUND,
    conventions=Conventions(normalised=True, ascent="shared", sampler="full batch"),
    domain=Scalars(
        ("a", "rho", "w"), start={"a": (0.1, 1.9), "rho": (0.1, 1)}, complete={"w": root}
    ),
    given=positive,
    then=then,
    tightest={"a": 1, "rho": 1, "w": 1},
)
CLAIM = replace(TWIN, given=squared)

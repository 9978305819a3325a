"""False at a tie alone: 2xy < x^2 + y^2 fails where x = y. The twin is not strict."""

from dataclasses import replace

from theory.atoms import at_most, below
from theory.core import Claim, Conventions, Kind, Source
from theory.domains import Scalars


def given(m):
    return below(0, m.x), below(0, m.y)


def compared(relation):
    return lambda m: (relation(2 * m.x * m.y, m.x**2 + m.y**2),)


TWIN = Claim(
    title="Twice a product and a sum of squares",
    statement=r"$2xy \le x^2 + y^2$ for positive numbers.",
    source=Source("other", "planted", "our own"),
    kind=Kind.UPPER_BOUND,
    conventions=Conventions(sampler="none"),
    domain=Scalars(("x", "y"), start={"x": (0.1, 3), "y": (0.1, 3)}),
    given=given,
    then=compared(at_most),
    tightest={"x": 1, "y": 1},
)
CLAIM = replace(TWIN, then=compared(below), tightest={"x": 1, "y": 2})

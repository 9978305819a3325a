"""False only beyond x = 100, far outside the interval the author starts from.

(4x - 1)(100 - x) <= 4x^2 (100 - x) is (2x - 1)^2 >= 0 until 100 - x changes sign. The twin stops there.
"""

from dataclasses import replace

from theory.atoms import at_most, below
from theory.core import Claim, Conventions, Kind, Source
from theory.domains import Scalars


def everywhere(m):
    return (below(0, m.x),)


def near(m):
    return below(0, m.x), at_most(m.x, 100)


def then(m):
    return (at_most((4 * m.x - 1) * (100 - m.x), 4 * m.x**2 * (100 - m.x)),)


TWIN = Claim(
    title="A square times a factor that changes sign",
    statement=r"$(4x - 1)(100 - x) \le 4x^2(100 - x)$.",
    source=Source("other", "planted", "our own"),
    kind=Kind.UPPER_BOUND,
    conventions=Conventions(sampler="none"),
    domain=Scalars(("x",), start={"x": (0.1, 1)}),
    given=near,
    then=then,
    tightest={"x": "1/2"},
)
CLAIM = replace(TWIN, given=everywhere)

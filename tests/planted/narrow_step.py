"""False only for steps within a part in a thousand of the edge, and only for two equal curvatures.

At d = 1 the step multiplies x by 1 - eta a_i; stable in mean square means mean (1 - eta a_i)^2 <= 1.
The claim eta a_max <= 1.9999 for two equally likely samples of ratio at most two is true but near
eta a_1 = eta a_2 = 2. The twin says 2.
"""

from dataclasses import replace
from fractions import Fraction

from theory.atoms import at_most, below
from theory.core import Claim, Conventions, Kind, Notion, Source
from theory.domains import Scalars


def given(m):
    return (
        below(0, m.a),
        at_most(m.a, m.b),
        below(0, m.eta),
        at_most((1 - m.eta * m.a) ** 2 + (1 - m.eta * m.b) ** 2, 2),
        at_most(m.b * 1000, m.a * 1001),
    )


def bound(constant):
    return lambda m: (at_most(m.eta * (m.a + m.b) / 2, constant),)


TWIN = Claim(
    title="The edge of two nearly equal samples",
    statement=r"If $a \le b \le 1.001a$ and SGD is stable in mean square, $\eta(a + b)/2 \le c$.",
    source=Source("other", "planted", "our own"),
    kind=Kind.NECESSARY,
    conventions=Conventions(notion=Notion.MEAN_SQUARE),
    domain=Scalars(("a", "b", "eta"), start={"a": (0.5, 2), "b": (0.5, 2), "eta": (0.1, 4)}),
    given=given,
    then=bound(2),
    tightest={"a": 1, "b": 1, "eta": 2},
)
CLAIM = replace(TWIN, then=bound(Fraction(19999, 10000)), tightest={"a": 1, "b": 1, "eta": 1})

"""False for negative curvature only: a step uphill does not lengthen every x.

|x| <= |x + Hx| holds for PSD H; symmetric operators need not be PSD. The twin asks about H^2.
"""

from dataclasses import replace

from theory.atoms import at_most
from theory.core import Claim, Conventions, Kind, Source
from theory.domains import Operators


def given(m):
    return ()


def lengthens(operator):
    def then(m):
        y = m.x + operator(m) @ m.x
        return (at_most(m.inner(m.x, m.x), m.inner(y, y)),)

    return then


TWIN = Claim(
    title="I + H lengthens",
    statement=r"$\|x\|^2 \le \|x + Hx\|^2$.",
    source=Source("other", "planted", "our own"),
    kind=Kind.UPPER_BOUND,
    conventions=Conventions(sampler="none"),
    domain=Operators(symmetric=("H",), vectors=("x",)),
    given=given,
    then=lengthens(lambda m: m.H @ m.H),
    tightest={"H": [[0]], "x": [1]},
)
CLAIM = replace(TWIN, then=lengthens(lambda m: m.H))

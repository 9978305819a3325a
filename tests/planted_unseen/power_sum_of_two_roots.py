r"""False: the fourth power sum of the roots of $z^2 - \tau z + \beta$ has $2\beta^2$, not $\beta^2$.

Momentum's two roots; the other terms are right, and at $\beta = 0$ all of it is.
"""

from dataclasses import replace

from theory.atoms import equal
from theory.core import Claim, Conventions, Kind, Source
from theory.domains import Scalars


def fourth(m, last):
    return m.tau**4 - 4 * m.beta * m.tau**2 + last * m.beta**2


CLAIM = Claim(
    title="The roots' fourth powers sum to τ⁴ − 4βτ² + β²",
    statement=r"If $y + z = \tau$ and $yz = \beta$ then $y^4 + z^4 = \tau^4 - 4\beta\tau^2 + "
    r"\beta^2$.",
    source=Source("other", "planted", "our own"),
    kind=Kind.EXACT,
    conventions=Conventions(),
    domain=Scalars(
        names=("y", "z", "tau", "beta"),
        complete={"tau": lambda m: m.y + m.z, "beta": lambda m: m.y * m.z},
    ),
    given=lambda m: (equal(m.y + m.z, m.tau), equal(m.y * m.z, m.beta)),
    then=lambda m: (equal(m.y**4 + m.z**4, fourth(m, 1)),),
    control={"y": 1, "z": 1, "tau": 1, "beta": 1},
)

TWIN = replace(CLAIM, then=lambda m: (equal(m.y**4 + m.z**4, fourth(m, 2)),))

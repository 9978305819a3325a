r"""False by 3%: $E(v'H_iv)^3 \le 0.97/(\eta^2\rho)$ where USAM is mean-square stable.

With 1 in place of 0.97 it is a theorem, attained by one sample at $\rho h = 1$, $\eta h = 1$.
"""

from dataclasses import replace

from theory.atoms import at_most, mean_square_stable
from theory.core import Claim, Conventions, Kind, Notion, Source
from theory.domains import Family


def cube(m):
    return m.mean([m.corner(H) ** 3 for H in m.samples])


CLAIM = Claim(
    title="The mean third power is at most 0.97/(η²ρ)",
    statement=r"If USAM is mean-square stable, $E(v'H_iv)^3 \le 0.97/(\eta^2\rho)$ for unit $v$.",
    source=Source("other", "planted", "our own"),
    kind=Kind.NECESSARY,
    conventions=Conventions(notion=Notion.MEAN_SQUARE, normalised=False, ascent="any"),
    domain=Family(),
    given=lambda m: (mean_square_stable(m.T),),
    then=lambda m: (at_most(100 * m.eta * m.eta * m.rho * cube(m), 97),),
    tightest={"factors": [[[1]]], "eta": "49/50", "rho": 1},
)

TWIN = replace(CLAIM, then=lambda m: (at_most(100 * m.eta * m.eta * m.rho * cube(m), 100),))

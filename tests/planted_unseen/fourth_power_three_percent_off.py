r"""False by 3%: $E(v'H_iv)^4 \le 0.97 \cdot 4/(\eta^2\rho^2)$ where USAM is mean-square stable.

With 4 it is a theorem, and no point attains it: one sample at the edge $\eta h(1 + \rho h) = 2$ has
$\eta^2\rho^2h^4 = 4/(1 + 1/(\rho h))^2$, which passes $0.97 \cdot 4$ at $\rho h = 66$ only.
"""

from dataclasses import replace

from theory.atoms import at_most, mean_square_stable
from theory.core import Claim, Conventions, Kind, Notion, Source
from theory.domains import Family


def fourth(m):
    return (m.eta * m.rho) ** 2 * m.mean([m.corner(H) ** 4 for H in m.samples])


CLAIM = Claim(
    title="The mean fourth power is at most 3.88/(η²ρ²)",
    statement=r"If USAM is mean-square stable, $E(v'H_iv)^4 \le 3.88/(\eta\rho)^2$ for unit $v$.",
    source=Source("other", "planted", "our own"),
    kind=Kind.NECESSARY,
    conventions=Conventions(notion=Notion.MEAN_SQUARE, normalised=False, ascent="any"),
    domain=Family(),
    given=lambda m: (mean_square_stable(m.T),),
    then=lambda m: (at_most(100 * fourth(m), 388),),
    tightest={"factors": [[[1]]], "eta": "1/45", "rho": 9},
)

TWIN = replace(CLAIM, then=lambda m: (at_most(fourth(m), 4),))

r"""False: Jensen's inequality for cubes, among matrices that differ by a factor of four at most.

$t^3$ is operator convex on no interval, however short. Two samples $H \pm D$ have $M_3 - H^3 = D^2H
+ DHD + HD^2$; with $D = s\,e_1e_1'$ and $H = ((a, b), (b, c))$ that is $s^2((3a, b), (b, 0))$, not
PSD unless $b = 0$. With spectra between 1 and 4 the violation is some tenths of a per cent, and in
one dimension, as in every family that commutes, there is none.
"""

from dataclasses import replace

from theory.atoms import loewner
from theory.core import Claim, Conventions, Kind, Source
from theory.domains import Family


def given(m):
    low = [loewner(m.I, H) for H in m.samples]
    return (*low, *(loewner(H, 4 * m.I) for H in m.samples))


CLAIM = Claim(
    title="Jensen for cubes: M₃ ≥ H³ if I ≤ H_i ≤ 4I",
    statement=r"If $I \preceq H_i \preceq 4I$ for every $i$ then $M_3 \succeq H^3$.",
    source=Source("other", "planted", "our own"),
    kind=Kind.UPPER_BOUND,
    conventions=Conventions(sampler="any weights"),
    domain=Family(names=()),
    given=given,
    then=lambda m: (loewner(m.H @ m.H @ m.H, m.M(3)),),
    tightest={"factors": [[[1]]]},
)

# t^2 is operator convex.
TWIN = replace(CLAIM, then=lambda m: (loewner(m.H @ m.H, m.M(2)),))

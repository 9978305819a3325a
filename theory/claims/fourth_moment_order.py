r"""The fourth Hessian moment need not dominate the fourth power of the mean: $M_4 \succeq H^4$ fails.

$t^4$ is convex on $[0, \infty)$ but not operator convex, like $t^3$: Jensen's inequality does not lift
to matrices. Two PSD matrices of size two do it.
"""

from theory.atoms import loewner
from theory.core import Claim, Conventions, Kind, Source
from theory.domains import Family


def given(m):
    return ()


def then(m):
    return (loewner(m.H @ m.H @ m.H @ m.H, m.M(4)),)


CLAIM = Claim(
    title="The fourth Hessian moment dominates the fourth power of the mean: M₄ ⪰ H⁴",
    statement=r"For PSD $H_i$ with mean $H$: $M_4 = E H_i^4 \succeq H^4$.",
    source=Source("P1", "Shin et al. 2023, step of the proof of equation 7", "reconstructed"),
    kind=Kind.UPPER_BOUND,
    conventions=Conventions(sampler="any weights"),
    domain=Family(names=()),
    given=given,
    then=then,
    tightest={"factors": [[[1]]]},
    repaired_by="scalar_fourth_moment_order",
)

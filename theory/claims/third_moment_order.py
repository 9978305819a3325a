r"""The third Hessian moment need not dominate the cube of the mean: $M_3 \succeq H^3$ fails.

$t \mapsto t^3$ is convex on $[0, \infty)$ but not operator convex, so Jensen's inequality does not
lift to matrices. Two PSD matrices of size two suffice. Dropping $M_3 - H^3$ from a sum "because it is
PSD" is therefore no argument.
"""

from theory.atoms import loewner
from theory.core import Claim, Conventions, Kind, Source
from theory.domains import Family


def given(m):
    return ()


def then(m):
    return (loewner(m.H @ m.H @ m.H, m.M(3)),)


CLAIM = Claim(
    title="The third Hessian moment dominates the cube of the mean: M₃ ⪰ H³",
    statement=r"For PSD $H_i$ with mean $H$: $M_3 = E H_i^3 \succeq H^3$.",
    source=Source("P1", "Shin et al. 2023, step of the proof of equation 7", "reconstructed"),
    kind=Kind.UPPER_BOUND,
    conventions=Conventions(sampler="any weights"),
    domain=Family(names=()),
    given=given,
    then=then,
    tightest={"factors": [[[1]]]},
    repaired_by="second_moment_order",
)

r"""The second Hessian moment dominates the square of the mean: $M_2 \succeq H^2$.

$M_2 - H^2 = E(H_i - H)^2$ is a mean of squares of symmetric matrices. Equal samples attain it. It is
the only power above one for which the order survives: $t^2$ is operator convex, $t^3$ is not.
"""

from theory.atoms import loewner
from theory.core import Claim, Conventions, Kind, Source
from theory.domains import Family


def given(m):
    return ()


def then(m):
    return (loewner(m.H @ m.H, m.M(2)),)


def squares(m):
    return (m.samples[0] - m.H,)


CLAIM = Claim(
    title="The second Hessian moment dominates the square of the mean: M₂ ⪰ H²",
    statement=r"For PSD $H_i$ with mean $H$: $M_2 = E H_i^2 \succeq H^2$.",
    source=Source("other", "variance of a random matrix", "our own"),
    kind=Kind.UPPER_BOUND,
    conventions=Conventions(sampler="any weights"),
    domain=Family(names=()),
    given=given,
    then=then,
    squares=squares,
    tightest={"factors": [[[1]]]},
    repairs="third_moment_order",
)

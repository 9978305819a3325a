r"""Along every direction the fourth moment dominates: $v'M_4v \ge (v'Hv)^4$ for unit $v$.

$v'H_i^4v \ge (v'H_iv)^4$ by Jensen on the spectral measure of $H_i$ at $v$, and the mean over samples
by Jensen once more. Families are rotation invariant, so $v = e_1$ is every direction. This is what
remains of $M_4 \succeq H^4$.
"""

from theory.atoms import at_most
from theory.core import Claim, Conventions, Kind, Source
from theory.domains import Family


def given(m):
    return ()


def then(m):
    return (at_most(m.corner(m.H) ** 4, m.corner(m.M(4))),)


def squares(m):
    h, mean = m.samples[0], m.corner(m.H)
    return h @ h - mean**2 * m.I, mean * (h - mean * m.I)


CLAIM = Claim(
    title="The fourth Hessian moment dominates along every direction: v'M₄v ≥ (v'Hv)⁴",
    statement=r"For PSD $H_i$ with mean $H$ and every unit $v$: $v'M_4v \ge (v'Hv)^4$.",
    source=Source("other", "Jensen's inequality", "our own"),
    kind=Kind.UPPER_BOUND,
    conventions=Conventions(sampler="any weights"),
    domain=Family(names=()),
    given=given,
    then=then,
    squares=squares,
    tightest={"factors": [[[1]]]},
    repairs="fourth_moment_order",
)

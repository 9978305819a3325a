r"""Where USAM is stable in mean square, $E(1 - \eta q_i)^2 \le 1$ along every direction.

With $q_i = v'A_iv$ the Rayleigh quotient of $T$ at $vv'$ is $E(v'\Phi_iv)^2 = E(1 - \eta q_i)^2$,
and $T$ is self-adjoint with largest eigenvalue $r(T) \le 1$. Equivalently $\eta\,E q_i^2 \le 2\,E
q_i$.
"""

from theory.atoms import at_most, below, mean_square_stable
from theory.core import Claim, Conventions, Kind, Notion, Source
from theory.domains import Family


def given(m):
    return below(0, m.eta), mean_square_stable(m.T)


def then(m):
    return (at_most(m.eta * m.mean([m.corner(A) ** 2 for A in m.A]), 2 * m.corner(m.mean(m.A))),)


CLAIM = Claim(
    title="Mean-square stability contracts along every direction",
    statement=r"If $E\|x_t\|^2$ stays bounded under USAM with step $\eta$, radius $\rho$ then "
    r"$E(1 - \eta q_i)^2 \le 1$ with $q_i = v'(H_i + \rho H_i^2)v$, for every unit $v$.",
    source=Source("other", "true necessary conditions", "our own"),
    kind=Kind.NECESSARY,
    conventions=Conventions(notion=Notion.MEAN_SQUARE, normalised=False, ascent="any"),
    domain=Family(),
    given=given,
    then=then,
    tightest={"factors": [[[1]]], "eta": 1, "rho": 1},
)

r"""Where USAM is stable in mean square, $\eta\,E\,\mathrm{tr}A_i^2 \le 2\,\mathrm{tr}A$.

$T$ is self-adjoint on symmetric matrices with largest eigenvalue $r(T) \le 1$, so
$\langle I, T(I)\rangle \le \langle I, I\rangle$ for $\langle X, Y\rangle = \mathrm{tr}\,XY$. That reads
$E\,\mathrm{tr}\,\Phi_i^2 \le d$, and
$\mathrm{tr}\,\Phi_i^2 = d - 2\eta\,\mathrm{tr}A_i + \eta^2\,\mathrm{tr}A_i^2$.
"""

from theory.atoms import at_most, below, mean_square_stable
from theory.core import Claim, Conventions, Kind, Notion, Source
from theory.domains import Family


def given(m):
    return below(0, m.eta), mean_square_stable(m.T)


def then(m):
    return (at_most(m.eta * m.trace(m.mean([A @ A for A in m.A])), 2 * m.trace(m.mean(m.A))),)


CLAIM = Claim(
    title="Mean-square stability bounds the mean squared trace",
    statement=r"If $E\|x_t\|^2$ stays bounded under USAM with step $\eta$, radius $\rho$ then "
    r"$E\,\mathrm{tr}\,A_i^2 \le \frac{2}{\eta}\mathrm{tr}\,A$ with $A_i = H_i + \rho H_i^2$ and "
    r"$A = E A_i$.",
    source=Source("other", "true necessary conditions", "our own"),
    kind=Kind.NECESSARY,
    conventions=Conventions(notion=Notion.MEAN_SQUARE, normalised=False, ascent="any"),
    domain=Family(),
    given=given,
    then=then,
    tightest={"factors": [[[1]]], "eta": 1, "rho": 1},
)

r"""For $\eta \le 2\rho$ the bound on $s_4$ fails for stable minima of a single parameter.

A flat and a sharp sample, the sharp one with $\eta h(1 + \rho h) \le 2$, are stable whatever their
chances $1 - p$ and $p$. As $\rho h \to \infty$, $\eta\rho h^2 \to 2$ and
$\eta^2\rho^2(M_4 - H^4) \to 4(p - p^4)$, up to $1.89$ where the bound is $1$.
"""

from theory.atoms import at_most, loewner, mean_square_stable
from theory.core import Claim, Conventions, Kind, Notion, Source
from theory.domains import Family


def given(m):
    return mean_square_stable(m.T), at_most(m.eta, 2 * m.rho)


def then(m):
    return (loewner((m.eta * m.eta * m.rho * m.rho) * (m.M(4) - m.H @ m.H @ m.H @ m.H), m.I),)


CLAIM = Claim(
    title="Mean-square stability bounds s₄ for η ≤ 2ρ",
    statement=r"If $\eta \le 2\rho$ and $E\|x_t\|^2$ stays bounded under USAM with step $\eta$, radius "
    r"$\rho$ then $s_4^4 = \lambda_{\max}(M_4 - H^4) \le 1/(\eta^2\rho^2)$.",
    source=Source("P1", "Shin et al. 2023, equation 7, bound on s_4", "reconstructed"),
    kind=Kind.NECESSARY,
    conventions=Conventions(notion=Notion.MEAN_SQUARE, normalised=False, ascent="any"),
    domain=Family(),
    given=given,
    then=then,
    tightest={"factors": [[[0]], [[1]]], "eta": 1, "rho": 1},
    repaired_by="fourth_power_bound",
)

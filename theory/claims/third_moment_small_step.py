r"""For $\eta \le 2\rho$ too a minimum can be stable in mean square and violate the bound on $s_3$.

Whether the one-step test implies the bound for such small steps is open; mean-square stability, which
asks for less, does not. In one dimension the two notions coincide and the most that is reached there is
$4/(3\sqrt3) \approx 0.77$ of the bound: a flat and a sharp sample with $\rho h = 1$, $\eta h = 1$, the
sharp one drawn with probability $1/\sqrt3$.
"""

from theory.atoms import at_most, loewner, mean_square_stable
from theory.core import Claim, Conventions, Kind, Notion, Source
from theory.domains import Family


def given(m):
    return mean_square_stable(m.T), at_most(m.eta, 2 * m.rho)


def then(m):
    return (loewner((2 * m.eta * m.eta * m.rho) * (m.M(3) - m.H @ m.H @ m.H), m.I),)


CLAIM = Claim(
    title="Mean-square stability bounds s₃ for η ≤ 2ρ",
    statement=r"If $\eta \le 2\rho$ and $E\|x_t\|^2$ stays bounded under USAM with step $\eta$, radius "
    r"$\rho$ then $s_3^3 = \lambda_{\max}(M_3 - H^3) \le 1/(2\eta^2\rho)$.",
    source=Source("P1", "Shin et al. 2023, equation 7, bound on s_3", "reconstructed"),
    kind=Kind.NECESSARY,
    conventions=Conventions(notion=Notion.MEAN_SQUARE, normalised=False, ascent="any"),
    domain=Family(),
    given=given,
    then=then,
    tightest={"factors": [[[0]], [[1]]], "eta": 1, "rho": 1},
    repaired_by="third_power_bound",
)

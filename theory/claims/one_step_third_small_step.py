r"""Whether the one-step test bounds $s_3$ for $\eta \le 2\rho$ too is not settled here.

The term $\eta(\eta - 2\rho)(M_2 - H^2)$ of the test is then negative and makes room for the others, so
dropping the remaining terms is no proof. The same step fails for $s_4$; for $s_3$ no violation is
known.
"""

from theory.atoms import at_most, loewner
from theory.claims._theorem9 import printed_matrix
from theory.core import Claim, Conventions, Kind, Notion, Source
from theory.domains import Family


def given(m):
    return loewner(printed_matrix(m), m.I), at_most(m.eta, 2 * m.rho)


def then(m):
    return (loewner((2 * m.eta * m.eta * m.rho) * (m.M(3) - m.H @ m.H @ m.H), m.I),)


CLAIM = Claim(
    title="The one-step test bounds s₃ for η ≤ 2ρ",
    statement=r"If $\eta \le 2\rho$ and $\lambda_{\max}(E\,\Phi_i^2) \le 1$ for USAM with step $\eta$, "
    r"radius $\rho$ then $2\eta^2\rho\,\lambda_{\max}(M_3 - H^3) \le 1$.",
    source=Source("P1", "Shin et al. 2023, equation 7, bound on s_3, one-step", "reconstructed"),
    kind=Kind.NECESSARY,
    conventions=Conventions(notion=Notion.ONE_STEP, normalised=False, ascent="any"),
    domain=Family(),
    given=given,
    then=then,
    tightest={"factors": [[[0]], [[1]]], "eta": 1, "rho": 1},
)

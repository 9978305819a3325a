r"""For $\eta < 2\rho$ the one-step test does not bound $s_4$ the way equation 7 prints it.

The term $\eta(\eta - 2\rho)(M_2 - H^2)$ of the test is then negative and makes room for the others, so
dropping the remaining terms from the sum is no argument.
"""

from theory.atoms import at_most, loewner
from theory.claims._theorem9 import printed_matrix
from theory.core import Claim, Conventions, Kind, Notion, Source
from theory.domains import Family


def given(m):
    return loewner(printed_matrix(m), m.I), at_most(m.eta, 2 * m.rho)


def then(m):
    return (loewner((m.eta * m.eta * m.rho * m.rho) * (m.M(4) - m.H @ m.H @ m.H @ m.H), m.I),)


CLAIM = Claim(
    title="The one-step test bounds s₄ for η ≤ 2ρ",
    statement=r"If $\eta \le 2\rho$ and $\lambda_{\max}(E\,\Phi_i^2) \le 1$ for USAM with step $\eta$, "
    r"radius $\rho$ then $\eta^2\rho^2\,\lambda_{\max}(M_4 - H^4) \le 1$.",
    source=Source("P1", "Shin et al. 2023, equation 7, bound on s_4, one-step", "reconstructed"),
    kind=Kind.NECESSARY,
    conventions=Conventions(notion=Notion.ONE_STEP, normalised=False, ascent="any"),
    domain=Family(),
    given=given,
    then=then,
    tightest={"factors": [[[0]], [[1]]], "eta": 1, "rho": 1},
    repaired_by="one_step_fourth_power_bound",
)

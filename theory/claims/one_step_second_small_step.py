r"""For $\eta < 2\rho$ equation 7's bound on $s_2$ is negative: as printed it forbids every minimum.

$s_2^2 \ge 0$ always, and $1/(\eta(\eta - 2\rho)) < 0$. The one-step test, on the other hand, is
passed by any flat enough minimum whatever $\rho$.
"""

from theory.atoms import below, loewner
from theory.claims._theorem9 import printed_matrix
from theory.core import Claim, Conventions, Kind, Notion, Source
from theory.domains import Family


def given(m):
    return loewner(printed_matrix(m), m.I), below(m.eta, 2 * m.rho)


def then(m):
    bound = 1 / (m.eta * (m.eta - 2 * m.rho))
    return (loewner(m.M(2) - m.H @ m.H, bound * m.I),)


CLAIM = Claim(
    title="The one-step test bounds s₂ for η < 2ρ, as printed",
    statement=r"If $\eta < 2\rho$ and $\lambda_{\max}(E\,\Phi_i^2) \le 1$ for USAM with step $\eta$, "
    r"radius $\rho$ then $s_2^2 \le 1/(\eta(\eta - 2\rho))$.",
    source=Source("P1", "Shin et al. 2023, equation 7, second bound, one-step", "reconstructed"),
    kind=Kind.NECESSARY,
    conventions=Conventions(notion=Notion.ONE_STEP, normalised=False, ascent="any"),
    domain=Family(),
    given=given,
    then=then,
    tightest={"factors": [[[1]]], "eta": 1, "rho": 1},
    repaired_by="one_step_second_moment_bound",
)

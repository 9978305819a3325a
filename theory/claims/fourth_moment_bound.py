r"""The bound on $s_4$ is not necessary for mean-square stability.

The bound drops terms from the one-step test, and stability in mean square is weaker than that test:
directions in which $E\|x\|^2$ grows at first need not persist.
"""

from theory.atoms import loewner, mean_square_stable
from theory.core import Claim, Conventions, Kind, Notion, Source
from theory.domains import Family


def given(m):
    return (mean_square_stable(m.T),)


def then(m):
    return (loewner((m.eta * m.eta * m.rho * m.rho) * (m.M(4) - m.H @ m.H @ m.H @ m.H), m.I),)


CLAIM = Claim(
    title="Mean-square stability bounds s₄",
    statement=r"If $E\|x_t\|^2$ stays bounded under USAM with step $\eta$, radius $\rho$ then "
    r"$s_4^4 = \lambda_{\max}(M_4 - H^4) \le 1/(\eta^2\rho^2)$.",
    source=Source("P1", "Shin et al. 2023, equation 7, bound on s_4", "reconstructed"),
    kind=Kind.NECESSARY,
    conventions=Conventions(notion=Notion.MEAN_SQUARE, normalised=False, ascent="any"),
    domain=Family(),
    given=given,
    then=then,
    tightest={"factors": [[[0]], [[1]]], "eta": 1, "rho": "1/2"},
    repaired_by="fourth_power_bound",
)

r"""Where USAM passes the one-step test and $\eta \ge 2\rho$, $s_2$ obeys its bound.

Fix a unit $v$ and average the samples' spectral measures at $v$ to a measure $\mu$ with moments
$m_k = \int t^k d\mu = v'M_kv$. As $\Phi_i$ is a function of $H_i$, the test at $v$ is scalar:
$\int(1 - \eta t - \eta\rho t^2)^2 d\mu \le 1$, that is $(1 - \eta m_1 - \eta\rho m_1^2)^2 +
\eta(\eta - 2\rho)(m_2 - m_1^2) + 2\eta^2\rho(m_3 - m_1^3) + \eta^2\rho^2(m_4 - m_1^4) \le 1$. Scalar
Jensen makes every term not negative, so each is at most one; and $v'H^2v \ge m_1^2$ turns the
term with $m_2$ into the bound on $v'(M_2 - H^2)v$, though $M_k - H^k$ need not be PSD.
"""

from theory.atoms import at_most, loewner
from theory.claims._theorem9 import jensen, mean_is_not_negative, printed_matrix
from theory.core import Claim, Conventions, Kind, Notion, Source
from theory.domains import Family


def given(m):
    return (loewner(printed_matrix(m), m.I), at_most(2 * m.rho, m.eta))


def then(m):
    return (loewner((m.eta * (m.eta - 2 * m.rho)) * (m.M(2) - m.H @ m.H), m.I),)


CLAIM = Claim(
    title="The one-step test bounds s₂ for η ≥ 2ρ",
    statement=r"If $\eta \ge 2\rho$ and $\lambda_{\max}(E\,\Phi_i^2) \le 1$ for USAM with step "
    r"$\eta$, radius "
    r"$\rho$ then $\eta(\eta-2\rho)\,\lambda_{\max}(M_2 - H^2) \le 1$.",
    source=Source(
        "P1", "Shin et al. 2023, equation 7, bound on s_2, one-step notion", "reconstructed"
    ),
    kind=Kind.NECESSARY,
    conventions=Conventions(notion=Notion.ONE_STEP, normalised=False, ascent="any"),
    domain=Family(),
    given=given,
    then=then,
    lemmas=mean_is_not_negative,
    squares=jensen,
    tightest={"factors": [[[0]], [[1]]], "eta": 2, "rho": 0},
    repairs="one_step_second_small_step",
)

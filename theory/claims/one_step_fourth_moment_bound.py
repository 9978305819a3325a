r"""Where USAM passes the one-step test and $\eta \ge 2\rho$, $s_4$ obeys its bound.

At a unit vector $v$ let $\mu$ be the mean over samples of their spectral measures at $v$, so that
$v'M_kv = \int t^k d\mu$. Scalar Jensen on $\mu$ makes $v'M_kv \ge (v'Hv)^k$ for every $k$, though
$M_k - H^k$ need not be PSD. At an eigenvector of $M_4 - H^4$ the one-step inequality, whose terms
are then all not negative up to $\|Hv\|^k$ against $(v'Hv)^k$, leaves at most one for this term.
"""

from theory.atoms import at_most, loewner
from theory.claims._theorem9 import printed_matrix
from theory.core import Claim, Conventions, Kind, Notion, Source
from theory.domains import Family


def given(m):
    return (loewner(printed_matrix(m), m.I), at_most(2 * m.rho, m.eta))


def then(m):
    return (loewner((m.eta * m.eta * m.rho * m.rho) * (m.M(4) - m.H @ m.H @ m.H @ m.H), m.I),)


CLAIM = Claim(
    title="The one-step test bounds s₄ for η ≥ 2ρ",
    statement=r"If $\eta \ge 2\rho$ and $\lambda_{\max}(E\,\Phi_i^2) \le 1$ for USAM with step "
    r"$\eta$, radius "
    r"$\rho$ then $\eta^2\rho^2\,\lambda_{\max}(M_4 - H^4) \le 1$.",
    source=Source(
        "P1", "Shin et al. 2023, equation 7, bound on s_4, one-step notion", "reconstructed"
    ),
    kind=Kind.NECESSARY,
    conventions=Conventions(notion=Notion.ONE_STEP, normalised=False, ascent="any"),
    domain=Family(),
    given=given,
    then=then,
    tightest={
        "factors": [[["6/7"]], [[30]]],
        "weights": [164758000000, 1],
        "eta": 1,
        "rho": "1/2",
    },
    repairs="one_step_fourth_small_step",
)

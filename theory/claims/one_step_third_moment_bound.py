r"""Where USAM passes the one-step test and $\eta \ge 2\rho$, $s_3$ obeys its bound.

At a unit vector $v$ let $\mu$ be the mean over samples of their spectral measures at $v$, so that
$v'M_kv = \int t^k d\mu$. Scalar Jensen on $\mu$ makes $v'M_kv \ge (v'Hv)^k$ for every $k$, though
$M_k - H^k$ need not be PSD. At an eigenvector of $M_3 - H^3$ the one-step inequality, whose terms
are then all not negative up to $\|Hv\|^k$ against $(v'Hv)^k$, leaves at most one for this term.
"""

from theory.atoms import at_most, loewner
from theory.claims._theorem9 import printed_matrix
from theory.core import Claim, Conventions, Kind, Notion, Source
from theory.domains import Family


def given(m):
    return (loewner(printed_matrix(m), m.I), at_most(2 * m.rho, m.eta))


def then(m):
    return (loewner((2 * m.eta * m.eta * m.rho) * (m.M(3) - m.H @ m.H @ m.H), m.I),)


CLAIM = Claim(
    title="The one-step test bounds s₃ for η ≥ 2ρ",
    statement=r"If $\eta \ge 2\rho$ and $\lambda_{\max}(E\,\Phi_i^2) \le 1$ for USAM with step "
    r"$\eta$, radius "
    r"$\rho$ then $2\eta^2\rho\,\lambda_{\max}(M_3 - H^3) \le 1$.",
    source=Source(
        "P1", "Shin et al. 2023, equation 7, bound on s_3, one-step notion", "reconstructed"
    ),
    kind=Kind.NECESSARY,
    conventions=Conventions(notion=Notion.ONE_STEP, normalised=False, ascent="any"),
    domain=Family(),
    given=given,
    then=then,
    tightest={
        "factors": [[[0]], [["2887/1000"]]],
        "weights": [45, 61],
        "eta": "4/27",
        "rho": "2/27",
    },
)

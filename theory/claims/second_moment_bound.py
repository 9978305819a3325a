r"""A minimum can be stable in mean square with $s_2^2$ above $1/(\eta(\eta - 2\rho))$.

The bound follows from the one-step test by dropping terms: at a unit vector $v$ that test reads
$E(1 - \eta q_i)^2 + \dots \le 1$ and leaves room for a variance of at most one. Mean-square
stability gives that only for the scalars $q_i = v'A_iv$. At $\rho = 0$ their variance is
$v'(M_2 - H^2)v$ less what the samples spread *across* $v$, the mean of $\|(I - vv')(H_i - H)v\|^2$.
Three rows in the plane suffice.
"""

from theory.atoms import below, loewner, mean_square_stable
from theory.core import Claim, Conventions, Kind, Notion, Source
from theory.domains import Family


def given(m):
    return mean_square_stable(m.T), below(2 * m.rho, m.eta)


def then(m):
    return (loewner((m.eta * (m.eta - 2 * m.rho)) * (m.M(2) - m.H @ m.H), m.I),)


CLAIM = Claim(
    title="Mean-square stability bounds the Hessian spread: s₂² ≤ 1/(η(η − 2ρ))",
    statement=r"If $\eta > 2\rho$ and $E\|x_t\|^2$ stays bounded under USAM with step $\eta$, radius "
    r"$\rho$ then $s_2^2 = \lambda_{\max}(M_2 - H^2) \le 1/(\eta(\eta - 2\rho))$.",
    source=Source("P1", "Shin et al. 2023, equation 7, second bound", "reconstructed"),
    kind=Kind.NECESSARY,
    conventions=Conventions(notion=Notion.MEAN_SQUARE, normalised=False, ascent="any"),
    domain=Family(),
    given=given,
    then=then,
    tightest={"factors": [[[0]], [[1]]], "eta": 2, "rho": 0},
    repaired_by="curvature_variance_bound",
)

r"""Only up to $2/\lambda_{\max}(C^+D)$ is a step stable in mean square.

$T = I - 2\eta C + \eta^2 D$ with $C(X) = (AX + XA)/2$ and $D(X) = E\,A_iXA_i$, all self-adjoint on
symmetric matrices. $T$ preserves the PSD order, so $r(T)$ is its largest eigenvalue, and
$r(T) \le 1$ says $\eta^2D \preceq 2\eta C$ as quadratic forms: $\eta\lambda_{\max}(C^+D) \le 2$.
Here: stability implies the inequality.
"""

from theory.atoms import below, loewner, mean_square_stable
from theory.claims._mean_square_edge import drift, exact, formula, noise
from theory.core import Claim, Conventions, Kind, Notion, Source, Tolerance
from theory.domains import Family


def given(m):
    return below(0, m.eta), mean_square_stable(m.T)


def then(m):
    return (loewner(m.eta * noise(m), 2 * drift(m)),)


CLAIM = Claim(
    title="Only steps up to 2/λmax(C⁺D) are stable in mean square",
    statement=r"For SGD and USAM, $E\|x_t\|^2$ stays bounded only if $\eta \le "
    r"2/\lambda_{\max}(C^+D)$, "
    r"$C(X) = \frac12(AX + XA)$, $D(X) = E A_iXA_i$, $A_i = H_i + \rho H_i^2$, $A = E A_i$.",
    source=Source("other", "Mulayoff & Michaeli 2024 for SGD", "reconstructed"),
    kind=Kind.NECESSARY,
    conventions=Conventions(notion=Notion.MEAN_SQUARE, normalised=False, ascent="any"),
    domain=Family(),
    given=given,
    then=then,
    tightest={"factors": [[[1]]], "eta": 1, "rho": 1},
    formula=formula,
    exact=exact,
    tolerance=Tolerance(1e-7, "r(T) - 1 is known to about 1e-13 and its slope can be 1e-6"),
    repairs="mean_of_runs_sees_growth",
)

r"""No single sample is sharper than $(1 + 1/\sqrt{p_i})/\eta$ where USAM is stable in mean square.

With $p_i$ the probability of sample $i$, $T(X) \succeq p_i\Phi_iX\Phi_i$ on PSD matrices, so $1 \ge
r(T) \ge p_i\,\lambda_{\max}(\Phi_i^2)$: in the Loewner order $(\eta A_i - I)^2 \preceq I/p_i$. For
$n$ equally likely samples, $\lambda_{\max}(A_i) \le (1 + \sqrt n)/\eta$.
"""

from theory.atoms import at_most, mean_square_stable
from theory.core import Claim, Conventions, Kind, Notion, Source
from theory.domains import Family


def given(m):
    return (mean_square_stable(m.T),)


def then(m):
    curved = [m.corner(Phi) for Phi in m.T.steps]
    return tuple(at_most(p * q**2, 1) for p, q in zip(m.weights, curved, strict=True))


def squares(m):
    return (m.corner(m.T.steps[0]),)


CLAIM = Claim(
    title="Mean-square stability bounds the sharpness of every sample",
    statement=r"If $E\|x_t\|^2$ stays bounded under USAM with step $\eta$, radius $\rho$ and $n$ "
    r"equally "
    r"likely samples then $\lambda_{\max}(H_i + \rho H_i^2) \le (1 + \sqrt n)/\eta$; with "
    r"probabilities "
    r"$p_i$, $(1 + 1/\sqrt{p_i})/\eta$.",
    source=Source("other", "true necessary conditions", "our own"),
    kind=Kind.NECESSARY,
    conventions=Conventions(notion=Notion.MEAN_SQUARE, normalised=False, ascent="any"),
    domain=Family(),
    given=given,
    then=then,
    squares=squares,
    tightest={"factors": [[[1]]], "eta": 1, "rho": 1},
)

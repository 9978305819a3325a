r"""A minimum can be stable in mean square and still fail the one-step test.

The test $\lambda_{\max}(T(I)) \le 1$ asks that $E\|x\|^2$ never grow, not even once. Stability asks
that it stay bounded: $r(T) \le 1$. For a symmetric $T$ that preserves the PSD order
$r(T) \le \lambda_{\max}(T(I))$, and the inequality is strict as soon as the direction that grows
first is not the one that persists. Two rank-one samples of unequal norm that overlap do it, already
for plain SGD ($\rho = 0$); with equal norms, or samples that commute, the two notions coincide.
"""

from theory.atoms import loewner, mean_square_stable
from theory.claims._theorem9 import printed_matrix
from theory.core import Claim, Conventions, Kind, Notion, Source
from theory.domains import Family


def given(m):
    return (mean_square_stable(m.T),)


def then(m):
    return (loewner(printed_matrix(m), m.I),)


CLAIM = Claim(
    title="Passing the one-step test is necessary for mean-square stability",
    statement=r"If $E\|x_t\|^2$ stays bounded under USAM with step $\eta$, radius $\rho$ then "
    r"$\lambda_{\max}\big((I-\eta H-\eta\rho H^2)^2 + \eta(\eta-2\rho)(M_2-H^2) + "
    r"2\eta^2\rho(M_3-H^3) + \eta^2\rho^2(M_4-H^4)\big) \le 1$.",
    source=Source("P1", "Shin et al. 2023, theorem 9, as a necessary condition", "reconstructed"),
    kind=Kind.NECESSARY,
    conventions=Conventions(notion=Notion.MEAN_SQUARE, normalised=False, ascent="any"),
    domain=Family(),
    given=given,
    then=then,
    tightest={"factors": [[[1]]], "eta": 1, "rho": 1},
    repaired_by="sharpness_bound",
)

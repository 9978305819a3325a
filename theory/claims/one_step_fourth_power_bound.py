r"""The one-step test bounds $\lambda_{\max}(M_4)$ by $4/(\eta^2\rho^2)$, whatever the step.

The test $E(I - \eta A_i)^2 \preceq I$ reads $\eta\,EA_i^2 \preceq 2\,EA_i$. At a unit $v$, with
$s^2 = E\|A_iv\|^2$, it gives $\eta s^2 \le 2E\,v'A_iv \le 2s$, so $s \le 2/\eta$. Since $A_i$ and $H_i$
commute, $A_i^2 \succeq \rho^2H_i^4$. One sample approaches it as $\rho h \to \infty$ at its edge. For
$\eta \ge 2\rho$ the printed bound on $s_4$ follows from the test as well.
"""

from theory.atoms import loewner
from theory.claims._theorem9 import printed_matrix
from theory.core import Claim, Conventions, Kind, Notion, Source
from theory.domains import Family


def given(m):
    return (loewner(printed_matrix(m), m.I),)


def then(m):
    return (loewner((m.eta * m.eta * m.rho * m.rho) * m.M(4), 4 * m.I),)


def squares(m):
    return 2 * m.I - m.eta * m.A[0], m.samples[0]


CLAIM = Claim(
    title="The one-step test bounds the fourth moment of the Hessians",
    statement=r"If $\lambda_{\max}(E\,\Phi_i^2) \le 1$ for USAM with step $\eta$, radius $\rho$ then "
    r"$\lambda_{\max}(M_4) \le 4/(\eta^2\rho^2)$.",
    source=Source("other", "what holds in place of the bound on s_4 of equation 7", "our own"),
    kind=Kind.NECESSARY,
    conventions=Conventions(notion=Notion.ONE_STEP, normalised=False, ascent="any"),
    domain=Family(),
    given=given,
    then=then,
    squares=squares,
    tightest={"factors": [[[1]]], "eta": "2/1001", "rho": 1000},
    repairs="one_step_fourth_small_step",
)

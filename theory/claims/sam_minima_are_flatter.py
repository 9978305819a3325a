r"""A minimum that passes USAM's one-step test passes SGD's at a larger step: $M_2 \preceq cH$.

Let $c(1 + \rho c) = 2/\eta$. At a unit $v$ the one-step test is an average over the spectral
measures of the samples, $E[h(h - c)(1 + \rho h)(1 + \rho(h + c))] \le 0$. The weight $(1 + \rho
h)(1 + \rho(h + c))$ increases and $h(h - c)$ changes sign at $c$ only, so $E[h(h - c)] \le 0$: $M_2
\preceq cH$, which is SGD's test at step $2/c > \eta$. Hence $a \le c < 2/\eta$ and $s_2 \le c/2$.
Curvatures $\{0, c\}$ attain it.
"""

from theory.atoms import below, equal, loewner
from theory.claims._theorem9 import printed_matrix
from theory.core import Claim, Conventions, Kind, Notion, Source
from theory.domains import Family


def given(m):
    return (
        below(0, m.eta),
        loewner(printed_matrix(m), m.I),
        equal(m.eta * m.c * (1 + m.rho * m.c), 2),
    )


def then(m):
    return (loewner(m.M(2), m.c * m.H),)


def squares(m):
    return (m.samples[0] - m.c * m.I,)


CLAIM = Claim(
    title="USAM's one-step stable minima are flatter and more uniform than SGD's",
    statement=r"Let $c(1 + \rho c) = 2/\eta$. If $\lambda_{\max}(E\,\Phi_i^2) \le 1$ for USAM "
    r"with step $\eta$, radius "
    r"$\rho$ then $M_2 \preceq cH$: SGD passes its one-step test at the larger step $2/c$, "
    r"$a \le c < 2/\eta$ and $s_2 \le c/2 < 1/\eta$.",
    source=Source("P1", "Shin et al. 2023, flatter and more uniform minima, repaired", "our own"),
    kind=Kind.NECESSARY,
    conventions=Conventions(notion=Notion.ONE_STEP, normalised=False, ascent="any"),
    domain=Family(
        names=("eta", "rho", "c"), complete={"eta": lambda m: 2 / (m.c * (1 + m.rho * m.c))}
    ),
    given=given,
    then=then,
    squares=squares,
    tightest={"factors": [[[0]], [[1]]], "eta": 1, "rho": 1, "c": 1},
    repairs="sam_stable_is_sgd_stable",
)

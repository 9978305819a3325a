"""False under one notion, true under another: SGD's s_2 <= 1/eta.

Mean-square stability does not give it. The one-step condition E Phi_i^2 <= I does: for a unit v,
(1 - eta h)^2 + eta^2 Var <= 1 with h = v'Hv and Var >= v'(M_2 - H^2)v.
"""

from dataclasses import replace

from theory.atoms import loewner, mean_square_stable
from theory.core import Claim, Conventions, Kind, Notion, Source
from theory.domains import Family


def mean_square(m):
    return (mean_square_stable(m.T),)


def one_step(m):
    return (loewner(m.T(m.I), m.I),)


def then(m):
    return (loewner((m.eta * m.eta) * (m.M(2) - m.H @ m.H), m.I),)


CLAIM = Claim(
    title="Stable minima of SGD have s_2 <= 1/eta",
    statement=r"If SGD is stable with step $\eta$ then $\lambda_{\max}(M_2 - H^2) \le 1/\eta^2$.",
    source=Source("other", "planted", "our own"),
    kind=Kind.NECESSARY,
    conventions=Conventions(notion=Notion.MEAN_SQUARE),
    domain=Family(("eta",)),
    given=mean_square,
    then=then,
    tightest={"factors": [[[0]], [[1]]], "eta": 2},
)
TWIN = replace(CLAIM, given=one_step, conventions=Conventions(notion=Notion.ONE_STEP))

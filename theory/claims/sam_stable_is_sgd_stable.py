r"""A minimum can be mean-square stable for USAM and unstable for SGD at the same step.

The comparison holds for the one-step notion, for $d = 1$, for commuting samples, for equal norms and
at full batch. In general the climb changes the samples' steps by different amounts, and the two
second-moment operators are not ordered: rows $(8, 0)$, $(2, -20)$ and a very frequent $(0, 4)$ give
$r(T) < 1$ for USAM and $r(T) > 1$ for SGD, by parts in a million. The steep row damps $e_1$ for both;
the climb makes it 1.8 times stronger there and $(8, 0)$ only 1.1 times. What it adds along $e_2$ limits
its chance to about $10^{-4}$, hence the size.
"""

from theory.atoms import mean_square_stable
from theory.core import Claim, Conventions, Kind, Notion, Source
from theory.domains import Family
from theory.exact import SecondMoment


def given(m):
    return (mean_square_stable(m.T),)


def then(m):
    return (mean_square_stable(SecondMoment(m.weights, [m.I - m.eta * H for H in m.samples])),)


CLAIM = Claim(
    title="Minima stable in mean square for USAM are stable for SGD",
    statement=r"If $E\|x_t\|^2$ stays bounded under USAM with step $\eta$, radius $\rho$ then it stays "
    r"bounded under SGD with step $\eta$.",
    source=Source("P1", "Shin et al. 2023, comparison of minima", "reconstructed"),
    kind=Kind.SUFFICIENT,
    conventions=Conventions(notion=Notion.MEAN_SQUARE, normalised=False, ascent="any"),
    domain=Family(),
    given=given,
    then=then,
    tightest={"factors": [[[1]]], "eta": 2, "rho": 0},
    repaired_by="sam_minima_are_flatter",
)

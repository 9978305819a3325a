"""False by one per cent: a(1 + rho a) <= 1.98/eta. The twin has the true constant 2."""

from dataclasses import replace
from fractions import Fraction

from theory.atoms import loewner, mean_square_stable
from theory.core import Claim, Conventions, Kind, Notion, Source
from theory.domains import Family


def given(m):
    return (mean_square_stable(m.T),)


def bound(constant):
    return lambda m: (loewner(m.eta * (m.H + m.rho * (m.H @ m.H)), constant * m.I),)


TWIN = Claim(
    title="The sharpness bound",
    statement=r"If $E\|x_t\|^2$ stays bounded then $a(1 + \rho a) \le c/\eta$.",
    source=Source("other", "planted", "our own"),
    kind=Kind.NECESSARY,
    conventions=Conventions(notion=Notion.MEAN_SQUARE, normalised=False, ascent="any"),
    domain=Family(),
    given=given,
    then=bound(2),
    tightest={"factors": [[[1]]], "eta": 1, "rho": 1},
)
CLAIM = replace(TWIN, then=bound(Fraction(198, 100)))

"""False by a sign: the climb is said to shrink a gradient, (1 - beta rho) where (1 + beta rho) holds.

Along an eigenvector of curvature h in [0, beta] the gradient at x + rho g is (1 + rho h) times g.
"""

from dataclasses import replace

from theory.atoms import at_most, below
from theory.core import Claim, Conventions, Kind, Source
from theory.domains import Scalars


def given(m):
    return below(0, m.h), at_most(m.h, m.beta), below(0, m.rho), below(m.beta * m.rho, 1)


def bound(sign):
    return lambda m: (at_most((1 + m.rho * m.h) ** 2, (1 + sign * m.beta * m.rho) ** 2),)


TWIN = Claim(
    title="The gradient after the climb",
    statement=r"$\|g(x + \rho g)\|^2 \le (1 \pm \beta\rho)^2\|g\|^2$ for curvature in $[0, \beta]$.",
    source=Source("other", "planted", "our own"),
    kind=Kind.UPPER_BOUND,
    conventions=Conventions(normalised=False, ascent="shared", sampler="full batch"),
    domain=Scalars(
        ("h", "beta", "rho"), start={"h": (0.1, 2), "beta": (0.1, 4), "rho": (0.01, 0.5)}
    ),
    given=given,
    then=bound(1),
    tightest={"h": 1, "beta": 1, "rho": "1/2"},
)
CLAIM = replace(TWIN, then=bound(-1), tightest={"h": "1/10", "beta": 1, "rho": "1/1000"})

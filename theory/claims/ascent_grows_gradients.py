r"""The climb makes a gradient at most $1 + \beta\rho$ times longer.

$\|g^+\| \le \|g\| + \|g^+ - g\| \le (1 + \beta\rho)\|g\|$ by $\beta$-smoothness over the climb
$\rho g$. With $g$ scaled to one, $p$ and $q$ are the parts of $g^+$ along and across $g$;
$f = \beta x^2/2$ attains it.
"""

from theory.atoms import at_most, below
from theory.core import Claim, Conventions, Kind, Source
from theory.domains import Scalars


def given(m):
    s = m.beta * m.rho
    return below(0, m.beta), below(0, m.rho), at_most((m.p - 1) ** 2 + m.q**2, s**2)


def then(m):
    return (at_most(m.p**2 + m.q**2, (1 + m.beta * m.rho) ** 2),)


CLAIM = Claim(
    title="The climb makes a gradient at most 1 + βρ times longer",
    statement=r"If $f_i$ is $\beta$-smooth then "
    r"$\|g_i(x + \rho g_i)\|^2 \le (1 + \beta\rho)^2\|g_i\|^2$.",
    source=Source("P1", "Shin et al. 2023, lemma 6", "reconstructed"),
    kind=Kind.UPPER_BOUND,
    conventions=Conventions(normalised=False, ascent="any", sampler="any batch"),
    domain=Scalars(
        names=("beta", "rho", "p", "q"),
        start={"beta": (0.1, 2.0), "rho": (0.01, 0.5), "p": (0.1, 1.9), "q": (-0.9, 0.9)},
    ),
    given=given,
    then=then,
    tightest={"beta": 1, "rho": "1/2", "p": "3/2", "q": 0},
    trusted=("Smoothness enters through |g(x + rho g) - g(x)| <= beta rho |g| alone.",),
)

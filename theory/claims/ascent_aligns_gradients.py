r"""After the climb the gradient still has a part $1 - \beta\rho$ along the old one.

$\beta$-smoothness over the climb $\rho g$ gives $\|g^+ - g\| \le \beta\rho\|g\|$ for
$g^+ = g_i(x + \rho g)$, so $\langle g^+, g\rangle \ge \|g\|^2 - \beta\rho\|g\|^2$. With $g$ scaled to
one, $p$ and $q$ are the parts of $g^+$ along and across $g$; $f = -\beta x^2/2$ attains it.
"""

from theory.atoms import at_most, below
from theory.core import Claim, Conventions, Kind, Source
from theory.domains import Scalars


def given(m):
    s = m.beta * m.rho
    return below(0, m.beta), below(0, m.rho), below(s, 1), at_most((m.p - 1) ** 2 + m.q**2, s**2)


def then(m):
    return (at_most(1 - m.beta * m.rho, m.p),)


CLAIM = Claim(
    title="The climb keeps a part 1 − βρ of the gradient",
    statement=r"If $f_i$ is $\beta$-smooth and $\beta\rho < 1$ then "
    r"$\langle g_i(x + \rho g_i), g_i\rangle \ge (1 - \beta\rho)\|g_i\|^2$.",
    source=Source("P1", "Shin et al. 2023, lemma 5", "reconstructed"),
    kind=Kind.LOWER_BOUND,
    conventions=Conventions(normalised=False, ascent="any", sampler="any batch"),
    domain=Scalars(
        names=("beta", "rho", "p", "q"),
        start={"beta": (0.1, 2.0), "rho": (0.01, 0.5), "p": (0.1, 1.9), "q": (-0.9, 0.9)},
    ),
    given=given,
    then=then,
    tightest={"beta": 1, "rho": "1/2", "p": "1/2", "q": 0},
    trusted=("Smoothness enters through |g(x + rho g) - g(x)| <= beta rho |g| alone.",),
)

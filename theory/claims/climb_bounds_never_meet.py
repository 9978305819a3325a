r"""The climb's two bounds are never attained at one point: what turns a gradient cannot lengthen it.

With $g^+ = g(x + \rho g)$ and $s = \beta\rho$ smoothness is $\|g^+ - g\|^2 \le s^2\|g\|^2$, that is
$\|g^+\|^2 \le 2\langle g^+, g\rangle - (1 - s^2)\|g\|^2$. Twice the slack of lemma 5, $\langle g^+,
g\rangle - (1 - s)\|g\|^2$, and the slack of lemma 6, $(1 + s)^2\|g\|^2 - \|g^+\|^2$, therefore add up
to at least $4s\|g\|^2$. Both $\pm\beta\|x\|^2/2$ attain it: each lemma is tight, at the other's cost.
"""

from theory.atoms import at_most, below
from theory.core import Claim, Conventions, Kind, Source
from theory.domains import Operators


def given(m):
    change = m.after - m.g
    return below(0, m.s), at_most(m.inner(change, change), m.s**2 * m.inner(m.g, m.g))


def then(m):
    length = m.inner(m.g, m.g)
    aligned = m.inner(m.after, m.g) - (1 - m.s) * length
    grown = (1 + m.s) ** 2 * length - m.inner(m.after, m.after)
    return (at_most(4 * m.s * length, 2 * aligned + grown),)


CLAIM = Claim(
    title="Lemmas 5 and 6 are never attained together",
    statement=r"If $f_i$ is $\beta$-smooth, $s = \beta\rho > 0$, $g = g_i(x)$ and $g^+ = g_i(x + \rho "
    r"g)$, then $2\big(\langle g^+, g\rangle - (1 - s)\|g\|^2\big) + \big((1 + s)^2\|g\|^2 - "
    r"\|g^+\|^2\big) \ge 4s\|g\|^2$: where one of the two lemmas is attained the other is not, unless "
    r"$g = 0$.",
    source=Source("P1", "Shin et al. 2023, lemmas 5 and 6, joined", "our own"),
    kind=Kind.LOWER_BOUND,
    conventions=Conventions(normalised=False, ascent="any", sampler="any batch"),
    domain=Operators(vectors=("g", "after"), scalars=("s",)),
    given=given,
    then=then,
    tightest={"g": [1], "after": ["1/2"], "s": "1/2"},
    trusted=("Smoothness enters through |g(x + rho g) - g(x)| <= beta rho |g| alone.",),
)

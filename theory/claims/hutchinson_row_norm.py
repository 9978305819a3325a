r"""One probe's absolute value measures a row: on average between $|H_j|/\sqrt2$ and $|H_j|$.

Let $f(z) = |(Hz)_j|$ for signs $z$. $E f^2 = |H_j|^2$, so $(Ef)^2 = |H_j|^2 - \mathrm{Var} f$ from
above. From below (Szarek 1976; this argument is Latala and Oleszkiewicz's, 1994): let $Lf(z)$ be
half the sum of $f(z) - f(z^i)$ over the coordinates $i$, $z^i$ with that sign flipped. As the
$(Hz^i)_j$ sum to $(d - 2)(Hz)_j$, $Lf \le f$. $f$ is even, so it has no part linear in $z$, and $E
fLf \ge 2\,\mathrm{Var} f$. So $E f^2 \ge 2E f^2 - 2(Ef)^2$. Here with three entries, where the
second step is an equality: $p, q, s, t$ are the four values of $f$, $E fLf = 2\,\mathrm{Var} f$,
and $f - Lf$ is half the sum of the other three less $f$, which the triangle inequality keeps from
being negative.
"""

from theory.atoms import at_most, equal
from theory.claims._probes import estimates, signs
from theory.core import Claim, Conventions, Kind, Source, Tolerance
from theory.domains import Scalars


def given(m):
    heights = (m.a + m.b + m.c, m.a + m.b - m.c, m.a - m.b + m.c, m.a - m.b - m.c)
    return (
        *(at_most(0, f) for f in values(m)),
        *(equal(f**2, y**2) for f, y in zip(values(m), heights, strict=True)),
    )


def then(m):
    f = values(m)
    norm, total = m.a**2 + m.b**2 + m.c**2, sum(f)
    spread = sum((4 * x - total) ** 2 for x in f)
    room = sum(x * (total - 2 * x) for x in f)
    return equal(16 * norm, total**2 + spread / 4), equal(total**2, 8 * norm + room)


def values(m):
    """What |(Hz)_j| can be, each with probability one quarter."""
    return m.p, m.q, m.s, m.t


def formula(m):
    """The variance of |(Hz)_1|: |H_1|^2 less the square of the mean in closed form."""
    mean = (max(abs(m.a + m.b), abs(m.c)) + max(abs(m.a - m.b), abs(m.c))) / 2
    return m.a**2 + m.b**2 + m.c**2 - mean**2


def exact(m):
    """The same over all sign vectors, by its definition."""
    import numpy as np

    return float(np.var(np.abs(np.array(signs(3)) @ [m.a, m.b, m.c])))


def observe(lab, m):
    """The variance of what Sassha takes for the diagonal."""
    H = [[m.a, m.b, m.c], [m.b, 1, 0], [m.c, 0, 1]]
    return float(estimates(lab, H, signs(3))[:, 0].var())


CLAIM = Claim(
    title="One probe's absolute value measures the row: |H_j|/√2 ≤ E|(Hz)_j| ≤ |H_j|",
    statement=r"For a vector $z$ of random signs $\max\big(|H_{jj}|, \tfrac{1}{\sqrt2}|H_j|\big) "
    r"\le E|z_j(Hz)_j| \le |H_j|$, $|H_j|$ the Euclidean norm of row $j$. Certified for $d \le "
    r"3$: with $f = |(Hz)_j|$, $(Ef)^2 = |H_j|^2 - \mathrm{Var}f$ and $2(Ef)^2 = |H_j|^2 + E f(f "
    r"- Lf)$ with $f \ge Lf$.",
    source=Source("P2", "Shin et al. 2025, the absolute value in Sassha", "our own"),
    kind=Kind.EXACT,
    conventions=Conventions(sampler="one Rademacher probe"),
    domain=Scalars(
        names=("a", "b", "c", "p", "q", "s", "t"),
        complete={
            "p": lambda m: abs(m.a + m.b + m.c),
            "q": lambda m: abs(m.a + m.b - m.c),
            "s": lambda m: abs(m.a - m.b + m.c),
            "t": lambda m: abs(m.a - m.b - m.c),
        },
    ),
    given=given,
    then=then,
    control={"a": 1, "b": 1, "c": 1, "p": 3, "q": 1, "s": 1, "t": 2},
    formula=formula,
    exact=exact,
    observe=observe,
    tolerance=Tolerance(1e-9, "eight estimates, each known to 1e-13 of the row"),
    trusted=(
        "Each of the four values is at most the sum of the others: the triangle inequality.",
        "|H_jj| <= E|z_j(Hz)_j|, as H_jj is the mean of z_j(Hz)_j (`hutchinson_moments`).",
        "Rows of more than three entries follow the same lines, as written at the head of the claim.",
    ),
    repairs="hutchinson_absolute_is_diagonal",
)

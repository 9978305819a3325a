r"""In two dimensions the absolute value of one probe estimates the larger entry of the row.

$|z_j(Hz)_j| = |(Hz)_j|$ for signs $z$, and its mean over the four sign vectors is $\tfrac12(|a + b|
+ |a - b|) = \max(|a|, |b|)$ for the row $(a, b)$. In the atoms $p = |a + b|$, $q = |a - b|$ and $M$
the larger. With $N = 2M^2 - a^2 - b^2$ one has $(pq)^2 = (a^2 - b^2)^2 = N^2$, so $pq = N$, so $(p
+ q)^2 = 2a^2 + 2b^2 + 2N = 4M^2$.
"""

from theory.atoms import equal
from theory.claims._larger import CONTINUITY, hypotheses
from theory.claims._probes import estimates, signs
from theory.core import Claim, Conventions, Kind, Source, Tolerance
from theory.domains import Scalars


def given(m):
    return hypotheses(m.a, m.b, m.p, m.q, m.M)


def then(m):
    return (equal(m.p + m.q, 2 * m.M),)


def formula(m):
    """The mean of |(Hz)_1|."""
    return max(abs(m.a), abs(m.b))


def exact(m):
    """The same over all sign vectors."""
    values = [abs(m.a * z[0] + m.b * z[1]) for z in signs(2)]
    return sum(values) / len(values)


def observe(lab, m):
    """The mean of what Sassha takes for the diagonal."""
    return float(estimates(lab, [[m.a, m.b], [m.b, 1]], signs(2))[:, 0].mean())


CLAIM = Claim(
    title="In two dimensions one probe's absolute value estimates max(|H_j1|, |H_j2|)",
    statement=r"For $d = 2$ and a vector $z$ of random signs $E|z_j(Hz)_j| = \max(|H_{j1}|, "
    r"|H_{j2}|)$.",
    source=Source("P2", "Shin et al. 2025, the absolute value in Sassha", "our own"),
    kind=Kind.EXACT,
    conventions=Conventions(sampler="one Rademacher probe"),
    domain=Scalars(
        names=("a", "b", "p", "q", "M"),
        complete={
            "p": lambda m: abs(m.a + m.b),
            "q": lambda m: abs(m.a - m.b),
            "M": lambda m: max(abs(m.a), abs(m.b)),
        },
    ),
    given=given,
    then=then,
    control={"a": 1, "b": 2, "p": 3, "q": -1, "M": 2},
    formula=formula,
    exact=exact,
    observe=observe,
    tolerance=Tolerance(1e-9, "four estimates, each known to 1e-13 of the row"),
    trusted=(CONTINUITY,),
)

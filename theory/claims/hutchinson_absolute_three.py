r"""In three dimensions the absolute value of one probe is still no estimate of the diagonal.

Given $z_1$ and $z_2$, the row $(a, b, c)$ gives $|u \pm c|$ with $u = a + b$ or $u = a - b$ up to
sign, each equally often, and $\tfrac12(|u + c| + |u - c|) = \max(|u|, |c|)$ as in
`hutchinson_absolute_two`. So $E|z_j(Hz)_j| = \tfrac12(\max(|a + b|, |c|) + \max(|a - b|, |c|))$,
whichever entry is the diagonal one. Here $M$ and $N$ are the two maxima and $p, q, s, t$ the four
absolute values.
"""

from theory.atoms import equal
from theory.claims._larger import CONTINUITY, hypotheses
from theory.claims._probes import estimates, signs
from theory.core import Claim, Conventions, Kind, Source, Tolerance
from theory.domains import Scalars


def given(m):
    return (
        *hypotheses(m.a + m.b, m.c, m.p, m.q, m.M),
        *hypotheses(m.a - m.b, m.c, m.s, m.t, m.N),
    )


def then(m):
    return equal(m.p + m.q, 2 * m.M), equal(m.s + m.t, 2 * m.N)


def formula(m):
    """The mean of |(Hz)_1|."""
    return (max(abs(m.a + m.b), abs(m.c)) + max(abs(m.a - m.b), abs(m.c))) / 2


def exact(m):
    """The same over all sign vectors."""
    values = [abs(m.a * z[0] + m.b * z[1] + m.c * z[2]) for z in signs(3)]
    return sum(values) / len(values)


def observe(lab, m):
    """The mean of what Sassha takes for the diagonal."""
    H = [[m.a, m.b, m.c], [m.b, 1, 0], [m.c, 0, 1]]
    return float(estimates(lab, H, signs(3))[:, 0].mean())


CLAIM = Claim(
    title="One probe's absolute value in three dimensions: the mean of two maxima",
    statement=r"For $d = 3$, a row $(a, b, c)$ of $H$ in any order and a vector $z$ of random "
    r"signs $E|z_j(Hz)_j| = \frac12\big(\max(|a + b|, |c|) + \max(|a - b|, |c|)\big)$.",
    source=Source("P2", "Shin et al. 2025, the absolute value in Sassha", "our own"),
    kind=Kind.EXACT,
    conventions=Conventions(sampler="one Rademacher probe"),
    domain=Scalars(
        names=("a", "b", "c", "p", "q", "s", "t", "M", "N"),
        complete={
            "p": lambda m: abs(m.a + m.b + m.c),
            "q": lambda m: abs(m.a + m.b - m.c),
            "s": lambda m: abs(m.a - m.b + m.c),
            "t": lambda m: abs(m.a - m.b - m.c),
            "M": lambda m: max(abs(m.a + m.b), abs(m.c)),
            "N": lambda m: max(abs(m.a - m.b), abs(m.c)),
        },
    ),
    given=given,
    then=then,
    control={"a": 1, "b": 2, "c": 1, "p": 4, "q": 2, "s": 0, "t": -2, "M": 3, "N": 1},
    formula=formula,
    exact=exact,
    observe=observe,
    tolerance=Tolerance(1e-9, "eight estimates, each known to 1e-13 of the row"),
    trusted=("E|z_j(Hz)_j| is the mean of p, q, s and t: z and -z give the same.", CONTINUITY),
)

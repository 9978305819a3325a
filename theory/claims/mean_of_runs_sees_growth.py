r"""Past the mean-square edge the mean of ten thousand runs need not grow: it almost surely shrinks.

In one dimension multiply $x$ by $a$ or $b$ with probability one half each, $a < 1 < b$; then
$r(T) = (a^2 + b^2)/2$. After $t = 200$ steps with $k$ factors $b$, $x_t^2 = a^{2(t-k)}b^{2k}x_0^2$. If
$a^{2(t-K)}b^{2K} < 1$ at $K = 130$, every run with $k \le K$ has shrunk, and the mean of
$N = 10^4$ runs can exceed its start only if some run has $k > K$: with probability at most
$N\,P(\mathrm{Bin}(t, \tfrac12) > K)$, an exact rational below one half. So simulated means say nothing
about $E\|x_t\|^2$ here; it is carried by paths nobody draws.
"""

from fractions import Fraction
from math import comb

from theory.atoms import at_most, below
from theory.core import Claim, Conventions, Kind, Notion, Source
from theory.domains import Scalars

STEPS, RUNS, SHRUNK = 200, 10**4, 130


def given(m):
    few = m.a ** (STEPS - SHRUNK) * m.b**SHRUNK
    return below(0, m.a), below(m.a, 1), below(1, m.b), below(2, m.a**2 + m.b**2), below(few, 1)


def then(m):
    tail = Fraction(sum(comb(STEPS, k) for k in range(SHRUNK + 1, STEPS + 1)), 2**STEPS)
    return (at_most(Fraction(1, 2), RUNS * tail),)


CLAIM = Claim(
    title="For r(T) > 1 the mean of ten thousand runs exceeds its start at least half the time",
    statement=r"If $r(T) = (a^2 + b^2)/2 > 1$ for factors $a < 1 < b$ drawn with probability one "
    r"half, then "
    r"the mean of $x_t^2/x_0^2$ over $10^4$ runs of 200 steps exceeds one with probability at least "
    r"$\frac12$. Audited where $a^{70}b^{130} < 1$, through the union bound on that probability.",
    source=Source("other", "common practice in simulations of stability", "our own"),
    kind=Kind.LOWER_BOUND,
    conventions=Conventions(notion=Notion.NONE),
    domain=Scalars(names=("a", "b"), start={"a": (0.01, 0.9), "b": (1.1, 4.0)}),
    given=given,
    then=then,
    tightest={"a": "1/10", "b": 3},
    trusted=("The mean of runs exceeds one only if one of them does; probabilities add at most.",),
    repaired_by="mean_square_edge_necessary",
)

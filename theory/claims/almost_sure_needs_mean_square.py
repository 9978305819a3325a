r"""Where the second moment explodes, x may still go to zero almost surely.

Multiply $x$ by $a$ or $b$, equally likely. Almost surely $x_t \to 0$ exactly if $ab < 1$, as
$\log x_t^2/t \to \log|ab|$. At $a = 1/10$, $b = 3$ that is $3/10$, while $E x_t^2$ grows by $(a^2 +
b^2)/2 = 901/200$ a step: it is carried by paths that become ever rarer.
"""

from theory.atoms import at_most, below
from theory.core import Claim, Conventions, Kind, Notion, Source
from theory.domains import Scalars


def given(m):
    return below(0, m.a), below(m.a, 1), below(1, m.b), below(m.a * m.b, 1)


def then(m):
    return (at_most((m.a**2 + m.b**2) / 2, 1),)


CLAIM = Claim(
    title="What is stable almost surely is stable in mean square",
    statement=r"If $x_t \to 0$ almost surely for factors $0 < a < 1 < b$ drawn with probability one "
    r"half, $ab < 1$, then $E x_t^2$ stays bounded: $(a^2 + b^2)/2 \le 1$.",
    source=Source("other", "common reading of simulated runs", "our own"),
    kind=Kind.NECESSARY,
    conventions=Conventions(notion=Notion.ALMOST_SURE),
    domain=Scalars(names=("a", "b"), start={"a": (0.01, 0.9), "b": (1.1, 4.0)}),
    given=given,
    then=then,
    tightest={"a": "1/10", "b": 3},
    trusted=("The law of large numbers: log x_t^2/t tends to log|ab| almost surely.",),
    repaired_by="mean_square_implies_almost_sure",
)

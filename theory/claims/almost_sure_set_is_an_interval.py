r"""A step between two that are stable almost surely need not be stable.

With curvatures $g$, $h$ equally likely $\log|x_t|/t \to \tfrac12\log|P(\eta)|$ almost surely,
$P(\eta) = (1 - \eta g)(1 - \eta h)$. For $g = 1$, $h = 10$: $P(1/5) = -4/5$, $P(1/2) = -2$,
$P(9/10) = -4/5$. In the middle the sharp sample overshoots by a factor of 4; near $\eta = 1/g$ the
flat one makes up for it.
"""

from theory.atoms import at_most, below
from theory.core import Claim, Conventions, Kind, Notion, Source
from theory.domains import Scalars


def given(m):
    return (
        below(0, m.g),
        below(0, m.h),
        below(0, m.first),
        below(m.first, m.between),
        below(m.between, m.last),
        below(growth(m, m.first) ** 2, 1),
        below(growth(m, m.last) ** 2, 1),
    )


def then(m):
    return (at_most(growth(m, m.between) ** 2, 1),)


def growth(m, eta):
    """What two steps, one on each sample, multiply x by."""
    return (1 - eta * m.g) * (1 - eta * m.h)


CLAIM = Claim(
    title="The steps that are stable almost surely form an interval",
    statement=r"For curvatures $g, h > 0$ drawn with probability one half, if $x_t \to 0$ almost "
    r"surely at two step sizes then $x_t$ does not grow at any between them.",
    source=Source("other", "as for the other notions of stability", "our own"),
    kind=Kind.SUFFICIENT,
    conventions=Conventions(notion=Notion.ALMOST_SURE),
    domain=Scalars(
        names=("g", "h", "first", "between", "last"),
        start={
            "g": (0.5, 1.5),
            "h": (8.0, 12.0),
            "first": (0.01, 0.2),
            "between": (0.3, 0.7),
            "last": (0.8, 1.0),
        },
    ),
    given=given,
    then=then,
    tightest={"g": 1, "h": 10, "first": "1/5", "between": "1/2", "last": "9/10"},
    trusted=("The law of large numbers: log|x_t|/t tends to the mean of log|1 - eta curvature|.",),
    repaired_by="almost_sure_first_exit",
)

r"""The bias correction of the released code does not undo the bias of a lazily refreshed average.

At the second refresh, step $k + 1 = 11$, the average of a constant curvature $h$ holds $(1 -
\beta^2)h$ and is divided by $1 - \beta^{11}$: a correction for eleven refreshes where there were
two. For $\beta = 999/1000$ what is left of $h$ is less than a fifth.
"""

from theory.atoms import at_most, below, equal
from theory.claims._lazy import INTERVAL
from theory.core import Claim, Conventions, Kind, Source
from theory.domains import Scalars


def given(m):
    return (
        below(0, m.beta),
        below(m.beta, 1),
        below(0, m.h),
        equal(m.use * (1 - m.beta ** (1 + INTERVAL)), (1 - m.beta**2) * m.h),
    )


def then(m):
    return (at_most(m.h, m.use),)


def in_use(m):
    """The corrected average at the second refresh."""
    return (1 - m.beta**2) * m.h / (1 - m.beta ** (1 + INTERVAL))


CLAIM = Claim(
    title="The lazy bias correction by step count is unbiased on a constant Hessian",
    statement=r"On a constant curvature $h$, $D$ refreshed every 10 steps and divided by $1 - "
    r"\beta_2^{\text{steps}}$ is at least $h$ at its second refresh.",
    source=Source("P2", "Shin et al. 2025, released code", "reconstructed"),
    kind=Kind.LOWER_BOUND,
    conventions=Conventions(sampler="full batch", bias_correction="D corrected by the step count"),
    domain=Scalars(
        names=("beta", "h", "use"),
        start={"beta": (0.5, 0.999), "h": (0.5, 2.0)},
        complete={"use": in_use},
    ),
    given=given,
    then=then,
    tightest={"beta": "1/2", "h": 2047, "use": 1536},
    repaired_by="lazy_correction_counts_refreshes",
)

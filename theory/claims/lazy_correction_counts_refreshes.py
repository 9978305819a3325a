r"""Counting refreshes, the bias correction of a lazily refreshed average is exact at every step.

After $j + 1$ refreshes on a constant curvature $h$ the average holds $(1 - \beta^{j+1})h$: with $B
= \beta^j$, $D = (1 - B)h$ goes over to $\beta D + (1 - \beta)h = (1 - \beta B)h$. Divided by $1 -
\beta^{j+1} = 1 - \beta B$ that is $h$, whatever the interval between refreshes.
"""

from theory.atoms import below, equal
from theory.claims._lazy import corrected, observed
from theory.core import Claim, Conventions, Kind, Source, Tolerance
from theory.domains import Scalars


def given(m):
    return (
        below(m.beta * m.B, 1),
        equal(m.D, (1 - m.B) * m.h),
        equal(m.use * (1 - m.beta * m.B), m.beta * m.D + (1 - m.beta) * m.h),
    )


def then(m):
    return (equal(m.use, m.h),)


def formula(m):
    """The curvature in use: the true one."""
    return m.h


def exact(m):
    """The same from the recursion, at the step where the other count is farthest off."""
    return corrected(m.beta, m.h, by_step=False)


def observe(lab, m):
    """The same from the length of a simulated step."""
    return observed(lab, m.beta, m.h, "refresh")


CLAIM = Claim(
    title="Counting refreshes, the lazy bias correction is exact",
    statement=r"On a constant curvature $h$, $D$ refreshed every $k$ steps and divided by $1 - "
    r"\beta_2^{\text{refreshes}}$ is $h$ at every step, and Sassha's steps are as long as with "
    r"$h$.",
    source=Source("P2", "Shin et al. 2025, released code", "our own"),
    kind=Kind.EXACT,
    conventions=Conventions(
        sampler="full batch", bias_correction="D corrected by the number of refreshes"
    ),
    domain=Scalars(
        names=("beta", "h", "B", "D", "use"),
        start={"beta": (0.9, 0.9999), "h": (0.5, 2.0), "B": (0.1, 0.9)},
        complete={
            "D": lambda m: (1 - m.B) * m.h,
            "use": lambda m: (m.beta * m.D + (1 - m.beta) * m.h) / (1 - m.beta * m.B),
        },
    ),
    given=given,
    then=then,
    control={"beta": "1/2", "h": 1, "B": "1/2", "D": 0, "use": "2/3"},
    formula=formula,
    exact=exact,
    observe=observe,
    tolerance=Tolerance(
        1e-9, "1 - beta^(j+1) > 1e-3 and a step of 1%: five digits lost of sixteen"
    ),
    trusted=("B is beta^j; D starts at 0, where B is 1: the rest is induction.",),
    repairs="lazy_correction_is_unbiased",
)

r"""The released bias correction leaves too little of a lazy average, so early steps are too long.

D is refreshed on step 1 and every $k$ steps after: $D^+ = \beta D + (1 - \beta)h$ on a constant
curvature $h$. After $j + 1$ refreshes it holds $(1 - \beta^{j+1})h$: with $B = \beta^j$, $D = (1 -
B)h$ goes over to $(1 - \beta B)h$. It is divided by $1 - \beta^{1+jk}$, the correction for as many
refreshes as steps. So the curvature in use is $hc_t$, $c_t = (1 - \beta^{j+1})/(1 - \beta^{1+jk})$,
$j = \lfloor(t-1)/k\rfloor$, and the step, divided by $\sqrt{hc_t}$, is $1/\sqrt{c_t}$ times too
long. In the atoms $C = \beta^{1+jk}$.
"""

from fractions import Fraction

from theory.atoms import below, equal
from theory.claims._lazy import INTERVAL, PEAK, corrected, inflation, observed, weights
from theory.core import Claim, Conventions, Kind, Source, Tolerance
from theory.domains import Scalars

DEFAULT = Fraction(999, 1000)  # beta_2 as published
FIRST, LATE = INTERVAL + 1, 1000 * INTERVAL + 1  # the second refresh and the 1001st


def given(m):
    return (
        below(m.C, 1),
        equal(m.D, (1 - m.B) * m.h),
        equal(m.c * (1 - m.C), 1 - m.beta * m.B),
    )


def then(m):
    refreshed = m.beta * m.D + (1 - m.beta) * m.h
    return equal(refreshed, (1 - m.beta * m.B) * m.h), equal(refreshed, m.h * m.c * (1 - m.C))


def factor(m):
    """c at step PEAK."""
    held, divisor = weights(m.beta, INTERVAL, PEAK)
    return held / divisor


def formula(m):
    """The curvature in use at step PEAK."""
    return m.h * factor(m)


def exact(m):
    """The same from the recursion."""
    return corrected(m.beta, m.h, by_step=True)


def observe(lab, m):
    """The same from the length of a simulated step."""
    return observed(lab, m.beta, m.h, "step")


def told():
    """The published settings' inflation at three steps, in words."""
    first, peak, late = (inflation(float(DEFAULT), INTERVAL, t) for t in (FIRST, PEAK, LATE))
    return (
        rf"For $\beta_2 = {DEFAULT}$, $k = {INTERVAL}$ steps are {first:.3f} times too long at "
        rf"$t = {FIRST}$, {peak:.3f} times at $t = {PEAK}$, the worst, and {late:.3f} times at "
        rf"$t = {LATE}$."
    )


CLAIM = Claim(
    title="Counting steps, the lazy bias correction makes early steps too long",
    statement=r"On a constant curvature $h$, $D$ refreshed every $k$ steps and divided by $1 - "
    r"\beta_2^{\text{steps}}$, steps as counted at the last refresh, is $hc_t$ with $c_t = "
    r"\frac{1 - \beta_2^{j+1}}{1 - \beta_2^{1+jk}}$, $j = \lfloor(t-1)/k\rfloor$, and Sassha's "
    r"step is $1/\sqrt{c_t}$ "
    r"times as long as with $h$ ($\varepsilon = 0$). " + told(),
    source=Source("P2", "Shin et al. 2025, released code", "reconstructed"),
    kind=Kind.EXACT,
    conventions=Conventions(sampler="full batch", bias_correction="D corrected by the step count"),
    domain=Scalars(
        names=("beta", "h", "B", "C", "D", "c"),
        start={"beta": (0.9, 0.9999), "h": (0.5, 2.0), "B": (0.1, 0.9), "C": (0.1, 0.9)},
        complete={
            "D": lambda m: (1 - m.B) * m.h,
            "c": lambda m: (1 - m.beta * m.B) / (1 - m.C),
        },
    ),
    given=given,
    then=then,
    control={"beta": "1/2", "h": 1, "B": "1/2", "C": "1/4", "D": 1, "c": 1},
    formula=formula,
    exact=exact,
    observe=observe,
    tolerance=Tolerance(
        1e-9, "1 - beta^(j+1) > 1e-3 and a step of 1%: five digits lost of sixteen"
    ),
    trusted=(
        "B is beta^j and C is beta^(1+jk); D starts at 0, where B is 1: the rest is induction.",
    ),
)

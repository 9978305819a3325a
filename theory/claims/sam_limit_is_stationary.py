r"""Normalised SAM with constant radius converges to points that are no minimisers, nor stationary.

Where the climb ends at a minimum $m$ the gradient is zero and SAM rests, though $f'(m - \rho) > 0$
(`sam_hallucinated_minimiser`). The hypotheses make the rest point a limit: around $x$, $f' > 0$ and
every climb ends on one quadratic piece with $0 < \eta f'' < 2$, so each step multiplies the
distance from $x$ by $|1 - \eta f''| < 1$. A well, a barrier of curvature $-1$ and a second well of
one quadratic each are enough: $f'' = 1$ outside $(-3, -1)$, $-1$ inside, minima at $0$ and $-4$,
$\rho = 3$: SAM converges to $-3$, the edge of the second well, where $f' = 1$.
"""

from theory.atoms import at_most, below, equal
from theory.core import Claim, Conventions, Kind, Source
from theory.piecewise import Piecewise


def given(m):
    left, right = m.x - m.d, m.x + m.d
    return (
        below(0, m.rho),
        below(0, m.d),
        below(0, m.eps),
        below(0, m.f.curvatures[0]),  # f is bounded below
        below(0, m.f.curvatures[-1]),
        at_most(m.eta * m.f.smoothness, 1),
        equal(m.f.slope(m.x + m.rho), 0),
        below(0, m.f.least_slope(left, right)),
        equal(m.f.spread(left + m.rho, right + m.rho), 0),
        below(0, m.eta * m.f.curvature(m.x + m.rho)),
    )


def then(m):
    return (at_most(m.f.slope(m.x) ** 2, m.eps),)


WELLS = {"at": 0, "value": 0, "slope": 0, "breaks": [-3, -1], "curvatures": [1, -1, 1]}

CLAIM = Claim(
    title="Normalised SAM with constant radius converges to stationary points",
    statement=r"Let $f$ be $L$-smooth and bounded below on the line and $\eta \le 1/L$. If normalised "
    r"SAM with constant $\rho > 0$ converges to $x$ from every start within $d > 0$ of it, then "
    r"$f'(x)^2 \le \varepsilon$ for every $\varepsilon > 0$.",
    source=Source("other", "convergence of SAM, read for constant ρ", "reconstructed"),
    kind=Kind.UPPER_BOUND,
    conventions=Conventions(normalised=True, ascent="shared", sampler="full batch"),
    domain=Piecewise(
        names=("x", "rho", "d", "eta", "eps"),
        functions=("f",),
        start={"rho": (0.5, 4.0), "d": (0.01, 0.2), "eta": (0.05, 0.5), "eps": (0.001, 0.1)},
        complete={"x": lambda m: m.f.at - m.rho},
    ),
    given=given,
    then=then,
    tightest={"f": WELLS, "x": -3, "rho": 3, "d": "1/2", "eta": "1/2", "eps": 1},
    trusted=(
        (
            "Where all hypotheses hold, every step from within d of x multiplies the distance from x "
            "by 1 - eta f''(x + rho), which is at least 0 and less than 1."
        ),
    ),
    repaired_by="sam_hallucinated_minimiser",
)

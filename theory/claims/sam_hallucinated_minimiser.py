r"""Normalised SAM rests where it climbs to a minimum, and near there follows a linear recursion.

Let $f'(m) = 0$ and $x^* = m - \rho$ with $f' > 0$ around $x^*$. From $x$ nearby the climb is to the
right and ends at $x + \rho = m + (x - x^*)$, where the gradient is $f''(m)(x - x^*)$ as long as $f$
is one quadratic there. So $x^+ - x^* = (1 - \eta f''(m))(x - x^*)$ exactly: $x^*$, which is no
stationary point, attracts exactly when $0 < \eta f''(m) < 2$. Where $f$ is not quadratic this is
the linearisation.
"""

from theory.atoms import below, equal
from theory.core import Claim, Conventions, Kind, Source
from theory.domains import Scalars


def given(m):
    """The step from x, where f' > 0, up to x + rho, where f' is linear: curvature f''(m)."""
    return (
        below(0, m.rho),
        equal(m.rest, m.m - m.rho),
        equal(m.slope, m.curvature * (m.x + m.rho - m.m)),
        equal(m.after, m.x - m.eta * m.slope),
    )


def then(m):
    return (equal(m.after - m.rest, (1 - m.eta * m.curvature) * (m.x - m.rest)),)


CLAIM = Claim(
    title="Normalised SAM has a false minimiser, attracting for 0 < η f''(m) < 2",
    statement=r"Let $f'(m) = 0$, $\rho > 0$, $x^* = m - \rho$, $f' > 0$ between $x^*$ and $x$, and "
    r"$f''$ constant between $m$ and $x + \rho$. Then one step of normalised SAM has "
    r"$x^+ - x^* = (1 - \eta f''(m))(x - x^*)$; so $x^*$ attracts exactly when $0 < \eta f''(m) < 2$.",
    source=Source("other", "an observation on SAM's constant radius", "our own"),
    kind=Kind.EXACT,
    conventions=Conventions(normalised=True, ascent="shared", sampler="full batch"),
    domain=Scalars(
        names=("m", "x", "rho", "eta", "curvature", "rest", "slope", "after"),
        start={"x": (-2.5, -0.5), "rho": (0.2, 3.0), "eta": (0.05, 2.5)},
        complete={
            "rest": lambda m: m.m - m.rho,
            "slope": lambda m: m.curvature * (m.x + m.rho - m.m),
            "after": lambda m: m.x - m.eta * m.slope,
        },
    ),
    given=given,
    then=then,
    control={
        "m": 0,
        "x": -1,
        "rho": 2,
        "eta": 1,
        "curvature": 1,
        "rest": -2,
        "slope": 2,
        "after": -3,
    },
    trusted=(
        (
            "A step that multiplies x - x* by the same factor from every start nearby converges to x* "
            "exactly when the factor lies strictly between -1 and 1."
        ),
    ),
    repairs="sam_limit_is_stationary",
)

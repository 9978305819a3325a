r"""A climb that does not shrink can end in a false minimum: Sassha rests where it climbs to a true one.

On $f(x) = -\cos x$, with $\sin x > 0$, the climb ends at $x + \rho$. If that is the minimum $2\pi$,
the gradient there is zero and Sassha does not move, whatever its preconditioner; and as $\cos(x +
\rho) = 1 > 0$ it comes back from nearby. For $\rho = 4$ the point is $2\pi - 4$. The atoms hold
sine and cosine of $x$ ($s$, $c$) and of $\rho$ ($S$, $C$), tied by $t = \tan(x/2)$: exact numbers
where $\rho$ is about 4.07.
"""

from theory.atoms import at_most, below, equal
from theory.core import Claim, Conventions, Kind, Source
from theory.domains import Scalars


def given(m):
    return (
        equal(m.s * (1 + m.t**2), 2 * m.t),
        equal(m.c * (1 + m.t**2), 1 - m.t**2),
        equal(m.S**2 + m.C**2, 1),
        below(0, m.s),
        equal(m.s * m.C, -m.c * m.S),
        below(0, m.c * m.C - m.s * m.S),
    )


def then(m):
    return (at_most(1, m.c**2),)


CLAIM = Claim(
    title="Sassha converges with a climb of constant length",
    statement=r"A point where Sassha with a normalised climb of constant length $\rho$ rests on "
    r"$f(x) = -\cos x$, and to which it comes back from nearby, is stationary; in particular "
    r"$\cos^2x \ge 1$.",
    source=Source("P2", "Shin et al. 2025, convergence, read for constant ρ", "reconstructed"),
    kind=Kind.LOWER_BOUND,
    conventions=Conventions(normalised=True, ascent="shared", sampler="full batch"),
    domain=Scalars(
        names=("t", "s", "c", "S", "C"),
        start={"t": (0.5, 4.0)},
        complete={
            "s": lambda m: 2 * m.t / (1 + m.t**2),
            "c": lambda m: (1 - m.t**2) / (1 + m.t**2),
            "S": lambda m: -m.s,
            "C": lambda m: m.c,
        },
    ),
    given=given,
    then=then,
    tightest={"t": 2, "s": "4/5", "c": "-3/5", "S": "-4/5", "C": "-3/5"},
    trusted=(
        (
            "Sassha rests where the gradient after the climb, sin(x + rho), is zero, and comes back "
            "from nearby for small steps if its derivative cos(x + rho) is positive there."
        ),
    ),
    repaired_by="sassha_convergence",
)

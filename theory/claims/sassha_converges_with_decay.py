r"""Weight decay moves the point where Sassha rests away from the minimum.

On $f(x) = \tfrac12h(x - c)^2$ with $\rho \to 0$ a step takes $\eta\big(h(x - c)/(\sqrt h +
\varepsilon) + wx\big)$, which is zero at $x = hc/(h + w(\sqrt h + \varepsilon))$: the gradient is
not, unless $wc = 0$. Decoupled decay is no part of the loss; the preconditioner decides what it
weighs against. In the atoms $h = r^2$.
"""

from theory.atoms import at_most, below, equal
from theory.core import Claim, Conventions, Kind, Source
from theory.domains import Scalars


def given(m):
    return (
        below(0, m.r),
        below(0, m.eps),
        below(0, m.w),
        below(0, m.c),
        equal((m.r**2 + m.w * (m.r + m.eps)) * m.x, m.r**2 * m.c),
    )


def then(m):
    return (at_most(m.c, m.x),)


CLAIM = Claim(
    title="Sassha converges to a stationary point with weight decay",
    statement=r"Where Sassha with decay $w > 0$ and $\rho \to 0$ rests on $f = \frac12h(x - "
    r"c)^2$, $c > 0$, the gradient vanishes; in particular $x \ge c$.",
    source=Source("P2", "Shin et al. 2025, convergence, read with weight decay", "reconstructed"),
    kind=Kind.LOWER_BOUND,
    conventions=Conventions(normalised=True, ascent="shared", sampler="full batch"),
    domain=Scalars(
        names=("r", "eps", "w", "c", "x"),
        start={"r": (0.5, 2.0), "eps": (0.01, 1.0), "w": (0.01, 1.0), "c": (0.1, 2.0)},
        complete={"x": lambda m: m.r**2 * m.c / (m.r**2 + m.w * (m.r + m.eps))},
    ),
    given=given,
    then=then,
    tightest={"r": 1, "eps": 1, "w": "1/2", "c": 1, "x": "1/2"},
    repaired_by="sassha_decay_limit",
)

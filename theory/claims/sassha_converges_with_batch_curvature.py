r"""A preconditioner taken from the batch it divides weighs the batches unequally.

Let $f = \tfrac12(f_1 + f_2)$, $f_i = \tfrac12h_i(x - c_i)^2$, one of the two drawn each step,
$\beta_2 = 0$, $\varepsilon = 0$, $\rho, \eta \to 0$. Sassha's mean step is along $\sum_ih_i(x -
c_i)/\sqrt{h_i} = \sum_i\sqrt{h_i}(x - c_i)$, so it rests at the mean of the $c_i$ weighted by
$\sqrt{h_i}$, and the minimum is their mean weighted by $h_i$. For $2(x - 1)^2$ and $\tfrac12(x +
1)^2$ that is $1/3$ against $3/5$. In the atoms $h_i = r_i^2$.
"""

from theory.atoms import at_most, below, equal
from theory.core import Claim, Conventions, Kind, Source
from theory.domains import Scalars


def given(m):
    return (
        below(0, m.r1),
        below(0, m.r2),
        equal((m.r1 + m.r2) * m.x, m.r1 * m.c1 + m.r2 * m.c2),
    )


def then(m):
    h1, h2 = m.r1**2, m.r2**2
    return (at_most(h1 * m.c1 + h2 * m.c2, (h1 + h2) * m.x),)


CLAIM = Claim(
    title="Sassha converges to a stationary point when D comes from the same batch",
    statement=r"Where Sassha with $\beta_2 = \varepsilon = 0$ and $\rho, \eta \to 0$ rests on the "
    r"mean of $\frac12h_1(x - c_1)^2$ and $\frac12h_2(x - c_2)^2$, one drawn each step, the "
    r"gradient vanishes; in particular $(h_1 + h_2)x \ge h_1c_1 + h_2c_2$.",
    source=Source("P2", "Shin et al. 2025, convergence, read for batches", "reconstructed"),
    kind=Kind.LOWER_BOUND,
    conventions=Conventions(normalised=True, ascent="shared"),
    domain=Scalars(
        names=("r1", "r2", "c1", "c2", "x"),
        start={"r1": (0.5, 2.0), "r2": (0.5, 2.0)},
        complete={"x": lambda m: (m.r1 * m.c1 + m.r2 * m.c2) / (m.r1 + m.r2)},
    ),
    given=given,
    then=then,
    tightest={"r1": 2, "r2": 1, "c1": 1, "c2": 1, "x": 1},
    trusted=("For small steps Sassha rests where its mean step vanishes.",),
    repaired_by="sassha_batch_curvature_limit",
)

r"""How far Sassha rests from the minimum is how unequally the batches' own curvatures scale them.

Let $f = \tfrac12(f_1 + f_2)$, $f_i = \tfrac12h_i(x - c_i)^2$, one of the two drawn each step,
$\varepsilon = 0$ and $\rho, \eta \to 0$. With $A_i = E[D^{-1/2} \mid i]$ the mean scale of the
steps on $f_i$, Sassha rests where $h_1A_1(x - c_1) + h_2A_2(x - c_2) = 0$, and $(h_1A_1 +
h_2A_2)(h_1 + h_2)(x - x_*) = h_1h_2(A_1 - A_2)(c_1 - c_2)$, $x_*$ the minimum. The error vanishes
exactly when $A_1 = A_2$, as it does for a $D$ fixed before the batch is drawn. $D = (1 -
\beta_2)h_i + \beta_2D'$, $D'$ the average before, which does not depend on $i$; for $\beta_2 =
\tfrac12$ it is uniform between $h_2$ and $h_1$, so $A_i = 2/(\sqrt{h_i} + S)$, $S^2 = \tfrac12(h_1
+ h_2)$.
"""

from math import comb

from theory.atoms import below, equal
from theory.core import Claim, Conventions, Kind, Source, Tolerance
from theory.domains import Scalars

REMEMBERED = 14  # batches before the one observed; what came earlier weighs 2^-14
TERMS = 60  # of the series below; each is at most 0.6 of the one before


def given(m):
    return (
        below(0, m.h1),
        below(0, m.h2),
        equal((m.h1 * m.A1 + m.h2 * m.A2) * m.x, m.h1 * m.A1 * m.c1 + m.h2 * m.A2 * m.c2),
        equal((m.h1 + m.h2) * m.least, m.h1 * m.c1 + m.h2 * m.c2),
    )


def then(m):
    error = (m.h1 * m.A1 + m.h2 * m.A2) * (m.h1 + m.h2) * (m.x - m.least)
    return (equal(error, m.h1 * m.h2 * (m.A1 - m.A2) * (m.c1 - m.c2)),)


def rest(m, A1, A2):
    """Where the mean step vanishes."""
    return (m.h1 * A1 * m.c1 + m.h2 * A2 * m.c2) / (m.h1 * A1 + m.h2 * A2)


def formula(m):
    """The point of rest for beta_2 = 1/2."""
    S = ((m.h1 + m.h2) / 2) ** 0.5
    return rest(m, 1 / (m.h1**0.5 + S), 1 / (m.h2**0.5 + S))


def exact(m, beta=0.5):
    """The point of rest for any beta_2, from the moments of the average before the batch."""
    centre, half = (m.h1 + m.h2) / 2, (m.h1 - m.h2) / 2
    moments = spread(beta, half)

    def scale(h):
        at = (1 - beta) * h + beta * centre  # the mean of D for this batch
        terms, factor = 0.0, at**-0.5
        for n, moment in enumerate(moments):
            terms += factor * beta**n * moment
            factor *= (-0.5 - n) / ((n + 1) * at)  # the next binomial coefficient of at^(-1/2)
        return terms

    return rest(m, scale(m.h1), scale(m.h2))


def spread(beta, half):
    """Central moments of the average: X and (1 - beta) e + beta X are alike, e = +-half."""
    moments = [1.0]
    for n in range(1, TERMS):
        fresh = sum(
            comb(n, k) * ((1 - beta) * half) ** k * beta ** (n - k) * moments[n - k]
            for k in range(2, n + 1, 2)
        )
        moments.append(fresh / (1 - beta**n))
    return moments


def observe(lab, m):
    """Where the mean of a tiny simulated step vanishes, over all sequences of REMEMBERED batches."""
    from itertools import product

    import numpy as np

    from theory.problems._bowls import bowls

    pair = bowls([[[m.h1]], [[m.h2]]], [[m.c1], [m.c2]])
    words = np.array(list(product((0, 1), repeat=REMEMBERED)))[:, :, None]

    def drift(x0):
        x = lab.run(
            pair,
            "sassha",
            x0=np.array([x0]),
            indices=words,
            lr=1e-8,  # so small that the run does not leave x0
            rho=0.0,
            beta1=0.0,
            beta2=0.5,
            eps=0.0,
            lazy_hessian=1,
            diagonal="exact",
        ).x[:, :, 0]
        return float((x[:, -1] - x[:, -2]).mean())

    at_zero, at_one = drift(0.0), drift(1.0)  # the mean step is affine in x
    return at_zero / (at_zero - at_one)


CLAIM = Claim(
    title="Sassha rests off the minimum as far as the batches' own curvatures scale them unequally",
    statement=r"Let $f$ be the mean of $f_i = \frac12h_i(x - c_i)^2$, $i = 1, 2$, one drawn each "
    r"step, $\varepsilon = 0$ and $\rho, \eta \to 0$. With $A_i = E[D^{-1/2} \mid i]$ Sassha "
    r"rests at $x$ with $x - x_* = \frac{h_1h_2(A_1 - A_2)(c_1 - c_2)}{(h_1A_1 + h_2A_2)(h_1 + "
    r"h_2)}$, $x_*$ the minimum: there only if $A_1 = A_2$ or $c_1 = c_2$. For $\beta_2 = "
    r"\frac12$, $A_i$ is proportional to $1/(\sqrt{h_i} + \sqrt{\frac{h_1 + h_2}{2}})$.",
    source=Source("P2", "Shin et al. 2025, convergence, read for batches", "our own"),
    kind=Kind.EXACT,
    conventions=Conventions(
        normalised=True, ascent="shared", bias_correction="D refreshed and corrected each step"
    ),
    domain=Scalars(
        names=("h1", "h2", "c1", "c2", "A1", "A2", "x", "least"),
        start={
            "h1": (0.5, 4.0),
            "h2": (0.5, 4.0),
            "c1": (0.5, 2.0),
            "c2": (2.5, 4.0),
            "A1": (0.1, 1.0),
            "A2": (0.1, 1.0),
        },
        complete={
            "x": lambda m: rest(m, m.A1, m.A2),
            "least": lambda m: rest(m, 1, 1),
        },
    ),
    given=given,
    then=then,
    control={"h1": 4, "h2": 1, "c1": 1, "c2": -1, "A1": 1, "A2": 2, "x": 0, "least": "3/5"},
    formula=formula,
    exact=exact,
    observe=observe,
    tolerance=Tolerance(1e-4, "14 batches are remembered of all there ever were: 2^-14 of D"),
    trusted=("For small steps Sassha rests where its mean step vanishes.",),
    repairs="sassha_converges_with_batch_curvature",
)

r"""Theorem 7's rate fails for per-sample ascent: averaging over a batch does not average the climbs.

With per-sample ascent each sample climbs along its own gradient, so a batch mean of gradients is
taken at points that move apart, and the condition on $\rho$ must not improve with $B$. The
witnesses are pairs $f_{1,2} = \tfrac12x^2 \pm h$ whose mean has $\alpha = \lambda = 1$: $h'' = -1$
up to $s$, $\beta - 1$ up to $t$, $1 - \beta$ up to $r$, then zero. At $x_0$ between $t$ and $r$, $p
= h'(x_0)$ is several times $x_0$; the climbs end at $x_0 + \rho(x_0 \pm p)$, left of $r$ still, and
the gradients there nearly cancel: their mean is $(1 + \rho)x_0 - (\beta - 1)\rho p$, and a batch
makes almost no progress. $f_1$ is zero up to $s$ and $f_2$ has its least value where $x = h'(x)$;
neither is negative.
"""

from theory.atoms import at_most
from theory.claims._theorem7 import COMPLETE, START, TIGHTEST, hypotheses, progress
from theory.core import Claim, Conventions, Kind, Source
from theory.piecewise import Piecewise


def then(m):
    """f(x_0) - E f(x_1) >= alpha eta c f(x_0), the expectation over all batches."""
    return (at_most(progress(m) * m.f(m.x0), m.expected_decrease(m.x0, "per-sample")),)


CLAIM = Claim(
    title="Theorem 7's rate holds for per-sample ascent",
    statement=r"Let $f_1, \dots, f_n \ge 0$ on the line be $\beta$-smooth with $f_i(0) = 0$, their "
    r"mean $f$ be $\lambda$-smooth and $\alpha$-PL, $\kappa_B = \frac12(\frac{B-1}{B} + "
    r"\frac{\beta}{\alpha B})$, $c = 1 - (\kappa_B + \frac12)\beta\rho > 0$ and $\eta = "
    r"\frac{c}{2\lambda\kappa_B(1+\beta\rho)^2}$. Then $E f(x_1) \le (1 - \alpha\eta c)f(x_0)$ for "
    r"USAM with per-sample ascent. Audited on continuously differentiable piecewise quadratics.",
    source=Source("P1", "Shin et al. 2023, theorem 7, read for per-sample ascent", "reconstructed"),
    kind=Kind.UPPER_BOUND,
    conventions=Conventions(
        normalised=False, ascent="per-sample", sampler="B samples a step, with replacement"
    ),
    domain=Piecewise(
        names=("x0", "rho", "beta", "lam", "alpha", "eta"),
        samples=True,
        counts=("B",),
        start=START,
        complete=COMPLETE,
    ),
    given=hypotheses,
    then=then,
    tightest=TIGHTEST,
    repaired_by="per_sample_ascent_rate",
)

r"""False: a mean-square stable step can exceed $2/\lambda_{\max}(E A_i^2)^{1/2}$.

It is what $\eta E A_i^2 \preceq 2A$ and $\eta A \preceq 2I$ would give together, and the first is
the one-step test. A sample $A_1 = \mathrm{diag}(2, 0)/\eta$ alone attains it. Mix in, with a small
weight $p$, $A_2 = ((a, b), (b, c))/\eta$: to first order in $p$ the iteration stays stable while
$b^4 \le ac(2 - a)(2 - c)$, and $E\eta^2 A_i^2$ has the corner $4 + p(a^2 + b^2 - 4)$, larger than 4
at $a = 39/20$, $c = 1$, $b^2 = 1/4$. The violation is a per cent or so.
"""

from dataclasses import replace

from theory.atoms import loewner, mean_square_stable
from theory.core import Claim, Conventions, Kind, Notion, Source
from theory.domains import Family


def square(m):
    return m.mean([A @ A for A in m.A])


CLAIM = Claim(
    title="No stable step exceeds 2/λmax(E A²)^½",
    statement=r"If USAM with step $\eta$ is mean-square stable, "
    r"$\eta \le 2/\lambda_{\max}(E A_i^2)^{1/2}$.",
    source=Source("other", "planted", "our own"),
    kind=Kind.NECESSARY,
    conventions=Conventions(notion=Notion.MEAN_SQUARE, normalised=False, ascent="any"),
    domain=Family(),
    given=lambda m: (mean_square_stable(m.T),),
    then=lambda m: (loewner((m.eta * m.eta) * square(m), 4 * m.I),),
    tightest={"factors": [[[1]]], "eta": 1, "rho": 1},
)

# Under the one-step test it is true: (eta A)^2 <= eta^2 E A_i^2 <= 2 eta A.
TWIN = replace(
    CLAIM,
    conventions=Conventions(notion=Notion.ONE_STEP, normalised=False, ascent="any"),
    given=lambda m: (loewner(m.T(m.I), m.I),),
)

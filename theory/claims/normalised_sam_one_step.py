r"""Theorem 9's test says nothing about normalised SAM: passing it, one step can throw x far away.

For unnormalised SAM $\eta\lambda(1 + \rho\lambda) \le 2$ keeps $|x|$ from growing, since the step
is linear. With the climb normalised its length is $\rho$ however small $x$ is: the step lands at $x
- \eta\lambda(x + \rho)$, at distance $\eta\lambda\rho$ from a minimum where it all but stood.
"""

from theory.atoms import at_most, below
from theory.core import Claim, Conventions, Kind, Notion, Source
from theory.domains import Scalars


def given(m):
    return (
        below(0, m.eta),
        below(0, m.rho),
        below(0, m.lam),
        below(0, m.x),
        at_most(m.eta * m.lam * (1 + m.rho * m.lam), 2),
    )


def then(m):
    return (at_most((m.x - m.eta * m.lam * (m.x + m.rho)) ** 2, m.x**2),)


CLAIM = Claim(
    title="Theorem 9's test keeps normalised SAM from growing",
    statement=r"On $f(x) = \frac12\lambda x^2$, one sample, theorem 9 reads $\eta\lambda(1 + "
    r"\rho\lambda) \le 2$; normalised SAM then satisfies $|x_1| \le |x_0|$.",
    source=Source("P1", "Shin et al. 2023, theorem 9, read for normalised SAM", "reconstructed"),
    kind=Kind.SUFFICIENT,
    conventions=Conventions(
        notion=Notion.ONE_STEP, normalised=True, ascent="shared", sampler="full batch"
    ),
    domain=Scalars(
        names=("eta", "rho", "lam", "x"),
        start={"eta": (0.1, 1.0), "rho": (0.01, 1.0), "lam": (0.1, 1.0), "x": (0.01, 2.0)},
    ),
    given=given,
    then=then,
    tightest={"eta": 1, "rho": 1, "lam": 1, "x": "1/3"},
    repaired_by="normalised_sam_jumps",
)

r"""The absolute value of one probe is no estimate of the Hessian's diagonal.

Without it $z_j(Hz)_j$ has mean $H_{jj}$ for any $H$. With it the mean over the four sign vectors of
a row $(a, b)$ is $\tfrac12(|a + b| + |a - b|) = \max(|a|, |b|)$: more than $|H_{jj}| = |a|$
whenever the row's other entry is larger, as it is for $a = 1$, $b = 2$ in the positive definite
$[[1, 2], [2, 5]]$. The moving average over refreshes averages these absolute values and keeps the
bias. In the atoms $p = |a + b|$ and $q = |a - b|$.
"""

from theory.atoms import at_most, below, equal
from theory.core import Claim, Conventions, Kind, Source
from theory.domains import Scalars


def given(m):
    return (
        below(0, m.a),
        at_most(0, m.p),
        at_most(0, m.q),
        equal(m.p**2, (m.a + m.b) ** 2),
        equal(m.q**2, (m.a - m.b) ** 2),
    )


def then(m):
    return (at_most(m.p + m.q, 2 * m.a),)


CLAIM = Claim(
    title="The absolute value of one Hutchinson probe estimates the diagonal",
    statement=r"For a vector $z$ of random signs and $H_{jj} > 0$ the quantity $|z_j(Hz)_j|$ that "
    r"Sassha averages is on average at most $H_{jj}$. Audited for $d = 2$.",
    source=Source("P2", "Shin et al. 2025, D as the absolute Hessian diagonal", "reconstructed"),
    kind=Kind.UPPER_BOUND,
    conventions=Conventions(sampler="one Rademacher probe"),
    domain=Scalars(
        names=("a", "b", "p", "q"),
        start={"a": (0.1, 2.0)},
        complete={"p": lambda m: abs(m.a + m.b), "q": lambda m: abs(m.a - m.b)},
    ),
    given=given,
    then=then,
    tightest={"a": 1, "b": 1, "p": 2, "q": 0},
    repaired_by="hutchinson_row_norm",
)

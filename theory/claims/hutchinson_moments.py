r"""One Hutchinson probe finds the diagonal on average, with the rest of the row as its variance.

Let $z$ have independent entries of mean 0, variance 1 and fourth moment $k$, and $u = (Hz)_j -
H_{jj}z_j$, which does not depend on $z_j$, with mean 0 and variance $\sum_{i \ne j}H_{ji}^2$. Then
$z_j(Hz)_j = H_{jj}z_j^2 + z_ju$ has mean $H_{jj}$, and in its square the cross term vanishes:
variance $(k - 1)H_{jj}^2 + \sum_{i \ne j}H_{ji}^2$. Random signs have $k = 1$, Gaussians $k = 3$.
Here for a row $(a, b, c)$ with the diagonal entry first, term by term; $t$ is the third moment,
which drops out.
"""

from itertools import product

from theory.atoms import equal
from theory.claims._probes import estimates
from theory.core import Claim, Conventions, Kind, Source, Tolerance
from theory.domains import Scalars


def given(m):
    return ()


def then(m):
    row = (m.a, m.b, m.c)
    mean = sum(row[i] * moment(m, 0, i) for i in range(3))
    square = sum(row[i] * row[j] * moment(m, 0, 0, i, j) for i, j in product(range(3), repeat=2))
    return equal(mean, m.a), equal(square, formula(m) + m.a**2)


def moment(m, *entries):
    """E of a product of entries of z, named by their places."""
    result = 1
    for place in range(3):
        result = result * (1, 0, 1, m.t, m.k)[entries.count(place)]
    return result


def formula(m):
    """The variance of z_1 (Hz)_1."""
    return (m.k - 1) * m.a**2 + m.b**2 + m.c**2


def vectors(m):
    """Probes (27, 3) of fourth moment k, their entries 0 or +-sqrt(k), and their chances (27,)."""
    import numpy as np

    z = np.array(list(product((1, 0, -1), repeat=3)))
    return m.k**0.5 * z, np.where(z == 0, 1 - 1 / m.k, 1 / (2 * m.k)).prod(1)


def exact(m):
    """The variance, by its definition and a whole distribution."""
    z, chances = vectors(m)
    seen = z[:, 0] * (z @ [m.a, m.b, m.c])
    return float(chances @ (seen - chances @ seen) ** 2)


def observe(lab, m):
    """The variance of what Sassha takes for the diagonal, over the same distribution."""
    z, chances = vectors(m)
    seen = estimates(lab, [[m.a, m.b, m.c], [m.b, 1, 0], [m.c, 0, 1]], z, absolute=False)[:, 0]
    return float(chances @ (seen - chances @ seen) ** 2)


CLAIM = Claim(
    title="One Hutchinson probe has mean H_jj and the rest of the row as its variance",
    statement=r"For $z$ with independent entries of mean 0, variance 1 and fourth moment $k$, "
    r"$z_j(Hz)_j$ has mean $H_{jj}$ and variance $(k - 1)H_{jj}^2 + \sum_{i \ne j}H_{ji}^2$: the "
    r"first term is 0 for random signs and $2H_{jj}^2$ for Gaussian probes.",
    source=Source("other", "Hutchinson 1989; Bekas, Kokiopoulou & Saad 2007", "reconstructed"),
    kind=Kind.EXACT,
    conventions=Conventions(sampler="one probe, Rademacher or Gaussian"),
    domain=Scalars(names=("a", "b", "c", "t", "k"), start={"k": (1.0, 4.0)}),
    given=given,
    then=then,
    control={"a": 1, "b": 1, "c": 1, "t": 0, "k": 3},
    formula=formula,
    exact=exact,
    observe=observe,
    tolerance=Tolerance(1e-9, "a sum of 27 terms of both signs, each known to 1e-13 of the row"),
    trusted=("Three entries stand for any number: all but the j-th enter as b and c do.",),
)

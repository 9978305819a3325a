"""False only from dimension four on: (tr H)^2 <= 3 tr H^2, with equality at d = 3.

Cauchy's inequality gives the dimension as the constant. The twin says it in each dimension, through
the trace of the identity.
"""

from dataclasses import replace

from theory.atoms import at_most
from theory.core import Claim, Conventions, Kind, Source
from theory.domains import Family


def given(m):
    return ()


def trace(m, matrix):
    """The sum of the diagonal, in both readings."""
    rows = getattr(matrix, "rows", matrix)
    return sum(rows[i][i] for i in range(len(rows)))


def with_dimension(m):
    return (at_most(trace(m, m.H) ** 2, trace(m, m.I) * trace(m, m.H @ m.H)),)


def with_three(m):
    return (at_most(trace(m, m.H) ** 2, 3 * trace(m, m.H @ m.H)),)


TWIN = Claim(
    title="Trace and Frobenius norm",
    statement=r"$(\mathrm{tr} H)^2 \le c\,\mathrm{tr} H^2$.",
    source=Source("other", "planted", "our own"),
    kind=Kind.UPPER_BOUND,
    conventions=Conventions(sampler="none"),
    domain=Family(()),
    given=given,
    then=with_dimension,
    tightest={"factors": [[[1, 0, 0], [0, 1, 0], [0, 0, 1]]]},
)
CLAIM = replace(TWIN, then=with_three)

"""(|u + c| + |u - c|)/2 is the larger of |u| and |c|, without absolute values.

Let p = |u + c|, q = |u - c|, M = max(|u|, |c|) and N = 2M^2 - u^2 - c^2 >= 0. Then
(pq)^2 = (u^2 - c^2)^2 = N^2, so pq = N, so (p + q)^2 = 2u^2 + 2c^2 + 2N = (2M)^2.
"""

from theory.atoms import at_most, below, equal


def hypotheses(u, c, p, q, M):
    """What p, q and M are; the two strict ones follow except where |u| = |c|."""
    return (
        at_most(0, p),
        at_most(0, q),
        at_most(u**2, M**2),
        at_most(c**2, M**2),
        below(0, p + q + 2 * M),
        below(0, p * q + 2 * M**2 - u**2 - c**2),
        equal(p**2, (u + c) ** 2),
        equal(q**2, (u - c) ** 2),
        equal((M**2 - u**2) * (M**2 - c**2), 0),
    )


CONTINUITY = (
    "Both sides are continuous, so the equality holds where the larger and the smaller tie."
)

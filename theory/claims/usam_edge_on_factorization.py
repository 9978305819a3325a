r"""The minima of (uv - 1)^2/2 have curvature s = sqrt(Q^2 + 4), and USAM's edge there is s(1 + rho s).

At a minimum $uv = 1$ the curve of minima is a direction in which nothing moves: the step's Jacobian
has the eigenvalue 1. Across it the Hessian has curvature $u^2 + v^2 = s$, as $(u^2 + v^2)^2 = (u^2
- v^2)^2 + 4u^2v^2$, and the other eigenvalue is $1 - \eta s(1 + \rho s)$. Here the Jacobian is the
derivative of the step itself, by dual numbers; its trace and determinant give both eigenvalues. The
balanced minimum $Q = 0$ is the flattest, $s = 2$.
"""

from theory.atoms import below, equal
from theory.claims._duals import jacobian
from theory.claims._factorization import simulated, step
from theory.core import Claim, Conventions, Kind, Notion, Source, Tolerance
from theory.domains import Scalars

NUDGE = 1e-5  # across the minima; central differences leave its square


def given(m):
    """s is the positive root; the sum with u^2 + v^2 is written out for the certificate."""
    square = m.u**2 + m.v**2
    return (
        equal(m.u * m.v, 1),
        equal(m.s**2, (m.u**2 - m.v**2) ** 2 + 4),
        below(-square, m.s),
    )


def then(m):
    (a, b), (c, d) = jacobian(lambda u, v: step(u, v, m.eta, m.rho), m.u, m.v)
    across = 1 - m.eta * m.s * (1 + m.rho * m.s)
    return equal(a + d, 1 + across), equal(a * d - b * c, across)


def curvature(m):
    """sqrt(Q^2 + 4), exactly, at a point of the curve of minima."""
    return m.u**2 + m.v**2


def formula(m):
    """The largest step at which the minimum is stable."""
    s = ((m.u**2 - m.v**2) ** 2 + 4) ** 0.5
    return 2 / (s * (1 + m.rho * s))


def exact(m):
    """The same by the eigenvalues of H + rho H^2, H the Hessian at the minimum."""
    import numpy as np

    H = np.array([[m.v**2, 2 * m.u * m.v - 1], [2 * m.u * m.v - 1, m.u**2]])
    return 2 / float(np.linalg.eigvalsh(H + m.rho * H @ H)[-1])


def observe(lab, m):
    """The same from how one simulated step scales a nudge across the curve of minima."""
    import numpy as np

    across = np.array([m.v, m.u]) / np.hypot(m.u, m.v)

    def after(nudge):
        start = np.array([m.u, m.v]) + nudge * across
        return across @ simulated(lab, start[0], start[1], m.eta, m.rho)

    return 2 * m.eta / (1 - float(after(NUDGE) - after(-NUDGE)) / (2 * NUDGE))


CLAIM = Claim(
    title="At the minima of (uv − 1)²/2 USAM is stable up to s(1 + ρs) = 2/η, s = √(Q² + 4)",
    statement=r"On $f(u, v) = \frac12(uv - 1)^2$, at a minimum $uv = 1$ with $Q = u^2 - v^2$ and "
    r"$s = \sqrt{Q^2 + 4}$, the Jacobian of the USAM step has the eigenvalues $1$ and $1 "
    r"- \eta s(1 + \rho s)$.",
    source=Source("other", "the scalar factorization, for gradient descent folklore", "our own"),
    kind=Kind.EXACT,
    conventions=Conventions(
        notion=Notion.MEAN, normalised=False, ascent="any", sampler="full batch"
    ),
    domain=Scalars(
        names=("u", "v", "eta", "rho", "s"),
        start={"u": (0.5, 2.0), "eta": (0.05, 0.5), "rho": (0.01, 0.5)},
        complete={"v": lambda m: 1 / m.u, "s": curvature},
    ),
    given=given,
    then=then,
    control={"u": 1, "v": 2, "eta": 1, "rho": 1, "s": 5},
    formula=formula,
    exact=exact,
    observe=observe,
    tolerance=Tolerance(
        1e-7,
        "a central difference at 1e-5: 1e-10 of it from the cubic terms, with coefficients up to "
        "some hundreds, and 1e-11 from rounding",
    ),
    trusted=(
        "Two numbers with the trace and the determinant of a 2 x 2 matrix are its eigenvalues.",
    ),
)

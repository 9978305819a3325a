r"""On (uv - 1)^2/2 a USAM step multiplies the imbalance u^2 - v^2 by a known number.

With $r = uv - 1$ the climb ends at $(u + \rho rv, v + \rho ru)$, where the residual is $\hat r$.
The step is $u^+ = au - bv$, $v^+ = av - bu$ with $a = 1 - \eta\rho r\hat r$, $b = \eta\hat r$, so
$Q^+ = (a^2 - b^2)Q$ for $Q = u^2 - v^2$, and $a^2 - b^2 = 1 - 2\eta\rho r\hat r - \eta^2\hat r^2(1
- \rho^2r^2)$. For $\rho = 0$ it is gradient descent's $Q^+ = (1 - \eta^2r^2)Q$. To first order in
$\eta$ gradient descent conserves $Q$ and USAM shrinks it, as near a minimum $r\hat r > 0$; the
smaller $|Q|$, the flatter the minimum (`usam_edge_on_factorization`).
"""

from theory.atoms import equal
from theory.claims._factorization import simulated, step
from theory.core import Claim, Conventions, Kind, Source, Tolerance
from theory.domains import Scalars


def given(m):
    return ()


def then(m):
    u, v = step(m.u, m.v, m.eta, m.rho)
    return (equal(u**2 - v**2, formula(m)),)


def formula(m):
    """u^2 - v^2 after one step."""
    r = m.u * m.v - 1
    R = (m.u + m.rho * r * m.v) * (m.v + m.rho * r * m.u) - 1
    factor = 1 - 2 * m.eta * m.rho * r * R - m.eta**2 * R**2 * (1 - m.rho**2 * r**2)
    return (m.u**2 - m.v**2) * factor


def exact(m):
    """The same in coordinates p = u + v, q = u - v, where a step is two multiplications."""
    p, q = m.u + m.v, m.u - m.v

    def residual(p, q):
        return (p**2 - q**2) / 4 - 1

    r = residual(p, q)
    R = residual(p * (1 + m.rho * r), q * (1 - m.rho * r))
    return p * (1 - m.eta * R * (1 + m.rho * r)) * q * (1 + m.eta * R * (1 - m.rho * r))


def observe(lab, m):
    """The same from one simulated step."""
    u, v = simulated(lab, m.u, m.v, m.eta, m.rho)
    return float(u**2 - v**2)


CLAIM = Claim(
    title="On (uv − 1)²/2 a USAM step multiplies u² − v² by a known number",
    statement=r"On $f(u, v) = \frac12(uv - 1)^2$ let $Q = u^2 - v^2$, $r = uv - 1$ and $\hat r = "
    r"(u + \rho rv)(v + \rho ru) - 1$. One step of USAM gives $Q^+ = Q\big(1 - 2\eta\rho "
    r"r\hat r - \eta^2\hat r^2(1 - \rho^2r^2)\big)$; for $\rho = 0$ one step of gradient "
    r"descent gives $Q^+ = Q(1 - \eta^2r^2)$.",
    source=Source("other", "the scalar factorization, for gradient descent folklore", "our own"),
    kind=Kind.EXACT,
    conventions=Conventions(normalised=False, ascent="any", sampler="full batch"),
    domain=Scalars(
        names=("u", "v", "eta", "rho"),
        start={"u": (1.2, 2.0), "v": (0.2, 1.1), "eta": (0.01, 0.2), "rho": (0.0, 0.2)},
    ),
    given=given,
    then=then,
    control={"u": 2, "v": 1, "eta": "1/8", "rho": "1/4"},
    formula=formula,
    exact=exact,
    observe=observe,
    tolerance=Tolerance(1e-10, "some dozen roundings; in the start box Q keeps half of its digits"),
)

r"""The matrix of theorem 9 is the second moment of one step: it equals E Phi_i^2.

For one sample write $\Phi = I - \eta h - \eta\rho h^2$ and let $P(h)$ be the printed matrix with
$M_k$ replaced by $h^k$. Expanding without commuting, $\|\Phi x\|^2 = x'(P(h) + 2\eta(H - h))x$. The
mean over samples replaces $h^k$ by $M_k$ and $h$ by $H$, so the last term vanishes and $E\Phi_i^2$ is
the printed matrix. Hence theorem 9 is the one-step condition $\lambda_{\max}(T(I)) \le 1$. Symmetry
of $h$ turns $h'h$ into $h^2$; without it the identity fails, which is the control.
"""

from theory.atoms import equal
from theory.claims._quadratics import simulated_distance, squared_distance
from theory.core import Claim, Conventions, Kind, Notion, Source, Tolerance
from theory.domains import Operators


def given(m):
    return ()


def then(m):
    after = m.x - m.eta * (m.h @ (m.x + m.rho * (m.h @ m.x)))
    return (equal(m.inner(after, after), formula(m)),)


def formula(m):
    """x'(P(h) + 2 eta (H - h))x, with one sample's powers in place of the moments."""
    h2, H2 = m.h @ m.h, m.H @ m.H
    mean_step = m.eta * m.H + (m.eta * m.rho) * H2
    rest = (
        mean_step @ mean_step
        - 2 * mean_step
        + (m.eta * (m.eta - 2 * m.rho)) * (h2 - H2)
        + (2 * m.eta**2 * m.rho) * (h2 @ m.h - H2 @ m.H)
        + (m.eta**2 * m.rho**2) * (h2 @ h2 - H2 @ H2)
        + (2 * m.eta) * (m.H - m.h)
    )
    return m.inner(m.x, m.x) + m.inner(m.x, rest @ m.x)


def exact(m):
    """The squared distance after one step, in the eigenbasis."""
    return squared_distance(m.h, m.x, m.eta, m.rho)


def observe(lab, m):
    """The same from one simulated step."""
    return simulated_distance(lab, m.h, m.x, "usam", lr=m.eta, rho=m.rho)


CLAIM = Claim(
    title="Theorem 9 is the one-step condition",
    statement=r"$E\,\Phi_i^2 = (I-\eta H-\eta\rho H^2)^2 + \eta(\eta-2\rho)(M_2-H^2) + "
    r"2\eta^2\rho(M_3-H^3) + \eta^2\rho^2(M_4-H^4)$ for $\Phi_i = I - \eta(H_i + \rho H_i^2)$. "
    r"Certified for each sample, with $M_k$ replaced by $h^k$ and the remainder $2\eta(H - h)$.",
    source=Source("P1", "Shin et al. 2023, theorem 9, its left-hand side", "reconstructed"),
    kind=Kind.EXACT,
    conventions=Conventions(notion=Notion.ONE_STEP, normalised=False, ascent="any"),
    domain=Operators(symmetric=("H", "h"), vectors=("x",), scalars=("eta", "rho")),
    given=given,
    then=then,
    control={"H": [[1, 0], [0, 1]], "h": [[0, 1], [0, 0]], "x": [1, 2], "eta": 1, "rho": 1},
    formula=formula,
    exact=exact,
    observe=observe,
    tolerance=Tolerance(1e-9, "powers up to the fourth of entries up to ten, cancelling"),
    trusted=("The mean over samples is linear, E h = H and E h^k = M_k.",),
)

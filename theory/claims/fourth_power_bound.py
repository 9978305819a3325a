r"""Where USAM is stable in mean square, $E(v'H_iv)^4 \le 4/(\eta^2\rho^2)$ along every direction.

With $h_i = v'H_iv$, $q_i = v'A_iv \ge \rho h_i^2$, so $E q_i^2 \ge \rho^2E h_i^4$, and stability gives
$E q_i^2 \le 4/\eta^2$. One sample approaches it as $\rho h \to \infty$ at its edge. This is what
remains of the bound on $s_4$. For $\eta \ge 2\rho$ the same $q_i$ give $\sqrt{32/27} \approx 1.09$ in
place of $4$: with $x = \eta h_i$ and $r = \rho/\eta \le 1/2$, where $y = x + rx^2 \ge 1$,
$r^2x^4 - (y - 1)^2 = (1 - x)(x + 2rx^2 - 1) \le \max(0, 2x - x^3 - 1) \le \sqrt{32/27} - 1$.
"""

from theory.atoms import at_most, mean_square_stable
from theory.core import Claim, Conventions, Kind, Notion, Source
from theory.domains import Family


def given(m):
    return (mean_square_stable(m.T),)


def then(m):
    return (at_most(m.eta**2 * m.rho**2 * m.mean([m.corner(H) ** 4 for H in m.samples]), 4),)


def lemmas(m):
    h, q = m.corner(m.samples[0]), m.corner(m.A[0])
    return at_most(m.rho * h**2, q), at_most(m.eta**2 * m.mean([q**2]), 4)


def squares(m):
    h, q = m.corner(m.samples[0]), m.corner(m.A[0])
    return m.samples[0] - h * m.I, 2 - m.eta * q, h


CLAIM = Claim(
    title="Mean-square stability bounds the fourth power of curvature along every direction",
    statement=r"If $E\|x_t\|^2$ stays bounded under USAM with step $\eta$, radius $\rho$ then "
    r"$E(v'H_iv)^4 \le 4/(\eta^2\rho^2)$ for every unit $v$.",
    source=Source(
        "other", "what holds in place of the bound on s_4 of equation 7, any step", "our own"
    ),
    kind=Kind.NECESSARY,
    conventions=Conventions(notion=Notion.MEAN_SQUARE, normalised=False, ascent="any"),
    domain=Family(),
    given=given,
    then=then,
    lemmas=lemmas,
    squares=squares,
    tightest={"factors": [[[1]]], "eta": "2/1001", "rho": 1000},
    repairs="fourth_moment_small_step",
)

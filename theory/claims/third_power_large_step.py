r"""Where $\eta \ge 2\rho$ and USAM is stable in mean square, $\eta^2\rho\,E(v'H_iv)^3 \le 4\sqrt5 - 8$.

Write $x_i = \eta v'H_iv$, $r = \rho/\eta \le 1/2$, $y_i = x_i + rx_i^2$. Since
$v'H_i^2v \ge (v'H_iv)^2$, $q_i = \eta v'A_iv \ge y_i$; stability gives $E(1 - q_i)^2 \le 1$, hence
$E(y_i - 1)_+^2 \le 1$. With $\lambda = (9\sqrt5 - 15)/10$,
$rx^3 \le \lambda(y - 1)_+^2 + 4\sqrt5 - 8 - \lambda$ for all $x \ge 0$: at given $y$ the left side
$x(y - x)$ is largest at $r = 1/2$ for $y \le 4$ and at most $y^2/4$ beyond; at $r = 1/2$ it is below
$0.2$ for $y \le 1$, the right side above $0.4$, and from there on their difference is a quartic with a
double root at $x = \sqrt5 - 1$ and no other real one. Averaging gives the bound.
One sample at its edge, $x = \sqrt5 - 1$, attains it. For any step the constant is $1$.
"""

from theory.atoms import at_most, mean_square_stable
from theory.core import Claim, Conventions, Kind, Notion, Source
from theory.domains import Family


def given(m):
    return mean_square_stable(m.T), at_most(2 * m.rho, m.eta)


def then(m):
    third = m.eta * m.eta * m.rho * m.mean([m.corner(H) ** 3 for H in m.samples])
    return (at_most((third + 8) ** 2, 80),)


CLAIM = Claim(
    title="Mean-square stability bounds the third power of curvature for η ≥ 2ρ",
    statement=r"If $\eta \ge 2\rho$ and $E\|x_t\|^2$ stays bounded under USAM with step $\eta$, radius "
    r"$\rho$ then $E(v'H_iv)^3 \le (4\sqrt5 - 8)/(\eta^2\rho)$ for every unit $v$.",
    source=Source("other", "what holds in place of the bound on s_3 of equation 7", "our own"),
    kind=Kind.NECESSARY,
    conventions=Conventions(notion=Notion.MEAN_SQUARE, normalised=False, ascent="any"),
    domain=Family(),
    given=given,
    then=then,
    tightest={"factors": [[[1]]], "eta": "16/13", "rho": "8/13"},
    repairs="third_moment_bound",
)

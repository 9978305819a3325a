r"""Where USAM is stable in mean square, $E(v'H_iv)^3 \le 1/(\eta^2\rho)$ along every direction.

With $h_i = v'H_iv$, $q_i = v'A_iv \ge h_i + \rho h_i^2$ since $v'H_i^2v \ge h_i^2$, so
$q_i^2 \ge 4\rho h_i^3$. Stability gives $E q_i^2 \le 4/\eta^2$ (from $\eta E q_i^2 \le 2E q_i$ and
$(E q_i)^2 \le E q_i^2$). This is what remains of the bound on $s_3$; one sample with
$\rho h = 1$, $\eta h = 1$ attains it.
"""

from theory.atoms import at_most, mean_square_stable
from theory.core import Claim, Conventions, Kind, Notion, Source
from theory.domains import Family


def given(m):
    return (mean_square_stable(m.T),)


def then(m):
    return (at_most(m.eta * m.eta * m.rho * m.mean([m.corner(H) ** 3 for H in m.samples]), 1),)


def lemmas(m):
    h, q = m.corner(m.samples[0]), m.corner(m.A[0])
    return (
        at_most(0, h),
        at_most(h + m.rho * h**2, q),
        at_most(4 * m.rho * h**3, q**2),
        at_most(m.eta**2 * m.mean([q**2]), 4),
    )


def squares(m):
    h, q = m.corner(m.samples[0]), m.corner(m.A[0])
    return m.samples[0] - h * m.I, 2 - m.eta * q, h - m.rho * h**2, h


CLAIM = Claim(
    title="Mean-square stability bounds the third power of curvature along every direction",
    statement=r"If $E\|x_t\|^2$ stays bounded under USAM with step $\eta$, radius $\rho$ then "
    r"$E(v'H_iv)^3 \le 1/(\eta^2\rho)$ for every unit $v$.",
    source=Source(
        "other", "what holds in place of the bound on s_3 of equation 7, any step", "our own"
    ),
    kind=Kind.NECESSARY,
    conventions=Conventions(notion=Notion.MEAN_SQUARE, normalised=False, ascent="any"),
    domain=Family(),
    given=given,
    then=then,
    lemmas=lemmas,
    squares=squares,
    tightest={"factors": [[[1]]], "eta": 1, "rho": 1},
    repairs="third_moment_small_step",
)

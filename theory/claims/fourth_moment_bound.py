r"""The bound on $s_4$ is not necessary for mean-square stability, not even for $\eta \ge 2\rho$.

There the one-step test implies it. Take two rare, heavy rows at an angle and, nearly always, a common
sample whose step is close to zero, so that all is forgotten between two heavy ones. With
$D = p\eta^2a^2$ for each, $a \approx \rho h^2$, the row $g_1$ stretches what $g_2$ leaves by
$D(1 + (g_1'g_2)^2)$, while the test, and $s_4$, see $2D(g_1'v)^2$ at the bisector $v$. The ratio is at
most $(1 + \sqrt2)/2$, approached as $\eta h \to \infty$: a fifth too much for the bound on $s_4$.
"""

from theory.atoms import at_most, loewner, mean_square_stable
from theory.core import Claim, Conventions, Kind, Notion, Source
from theory.domains import Family


def given(m):
    return mean_square_stable(m.T), at_most(2 * m.rho, m.eta)


def then(m):
    return (loewner((m.eta * m.eta * m.rho * m.rho) * (m.M(4) - m.H @ m.H @ m.H @ m.H), m.I),)


CLAIM = Claim(
    title="Mean-square stability bounds s₄ for η ≥ 2ρ",
    statement=r"If $\eta \ge 2\rho$ and $E\|x_t\|^2$ stays bounded under USAM with step $\eta$, radius "
    r"$\rho$ then $s_4^4 = \lambda_{\max}(M_4 - H^4) \le 1/(\eta^2\rho^2)$.",
    source=Source("P1", "Shin et al. 2023, equation 7, bound on s_4", "reconstructed"),
    kind=Kind.NECESSARY,
    conventions=Conventions(notion=Notion.MEAN_SQUARE, normalised=False, ascent="any"),
    domain=Family(),
    given=given,
    then=then,
    tightest={"factors": [[[0]], [[1]]], "eta": 1, "rho": "1/2"},
    repaired_by="one_step_fourth_moment_bound",
)

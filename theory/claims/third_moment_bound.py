r"""The bound on $s_3$ is not necessary for mean-square stability, not even for $\eta \ge 2\rho$.

There the one-step test implies it. Stability in mean square is weaker than that test: directions in
which $E\|x\|^2$ grows at first need not persist. Four rows $(5, \pm2, \pm2, \pm2)$, with the signs of a
Hadamard matrix, lean towards $v = e_1$ and lift $v'M_3v$; a frequent common sample keeps them apart in
time, so that what one of them stretches has decayed before the next one comes. By symmetry
$T$ has a leading eigenvector $\mathrm{diag}(c, e, e, e)$.
"""

from theory.atoms import at_most, loewner, mean_square_stable
from theory.core import Claim, Conventions, Kind, Notion, Source
from theory.domains import Family


def given(m):
    return mean_square_stable(m.T), at_most(2 * m.rho, m.eta)


def then(m):
    return (loewner((2 * m.eta * m.eta * m.rho) * (m.M(3) - m.H @ m.H @ m.H), m.I),)


CLAIM = Claim(
    title="Mean-square stability bounds s₃ for η ≥ 2ρ",
    statement=r"If $\eta \ge 2\rho$ and $E\|x_t\|^2$ stays bounded under USAM with step $\eta$, radius "
    r"$\rho$ then $s_3^3 = \lambda_{\max}(M_3 - H^3) \le 1/(2\eta^2\rho)$.",
    source=Source("P1", "Shin et al. 2023, equation 7, bound on s_3", "reconstructed"),
    kind=Kind.NECESSARY,
    conventions=Conventions(notion=Notion.MEAN_SQUARE, normalised=False, ascent="any"),
    domain=Family(),
    given=given,
    then=then,
    tightest={"factors": [[[0]], [[1]]], "eta": 1, "rho": "1/2"},
    repaired_by="third_power_large_step",
)

r"""Where USAM is stable in mean square, the curvature along a direction varies by at most 1/eta.

For a unit vector $v$ let $q_i = v'A_iv$, $A_i = H_i + \rho H_i^2$. $T$ is self-adjoint for
$\langle X, Y\rangle = \mathrm{tr}\,XY$ on symmetric matrices, so its Rayleigh quotient at $vv'$ is at
most $r(T)$: $1 \ge \mathrm{tr}\,vv'T(vv') = E(v'\Phi_iv)^2 = (1 - \eta E q)^2 + \eta^2\mathrm{Var}\,q$.
The family is rotation invariant: $v = e_1$ is
every direction. This is what remains of the bound on $s_2$ under mean-square stability; samples
$\{0, 2/\eta\}$ in one dimension attain it.
"""

from theory.atoms import at_most, mean_square_stable
from theory.core import Claim, Conventions, Kind, Notion, Source, Tolerance
from theory.domains import Family


def given(m):
    return (mean_square_stable(m.T),)


def then(m):
    return (at_most(m.eta * m.eta * variance(m), 1),)


def variance(m):
    """The variance over samples of q_i = e_1'A_i e_1."""
    q = [m.corner(A) for A in m.A]
    mean = m.mean(q)
    return m.mean([value * value for value in q]) - mean * mean


def formula(m):
    """The largest step the bound allows along the first axis."""
    spread = float(variance(m))
    return 1 / spread**0.5 if spread > 0 else float("inf")


def exact(m):
    """The mean-square critical step."""
    from theory.stability.mean_square import critical
    from theory.stability.steps import listed

    return critical(listed(m.weights, m.A)).value


def squares(m):
    return (1 - m.eta * m.corner(m.mean(m.A)),)


CLAIM = Claim(
    title="Mean-square stability bounds the variance of curvature along every direction",
    statement=r"If $E\|x_t\|^2$ stays bounded under USAM with step $\eta$, radius $\rho$ then "
    r"$\mathrm{Var}_i(v'A_iv) \le 1/\eta^2$ for every unit $v$, where $A_i = H_i + \rho H_i^2$.",
    source=Source("other", "what holds in place of the second bound of equation 7", "our own"),
    kind=Kind.NECESSARY,
    conventions=Conventions(notion=Notion.MEAN_SQUARE, normalised=False, ascent="any"),
    domain=Family(),
    given=given,
    then=then,
    squares=squares,
    tightest={"factors": [[[0]], [[1]]], "eta": 2, "rho": 0},
    formula=formula,
    exact=exact,
    tolerance=Tolerance(1e-9, "one symmetric eigenproblem of a few dozen entries"),
    repairs="second_moment_bound",
)

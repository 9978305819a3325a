r"""Where USAM is stable in mean square, $a(1 + \rho a) \le 2/\eta$.

Mean-square stability bounds $E x_t = (I - \eta A)^t x_0$ with $A = H + \rho M_2$, so
$\eta\lambda_{\max}(A) \le 2$. As $M_2 \succeq H^2$, $\lambda_{\max}(A) \ge a + \rho a^2$ with
$a = \lambda_{\max}(H)$. In the Loewner order: $\eta(H + \rho H^2) \preceq 2I$. One sample attains it.
"""

from theory.atoms import at_most, loewner, mean_square_stable
from theory.core import Claim, Conventions, Kind, Looseness, Notion, Source, Tolerance
from theory.domains import Family


def given(m):
    return (mean_square_stable(m.T),)


def then(m):
    return (loewner(m.eta * (m.H + m.rho * (m.H @ m.H)), 2 * m.I),)


def formula(m):
    """The largest step the bound allows: 2 / (a (1 + rho a))."""
    import numpy as np

    a = float(np.linalg.eigvalsh(m.H)[-1])
    return 2 / (a * (1 + m.rho * a)) if a > 0 else float("inf")


def exact(m):
    """The mean-square critical step."""
    from theory.stability.mean_square import critical
    from theory.stability.steps import listed

    return critical(listed(m.weights, m.A)).value


def lemmas(m):
    return (at_most(m.eta * m.corner(m.mean(m.A)), 2),)


def squares(m):
    q = m.corner(m.A[0])
    return m.eta * (q - m.mean([q])), m.samples[0] - m.H


CLAIM = Claim(
    title="Mean-square stability bounds the sharpness: a(1 + ρa) ≤ 2/η",
    statement=r"If $E\|x_t\|^2$ stays bounded under USAM with step $\eta$, radius $\rho$ then "
    r"$a(1 + \rho a) \le 2/\eta$, where $a = \lambda_{\max}(H)$.",
    source=Source("P1", "Shin et al. 2023, equation 7, first bound", "reconstructed"),
    kind=Kind.NECESSARY,
    conventions=Conventions(notion=Notion.MEAN_SQUARE, normalised=False, ascent="any"),
    domain=Family(),
    given=given,
    then=then,
    lemmas=lemmas,
    squares=squares,
    tightest={"factors": [[[1]]], "eta": 1, "rho": 1},
    formula=formula,
    exact=exact,
    looseness=Looseness(lambda m: formula(m) / exact(m), "in step size"),
    tolerance=Tolerance(1e-9, "one symmetric eigenproblem of a few dozen entries"),
    repairs="one_step_necessary",
)

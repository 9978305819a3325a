r"""Where $E\|x_t\|^2$ stays bounded the mean does: $\eta\lambda_{\max}(E A_i) \le 2$.

$\|E x_t\|^2 \le E\|x_t\|^2$ and $E x_t = (I - \eta A)^tx_0$, $A = E A_i$ PSD, so no eigenvalue of $I -
\eta A$ is below $-1$. It is the last rung of the ladder: one-step, mean-square, mean. With $M_2 \succeq
H^2$, $A = H + \rho M_2$ has at least the curvature $a(1 + \rho a)$, and the bound on the sharpness $a$
follows (`sharpness_bound`). One sample, or samples that are all alike, attain it.
"""

from theory.atoms import loewner, mean_square_stable
from theory.core import Claim, Conventions, Kind, Looseness, Notion, Source, Tolerance
from theory.domains import Family


def given(m):
    return (mean_square_stable(m.T),)


def then(m):
    return (loewner(m.eta * m.mean(m.A), 2 * m.I),)


def squares(m):
    q = m.corner(m.A[0])
    return (m.eta * (q - m.mean([q])),)


def formula(m):
    """The largest step at which the mean stays bounded."""
    import numpy as np

    top = float(np.linalg.eigvalsh(m.mean(m.A))[-1])
    return 2 / top if top > 0 else float("inf")


def exact(m):
    """The mean-square critical step."""
    from theory.stability.mean_square import critical
    from theory.stability.steps import listed

    return critical(listed(m.weights, m.A)).value


CLAIM = Claim(
    title="Mean-square stability implies stability of the mean: ηλmax(E Aᵢ) ≤ 2",
    statement=r"If $E\|x_t\|^2$ stays bounded under SGD or USAM with step $\eta$ then so does $E x_t$: "
    r"$\eta\lambda_{\max}(H + \rho M_2) \le 2$.",
    source=Source("other", "Jensen's inequality; Wu, Ma & E 2018 for SGD", "reconstructed"),
    kind=Kind.NECESSARY,
    conventions=Conventions(notion=Notion.MEAN_SQUARE, normalised=False, ascent="any"),
    domain=Family(),
    given=given,
    then=then,
    squares=squares,
    tightest={"factors": [[[1]]], "eta": 1, "rho": 1},
    formula=formula,
    exact=exact,
    looseness=Looseness(lambda m: formula(m) / exact(m), "in step size"),
    tolerance=Tolerance(1e-9, "one symmetric eigenproblem of a few dozen entries"),
)

r"""A minimum that passes the one-step test of USAM is stable in mean square.

One sample a step moves $x$ by $\Phi_i = I - \eta A_i$, $A_i = H_i + \rho H_i^2$. Expanding
$E\,\Phi_i^2 = I - 2\eta(H + \rho M_2) + \eta^2(M_2 + 2\rho M_3 + \rho^2 M_4)$ and completing the
square in $H$ gives the printed matrix, so the test says $T(I) \preceq I$ for
$T(X) = E\,\Phi_i X \Phi_i$. Since $T$ preserves the order, $T^t(I) \preceq I$ for all $t$, and
$E\|x_t\|^2 = x_0'T^t(I)x_0 \le \|x_0\|^2$: mean-square stability, with constant one.
"""

from theory import symbolic
from theory.atoms import loewner, mean_square_stable
from theory.claims._theorem9 import printed_matrix
from theory.core import Claim, Conventions, Kind, Looseness, Notion, Source, Tolerance
from theory.domains import Family

STEPS = 3


def given(m):
    return (loewner(printed_matrix(m), m.I),)


def then(m):
    return (mean_square_stable(m.T),)


def formula(m):
    """One-step growth of E||x||^2 at worst: the largest eigenvalue of the printed matrix."""
    import numpy as np

    return float(np.linalg.eigvalsh(printed_matrix(m))[-1])


def exact(m):
    """Growth of E||x_t||^2 a step, over STEPS steps from the worst start."""
    return worst_start(m)[0] ** (1 / STEPS)


def observe(lab, m):
    """The same from the optimizer itself, over every sequence of samples."""
    from theory.problems.quadratic import quadratic

    seen = lab.enumerate(
        quadratic(hessians=m.samples, weights=m.weights),
        "usam",
        x0=worst_start(m)[1],
        steps=STEPS,
        lr=m.eta,
        rho=m.rho,
    )
    return float(seen.second_moment[-1] ** (1 / STEPS))


def later(m):
    """How many times larger the mean-square critical step is than the one-step one."""
    import math

    from theory.stability.ladder import one_step_edge
    from theory.stability.mean_square import critical
    from theory.stability.steps import listed

    steps = listed(m.weights, m.A)
    one = one_step_edge(steps)
    return math.inf if one is None else critical(steps).value / one


def worst_start(m):
    """The largest eigenvalue of T^STEPS(I) and its unit eigenvector."""
    import numpy as np

    X = m.I
    for _ in range(STEPS):
        X = m.T(X)
    values, vectors = np.linalg.eigh(X)
    return values[-1], vectors[:, -1]


def squares(m):
    X, Phi = symbolic.X, m.T.steps[0]
    return X, X @ Phi - Phi @ X


CLAIM = Claim(
    title="Passing the one-step test is sufficient for mean-square stability",
    statement=r"If $\lambda_{\max}\big((I-\eta H-\eta\rho H^2)^2 + \eta(\eta-2\rho)(M_2-H^2) + "
    r"2\eta^2\rho(M_3-H^3) + \eta^2\rho^2(M_4-H^4)\big) \le 1$ then $E\|x_t\|^2$ stays bounded "
    r"under USAM with step $\eta$, radius $\rho$.",
    source=Source("P1", "Shin et al. 2023, theorem 9, as a sufficient condition", "reconstructed"),
    kind=Kind.SUFFICIENT,
    conventions=Conventions(notion=Notion.MEAN_SQUARE, normalised=False, ascent="any"),
    domain=Family(),
    given=given,
    then=then,
    squares=squares,
    tightest={"factors": [[[1]]], "eta": 1, "rho": 1},
    formula=formula,
    exact=exact,
    observe=observe,
    looseness=Looseness(later, "in step size"),
    tolerance=Tolerance(1e-9, "three products of small matrices; eigenvalues to about 1e-13"),
)

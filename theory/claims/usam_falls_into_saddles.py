r"""USAM falls into a strict saddle exactly if rho |l| > 1 for l < 0 and eta l(1 + rho l) < 2 always.

On a quadratic full-batch USAM multiplies the coordinate of curvature $l$ by $1 - q$, $q = \eta l(1
+ \rho l)$, whatever the sign of $l$, so $x^2$ loses $q(2 - q)x^2$ in a step: it shrinks exactly if
$0 < q < 2$. For $l = -h < 0$, $q = \eta h(\rho h - 1)$ is positive exactly if $\rho h > 1$: then
the climb along the gradient, which downhill of a saddle points back to it, crosses to the other
side, where the gradient points the other way. Gradient descent, $\rho = 0$, leaves every strict
saddle.
"""

from theory.atoms import equal
from theory.core import Claim, Conventions, Kind, Notion, Source, Tolerance
from theory.domains import Scalars

NUDGE = 1e-4  # off the saddle; the cubic terms a central difference leaves are 1e-8 of it, or less


def given(m):
    return ()


def then(m):
    """x^2 - x+^2 = q(2 - q)x^2 at any curvature l; then one below 0, l = -h, and its q."""
    q = m.eta * m.l * (1 + m.rho * m.l)
    pull = m.eta * m.h * (m.rho * m.h - 1)
    return (
        equal(after(m, m.l) ** 2 + 2 * q * m.x**2, (1 + q**2) * m.x**2),
        equal(after(m, -m.h), (1 - pull) * m.x),
    )


def after(m, curvature):
    """x after one step on the loss l x^2/2."""
    climbed = m.x + m.rho * (curvature * m.x)
    return m.x - m.eta * (curvature * climbed)


def formula(m):
    """The step beyond which the saddle's descending direction no longer attracts, rho h > 1."""
    return 2 / (m.h * (m.rho * m.h - 1))


def exact(m):
    """The same as the last step at which the eigenvalues of I - eta(H + rho H^2) are inside [-1, 1]."""
    import numpy as np
    from scipy.optimize import root_scalar

    turn = np.array([[0.6, 0.8], [-0.8, 0.6]])
    H = turn @ np.diag([-m.h, 0.01]) @ turn.T  # the other direction is too flat to matter
    A = H + m.rho * H @ H
    edge = formula(m)

    def growth(eta):
        return -float(np.linalg.eigvalsh(np.eye(2) - eta * A)[0]) - 1

    return root_scalar(growth, bracket=(edge / 2, 2 * edge), rtol=1e-14).root


def observe(lab, m):
    """The same from a simulated step off the saddle 0 of (uv - h)^2/2, with curvatures -h and h."""
    import numpy as np

    from theory.problems.factorization import factorization

    down = np.array([1, 1]) / np.sqrt(2)
    how = {"batch": None, "lr": m.eta, "rho": m.rho}
    run = lab.run(factorization([m.h]), "usam", x0=NUDGE * down, steps=1, **how)
    return 2 * m.eta / (1 - float(down @ run.x[0, 1]) / NUDGE)


CLAIM = Claim(
    title="USAM falls into a strict saddle exactly if ρ|l| > 1 for l < 0 and ηl(1 + ρl) < 2 for all l",
    statement=r"On a quadratic with invertible Hessian full-batch USAM multiplies the coordinate "
    r"along an eigenvalue $l$ of any sign by $1 - q$, $q = \eta l(1 + \rho l)$, with $1 "
    r"- (1 - q)^2 = q(2 - q)$. So a strict saddle attracts it, $\eta > 0$, exactly if "
    r"$\rho > 1/|l|$ for every $l < 0$ and $\eta l(1 + \rho l) < 2$ for every $l$.",
    source=Source("other", "saddles of sharpness-aware minimization, Kim et al. 2023", "our own"),
    kind=Kind.EXACT,
    conventions=Conventions(
        notion=Notion.MEAN, normalised=False, ascent="shared", sampler="full batch"
    ),
    domain=Scalars(
        names=("eta", "rho", "l", "h", "x"),
        start={"eta": (0.1, 0.5), "rho": (1.5, 2.5), "l": (0.5, 2.0), "h": (0.8, 1.5)},
    ),
    given=given,
    then=then,
    control={"eta": "1/2", "rho": 2, "l": 1, "h": 2, "x": 1},
    formula=formula,
    exact=exact,
    observe=observe,
    tolerance=Tolerance(
        1e-6, "a nudge of 1e-4, squared and times cubic coefficients of some tens over 1 - q > 0.02"
    ),
    trusted=(
        "A quadratic is a sum over its eigenvectors; x^2 shrinks by a fixed factor or does not shrink.",
        "q(2 - q) > 0 exactly if 0 < q < 2; q = eta h(rho h - 1) has the sign of rho h - 1.",
    ),
)

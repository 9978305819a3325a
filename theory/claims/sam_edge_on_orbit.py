r"""On its two-cycle, SAM sits exactly at the SAM edge of stability.

Long & Bartlett's edge is $\lambda = \frac{N}{2\rho}\big(\sqrt{1 + 8\rho/(\eta N)} - 1\big)$ with
$N = \|g\|$. Squaring $2\rho\lambda/N + 1 = \sqrt{1 + 8\rho/(\eta N)}$ gives
$\eta(2\rho\lambda + N)^2 = \eta N^2 + 8\rho N$, that is $\eta\lambda(N + \rho\lambda) = 2N$. On the
two-cycle $N = \lambda w$ with $(2 - \eta\lambda)w = \eta\lambda\rho$, and the equation holds
identically: the cycle does not approach the edge, it lies on it.
"""

from theory.atoms import below, equal
from theory.core import Claim, Conventions, Kind, Source, Tolerance
from theory.domains import Scalars


def given(m):
    return (
        below(0, m.eta),
        below(0, m.rho),
        below(0, m.lam),
        below(0, m.w),
        below(m.eta * m.lam, 2),
        equal((2 - m.eta * m.lam) * m.w, m.eta * m.lam * m.rho),
        equal(m.N, m.lam * m.w),
    )


def then(m):
    return (equal(m.eta * (2 * m.rho * m.lam + m.N) ** 2, m.eta * m.N**2 + 8 * m.rho * m.N),)


def width(m):
    """Half the distance between the two points of the cycle."""
    return m.eta * m.lam * m.rho / (2 - m.eta * m.lam)


def formula(m):
    """The SAM edge at gradient norm N."""
    return m.N / (2 * m.rho) * ((1 + 8 * m.rho / (m.eta * m.N)) ** 0.5 - 1)


def exact(m):
    """The sharpness of the quadratic."""
    return m.lam


def observe(lab, m):
    """The edge at the gradient norm that a simulated run has after its first step on the cycle."""
    from types import SimpleNamespace

    import numpy as np

    from theory.problems.quadratic import quadratic

    bowl = quadratic(hessians=np.array([[[m.lam]]]))
    run = lab.run(bowl, "sam", x0=np.array([m.w]), steps=1, lr=m.eta, rho=m.rho)
    N = m.lam * abs(float(run.x[0, 1, 0]))
    return formula(SimpleNamespace(N=N, rho=m.rho, eta=m.eta))


CLAIM = Claim(
    title="On its two-cycle SAM sits exactly at the SAM edge of stability",
    statement=r"Let $0 < \eta\lambda < 2$, $w = \frac{\eta\lambda\rho}{2 - \eta\lambda}$ and "
    r"$N = \lambda w$ the gradient norm on the cycle. Then "
    r"$\lambda = \frac{N}{2\rho}\big(\sqrt{1 + 8\rho/(\eta N)} - 1\big)$.",
    source=Source("other", "Long & Bartlett 2023", "reconstructed"),
    kind=Kind.EXACT,
    conventions=Conventions(normalised=True, ascent="shared", sampler="full batch"),
    domain=Scalars(
        names=("eta", "rho", "lam", "w", "N"),
        start={"eta": (0.1, 1.0), "rho": (0.01, 1.0), "lam": (0.5, 1.8)},
        complete={"w": width, "N": lambda m: m.lam * m.w},
    ),
    given=given,
    then=then,
    control={"eta": 1, "rho": 1, "lam": 1, "w": 2, "N": 2},
    formula=formula,
    exact=exact,
    observe=observe,
    tolerance=Tolerance(1e-9, "the climb adds 1e-12 to a norm of at least 1e-3"),
    trusted=("Both sides of the squared equation are positive, so the root may be taken.",),
)

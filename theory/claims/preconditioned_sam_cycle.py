r"""Behind a fixed preconditioner SAM bounces where lambda_max(P^-1/2 (H + (rho/r) H^2) P^-1/2) = 2/eta.

Let $H$ and $P > 0$ be diagonal, $h$ and $p$ the entries of one coordinate, and $r = \|Hx\|$. SAM's
gradient is $(H + \tfrac\rho rH^2)x$, so that coordinate is multiplied by $1 - \tfrac\eta p(h +
\tfrac\rho rh^2)$: it flips sign exactly at the radius $r$ with $(2p - \eta h)r = \eta\rho h^2$.
Each coordinate with $\eta h < 2p$ has such a radius. At the radius $r$ of one, another, with
entries $k$, $q$ and radius $s$, is multiplied by $m$ with $qr(1 + m) = (2q - \eta k)(r - s)$: it
shrinks if $s < r$ and grows if $s > r$. So the largest radius attracts, which is the $r$ at which
the largest of $(h + \tfrac\rho rh^2)/p$, decreasing in $r$, equals $2/\eta$.
"""

from fractions import Fraction

from theory.atoms import below, equal
from theory.claims._sassha import run
from theory.core import Claim, Conventions, Kind, Source, Tolerance
from theory.domains import Scalars

EPS = Fraction(1, 2)  # the preconditioner simulated is Sassha's, the curvature's root plus this
STEPS = 2000


def given(m):
    """h = a^2, p of the coordinate that bounces at radius r; k = b^2, q and s of the other."""
    return (
        below(0, m.a),
        below(0, m.p),
        below(0, m.q),
        below(0, m.r),
        below(m.eta * m.a**2, 2 * m.p),
        equal((2 * m.p - m.eta * m.a**2) * m.r, m.eta * m.rho * m.a**4),
        equal((2 * m.q - m.eta * m.b**2) * m.s, m.eta * m.rho * m.b**4),
        equal(m.q * m.r * m.mult, m.q * m.r - m.eta * (m.b**2 * m.r + m.rho * m.b**4)),
    )


def then(m):
    """The step from r/h lands on -r/h; the multiplier across."""
    return (
        equal(m.eta * (m.a**2 * m.r + m.rho * m.a**4), 2 * m.p * m.r),
        equal(m.q * m.r * (1 + m.mult), (2 * m.q - m.eta * m.b**2) * (m.r - m.s)),
    )


def radius(m, h, p):
    """||Hx|| on the cycle of a coordinate."""
    return m.eta * m.rho * h**2 / (2 * p - m.eta * h)


def across(m):
    """Factor by which one step scales a small displacement along the other coordinate."""
    return 1 - m.eta * (m.b**2 * m.r + m.rho * m.b**4) / (m.q * m.r)


def formula(m):
    """The radius at which the largest curvature behind the preconditioner is 2/eta."""
    return max(m.r, m.s)


def exact(m):
    """The same, by a root of the largest eigenvalue of P^-1/2 (H + (rho/r) H^2) P^-1/2 - 2/eta."""
    import numpy as np
    from scipy.optimize import root_scalar

    H, root = np.diag([m.a**2, m.b**2]), np.diag([m.p**-0.5, m.q**-0.5])

    def excess(r):
        return float(np.linalg.eigvalsh(root @ (H + m.rho / r * H @ H) @ root)[-1]) - 2 / m.eta

    ends = (min(m.r, m.s) / 2, 2 * max(m.r, m.s))
    return root_scalar(excess, bracket=ends, xtol=1e-15, rtol=1e-14).root


def observe(lab, m):
    """The gradient's norm late in a simulation of Sassha, whose preconditioner stays put here."""
    import numpy as np

    curvatures = np.array([m.a**2, m.b**2])
    seen = run(lab, curvatures, (0.7, -0.4), steps=STEPS, lr=m.eta, rho=m.rho, eps=float(EPS))
    return float(np.linalg.norm(curvatures * seen.x[0, -1]))


CLAIM = Claim(
    title="Behind a fixed preconditioner SAM bounces where λmax(P⁻½(H + (ρ/r)H²)P⁻½) = 2/η",
    statement=r"Let $H$ and $P \succ 0$ be diagonal, SAM's step be $x - \eta P^{-1}g$. A "
    r"coordinate with entries $h$, $p$ bounces at $\|Hx\| = r$ exactly when $(2p - \eta "
    r"h)r = \eta\rho h^2$; there another one, with entries $k$, $q$ and radius $s$, is "
    r"multiplied by $m$ with $qr(1 + m) = (2q - \eta k)(r - s)$. The largest radius, the "
    r"attracting one, solves $\lambda_{\max}\big(P^{-1/2}(H + \frac\rho "
    r"rH^2)P^{-1/2}\big) = 2/\eta$.",
    source=Source("other", "Bartlett, Long & Bousquet 2023 for P = I", "our own"),
    kind=Kind.EXACT,
    conventions=Conventions(normalised=True, ascent="shared", sampler="full batch"),
    domain=Scalars(
        names=("eta", "rho", "a", "b", "p", "q", "r", "s", "mult"),
        start={"eta": (0.2, 0.8), "rho": (0.05, 1.0), "a": (1.1, 1.4), "b": (0.4, 0.9)},
        complete={
            "p": lambda m: m.a + EPS,
            "q": lambda m: m.b + EPS,
            "r": lambda m: radius(m, m.a**2, m.p),
            "s": lambda m: radius(m, m.b**2, m.q),
            "mult": across,
        },
    ),
    given=given,
    then=then,
    control={
        "eta": 1,
        "rho": 1,
        "a": 1,
        "b": 1,
        "p": 1,
        "q": 1,
        "r": 2,
        "s": 1,
        "mult": 0,
    },
    formula=formula,
    exact=exact,
    observe=observe,
    trusted=(
        (
            "The stated multiplier is the derivative of the step across the cycle: to first order a "
            "displacement across it leaves the norm of the gradient unchanged."
        ),
        "The largest of (h + rho h^2/r)/p decreases in r, so it is 2/eta at the largest radius.",
    ),
    tolerance=Tolerance(
        1e-9,
        "the slowest multiplier in the start box is 0.97, and 0.97^2000 is 1e-26; 1e-12 is added to a "
        "norm of 5e-3 at least",
    ),
)

r"""In a plane of equal curvature M-Sassha goes round the minimum on a circle.

Write the plane as complex numbers, $n = m/\lambda$, $a = \eta\lambda/(\sqrt\lambda + \varepsilon)$
and $\kappa = 1 - \eta w$. A turn by $E = e^{i\varphi}$ each step, $x_t = XE^t$, $n_t = NE^t$ with
$N > 0$, climbs along $E^{t-1}$, so $N(E - \beta) = (1 - \beta)(XE + \rho)$ and $X(E - \kappa) =
-aN$. Inserting $X$, the imaginary part says $|E - \kappa|^2 = (1 - \beta)a\kappa$, that is
$2\kappa\cos\varphi = 1 + \kappa^2 - (1 - \beta)a\kappa$, and the real part $N(1 - \beta\kappa) = (1
- \beta)\kappa\rho$. Hence $|X|^2 = a^2N^2/|E - \kappa|^2 = aN^2/((1 - \beta)\kappa)$, and $|X| =
\rho\sqrt{(1 - \beta)a\kappa}/(1 - \beta\kappa)$; without decay $N = \rho$, $|X| = \rho\sqrt{a/(1 -
\beta)}$ and $\sin(\varphi/2) = \tfrac12\sqrt{(1 - \beta)a}$. In the atoms $C + iS = E$, tied by $t
= \tan(\varphi/2)$, and $X = u + iv$.
"""

from theory.atoms import below, equal
from theory.core import Claim, Conventions, Kind, Source, Tolerance
from theory.domains import Scalars

STEPS = 3000


def given(m):
    gap = m.C - m.kappa
    return (
        below(0, m.kappa),
        below(0, gap**2 + m.S**2),
        equal(m.C**2 + m.S**2, 1),
        equal(m.S * (1 + m.t**2), 2 * m.t),
        equal(m.a * (1 - m.beta) * m.kappa, 1 + m.kappa**2 - 2 * m.kappa * m.C),
        equal(m.N * (1 - m.beta * m.kappa), (1 - m.beta) * m.kappa * m.rho),
        equal(m.u * gap - m.v * m.S, -m.a * m.N),
        equal(m.v * gap, -m.u * m.S),
    )


def then(m):
    climbed, across = m.u * m.C - m.v * m.S + m.rho, m.u * m.S + m.v * m.C
    return (
        equal(m.beta * m.N + (1 - m.beta) * climbed, m.N * m.C),
        equal((1 - m.beta) * across, m.N * m.S),
        equal((1 - m.beta) * m.kappa * (m.u**2 + m.v**2), m.a * m.N**2),
    )


def turn(m):
    """E, from t."""
    return (1 - m.t**2) / (1 + m.t**2), 2 * m.t / (1 + m.t**2)


def place(m):
    """X = -aN/(E - kappa), as a pair."""
    gap = m.C - m.kappa
    scale = -m.a * m.N / (gap**2 + m.S**2)
    return scale * gap, -scale * m.S


def formula(m):
    """The radius of the circle."""
    return m.rho * (m.a * (1 - m.beta) * m.kappa) ** 0.5 / (1 - m.beta * m.kappa)


def exact(m):
    """The same from the two complex equations, solved numerically for X, N and the angle."""
    import cmath

    from scipy.optimize import root_scalar

    def ratio(angle):
        E = cmath.exp(1j * angle)
        return (E - m.beta + (1 - m.beta) * m.a * E / (E - m.kappa)) / ((1 - m.beta) * m.rho)

    # 1/N must be real: between no turn and half a turn its imaginary part changes sign once
    angle = root_scalar(lambda angle: ratio(angle).imag / angle, bracket=(1e-6, 3.141592)).root
    return m.a / ratio(angle).real / abs(cmath.exp(1j * angle) - m.kappa)


def observe(lab, m):
    """The distance from the minimum after STEPS steps, the first of them on an uneven bowl.

    On the even one alone x, m and the climb would stay on one line through the minimum.
    """
    import numpy as np

    from theory.problems._bowls import bowls

    seen = lab.run(
        bowls([np.diag([1.0, 3.0]), np.eye(2)]),
        "msassha",
        x0=np.array([1.0, 0.5]),
        indices=np.minimum(np.arange(STEPS), 1)[None, :, None],
        lr=m.a,
        rho=m.rho,
        beta1=m.beta,
        beta2=0.0,
        eps=0.0,
        weight_decay=(1 - m.kappa) / m.a,
        lazy_hessian=1,
        diagonal="exact",
    )
    return float(np.linalg.norm(seen.x[0, -1]))


CLAIM = Claim(
    title="In a plane of equal curvature M-Sassha circles the minimum, at a known radius",
    statement=r"On $f = \frac12\lambda\|x\|^2$ in the plane M-Sassha with exact diagonal has a "
    r"cycle that turns by $\varphi$ each step, $2\kappa\cos\varphi = 1 + \kappa^2 - (1 - "
    r"\beta_1)a\kappa$, at the distance $\rho\frac{\sqrt{(1 - \beta_1)a\kappa}}{1 - "
    r"\beta_1\kappa}$, $a = \frac{\eta\lambda}{\sqrt\lambda + \varepsilon}$, $\kappa = 1 - \eta w "
    r"> 0$: $\rho\sqrt{\frac{a}{1 - \beta_1}}$ without decay.",
    source=Source("P2", "Shin et al. 2025, M-Sassha", "our own"),
    kind=Kind.EXACT,
    conventions=Conventions(
        normalised=True,
        ascent="shared",
        sampler="full batch",
        bias_correction="bias correction over",
    ),
    domain=Scalars(
        names=("rho", "beta", "kappa", "t", "C", "S", "a", "N", "u", "v"),
        start={"rho": (0.01, 1.0), "beta": (0.0, 0.9), "kappa": (0.9, 1.0), "t": (0.2, 1.0)},
        complete={
            "C": lambda m: turn(m)[0],
            "S": lambda m: turn(m)[1],
            "a": lambda m: (1 + m.kappa**2 - 2 * m.kappa * m.C) / ((1 - m.beta) * m.kappa),
            "N": lambda m: (1 - m.beta) * m.kappa * m.rho / (1 - m.beta * m.kappa),
            "u": lambda m: place(m)[0],
            "v": lambda m: place(m)[1],
        },
    ),
    given=given,
    then=then,
    control={
        "rho": 1,
        "beta": 0,
        "kappa": 1,
        "t": 1,
        "C": 0,
        "S": 1,
        "a": 2,
        "N": 1,
        "u": 1,
        "v": 0,
    },
    formula=formula,
    exact=exact,
    observe=observe,
    tolerance=Tolerance(
        1e-9, "the slowest settling seen in the start box takes a few hundred steps"
    ),
)

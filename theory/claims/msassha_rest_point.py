r"""With weight decay M-Sassha comes to rest beside the minimum, nearly the climb's length away.

It climbs along the average $m$ of the gradients before. On $f(x) = \tfrac12\lambda x^2$ with $m >
0$ the climb ends at $x + \rho$; $m$ keeps its value when $m = \lambda(x + \rho)$, and $x$ when
$m/(\sqrt\lambda + \varepsilon) = -wx$. With $b = \lambda/(\sqrt\lambda + \varepsilon)$ both hold at
$x = -\rho b/(b + w)$, $m = \lambda\rho w/(b + w) > 0$: the climb points from $x$ through the
minimum to the other side, where the gradient still pulls it back against the decay. The mirror
image rests too. While $m$ keeps its sign the climb is a constant, so nearby points follow the roots
of `sassha_momentum_edge` with $b$ for $q$: the point attracts exactly when $\eta b < (2 - \eta w)(1
+ \beta)/(1 - \beta)$. As $w \to 0$ it tends to $-\rho$ and $m$ to 0: see `msassha_cycle` for what
is left then. All this is along one coordinate: where there are more, a small $m$ is easily turned
(`msassha_circle`). In the atoms $\lambda = r^2$.
"""

from theory.atoms import below, equal
from theory.claims._sassha import preconditioned, run
from theory.core import Claim, Conventions, Kind, Source, Tolerance
from theory.domains import Scalars

STEPS = 2000


def given(m):
    root = m.r + m.eps
    return (
        below(0, root),
        below(0, m.w + m.b),
        below(0, m.m),
        equal(root * m.b, m.r**2),
        equal((m.b + m.w) * m.x, -m.rho * m.b),
        equal((m.b + m.w) * m.m, m.r**2 * m.rho * m.w),
        equal(root * m.step, average(m)),
    )


def then(m):
    return (
        equal(average(m), m.m),
        equal(m.x - m.eta * m.step - m.eta * m.w * m.x, m.x),
    )


def average(m):
    """The average of gradients after one more, taken where a climb to the right ends."""
    return m.beta * m.m + (1 - m.beta) * m.r**2 * (m.x + m.rho)


def place(m):
    """Where M-Sassha rests, for m > 0."""
    b = preconditioned(m.r, m.eps)
    return -m.rho * b / (b + m.w)


def exact(m):
    """The zero of the step as a function of x, with m as it is at rest there."""
    from scipy.optimize import root_scalar

    def step(x):
        return m.r**2 * (x + m.rho) / (m.r + m.eps) + m.w * x

    return root_scalar(step, bracket=(-m.rho, 0.0), xtol=1e-15).root


def observe(lab, m):
    """Where STEPS simulated steps from the right of the minimum end."""
    how = {"lr": m.eta, "rho": m.rho, "eps": m.eps, "weight_decay": m.w, "beta1": m.beta}
    seen = run(lab, (m.r**2,), (m.rho,), steps=STEPS, optimizer="msassha", **how)
    return float(seen.x[0, -1, 0])


CLAIM = Claim(
    title="With weight decay M-Sassha rests beside the minimum, at −ρb/(b + w)",
    statement=r"On $f = \frac12\lambda x^2$ M-Sassha with exact diagonal and decay $w > 0$ rests "
    r"at $x = \mp\frac{\rho b}{b + w}$, $b = \frac{\lambda}{\sqrt\lambda + \varepsilon}$, with "
    r"the average gradient $m = \pm\frac{\lambda\rho w}{b + w}$ pointing across the minimum; the "
    r"point attracts exactly when $\eta b < (2 - \eta w)\frac{1 + \beta_1}{1 - \beta_1}$.",
    source=Source("P2", "Shin et al. 2025, M-Sassha", "our own"),
    kind=Kind.EXACT,
    conventions=Conventions(
        normalised=True,
        ascent="shared",
        sampler="full batch",
        bias_correction="bias correction over",
    ),
    domain=Scalars(
        names=("eta", "rho", "w", "eps", "r", "beta", "b", "x", "m", "step"),
        start={
            "eta": (0.05, 0.2),
            "rho": (0.01, 1.0),
            "w": (0.2, 1.0),
            "eps": (0.0, 0.5),
            "r": (0.5, 1.5),
            "beta": (0.1, 0.5),
        },
        complete={
            "b": lambda m: preconditioned(m.r, m.eps),
            "x": place,
            "m": lambda m: m.r**2 * m.rho * m.w / (m.b + m.w),
            "step": lambda m: average(m) / (m.r + m.eps),
        },
    ),
    given=given,
    then=then,
    control={
        "eta": 1,
        "rho": 1,
        "w": 1,
        "eps": 0,
        "r": 1,
        "beta": 0,
        "b": 1,
        "x": "1/2",
        "m": "1/2",
        "step": "3/2",
    },
    formula=place,
    exact=exact,
    observe=observe,
    tolerance=Tolerance(1e-9, "m is at least 1e-3, against the 1e-12 added to its norm"),
    trusted=(
        "Near the point the step is affine, its roots those of the claim `sassha_momentum_edge`.",
    ),
)

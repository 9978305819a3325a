r"""With weight decay Sassha converges to a point between the minimum and zero, at a known rate.

On $f(x) = \tfrac12h(x - c)^2$ with $\rho \to 0$ the step is $x^+ = x - \eta b(x - c) - \eta wx$, $b
= h/(\sqrt h + \varepsilon)$: affine, with the fixed point $x_* = bc/(b + w) = hc/(h + w(\sqrt h +
\varepsilon))$, and $x^+ - x_* = (1 - \eta(w + b))(x - x_*)$. Steps with $\sum\eta_t = \infty$ reach
it, and it is the minimum of $f$ plus $\tfrac w2(\sqrt h + \varepsilon)x^2$. In the atoms $h = r^2$.
"""

from theory.atoms import below, equal
from theory.claims._sassha import preconditioned, run
from theory.core import Claim, Conventions, Kind, Source, Tolerance
from theory.domains import Scalars

STEPS = 400


def given(m):
    root = m.r + m.eps
    return (
        below(0, root),
        equal(root * m.b, m.r**2),
        equal((m.r**2 + m.w * root) * m.limit, m.r**2 * m.c),
        equal(root * m.step, m.r**2 * (m.x - m.c)),
    )


def then(m):
    after = m.x - m.eta * m.step - m.eta * m.w * m.x
    return (equal(after - m.limit, (1 - m.eta * (m.w + m.b)) * (m.x - m.limit)),)


def formula(m):
    """The limit."""
    return m.r**2 * m.c / (m.r**2 + m.w * (m.r + m.eps))


def exact(m):
    """The minimum of f plus the loss that decay stands for, found numerically."""
    from scipy.optimize import root_scalar

    pull = m.w * (m.r + m.eps)
    far = 2 * m.c
    return root_scalar(lambda x: m.r**2 * (x - m.c) + pull * x, bracket=(0.0, far), xtol=1e-15).root


def observe(lab, m):
    """Where STEPS simulated steps from x end."""
    how = {"lr": m.eta, "eps": m.eps, "weight_decay": m.w}
    return float(run(lab, (m.r**2,), (m.x,), steps=STEPS, centre=m.c, **how).x[0, -1, 0])


CLAIM = Claim(
    title="With weight decay Sassha converges to hc/(h + w(√h + ε))",
    statement=r"On $f = \frac12h(x - c)^2$ Sassha with decay $w$, exact diagonal, no averages and "
    r"$\rho \to 0$ multiplies the distance from $x_* = \frac{hc}{h + w(\sqrt h + \varepsilon)}$ "
    r"by $1 - \eta\big(w + \frac{h}{\sqrt h + \varepsilon}\big)$ a step.",
    source=Source("P2", "Shin et al. 2025, convergence, read with weight decay", "our own"),
    kind=Kind.EXACT,
    conventions=Conventions(
        normalised=True,
        ascent="shared",
        sampler="full batch",
        bias_correction="no averages to correct",
    ),
    domain=Scalars(
        names=("eta", "w", "eps", "r", "c", "x", "b", "limit", "step"),
        start={
            "eta": (0.2, 0.8),
            "w": (0.01, 0.5),
            "eps": (0.01, 0.5),
            "r": (0.7, 1.5),
            "c": (0.1, 2.0),
            "x": (-2.0, 2.0),
        },
        complete={
            "b": lambda m: preconditioned(m.r, m.eps),
            "limit": formula,
            "step": lambda m: m.b * (m.x - m.c),
        },
    ),
    given=given,
    then=then,
    control={
        "eta": 1,
        "w": 1,
        "eps": 0,
        "r": 1,
        "c": 1,
        "x": 1,
        "b": 1,
        "limit": 1,
        "step": 1,
    },
    formula=formula,
    exact=exact,
    observe=observe,
    tolerance=Tolerance(1e-9, "a step contracts by 0.92 or better, and 0.92^400 is 3e-15"),
    repairs="sassha_converges_with_decay",
)

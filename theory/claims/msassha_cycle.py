r"""Without decay M-Sassha swings about the minimum, p steps to one side and p to the other.

On $f(x) = \tfrac12\lambda x^2$ let $n = m/\lambda$ and $a = \eta\lambda/(\sqrt\lambda +
\varepsilon)$. While $n > 0$ the climb is $\rho$ and $y = x + \rho$ follows a linear map $M$: $n^+ =
\beta n + (1 - \beta)y$, $y^+ = y - an^+$, with the roots of $z^2 - \tau z + \beta$, $\tau = 1 +
\beta - a(1 - \beta)$. For $a \le (1 - \sqrt\beta)/(1 + \sqrt\beta)$ they are positive, $n$ keeps
its sign and $x$ tends to $-\rho$, climbing to the minimum from there (until rounding, or the 1e-12
added to the norm of $m$, loosens the climb). Beyond, $n$ turns, and with it the climb: $x$ stays,
$y$ becomes $y - 2\rho$. Runs of $p$ steps, each the mirror image of the last, start at $(y, n)$
with $M^p(y, n) = (2\rho - y, -n)$. By Cayley and Hamilton $M^p = UM - V$, $U = U_{p-1}$, $V = \beta
U_{p-2}$, $U_{k+1} = \tau U_k - \beta U_{k-1}$, so $y\Delta = 2\rho(1 - V + \beta U)$, $n\Delta =
-2\rho(1 - \beta)U$, $\Delta = \det(I + M^p) > 0$. As $n > 0$, $p$ is the first power at which
$U_{p-1} < 0$; $U_0 = 1$, so it never bounces to and fro each step as Sassha does. The run is over
after $p$ steps and not before if $n$ is positive one step earlier. An error is multiplied by $M^p$
a run and shrinks like $\beta^{p/2}$; near the edge of `sassha_momentum_edge` wider cycles attract
other starts.
"""

from theory.atoms import below, equal
from theory.claims._sassha import run
from theory.core import Claim, Conventions, Kind, Source, Tolerance
from theory.domains import Scalars

LONGEST = 60  # steps of a run; where there are more the roots are positive, or nearly
STEPS = 800


def given(m):
    return (
        below(0, m.rho),
        below(0, determinant(m)),
        equal(m.y * determinant(m), 2 * m.rho * (1 - m.V + m.beta * m.U)),
        equal(m.n * determinant(m), -2 * m.rho * (1 - m.beta) * m.U),
        below(0, m.n),
        # beta times n one step before the run ends, by one step back from its end
        below(0, -(1 - m.beta) * (2 * m.rho - m.y) - (1 - m.a * (1 - m.beta)) * m.n),
    )


def then(m):
    average = m.beta * m.n + (1 - m.beta) * m.y
    return (
        equal(m.U * (m.y - m.a * average) - m.V * m.y, 2 * m.rho - m.y),
        equal(m.U * average - m.V * m.n, -m.n),
    )


def trace(m):
    """tau, the sum of the roots."""
    return 1 + m.beta - m.a * (1 - m.beta)


def determinant(m):
    """det(I + M^p)."""
    return (1 - m.V) ** 2 + (1 - m.V) * m.U * trace(m) + m.beta * m.U**2


def powers(m):
    """(p, U_{p-1}, beta U_{p-2}) for the first p with U_{p-1} < 0."""
    before, now = 0, 1
    for p in range(1, LONGEST):
        if now < 0:
            return p, now, m.beta * before
        before, now = now, trace(m) * now - m.beta * before
    raise ValueError("the average of gradients does not turn")


def formula(m):
    """The largest distance from the minimum, from the complex root z."""
    p = powers(m)[0]
    z = complex(trace(m) / 2, (m.beta - trace(m) ** 2 / 4) ** 0.5)
    parts = (((1 - z.conjugate()) * z ** (t + 1) / (1 + z**p)).imag for t in range(p))
    return max(m.rho * abs(2 * part / z.imag - 1) for part in parts)


def exact(m):
    """The same by linear algebra, p from the angle of the root."""
    import numpy as np

    step = np.array([[1 - m.a * (1 - m.beta), -m.a * m.beta], [1 - m.beta, m.beta]])
    p = int(np.pi / np.abs(np.angle(np.linalg.eigvals(step))).max()) + 1
    start = np.linalg.solve(np.eye(2) + np.linalg.matrix_power(step, p), [2 * m.rho, 0])
    y = [(np.linalg.matrix_power(step, t) @ start)[0] for t in range(p)]
    return float(np.abs(np.array(y) - m.rho).max())


def observe(lab, m):
    """The same from the last run of a simulation."""
    seen = run(
        lab, (1.0,), (m.rho,), steps=STEPS, optimizer="msassha", lr=m.a, rho=m.rho, beta1=m.beta
    )
    return float(abs(seen.x[0, -powers(m)[0] :, 0]).max())


CLAIM = Claim(
    title="M-Sassha swings about the minimum in runs of p steps, with a known amplitude",
    statement=r"On $f = \frac12\lambda x^2$ M-Sassha with exact diagonal and no decay, $a = "
    r"\frac{\eta\lambda}{\sqrt\lambda + \varepsilon}$, has the cycle $x_t = "
    r"\rho\big(\frac{2}{\mathrm{Im} z}\mathrm{Im}\frac{(1 - \bar z)z^{t+1}}{1 + z^p} - 1\big)$, "
    r"$t = 0, \ldots, p$, $x_{t+p} = -x_t$, with $z^2 - (1 + \beta_1 - a(1 - \beta_1))z + \beta_1 "
    r"= 0$, $p$ the first power at which $\mathrm{Im} z^p < 0$, provided that $m$ does not turn "
    r"within a run; it attracts nearby starts.",
    source=Source("P2", "Shin et al. 2025, M-Sassha", "our own"),
    kind=Kind.EXACT,
    conventions=Conventions(
        normalised=True,
        ascent="shared",
        sampler="full batch",
        bias_correction="bias correction over",
    ),
    domain=Scalars(
        names=("rho", "beta", "a", "U", "V", "y", "n"),
        start={"rho": (0.01, 1.0), "beta": (0.3, 0.8), "a": (0.6, 1.5)},
        complete={
            "U": lambda m: powers(m)[1],
            "V": lambda m: powers(m)[2],
            "y": lambda m: 2 * m.rho * (1 - m.V + m.beta * m.U) / determinant(m),
            "n": lambda m: -2 * m.rho * (1 - m.beta) * m.U / determinant(m),
        },
    ),
    given=given,
    then=then,
    control={"rho": 1, "beta": 0, "a": "3/2", "U": "-1/2", "V": 0, "y": 1, "n": 1},
    formula=formula,
    exact=exact,
    observe=observe,
    tolerance=Tolerance(
        1e-9, "errors shrink like beta^(t/2), 0.9^800; 1e-12 in the norm of m > 0.01"
    ),
    trusted=(
        "M^p = UM - V (Cayley and Hamilton).",
        (
            "n keeps its sign within a run if it has it at both ends: it is a sinusoid over less than "
            "half a turn, times a positive factor."
        ),
    ),
)

r"""On a line SAM ends in its two-cycle from every start.

In units of $\lambda = 1$ and with $e = \eta$, a step takes a distance $x$ from the
minimum to $y = |x - e(x + \rho)|$, and the width $w = e\rho/(2 - e)$ to itself. Once the sign flips
every step $y - w = (e - 1)(x - w)$. Where it does not flip, $x > e\rho/(1 - e)$, so $x - w > w$,
and $y$ lies between 0 and $x$. Either way $|y - w| < |x - w|$: every step but those from the cycle
itself comes closer. In more dimensions the cycle of the largest eigenvalue attracts nearby points
(`sam_two_cycle_attracts`) and, by Bartlett, Long & Bousquet 2023, almost every start.
"""

from theory.atoms import at_most, below, equal
from theory.core import Claim, Conventions, Kind, Source, Tolerance
from theory.domains import Scalars

STEPS = 4000


def given(m):
    """x and y are the distances before and after one step on the line of the cycle."""
    return (
        below(0, m.e),
        below(m.e, 2),
        below(0, m.rho),
        below(0, m.x),
        at_most(0, m.y),
        equal((2 - m.e) * m.w, m.e * m.rho),
        equal(m.y**2, (m.x - m.e * (m.x + m.rho)) ** 2),
        below(0, (m.x - m.w) ** 2),
    )


def then(m):
    return (below((m.y - m.w) ** 2, (m.x - m.w) ** 2),)


def lemmas(m):
    """y is the size of what the step leads to, whichever its sign."""
    after = m.x - m.e * (m.x + m.rho)
    return at_most(-after, m.y), at_most(after, m.y)


def width(m):
    """Where SAM stands once it has settled, at lambda = 1."""
    return m.e * m.rho / (2 - m.e)


def exact(m):
    """The fixed point of |x| -> e (|x| + rho) - |x|, found numerically."""
    from scipy.optimize import root_scalar

    far = 2 * m.e * m.rho / (2 - m.e)
    return root_scalar(lambda x: m.e * (x + m.rho) - 2 * x, bracket=(0.0, far), xtol=1e-15).root


def observe(lab, m):
    """Distance from the minimum after STEPS steps on a line."""
    import numpy as np

    from theory.problems.quadratic import quadratic

    bowl = quadratic(hessians=np.eye(1)[None])
    run = lab.run(bowl, "sam", x0=np.array([m.x]), steps=STEPS, lr=m.e, rho=m.rho)
    return float(np.linalg.norm(run.x[0, -1]))


CLAIM = Claim(
    title="On a line SAM settles into its two-cycle from every start",
    statement=r"Let $f(x) = \frac12\lambda x^2$ on a line, $0 < \eta\lambda < 2$ and $x_0 \ne 0$. "
    r"Every step of SAM from a point off the two-cycle $\pm w$, $w = \frac{\eta\lambda\rho}{2 - "
    r"\eta\lambda}$, comes closer to it, and SAM tends to it.",
    source=Source("other", "Bartlett, Long & Bousquet 2023", "reconstructed"),
    kind=Kind.ASYMPTOTIC,
    conventions=Conventions(normalised=True, ascent="shared", sampler="full batch"),
    domain=Scalars(
        names=("e", "rho", "x", "w", "y"),
        start={"e": (0.1, 1.9), "rho": (0.01, 1.0), "x": (0.1, 2.0)},
        complete={"w": width, "y": lambda m: abs(m.x - m.e * (m.x + m.rho))},
    ),
    given=given,
    then=then,
    lemmas=lemmas,
    tightest={"e": "1/10000", "rho": 1, "x": 1, "w": "1/19999", "y": "4999/5000"},
    formula=width,
    exact=exact,
    observe=observe,
    tolerance=Tolerance(1e-9, "the error falls by |1 - e| <= 0.9 a step, and 0.9^4000 is 1e-183"),
    trusted=(
        (
            "A step that keeps the sign lowers x by at least e rho, so after finitely many the sign "
            "flips for ever, and the distance to the cycle falls by |1 - e| at each step."
        ),
    ),
    repairs="normalised_sam_rate",
)

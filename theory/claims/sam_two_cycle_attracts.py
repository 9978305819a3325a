r"""SAM's two-cycle along the largest eigenvalue attracts from across: its multiplier is within (-1, 1).

With $e = \eta\lambda \in (0, 2)$ and $r = \mu/\lambda \in (0, 1)$ one step multiplies a small
displacement along an eigenvector of eigenvalue $\mu$ by $m = 1 - er - r^2(2 - e)$
(`sam_two_cycle`). $1 - m = er + r^2(2 - e) > 0$ and $1 + m = (1 - r)(2 + r(2 - e)) > 0$. As $r \to
1$ the multiplier tends to $-1$, so the bound cannot be improved, and for $r > 1$ it is passed: the
cycles of smaller eigenvalues repel.
"""

from theory.atoms import below
from theory.core import Claim, Conventions, Kind, Source, Tolerance
from theory.domains import Scalars

NUDGE = 1e-5  # across the cycle; central differences leave its square


def given(m):
    return below(0, m.e), below(m.e, 2), below(0, m.r), below(m.r, 1)


def then(m):
    return (below(multiplier(m) ** 2, 1),)


def lemmas(m):
    """1 - m and 1 + m are positive."""
    return (
        below(0, m.e * m.r + m.r**2 * (2 - m.e)),
        below(0, (1 - m.r) * (2 + m.r * (2 - m.e))),
    )


def multiplier(m):
    """Factor a step of a small displacement across the cycle, r the ratio of the eigenvalues."""
    return 1 - m.e * m.r - m.r**2 * (2 - m.e)


def formula(m):
    """The bound on the multiplier's size."""
    return 1.0


def exact(m):
    """The multiplier's size by central differences of a step of the definition, at lambda = rho = 1."""
    import numpy as np

    H, w = np.array([1.0, m.r]), m.e / (2 - m.e)

    def after(nudge):
        x = np.array([w, nudge])
        return x - m.e * H * (x + H * x / np.linalg.norm(H * x))

    return abs(float(after(NUDGE * w)[1] - after(-NUDGE * w)[1]) / (2 * NUDGE * w))


def observe(lab, m):
    """The same from two simulated steps."""
    import numpy as np

    from theory.problems.quadratic import quadratic

    w, bowl = m.e / (2 - m.e), quadratic(hessians=np.diag([1.0, m.r])[None])
    starts = w * np.array([[1, NUDGE], [1, -NUDGE]])
    how = {"batch": None, "lr": m.e, "rho": 1.0, "runs": 2}
    x = lab.run(bowl, "sam", x0=starts, steps=1, **how).x[:, 1, 1]
    return abs(float(x[0] - x[1]) / (2 * NUDGE * w))


CLAIM = Claim(
    title="SAM's two-cycle along the largest eigenvalue attracts across",
    statement=r"Let $0 < \eta\lambda < 2$ and $0 < \mu < \lambda$. The multiplier of SAM's "
    r"two-cycle along $\lambda$ across an eigenvector of eigenvalue $\mu$, $1 - \eta\mu "
    r"- (\mu/\lambda)^2(2 - \eta\lambda)$, is between $-1$ and $1$.",
    source=Source("other", "Bartlett, Long & Bousquet 2023", "reconstructed"),
    kind=Kind.UPPER_BOUND,
    conventions=Conventions(normalised=True, ascent="shared", sampler="full batch"),
    domain=Scalars(names=("e", "r"), start={"e": (0.1, 1.9), "r": (0.1, 0.9)}),
    given=given,
    then=then,
    lemmas=lemmas,
    tightest={"e": 1, "r": "9999/10000"},
    formula=formula,
    exact=exact,
    observe=observe,
    tolerance=Tolerance(
        1e-8,
        "where both are compared: rounding of 1e-16 over a nudge of 1e-6, and its square of 1e-12",
    ),
    trusted=("The multiplier is the derivative of the step across the cycle (`sam_two_cycle`).",),
)

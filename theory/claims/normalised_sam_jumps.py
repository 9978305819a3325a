r"""No minimum is linearly stable for normalised SAM: one step grows small x by any factor C.

On $f(x) = \tfrac12\lambda x^2$ a step from $x > 0$ lands at $(1 - \eta\lambda)x - \eta\lambda\rho$.
At $x = \eta\lambda\rho/(C + 1 - \eta\lambda)$, which is positive for $C > \eta\lambda - 1$, the
last term is $(C + 1 - \eta\lambda)x$ and the step lands at $-Cx$. So $|x_1|/|x_0|$ has no bound as
$x_0 \to 0$, and $E\|x_t\|^2 \le C\|x_0\|^2$, the definition of linear stability, holds with no
constant: neither it nor what follows from it can be said of the optimizer people run. Its iterates
stay bounded all the same: they end in a two-cycle (`sam_reaches_two_cycle`).
"""

from theory.atoms import below, equal
from theory.core import Claim, Conventions, Kind, Source, Tolerance
from theory.domains import Scalars


def given(m):
    return (
        below(0, m.eta),
        below(0, m.rho),
        below(0, m.lam),
        below(0, m.x),
        below(m.eta * m.lam - 1, m.C),
        equal((m.C + 1 - m.eta * m.lam) * m.x, m.eta * m.lam * m.rho),
    )


def then(m):
    return (equal(m.eta * m.lam * (m.x + m.rho) - m.x, m.C * m.x),)


def start(m):
    """Where one step multiplies x by -C."""
    return m.eta * m.lam * m.rho / (m.C + 1 - m.eta * m.lam)


def formula(m):
    """The growth of |x| in one step."""
    return m.C


def exact(m):
    """The same from the loss after one step of the definition, in two dimensions at once."""
    import numpy as np

    turn = np.array([0.6, 0.8])
    H, x = m.lam * np.outer(turn, turn), start(m) * turn
    g = H @ x
    after = x - m.eta * H @ (x + m.rho * g / np.linalg.norm(g))
    return float(np.linalg.norm(after) / np.linalg.norm(x))


def observe(lab, m):
    """The same from one simulated step."""
    import numpy as np

    from theory.problems.quadratic import quadratic

    bowl = quadratic(hessians=np.array([[[m.lam]]]))
    how = {"batch": None, "lr": m.eta, "rho": m.rho}
    x = lab.run(bowl, "sam", x0=np.array([start(m)]), steps=1, **how).x[0, :, 0]
    return float(-x[1] / x[0])


CLAIM = Claim(
    title="One step of normalised SAM grows a small x by any factor: no minimum is linearly stable",
    statement=r"On $f(x) = \frac12\lambda x^2$, for every $C > \eta\lambda - 1$ normalised SAM "
    r"maps $x = \frac{\eta\lambda\rho}{C + 1 - \eta\lambda}$ to $-Cx$; so "
    r"$\|x_1\|/\|x_0\|$ is unbounded as $x_0 \to 0$ and no $C$ gives $\|x_1\|^2 \le "
    r"C\|x_0\|^2$ for all $x_0$.",
    source=Source("P1", "Shin et al. 2023, linear stability, for normalised SAM", "our own"),
    kind=Kind.EXACT,
    conventions=Conventions(normalised=True, ascent="shared", sampler="full batch"),
    domain=Scalars(
        names=("eta", "rho", "lam", "C", "x"),
        start={"eta": (0.1, 1.0), "rho": (0.1, 1.0), "lam": (0.5, 1.8), "C": (1.0, 1000.0)},
        complete={"x": start},
    ),
    given=given,
    then=then,
    control={"eta": 1, "rho": 1, "lam": 1, "C": 2, "x": 1},
    formula=formula,
    exact=exact,
    observe=observe,
    tolerance=Tolerance(
        1e-7, "the climb falls short by 1e-12 over the gradient's norm, which is 1e-5 at least"
    ),
    repairs="normalised_sam_one_step",
)

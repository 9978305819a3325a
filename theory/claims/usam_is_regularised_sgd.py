r"""On a quadratic, a USAM step is an SGD step on a loss that also charges the gradient's size.

With batch Hessian $H$ the batch loss is $f_S(x) = \tfrac12 x'Hx$ and $\nabla f_S(x) = Hx$. The step
of unnormalised SAM is $g(x + \rho g(x)) = H(x + \rho Hx)$. The regularised loss
$F(x) = f_S(x) + \tfrac\rho2\|\nabla f_S(x)\|^2$ is a quadratic form, so its central difference is
its derivative exactly: $F(x+v) - F(x-v) = 2\,\nabla F(x)'v$. Expanding both sides in $H, x, v$
without letting them commute shows $\nabla F(x) = g(x + \rho g(x))$ in every dimension. Symmetry of
$H$ is used once, to turn $H'H$ into $H^2$; without it the identity fails, which is the control.
"""

from theory.atoms import equal
from theory.core import Claim, Conventions, Kind, Source, Tolerance
from theory.domains import Operators


def given(m):
    return ()


def then(m):
    climbed = m.x + m.rho * (m.H @ m.x)
    rise = twice_loss(m, m.x + m.v) - twice_loss(m, m.x - m.v)
    return (equal(4 * m.inner(m.H @ climbed, m.v), rise),)


def twice_loss(m, y):
    """Twice the regularised loss, 2F(y), so that no fraction appears."""
    slope = m.H @ y
    return m.inner(y, slope) + m.rho * m.inner(slope, slope)


def formula(m):
    """The directional derivative of the regularised loss along v."""
    return (twice_loss(m, m.x + m.v) - twice_loss(m, m.x - m.v)) / 4


def exact(m):
    """The USAM gradient along v, written with the matrix H + rho H^2."""
    return m.inner((m.H + m.rho * (m.H @ m.H)) @ m.x, m.v)


def observe(lab, m):
    """The displacement of one simulated USAM step of unit length, along v."""
    from theory.problems.quadratic import quadratic

    run = lab.run(quadratic(hessians=m.H[None]), "usam", x0=m.x, steps=1, lr=1.0, rho=m.rho)
    return m.inner(run.x[0, 0] - run.x[0, 1], m.v)


CLAIM = Claim(
    title="USAM on a quadratic is SGD on the gradient-regularised loss",
    statement=r"For every symmetric $H$, every $\rho$ and $x$: with $f_S(x) = \tfrac12 x'Hx$, "
    r"$\nabla f_S\big(x + \rho\nabla f_S(x)\big) = "
    r"\nabla\big(f_S + \tfrac{\rho}{2}\|\nabla f_S\|^2\big)(x)$.",
    source=Source("P1", "Shin et al. 2023, setting of the stability analysis", "reconstructed"),
    kind=Kind.EXACT,
    conventions=Conventions(normalised=False, ascent="shared", sampler="any batch"),
    domain=Operators(symmetric=("H",), vectors=("x", "v"), scalars=("rho",)),
    given=given,
    then=then,
    control={"H": [[0, 1], [0, 0]], "x": [1, 2], "v": [3, 1], "rho": 1},
    formula=formula,
    exact=exact,
    observe=observe,
    trusted=(
        "The central difference of a quadratic form along v is twice its derivative along v.",
    ),
    tolerance=Tolerance(1e-10, "a few dozen rounded products in double precision, 1e6 roundings"),
)

r"""On least squares with one sample a step USAM is SGD on weighted least squares.

Sample $i$ has the residual $r = F_ix - y_i$ and the gradient $F_i'r$. The climb changes its
residual to $F_i(x + \rho F_i'r) - y_i = (I + \rho F_iF_i')r$, so the gradient there is $F_i'(I +
\rho F_iF_i')r$: that of the loss $\tfrac12 r'(I + \rho F_iF_i')r$. For one output, $F_i = a_i'$,
the weight is $1 + \rho\|a_i\|^2$. Where all residuals can vanish the minimisers are the same;
elsewhere $E x_t$ tends to the minimiser of the weighted sum, and long rows are fitted better than
least squares asks.
"""

from theory.atoms import equal
from theory.core import Claim, Conventions, Kind, Source, Tolerance
from theory.domains import Operators


def given(m):
    return ()


def then(m):
    """One sample: the gradient where the climb ends, and that of its weighted loss."""
    r = m.F @ m.x - m.y
    climbed = m.x + m.rho * (m.F.T @ r)
    return (equal(m.F.T @ (m.F @ climbed - m.y), weighted(m)),)


def weighted(m):
    """F'(I + rho FF')(Fx - y)."""
    r = m.F @ m.x - m.y
    return m.F.T @ (r + m.rho * (m.F @ (m.F.T @ r)))


def formula(m):
    """The length of that gradient."""
    import numpy as np

    return float(np.linalg.norm(weighted(m)))


def exact(m):
    """The same by the singular values s of F: each part of the residual is weighted 1 + rho s^2."""
    import numpy as np

    U, s, V = np.linalg.svd(m.F)
    parts = s * (1 + m.rho * s**2) * (s * (V @ m.x) - U.T @ m.y)
    return float(np.linalg.norm(parts))


def observe(lab, m):
    """The same as the length of one simulated step with step size 1."""
    import numpy as np

    from theory.problems._bowls import bowls

    # F'(Fx - y), as the gradient of a bowl; where its centre is does not matter
    bowl = bowls((m.F.T @ m.F)[None], np.linalg.solve(m.F, m.y)[None])
    x = lab.run(bowl, "usam", x0=m.x, steps=1, lr=1.0, rho=m.rho).x[0]
    return float(np.linalg.norm(x[1] - x[0]))


CLAIM = Claim(
    title="On least squares USAM with one sample a step is SGD with weights 1 + ρ‖xᵢ‖²",
    statement=r"For $f_i(x) = \frac12\|F_ix - y_i\|^2$, $\nabla f_i(x + \rho\nabla f_i(x)) = "
    r"F_i'(I + \rho F_iF_i')(F_ix - y_i)$; so with one sample a step (or per-sample "
    r"ascent) the fixed point of $E x_t$ minimises $\sum_i(1 + \rho\|a_i\|^2)(a_i'x - "
    r"y_i)^2$ for rows $F_i = a_i'$.",
    source=Source("other", "USAM on least squares that it cannot fit", "our own"),
    kind=Kind.EXACT,
    conventions=Conventions(normalised=False, ascent="any"),
    domain=Operators(general=("F",), vectors=("x", "y"), scalars=("rho",)),
    given=given,
    then=then,
    control={"F": [[1, 2], [0, 1]], "x": [1, 2], "y": [1, 0], "rho": "1/2"},
    formula=formula,
    exact=exact,
    observe=observe,
    tolerance=Tolerance(
        1e-8, "the simulated bowl's centre is a solve with a random matrix: up to 1e6 roundings"
    ),
    trusted=(
        "E x_t obeys the mean step, which is linear; it rests where the mean gradient vanishes.",
        "A positive weighted sum of squares is least where its gradient vanishes.",
    ),
)

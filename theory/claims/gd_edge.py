r"""Gradient descent on a quadratic is stable exactly up to eta = 2/lambda_max.

With gradient $Ax$, $A$ symmetric, one step gives
$\|x - \eta Ax\|^2 = \|x\|^2 - \eta\,x'(2A - \eta A^2)x$ in every dimension. Along an
eigenvector with eigenvalue $\lambda$ the subtracted term is $\eta\lambda(2 - \eta\lambda)\|x\|^2$: not
negative for all $\lambda \ge 0$ exactly when $\eta\lambda_{\max} \le 2$.
"""

from theory.atoms import equal
from theory.claims._quadratics import simulated_distance, squared_distance
from theory.core import Claim, Conventions, Kind, Notion, Source, Tolerance
from theory.domains import Operators


def given(m):
    return ()


def then(m):
    after = m.x - m.eta * (m.A @ m.x)
    return (equal(m.inner(after, after), formula(m)),)


def formula(m):
    """The squared distance after one step, from the identity."""
    return m.inner(m.x, m.x) - m.eta * m.inner(m.x, (2 * m.A - m.eta * (m.A @ m.A)) @ m.x)


def exact(m):
    """The squared distance after one step, in the eigenbasis."""
    return squared_distance(m.A, m.x, m.eta)


def observe(lab, m):
    """The same from one simulated step."""
    return simulated_distance(lab, m.A, m.x, "sgd", lr=m.eta)


CLAIM = Claim(
    title="Gradient descent is stable exactly up to η = 2/a",
    statement=r"For symmetric $A$, $\|x - \eta Ax\|^2 = \|x\|^2 - \eta\,x'(2A - \eta A^2)x$; "
    r"so gradient descent on $\frac12 x'Ax$, $A \succeq 0$, keeps $\|x\|$ bounded from every start "
    r"exactly when $\eta\lambda_{\max}(A) \le 2$.",
    source=Source("other", "folklore; Wu, Ma & E 2018 for minima of SGD", "reconstructed"),
    kind=Kind.EXACT,
    conventions=Conventions(notion=Notion.ONE_STEP, sampler="full batch"),
    domain=Operators(symmetric=("A",), vectors=("x",), scalars=("eta",)),
    given=given,
    then=then,
    control={"A": [[0, 1], [0, 0]], "x": [1, 2], "eta": 1},
    formula=formula,
    exact=exact,
    observe=observe,
    tolerance=Tolerance(1e-10, "a few dozen rounded products, with cancellation of up to 1e4"),
    trusted=(
        "An eigenvector of the largest eigenvalue attains the worst case of a quadratic form.",
    ),
)

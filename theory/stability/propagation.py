"""E||x_t||^2 = tr T^t(x_0 x_0') and E f(x_t) = tr(H T^t(x_0 x_0'))/2, exactly and at every t.

This replaces averages over simulated runs, which are useless near and past the mean-square edge:
there E||x_t||^2 is carried by paths too rare to be drawn. T(X) = E[Phi X Phi'], Phi = I - eta A_S;
batches of different steps are independent, which is all the identity needs.

Exact input (`Fraction` probabilities, eta and x0, `Matrix` steps) gives lists of `Fraction`; numpy
input gives arrays with a relative error of about t d EPS.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from theory.exact import Matrix, SecondMoment


def second_moments(probabilities: Any, A: Any, eta: Any, x0: Any, steps: int) -> Any:
    """E||x_t||^2 for t = 0..steps, from x0 (d,): (steps+1,)."""
    return _collect([_trace(X) for X in _propagate(probabilities, A, eta, x0, steps)])


def expected_loss(
    probabilities: Any, A: Any, eta: Any, x0: Any, steps: int, *, hessian: Any
) -> Any:
    """E f(x_t) for t = 0..steps, where f(x) = x'Hx/2 and `hessian` is H (d, d): (steps+1,)."""
    path = _propagate(probabilities, A, eta, x0, steps)
    return _collect([_trace(hessian @ X) / 2 for X in path])


def _propagate(probabilities: Any, A: Any, eta: Any, x0: Any, steps: int) -> Iterator[Any]:
    """E x_t x_t' for t = 0..steps."""
    if isinstance(A[0], Matrix):
        column, identity = Matrix.column(x0), Matrix.identity(A[0].shape[0])
    else:
        column, identity = np.array(x0, float)[:, None], np.eye(A[0].shape[0])
    T = SecondMoment(probabilities, [identity - eta * matrix for matrix in A])
    moment = column @ column.T
    yield moment
    for _ in range(steps):
        moment = T(moment)
        yield moment


def _trace(X: Any) -> Any:
    if isinstance(X, Matrix):
        return sum((X.rows[i][i] for i in range(X.shape[0])), Fraction(0))
    return np.trace(X)


def _collect(values: Sequence[Any]) -> Any:
    return list(values) if isinstance(values[0], Fraction) else np.array(values)

"""Exact multipliers and a PSD slack, for forms in a Gram matrix: a semidefinite program, made rational.

Wanted are x_i with target = sum x_i column_i + <S, G>, S positive semidefinite, x_i >= 0 unless free.
An attained bound leaves S singular, so that plain rounding always breaks it: the kernel of S is made
rational first, S is written on what is left, B'ZB with Z > 0, and the equations are then solved
exactly near the float solution. A feasibility program is solved along its central path, which ends
inside the face: whatever is not zero there has room to be rounded.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from proofs_check.search.rounding import DENOMINATORS, Rounding
from theory.core import InputError
from theory.exact import Matrix, negative_direction

SMALL = 1e-6  # of the largest: the central path's zeros are its residuals, or the root of its gap
KERNEL_DENOMINATORS = (1, 10, 100, 1000, 10**4, 10**5)  # finer ones would spell the solver's error
# The default 1e-8 leaves the kernel of S three digits; a last step that fails to reach these is
# reported as inaccurate, and serves too.
ACCURACY = {"tol_gap_abs": 1e-13, "tol_gap_rel": 1e-13, "tol_feas": 1e-13}
Form = dict[tuple[int, int], Fraction]  # i <= j: the coefficient of <v_i, v_j>


def certified(
    target: Form, columns: Sequence[Form], free: Sequence[bool], size: int
) -> tuple[list[Fraction], Matrix] | None:
    """Exact x and S for `size` vectors, or None where the solver or the rounding finds none.

    Raises `InputError` where the package is missing.
    """
    near = _solve(target, columns, free, size)
    return None if near is None else _exactly(target, columns, free, *near)


def _solve(
    target: Form, columns: Sequence[Form], free: Sequence[bool], size: int
) -> tuple[np.ndarray, np.ndarray] | None:
    """Multipliers and slack in floats, from inside the set of all; None where there are none."""
    try:
        import cvxpy as cp
    except ImportError:
        raise InputError("pep", "no such package here", "flatproof[pep] installed") from None
    weights = [cp.Variable(nonneg=not any_sign) for any_sign in free]
    slack = cp.Variable((size, size), PSD=True)
    rest = cp.Constant(_array(target, size)) - slack
    for weight, form in zip(weights, columns, strict=True):
        rest = rest - weight * _array(form, size)
    problem = cp.Problem(cp.Minimize(0), [rest == 0])
    try:
        with warnings.catch_warnings():
            # An inaccurate solution is none; what is rounded is checked exactly anyway.
            warnings.filterwarnings("ignore", "Solution may be inaccurate", UserWarning)
            problem.solve(solver=cp.CLARABEL, **ACCURACY)
    except cp.SolverError:
        return None
    if slack.value is None or problem.status not in (cp.OPTIMAL, cp.OPTIMAL_INACCURATE):
        return None
    return np.array([np.asarray(weight.value).item() for weight in weights]), slack.value


def _array(form: Form, size: int) -> np.ndarray:
    array = np.zeros((size, size))
    for (i, j), value in form.items():
        array[i, j] += float(value) / 2
        array[j, i] += float(value) / 2
    return array


def _exactly(
    target: Form,
    columns: Sequence[Form],
    free: Sequence[bool],
    weights: np.ndarray,
    slack: np.ndarray,
) -> tuple[list[Fraction], Matrix] | None:
    """Rational multipliers and slack near those of floats, with as small denominators as will do."""
    scale = np.abs(weights).max(initial=0.0)
    active = [i for i, x in enumerate(weights) if abs(x) > SMALL * scale]
    for frame in _frames(slack):
        count, B = frame.shape[0], np.array(frame.rows, float).reshape(frame.shape)
        places = [(a, b) for a in range(count) for b in range(a, count)]
        back = np.linalg.pinv(B)
        Z = back.T @ slack @ back
        near = [*(weights[i] for i in active), *(Z[a, b] for a, b in places)]
        spread = [_outer(frame, a, b) for a, b in places]
        solved = _Affine(target, [*(columns[i] for i in active), *spread])
        for denominator in DENOMINATORS if solved.possible else ():
            exact = solved.near([Rounding(denominator=denominator).near(x) for x in near])
            found = [Fraction(0)] * len(columns)
            for i, value in zip(active, exact, strict=False):
                found[i] = value
            core = _symmetric(places, exact[len(active) :], count)
            signs = all(x >= 0 or f for x, f in zip(found, free, strict=True))
            if signs and negative_direction(core) is None:
                none = Matrix([[0] * len(slack)] * len(slack))
                return found, frame.T @ core @ frame if count else none
    return None


def _symmetric(places: Sequence[tuple[int, int]], values: Sequence[Fraction], size: int) -> Matrix:
    upper = dict(zip(places, values, strict=True))
    return Matrix([[upper[min(a, b), max(a, b)] for b in range(size)] for a in range(size)])


def _outer(frame: Matrix, a: int, b: int) -> Form:
    """What Z_ab adds to the form of B'ZB."""
    rows = frame.rows
    form: Form = {}
    for i, x in enumerate(rows[a]):
        for j, y in enumerate(rows[b]):
            place = min(i, j), max(i, j)
            form[place] = form.get(place, Fraction(0)) + x * y * (1 if a == b else 2)
    return form


def _frames(slack: np.ndarray) -> Iterator[Matrix]:
    """Rational rows B (n - k, n) whose common kernel is near that of the slack, coarsest first."""
    from scipy.linalg import qr

    values, vectors = np.linalg.eigh(slack)
    large = values > SMALL * max(values[-1], 1e-300)
    size, rank = len(values), int(large.sum())
    if rank in (0, size):
        yield Matrix.identity(size) if rank else Matrix([])
        return
    # Echelon form on the best-conditioned columns: one basis for one subspace, entries near one.
    rows = vectors[:, large].T
    *_, order = qr(rows, mode="r", pivoting=True)
    rows = np.linalg.solve(rows[:, order[:rank]], rows)
    for denominator in KERNEL_DENOMINATORS:
        yield Matrix([[Fraction(x).limit_denominator(denominator) for x in row] for row in rows])


class _Affine:
    """The rational solutions of sum x_c column_c = target."""

    def __init__(self, target: Form, columns: Sequence[Form]) -> None:
        from sympy import QQ
        from sympy.polys.matrices import DomainMatrix

        places = sorted({place for form in (target, *columns) for place in form})
        zero = Fraction(0)
        rows = [[form.get(place, zero) for form in (*columns, target)] for place in places]
        exact = [[QQ(x.numerator, x.denominator) for x in row] for row in rows]
        reduced, self.pivots = DomainMatrix(exact, (len(rows), len(columns) + 1), QQ).rref()
        self.possible = len(columns) not in self.pivots
        self.rows = [
            [Fraction(int(x.numerator), int(x.denominator)) for x in row]
            for row in reduced.to_list()
        ]

    def near(self, values: Sequence[Fraction]) -> list[Fraction]:
        """The solution that has the given values wherever a value is free."""
        found = list(values)
        for row, pivot in zip(self.rows, self.pivots, strict=False):
            others = (row[j] * values[j] for j in range(len(values)) if j not in self.pivots)
            found[pivot] = row[-1] - sum(others, Fraction(0))
        return found

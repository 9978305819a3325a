"""Matrices of exact numbers, and the decision whether one is positive semidefinite."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from numbers import Number, Rational
from typing import Any


class Matrix:
    """An immutable matrix of exact numbers; entries are `Fraction` (or any commutative ring).

    Supports `+`, `-`, scalar `*` and `@`, the same operators numpy arrays have, so that a claim
    written once reads in both. Raises `ValueError` on ragged rows and on shapes that do not fit.
    """

    __slots__ = ("rows",)
    __array_ufunc__ = None  # a numpy scalar on the left must defer to us, not build an object array

    def __init__(self, rows: Iterable[Iterable[Any]]) -> None:
        self.rows = tuple(tuple(_entry(value) for value in row) for row in rows)
        if len({len(row) for row in self.rows}) > 1:
            raise ValueError("matrix rows differ in length")

    @staticmethod
    def identity(size: int) -> Matrix:
        """The identity of the given size."""
        return Matrix([[int(i == j) for j in range(size)] for i in range(size)])

    @staticmethod
    def column(values: Iterable[Any]) -> Matrix:
        """A vector as a matrix of one column."""
        return Matrix([[value] for value in values])

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.rows), len(self.rows[0]) if self.rows else 0

    @property
    def T(self) -> Matrix:
        return Matrix(zip(*self.rows, strict=True))

    def __add__(self, other: Matrix) -> Matrix:
        return self._entrywise(other, lambda a, b: a + b)

    def __sub__(self, other: Matrix) -> Matrix:
        return self._entrywise(other, lambda a, b: a - b)

    def __neg__(self) -> Matrix:
        return self * -1

    def __mul__(self, scalar: Any) -> Matrix:
        if isinstance(scalar, Matrix):
            raise TypeError("matrices are multiplied with @; * takes a scalar")
        return Matrix([[value * scalar for value in row] for row in self.rows])

    __rmul__ = __mul__

    def __truediv__(self, scalar: Any) -> Matrix:
        return self * (Fraction(1) / scalar)

    def __matmul__(self, other: Matrix) -> Matrix:
        if self.shape[1] != other.shape[0]:
            raise ValueError(f"cannot multiply shapes {self.shape} and {other.shape}")
        columns = list(zip(*other.rows, strict=True))
        return Matrix([[_dot(row, column) for column in columns] for row in self.rows])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Matrix) and self.rows == other.rows

    def __hash__(self) -> int:
        return hash(self.rows)

    def __repr__(self) -> str:
        return "[" + ", ".join("[" + ", ".join(map(str, row)) + "]" for row in self.rows) + "]"

    def _entrywise(self, other: Matrix, combine: Callable[[Any, Any], Any]) -> Matrix:
        if not isinstance(other, Matrix):
            return NotImplemented
        if self.shape != other.shape:
            raise ValueError(f"cannot combine shapes {self.shape} and {other.shape}")
        pairs = zip(self.rows, other.rows, strict=True)
        return Matrix([[combine(a, b) for a, b in zip(p, q, strict=True)] for p, q in pairs])

    def is_symmetric(self) -> bool:
        return self.shape[0] == self.shape[1] and self == self.T

    def is_zero(self) -> bool:
        return all(value == 0 for row in self.rows for value in row)


def _entry(value: Any) -> Any:
    """Integers become fractions, a numpy integer (which overflows) through Python's own; a float of
    any make is refused, since `Fraction ** 0.5` makes one silently.
    """
    if isinstance(value, Fraction):
        return value
    if isinstance(value, Rational):
        return Fraction(int(value.numerator), int(value.denominator))
    if isinstance(value, Number):
        raise TypeError(f"an exact matrix cannot hold the inexact number {value!r}")
    return value


def _dot(row: Sequence[Any], column: Sequence[Any]) -> Any:
    return sum((a * b for a, b in zip(row, column, strict=True)), Fraction(0))


def quadratic_form(matrix: Matrix, vector: Sequence[Fraction]) -> Fraction:
    """v' M v."""
    column = Matrix.column(vector)
    return (column.T @ matrix @ column).rows[0][0]


def negative_direction(matrix: Matrix) -> list[Fraction] | None:
    """A rational v with v'Mv < 0, or None exactly when the symmetric matrix M is PSD.

    Symmetric elimination (LDL' without pivoting): a positive pivot passes to its Schur complement,
    a zero pivot needs a zero row, and either failure is turned into a vector on the way back.
    Raises `ValueError` if M is not symmetric.
    """
    if not matrix.is_symmetric():
        raise ValueError("positive semidefiniteness is asked of symmetric matrices only")
    return _negative_direction([list(row) for row in matrix.rows])


def _negative_direction(rows: list[list[Fraction]]) -> list[Fraction] | None:
    if not rows:
        return None
    pivot, coupling = rows[0][0], rows[0][1:]
    size = len(coupling)
    if pivot < 0:
        return [Fraction(1)] + [Fraction(0)] * size
    if pivot == 0:
        for j, b in enumerate(coupling):
            if b != 0:  # t e_1 + e_j has value 2 t b + M_jj: choose t to make it -1
                lead = -(rows[j + 1][j + 1] + 1) / (2 * b)
                return [lead] + [Fraction(int(i == j)) for i in range(size)]
        tail = _negative_direction([row[1:] for row in rows[1:]])
        return None if tail is None else [Fraction(0), *tail]
    schur = [
        [rows[i + 1][j + 1] - coupling[i] * coupling[j] / pivot for j in range(size)]
        for i in range(size)
    ]
    tail = _negative_direction(schur)
    return None if tail is None else [-_dot(coupling, tail) / pivot, *tail]


def is_positive_definite(matrix: Matrix) -> bool:
    """Whether every pivot of the symmetric elimination is positive."""
    if not matrix.is_symmetric():
        raise ValueError("positive definiteness is asked of symmetric matrices only")
    rows = [list(row) for row in matrix.rows]
    while rows:
        pivot, coupling = rows[0][0], rows[0][1:]
        if pivot <= 0:
            return False
        rows = [
            [value - b * c / pivot for value, c in zip(row[1:], coupling, strict=True)]
            for row, b in zip(rows[1:], coupling, strict=True)
        ]
    return True


def column_basis(columns: Iterable[Sequence[Fraction]]) -> list[list[Fraction]]:
    """The reduced echelon basis of the span of the given vectors: one basis for one subspace."""
    basis: list[list[Fraction]] = []
    leads: list[int] = []
    for vector in columns:
        rest = list(vector)
        for lead, known in zip(leads, basis, strict=True):
            rest = [a - rest[lead] * b for a, b in zip(rest, known, strict=True)]
        lead = next((i for i, value in enumerate(rest) if value != 0), None)
        if lead is None:
            continue
        fresh = [value / rest[lead] for value in rest]
        basis = [
            [a - known[lead] * b for a, b in zip(known, fresh, strict=True)] for known in basis
        ]
        basis.append(fresh)
        leads.append(lead)
    return [basis[i] for i in sorted(range(len(basis)), key=leads.__getitem__)]


def solve(matrix: Matrix, right: Matrix) -> Matrix:
    """X with M X = R for an invertible M, by Gauss-Jordan elimination."""
    size = matrix.shape[0]
    rows = [list(a) + list(b) for a, b in zip(matrix.rows, right.rows, strict=True)]
    for i in range(size):
        pivot = next((r for r in range(i, size) if rows[r][i] != 0), None)
        if pivot is None:
            raise ValueError("matrix is singular")
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [value / rows[i][i] for value in rows[i]]
        for r in range(size):
            if r != i and rows[r][i] != 0:
                rows[r] = [a - rows[r][i] * b for a, b in zip(rows[r], rows[i], strict=True)]
    return Matrix([row[size:] for row in rows])

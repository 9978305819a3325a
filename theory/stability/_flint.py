"""Rational matrices in FLINT: fast elimination, and eigenvalues in balls that certainly hold them."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from flint import ctx, fmpq, fmpq_mat

from theory.exact import Matrix

PRECISION = 128  # bits of an eigenvalue; a float needs 53
CHUNK = 32  # rows of one elimination


def to_fmpq(value: Fraction) -> fmpq:
    """The same number."""
    return fmpq(value.numerator, value.denominator)


def to_flint(matrix: Matrix) -> fmpq_mat:
    """The same matrix."""
    return fmpq_mat([[to_fmpq(x) for x in row] for row in matrix.rows])


def to_matrix(matrix: fmpq_mat) -> Matrix:
    """The same matrix."""
    return Matrix([[Fraction(int(x.p), int(x.q)) for x in row] for row in matrix.tolist()])


def solve(left: Matrix, right: Matrix) -> Matrix:
    """X with L X = R for an invertible L; raises `ZeroDivisionError` where it is not."""
    return to_matrix(to_flint(left).solve(to_flint(right)))


def echelon(
    rows: Sequence[Sequence[Fraction]], most: int
) -> tuple[tuple[Fraction, ...], ...] | None:
    """The reduced echelon basis of the span of rows, or None where its rank is above `most`.

    It stops at the first rows that exceed `most`, so that many rows of high rank cost little.
    """
    kept: tuple[tuple[Fraction, ...], ...] = ()
    for start in range(0, len(rows), CHUNK):
        reduced, rank = to_flint(Matrix([*kept, *rows[start : start + CHUNK]])).rref()
        if rank > most:
            return None
        kept = to_matrix(reduced).rows[:rank]
    return kept


def real_eigenvalues(matrix: fmpq_mat) -> list[tuple[Fraction, Fraction]]:
    """(lower, upper) around each real eigenvalue, ascending, as often as its multiplicity.

    The characteristic polynomial is exact; FLINT isolates its roots, and a real root has a ball on
    the real line.
    """
    with ctx.workprec(PRECISION):  # the ends of a ball are rounded to it, outward
        roots: Any = matrix.charpoly().numer().complex_roots()
        found = [(x.real.lower(), x.real.upper(), times) for x, times in roots if x.imag == 0]
    return sorted((_exact(a), _exact(b)) for a, b, times in found for _ in range(times))


def _exact(end: Any) -> Fraction:
    mantissa, exponent = end.man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def rounded_down(value: Fraction) -> float:
    """The largest float that is at most a positive value."""
    if value > sys.float_info.max:
        return sys.float_info.max
    near = float(value)
    return near if near <= value else math.nextafter(near, 0)


def rounded_up(value: Fraction) -> float:
    """The least float that is at least a positive value; inf above them all."""
    if value > sys.float_info.max:
        return math.inf
    near = float(value)
    return near if near >= value else math.nextafter(near, math.inf)

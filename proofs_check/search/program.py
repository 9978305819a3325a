"""Which columns add up to zero: a linear program in floats, then elimination over the rationals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from theory.exact import Polynomial

Spec = dict[str, Any]


@dataclass(frozen=True)
class Column:
    """One unknown of the program: a product, or a monomial times a hypothesis that is zero."""

    value: Polynomial
    strict: bool
    factors: tuple[Spec, ...] = ()
    zero: tuple[int, Polynomial] | None = None


def solve(columns: Sequence[Column]) -> Spec | None:
    """Coefficients with which the columns add up to zero, one strict one among them, exactly."""
    columns = _useful(columns)
    if not any(column.strict for column in columns):
        return None
    found = _program(columns)
    if found is None:
        return None
    support = [i for i, x in enumerate(found) if abs(x) > 1e-9]
    exact = _exactly([columns[i] for i in support], [found[i] for i in support])
    if exact is None:
        return None
    used = [(columns[i], x) for i, x in zip(support, exact, strict=True) if x != 0]
    return {
        "terms": [
            {"times": str(x), "factors": list(column.factors)}
            for column, x in used
            if column.zero is None
        ],
        "zeros": [
            {"given": str(column.zero[0]), "polynomial": terms(x * column.zero[1])}
            for column, x in used
            if column.zero is not None
        ],
    }


def _useful(columns: Sequence[Column]) -> list[Column]:
    """Columns without those that hold a monomial nothing else can cancel, and without repeats."""
    kept = list({(c.value, c.strict, c.zero is None): c for c in columns if c.value.terms}.values())
    while True:
        signs: dict[Any, set[int]] = {}
        for column in kept:
            for word, value in column.value.terms.items():
                found = signs.setdefault(word, set())
                found |= {1, -1} if column.zero else {1 if value > 0 else -1}
                if column.zero and len(found) < 3:
                    found.add(0 if 0 not in found else 2)
        alone = {w for w, s in signs.items() if not {1, -1} <= s}
        fewer = [c for c in kept if not alone & c.value.terms.keys()]
        if len(fewer) == len(kept):
            return kept
        kept = fewer


def _program(columns: Sequence[Column]) -> Any:
    """The lightest solution in floats, or None."""
    from scipy.optimize import linprog
    from scipy.sparse import coo_array

    words = {word: i for i, word in enumerate({w: 0 for c in columns for w in c.value.terms})}
    entries = [
        (words[word], j, float(value))
        for j, column in enumerate(columns)
        for word, value in column.value.terms.items()
    ]
    entries += [(len(words), j, 1.0) for j, column in enumerate(columns) if column.strict]
    rows, places, values = zip(*entries, strict=True)
    A = coo_array((values, (rows, places)), shape=(len(words) + 1, len(columns)))
    right = np.zeros(len(words) + 1)
    right[-1] = 1
    cost = [0.0 if c.zero else 1.0 + len(c.factors) + len(c.value.terms) / 10 for c in columns]
    bounds = [(None, None) if c.zero else (0, None) for c in columns]
    found = linprog(cost, A_eq=A.tocsr(), b_eq=right, bounds=bounds, method="highs-ds")
    return found.x if found.status == 0 else None


def _exactly(columns: Sequence[Column], near: Sequence[float]) -> list[Fraction] | None:
    """The exact solution on these columns nearest in size to a float one; free ones are rounded."""
    from sympy import QQ
    from sympy.polys.matrices import DomainMatrix

    words = list({word: 0 for column in columns for word in column.value.terms})
    zero = Fraction(0)
    rows = [[*(c.value.terms.get(word, zero) for c in columns), zero] for word in words]
    rows.append([*(Fraction(int(c.strict)) for c in columns), Fraction(1)])
    matrix = [[QQ(x.numerator, x.denominator) for x in row] for row in rows]
    reduced, pivots = DomainMatrix(matrix, (len(rows), len(columns) + 1), QQ).rref()
    if len(columns) in pivots:
        return None
    solution = [Fraction(x).limit_denominator(64) for x in near]
    table = reduced.to_list()
    for row, pivot in zip(table, pivots, strict=False):
        free = sum(
            (Fraction(int(row[j].numerator), int(row[j].denominator)) * solution[j])
            for j in range(len(columns))
            if j not in pivots
        )
        solution[pivot] = Fraction(int(row[-1].numerator), int(row[-1].denominator)) - free
    wrong = any(x < 0 for x, c in zip(solution, columns, strict=True) if not c.zero)
    return None if wrong else solution


def terms(value: Polynomial | int | Fraction) -> list[Any]:
    """A polynomial as a certificate spells it."""
    polynomial = value if isinstance(value, Polynomial) else Polynomial.constant(value)
    return [
        [str(c), {name: str(power) for name, power in word}]
        for word, c in sorted(polynomial.terms.items())
    ]

"""Models whose numbers are z3's, and atoms as its formulas: a claim read as real algebra.

The claim's own functions are evaluated on them, as they are on fractions: no polynomial, word or mean
of this project takes part.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

from theory.atoms import AtMost, Atom, Equal, Loewner, MeanSquare
from theory.domains import Domain, Family, FamilyModel, Operators, Scalars
from theory.exact import Matrix

SAMPLES, SIZES = 3, 2  # samples of a family, all in one dimension; sizes of operators


class Real:
    """One of z3's real numbers, with the arithmetic of fractions.

    z3's own class takes a matrix on its right for a number; here the matrix multiplies.
    """

    __slots__ = ("term",)

    def __init__(self, term: Any) -> None:
        self.term = term

    def __neg__(self) -> Real:
        return Real(-self.term)

    def __pow__(self, power: int) -> Real:
        if not isinstance(power, int) or power < 0:
            raise TypeError(f"a power must be a whole number, not {power!r}")
        product = real(1)
        for _ in range(power):
            product = product * self.term
        return Real(product)


def _operation(combine: Callable[[Any, Any], Any], reflected: bool) -> Callable[[Real, Any], Any]:
    def apply(self: Real, other: Any) -> Any:
        if not isinstance(other, Real | Fraction | int):
            return NotImplemented
        a, b = self.term, real(other)
        return Real(combine(b, a) if reflected else combine(a, b))

    return apply


for _name in ("add", "sub", "mul", "truediv"):
    _combine = getattr(operator, _name)
    setattr(Real, f"__{_name}__", _operation(_combine, False))
    setattr(Real, f"__r{_name}__", _operation(_combine, True))


def real(value: Any) -> Any:
    """A number as z3's term."""
    import z3

    return value.term if isinstance(value, Real) else z3.RealVal(str(Fraction(value)))


Variable = Callable[[str], Any]


def variable(name: str) -> Real:
    """The number of this name."""
    import z3

    return Real(z3.Real(name))


def sizes(domain: Domain) -> range:
    """The sizes a domain is read at: samples of a family, dimensions of operators."""
    if isinstance(domain, Family):
        return range(1, SAMPLES + 1)
    if isinstance(domain, Operators):
        return range(1, SIZES + 1)
    return range(1, 2 if isinstance(domain, Scalars) else 1)  # none where z3 has no word for it


def model(domain: Domain, size: int, number: Variable = variable) -> Any:
    """A model of that size, its numbers those of the given names."""
    if isinstance(domain, Scalars):
        return SimpleNamespace(**{name: number(name) for name in domain.names})
    if isinstance(domain, Operators):
        return _operators(domain, size, number)
    weights = [number(f"p{i}") for i in range(size - 1)]
    weights.append(1 - sum(weights, Fraction(0)))
    samples = [Matrix([[number(f"h{i}")]]) for i in range(size)]
    scalars = {name: number(name) for name in domain.names}
    return FamilyModel(samples, weights, Matrix.identity(1), scalars)


def axioms(domain: Domain, found: Any) -> list[Any]:
    """What is known of a model's numbers."""
    if not isinstance(domain, Family):
        return []
    least = [*(H.rows[0][0] for H in found.samples), *found.scalars.values()]
    return [real(x) >= 0 for x in least] + [real(w) > 0 for w in found.weights]


def _operators(domain: Operators, size: int, number: Variable) -> SimpleNamespace:
    def entry(name: str, i: int, j: int) -> Any:
        if name in domain.symmetric:
            i, j = min(i, j), max(i, j)
        return number(f"{name}_{i}{j}")

    each = range(size)
    return SimpleNamespace(
        inner=lambda u, v: (u.T @ v).rows[0][0],
        **{
            name: Matrix([[entry(name, i, j) for j in each] for i in each])
            for name in (*domain.symmetric, *domain.general)
        },
        **{name: Matrix.column([number(f"{name}_{i}") for i in each]) for name in domain.vectors},
        **{name: number(name) for name in domain.scalars},
    )


def formula(atom: Atom) -> Any:
    """An atom on z3's numbers; matrices are of size one, or equal entry by entry."""
    import z3

    match atom:
        case AtMost(lhs, rhs, strict):
            return real(lhs) < real(rhs) if strict else real(lhs) <= real(rhs)
        case Equal(Matrix() as lhs, Matrix() as rhs):
            pairs = zip(lhs.rows, rhs.rows, strict=True)
            return z3.And([real(a) == real(b) for p, q in pairs for a, b in zip(p, q, strict=True)])
        case Equal(lhs, rhs):
            return real(lhs) == real(rhs)
        case Loewner(lower, upper):
            return real(_single(lower)) <= real(_single(upper))
        case MeanSquare(T, bound):
            steps = [real(_single(Phi)) for Phi in T.steps]
            parts = zip(T.probabilities, steps, strict=True)
            moved = z3.Or([step != 1 for step in steps])  # a fixed direction is divided out
            squares = z3.Sum([real(p) * step * step for p, step in parts])
            return z3.Implies(moved, squares <= real(bound))


def _single(value: Any) -> Any:
    if isinstance(value, Matrix):
        if value.shape != (1, 1):
            raise ValueError("forms are compared in one dimension")
        return value.rows[0][0]
    return value

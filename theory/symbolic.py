"""One reading of a claim that covers every model of its domain: what proofs are written in.

For named numbers and operators that is the domain's generic model. For families it is one drawn
sample h_i known by name: sums over samples become means, e_1 becomes any unit vector v, and a form on
symmetric matrices is read at any symmetric X. It covers every number of samples, weights and dimension.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from theory.core import InputError
from theory.domains import Domain, Family, FamilyModel, Operators
from theory.exact import Polynomial, SecondMoment, averages

SAMPLE = averages.operator([(averages.SAMPLE, False)])
IDENTITY = averages.operator([])
X = averages.operator([(averages.ANY, False)])


def symbolic(domain: Domain) -> Any:
    """The model whose atoms a proof is about; raises `InputError` where a variable has the name of
    one of its letters.
    """
    names = domain.names if isinstance(domain, Family) else ()
    names += domain.vectors if isinstance(domain, Operators) else ()
    taken = sorted({averages.SAMPLE, averages.UNIT, averages.ANY, averages.WEIGHT} & {*names})
    if taken:
        raise InputError("names", taken[0], "in a proof any name but h_i, v, X and p_i")
    return AnyFamily(domain.names) if isinstance(domain, Family) else domain.generic()[0]


class AnyFamily(FamilyModel):
    """Any family: m.samples is the one drawn sample, m.weights its probability."""

    def __init__(self, names: Sequence[str]) -> None:
        scalars = {name: Polynomial.variable(name) for name in names}
        weight = Polynomial.variable(averages.WEIGHT)
        super().__init__([SAMPLE], [weight], IDENTITY, scalars)

    def mean(self, matrices: Sequence[Any]) -> Any:
        """The mean over the drawn sample of an operator or a number."""
        (one,) = matrices
        return averages.mean(one)

    @staticmethod
    def corner(matrix: Any) -> Any:
        """v'Mv at the unit vector."""
        return averages.corner(matrix)

    @staticmethod
    def trace(matrix: Any) -> Any:
        """The mean of the trace."""
        return averages.trace(matrix)

    def form(self, image: Any) -> Any:
        """tr X image(X)."""
        return averages.trace(X @ image(X))

    @cached_property
    def T(self) -> SecondMoment:
        """One step I - eta A_i, whose average a proof takes itself."""
        return _Drawn(self.weights, [self.I - self.eta * A for A in self.A])


class _Drawn(SecondMoment):
    def __call__(self, X: Any) -> Any:
        (Phi,) = self.steps
        return averages.mean(Phi @ X @ Phi.T)

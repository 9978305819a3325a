"""A family claim's symbolic reading says what its exact reading says: they agree on fixed families.

The hash of a claim is made from its exact reading, a proof is about the symbolic one. Every atom of
the latter is evaluated, word by word, on the families the hash is made from, and must be the former.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import prod
from typing import Any

from proofs_check.certificate import Rejected
from proofs_check.checker.facts import Fact, fact
from theory.atoms import AtMost, Atom, Equal, Loewner, MeanSquare
from theory.core import Claim
from theory.domains import Domain, Family, FamilyModel
from theory.exact import Matrix, Polynomial, Words, averages
from theory.symbolic import symbolic


def agrees(claim: Claim) -> None:
    """Raise `Rejected` unless both readings of a family claim say the same."""
    if not isinstance(claim.domain, Family):
        return
    general = reading(claim.domain)
    for model in claim.domain.generic():
        for name, atoms in (("given", claim.given), ("then", claim.then)):
            exact = list(atoms(model))
            for i, atom in enumerate(atoms(general)):
                stated = fact(atom, f"{name}[{i}]")
                for sample in range(len(model.samples) if _is_random(stated) else 1):
                    if not exact or not _same(stated, exact.pop(0), At(model, sample)):
                        raise Rejected(f"claim: {name}[{i}] reads differently in symbols")
            if exact:
                raise Rejected(f"claim: {name} has atoms that its reading in symbols lacks")


def reading(domain: Domain) -> Any:
    """The symbolic model, whose one sample stands for all: they cannot be counted or picked."""
    model = symbolic(domain)
    for name in ("samples", "weights", "A") if isinstance(domain, Family) else ():
        model.__dict__[name] = _Each(getattr(model, name))
    return model


class _Each:
    """A sequence that can only be gone through."""

    def __init__(self, items: Sequence[Any]) -> None:
        self._items = items

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items)


class At:
    """The values of words and numbers at one sample of an exact family, v = e_1, X fixed."""

    def __init__(self, model: FamilyModel, sample: int) -> None:
        self.model, self.sample = model, sample
        self.size = len(model.I.rows)
        size = range(self.size)
        self.X = Matrix([[Fraction(3 * min(i, j) - 2 * max(i, j) + 1) for j in size] for i in size])

    def others(self) -> list[tuple[Fraction, At]]:
        """Every sample with its probability."""
        return [(w, At(self.model, i)) for i, w in enumerate(self.model.weights)]

    def operator(self, value: Words) -> Matrix:
        """A combination of words."""
        total = Fraction(0) * self.model.I
        for word, coefficient in value.terms.items():
            total = total + self.number(coefficient) * self._word(word)
        return total

    def number(self, value: Polynomial) -> Fraction:
        """A polynomial in named numbers."""
        total = Fraction(0)
        for monomial, coefficient in value.terms.items():
            total += coefficient * prod(self._named(name) ** power for name, power in monomial)
        return total

    def form(self, matrix: Matrix) -> Fraction:
        """A form on symmetric matrices, given on the family's frame, at X."""
        index = [(i, j) for i in range(self.size) for j in range(i + 1)]
        x = [self.X.rows[i][j] / (2 if i == j else 1) for i, j in index]
        column = Matrix.column(x)
        return (column.T @ matrix @ column).rows[0][0]

    def _word(self, word: averages.Word) -> Matrix:
        total = self.model.I
        for name, transposed in word:
            one = self._letter(name)
            total = total @ (one.T if transposed else one)
        return total

    def _letter(self, name: str) -> Matrix:
        if name == averages.SAMPLE:
            return self.model.samples[self.sample]
        if name == averages.ANY:
            return self.X
        core = [averages.letter(part) for part in averages.tokens(name[2:-1])]
        total = Fraction(0) * self.model.I
        for weight, there in self.others():
            total = total + weight * there._word(tuple(core))
        return total

    def _named(self, name: str) -> Fraction:
        if name in self.model.scalars:
            return self.model.scalars[name]
        if name == averages.WEIGHT:
            return self.model.weights[self.sample]
        if name.startswith("tr("):
            word = tuple(averages.letter(part) for part in averages.tokens(name[3:-1]))
            traced = [(w, there._word(word)) for w, there in self.others()]
            return sum((w * FamilyModel.trace(M) for w, M in traced), Fraction(0))
        if name.startswith("E{"):
            return sum((w * there._product(name[2:-1]) for w, there in self.others()), Fraction(0))
        inside = [averages.letter(part) for part in averages.tokens(name)[1:-1]]
        return self._word(tuple(inside)).rows[0][0]

    def _product(self, text: str) -> Fraction:
        total = Fraction(1)
        for part in averages.tokens(text):
            name, _, power = part.rpartition("^")
            total *= self._named(name[1:-1]) ** int(power)
        return total


def _is_random(stated: Fact) -> bool:
    """Whether a fact is about the drawn sample: it then stands for one atom a sample."""
    if stated.sort == "stable":
        return False
    numbers = [stated.value]
    if stated.sort == "operator":
        if any(n == averages.SAMPLE for word in stated.value.terms for n, _ in word):
            return True
        numbers = stated.value.terms.values()
    return any(averages.depends(name) for p in numbers for word in p.terms for name, _ in word)


def _same(stated: Fact, exact: Atom, at: At) -> bool:
    match exact:
        case AtMost(lhs, rhs, strict):
            given = ("number", strict)
            return given == (stated.sort, stated.strict) and at.number(stated.value) == rhs - lhs
        case Equal(lhs, rhs):
            return stated.sort == "zero" and at.number(stated.value) == rhs - lhs
        case Loewner(lower, upper):
            if stated.sort == "operator":
                return at.operator(stated.value) == upper - lower
            gap = upper - lower
            alike = stated.sort == "number" and gap.is_symmetric()
            return alike and at.number(stated.value) == at.form(gap)
        case MeanSquare(T, bound):
            steps = [there.operator(stated.value) for _, there in at.others()]
            weights = list(at.model.weights)
            return (
                stated.sort == "stable"
                and (list(T.steps), list(T.probabilities)) == (steps, weights)
                and bound == stated.bound
            )

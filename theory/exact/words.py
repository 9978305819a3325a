"""Expressions in operators and vectors that do not commute, in every dimension at once.

An expression is a sum of words, each with a polynomial coefficient. A word is a string of letters:
operators only, operators ending in a vector, or a vector on both ends (a scalar u'AB...v). A scalar
equals its own transpose, so each scalar word and its mirror image are one. Two expressions with the
same expansion agree for all matrices of every size: that is what makes the expansion a proof.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from numbers import Rational
from typing import Literal

from theory.exact.polynomial import Polynomial

Letter = tuple[str, bool]  # (name, transposed)
Shape = Literal["operator", "vector", "scalar"]


class Words:
    """A sum of words of one shape; `+`, `-`, `@`, scalar `*` and transposition `.T`.

    A letter in `symmetric` is its own transpose. Raises `TypeError` when shapes do not combine.
    """

    __slots__ = ("shape", "symmetric", "terms")

    def __init__(
        self,
        terms: Mapping[tuple[Letter, ...], Polynomial],
        shape: Shape,
        symmetric: frozenset[str],
    ) -> None:
        self.shape: Shape = shape
        self.symmetric = symmetric
        self.terms = {word: c for word, c in terms.items() if c.terms}

    @staticmethod
    def letter(name: str, shape: Shape, symmetric: frozenset[str] = frozenset()) -> Words:
        """One operator or vector, known only by its name."""
        return Words({((name, False),): Polynomial.constant(1)}, shape, symmetric)

    def __add__(self, other: Words | Polynomial | Fraction | int) -> Words:
        """A scalar also takes a number, which is the multiple of the empty word."""
        if self.shape == "scalar" and isinstance(other, Polynomial | Rational):
            value = other if isinstance(other, Polynomial) else Polynomial.constant(other)
            other = Words({(): value}, "scalar", self.symmetric)
        if not isinstance(other, Words):
            return NotImplemented
        if other.shape != self.shape:
            raise TypeError(f"cannot add a {self.shape} and a {other.shape}")
        terms = dict(self.terms)
        for word, value in other.terms.items():
            terms[word] = terms[word] + value if word in terms else value
        return Words(terms, self.shape, self.symmetric | other.symmetric)

    __radd__ = __add__

    def __neg__(self) -> Words:
        return self * -1

    def __sub__(self, other: Words | Polynomial | Fraction | int) -> Words:
        return self + (-other)

    def __rsub__(self, other: Polynomial | Fraction | int) -> Words:
        return -self + other

    def __mul__(self, scalar: Polynomial | Fraction | int) -> Words:
        if isinstance(scalar, Words):
            raise TypeError("words are multiplied with @ or paired by inner; * takes a scalar")
        terms = {word: value * scalar for word, value in self.terms.items()}
        return Words(terms, self.shape, self.symmetric)

    __rmul__ = __mul__

    def __truediv__(self, scalar: Fraction | int) -> Words:
        if not isinstance(scalar, Rational):
            return NotImplemented
        return self * (1 / Fraction(scalar))

    def __matmul__(self, other: Words) -> Words:
        if self.shape != "operator" or other.shape == "scalar":
            raise TypeError(f"cannot apply a {self.shape} to a {other.shape}")
        return _concatenate(self, other, other.shape)

    @property
    def T(self) -> Words:
        """The transpose of an operator."""
        if self.shape != "operator":
            raise TypeError(f"only operators are transposed here, not a {self.shape}")
        terms = {_mirror(word, self.symmetric): value for word, value in self.terms.items()}
        return Words(terms, "operator", self.symmetric)

    def is_zero(self) -> bool:
        return not self.terms

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Words) and (self.shape, self.terms) == (other.shape, other.terms)

    def __hash__(self) -> int:
        return hash((self.shape, frozenset(self.terms.items())))

    def __repr__(self) -> str:
        """Canonical, like a polynomial's."""
        parts = (f"[{self.terms[word]}]{_spell(word)}" for word in sorted(self.terms))
        return f"{self.shape}: " + (" + ".join(parts) or "0")


def inner(u: Words, v: Words) -> Words:
    """The scalar u'v of two vectors, each scalar word folded with its mirror image."""
    if (u.shape, v.shape) != ("vector", "vector"):
        raise TypeError(f"an inner product needs two vectors, not a {u.shape} and a {v.shape}")
    symmetric = u.symmetric | v.symmetric
    # A vector letter is never marked transposed: its place at the front says it.
    flipped = {(word[-1], *_mirror(word[:-1], symmetric)): value for word, value in u.terms.items()}
    scalar = _concatenate(Words(flipped, "operator", symmetric), v, "scalar")
    terms: dict[tuple[Letter, ...], Polynomial] = {}
    for word, value in scalar.terms.items():
        mirrored = (word[-1], *_mirror(word[1:-1], symmetric), word[0])
        key = min(word, mirrored)
        terms[key] = terms[key] + value if key in terms else value
    return Words(terms, "scalar", symmetric)


def _concatenate(left: Words, right: Words, shape: Shape) -> Words:
    terms: dict[tuple[Letter, ...], Polynomial] = {}
    for front, a in left.terms.items():
        for back, b in right.terms.items():
            word = front + back
            terms[word] = terms[word] + a * b if word in terms else a * b
    return Words(terms, shape, left.symmetric | right.symmetric)


def _mirror(word: tuple[Letter, ...], symmetric: frozenset[str]) -> tuple[Letter, ...]:
    return tuple(
        (name, name not in symmetric and not transposed) for name, transposed in reversed(word)
    )


def _spell(word: tuple[Letter, ...]) -> str:
    return " ".join(name + "'" * transposed for name, transposed in word)

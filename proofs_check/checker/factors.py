"""The factors of a proof's products, each rebuilt from the claim: numbers that are not negative."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any

from proofs_check.certificate import (
    Rejected,
    fields,
    natural,
    polynomial,
    sequence,
    symmetric,
    table,
)
from proofs_check.checker.facts import Fact, mentions_unit
from proofs_check.checker.work import Work, bits
from theory.domains import Domain, Family
from theory.exact import Polynomial, Words, averages, inner, negative_direction
from theory.symbolic import IDENTITY, SAMPLE, X

MAX_WORD, MAX_FACTORS, MAX_VECTORS = 12, 16, 12
MAX_NAME = 400  # characters; the longest in a shipped proof has thirty

RULES = {
    "commuting": "The product of PSD matrices that commute is PSD.",
    "mean-square": "T is self-adjoint and keeps the PSD order, so r(T) is its largest eigenvalue "
    "(Krein and Rutman): r(T) <= c exactly when tr X T(X) <= c tr X^2 for every symmetric X.",
    "others": "A mean of numbers that are not negative is at least any one times its probability.",
}


class Ring:
    """The numbers a step may use: facts given and shown before, and the opposite of what it shows.

    `rules` collects which of RULES were used; `work` counts, and may bound, what was computed.
    """

    def __init__(self, domain: Domain, given: Sequence[Fact], limit: float = inf) -> None:
        self.family = isinstance(domain, Family)
        self.nonnegative = domain.names if isinstance(domain, Family) else ()
        self.domain = domain
        self.given = list(given)
        self.lemmas: list[Fact] = []
        self.opposite: Fact | None = None
        self.rules: set[str] = set()
        self.work = Work(limit)
        self.of_all = 0  # how many `others` enclose the factor being read

    # --- numbers ---------------------------------------------------------------------------------

    def times(self, a: Polynomial, b: Polynomial) -> Polynomial:
        """A product, its work counted."""
        return self.work.times(a, b)

    def mean(self, value: Polynomial) -> Polynomial:
        """The mean over the drawn sample; numbers that know none stay."""
        self.work.charge(len(value.terms) * 4, bits(value.terms.values()))
        return averages.mean_number(value) if self.family else value

    def is_random(self, fact: Fact) -> bool:
        """Whether a number depends on the drawn sample."""
        if not self.family:
            return False
        return any(averages.depends(name) for word in fact.value.terms for name, _ in word)

    def opposites(self, shown: Fact) -> list[Fact]:
        """What would hold if a fact did not, as numbers at the v or X where it fails."""
        match shown.sort:
            case "number":
                return [Fact("number", -shown.value, strict=not shown.strict)]
            case "zero":
                return [Fact("number", sign * shown.value, strict=True) for sign in (1, -1)]
            case "operator":
                if not self.family:
                    raise Rejected("operators are compared along the unit vector of families only")
                if any(mentions_unit(known) for known in (*self.given, shown)):
                    # The Loewner order fails along a vector of its own, not along the given v.
                    raise Rejected("operators are compared only where nothing is known about v")
                return [Fact("number", -averages.corner(shown.value), strict=True)]
        return [Fact("number", -self._stable(shown, "X"), strict=True)]

    def polynomial(self, value: Any, where: str) -> Polynomial:
        """A polynomial; of a family every name in it must be one whose mean is known."""
        result = polynomial(value, where)
        for name in {name for word in result.terms for name, _ in word} if self.family else ():
            if name not in self.nonnegative and not (
                len(name) <= MAX_NAME and averages.is_name(name)
            ):
                raise Rejected(f"{where}: {name[:80]!a} names no number")
        return result

    def zero(self, index: int, where: str) -> Polynomial:
        """A hypothesis that says a number is zero."""
        if self.given[index].sort != "zero":
            raise Rejected(f"{where}: hypothesis {index} is not an equality")
        return self.given[index].value

    # --- factors ---------------------------------------------------------------------------------

    def product(self, factors: Any, where: str) -> tuple[Polynomial, bool]:
        """A product of factors, and whether it is positive rather than only not negative."""
        value, strict = Polynomial.constant(1), True
        for i, factor in enumerate(sequence(factors, where, MAX_FACTORS)):
            part, positive = self._factor(factor, f"{where}[{i}]")
            value, strict = self.times(value, part), strict and positive
        return value, strict

    def _factor(self, factor: Any, where: str) -> tuple[Polynomial, bool]:
        if len(table(factor, where)) != 1:
            raise Rejected(f"{where}: a factor has one key")
        ((kind, value),) = factor.items()
        match kind:
            case "given" | "lemma" | "opposite":
                found = self._fact(kind, value, where)
                if found.sort != "number":
                    raise Rejected(f"{where}: not an inequality between numbers")
                return found.value, found.strict
            case "scalar":
                if value not in self.nonnegative:
                    raise Rejected(f"{where}: no scalar of a family has this name")
                return Polynomial.variable(value), False
            case "square":
                root = self.polynomial(value, where)
                return self.times(root, root), bool(root != 0) and not set(root.terms) - {()}
            case "form":
                fields(value, where, {"psd", "at"})
                return self._form(
                    self._psd(value["psd"], where), self._root(value["at"], where)
                ), False
            case "stable":
                fields(value, where, {"given", "at"})
                return self._stable(self._fact("given", value["given"], where), value["at"]), False
            case "others":
                return self._others(value, where), False
            case "gram":
                fields(value, where, {"matrix", "of"})
                return self._gram(value, where), False
        raise Rejected(f"{where}: no such factor")

    def _fact(self, kind: str, value: Any, where: str) -> Fact:
        if kind == "opposite":
            if value != "of what is shown" or self.opposite is None:
                raise Rejected(f"{where}: the opposite is of what is shown")
            if self.of_all and self.is_random(self.opposite):
                raise Rejected(f"{where}: the opposite is known of the drawn sample only")
            return self.opposite
        facts = self.given if kind == "given" else self.lemmas
        return facts[natural(value, where, len(facts))]

    def _psd(self, parts: Any, where: str) -> Words:
        """A product of PSD operators that commute; none make the identity."""
        operators = [self._operator(part, where) for part in sequence(parts, where, MAX_FACTORS)]
        total = IDENTITY
        for i, operator in enumerate(operators):
            for other in operators[:i]:
                self.work.words(operator, other)
                if not (operator @ other - other @ operator).is_zero():
                    raise Rejected(f"{where}: PSD operators are multiplied only where they commute")
            self.work.words(total, operator)
            total = total @ operator
        if len(operators) > 1:
            self.rules.add("commuting")
        return total

    def _operator(self, part: Any, where: str) -> Words:
        if len(table(part, where)) != 1:
            raise Rejected(f"{where}: a PSD operator has one key")
        ((kind, value),) = part.items()
        if kind == "sample" and value == "h_i" and self.family:
            return SAMPLE
        if kind == "mean" and self.family:
            return averages.mean_operator(self._psd(value, where))
        if kind in ("given", "lemma"):
            found = self._fact(kind, value, where)
            if found.sort == "operator":
                return found.value
        raise Rejected(f"{where}: not a PSD operator")

    def _root(self, value: Any, where: str) -> Words:
        """A combination of words: [polynomial, [letter, ...]] pairs, all with a vector last or none."""
        total: Words | None = None
        for pair in sequence(value, where, MAX_VECTORS):
            if len(sequence(pair, where, 2)) != 2:
                raise Rejected(f"{where}: a coefficient and a word")
            letters = sequence(pair[1], where, MAX_WORD)
            word = IDENTITY
            for i, text in enumerate(letters):
                word = word @ self._letter(text, i == len(letters) - 1, where)
            word = word * self.polynomial(pair[0], where)
            total = word if total is None else total + word
        if total is None:
            raise Rejected(f"{where}: needs at least one word")
        return total

    def _letter(self, text: Any, last: bool, where: str) -> Words:
        if not isinstance(text, str):
            raise Rejected(f"{where}: letters are strings")
        model = None if self.family else vars(self.domain.generic()[0])
        if model is not None:
            found = model.get(text)
            if isinstance(found, Words) and (last or found.shape == "operator"):
                return found
        elif last and text == averages.UNIT:
            return averages.unit()
        elif len(text) <= MAX_NAME:
            try:
                return averages.operator([averages.letter(text)])
            except ValueError:
                pass
        raise Rejected(f"{where}: {text[:80]!a} is no letter of this domain")

    def _form(self, G: Words, R: Words) -> Polynomial:
        """R'GR: at a vector a number, between operators the mean of its trace."""
        self.work.words(R, G, R)
        if R.shape == "vector":
            return averages.number(inner(R, G @ R))
        if not self.family:
            raise Rejected("traces are of families only")
        return averages.trace(R.T @ G @ R)

    def _stable(self, stable: Fact, at: Any) -> Polynomial:
        """c tr X^2 - tr X T(X) at X = vv', the identity, or any symmetric X."""
        if not self.family:
            raise Rejected("stable: steps are those of families only")
        Phi, c = stable.value, stable.bound
        if stable.sort != "stable" or Phi != Phi.T:
            raise Rejected("stable: the hypothesis is not mean-square stability of symmetric steps")
        if c < 1:
            raise Rejected("stable: fixed directions, which a radius leaves out, would break this")
        self.rules.add("mean-square")
        self.work.words(X, Phi, X, Phi)
        match at:
            case "v":
                q = averages.corner(Phi)
                return c - averages.mean_number(q * q)
            case "I":
                return averages.trace(c * IDENTITY - Phi @ Phi)
            case "X":
                return averages.trace(c * (X @ X) - X @ Phi @ X @ Phi)
        raise Rejected("stable: at v, I or X")

    def _others(self, value: Any, where: str) -> Polynomial:
        """E f - p_i f_i for a number f that is not negative."""
        if not self.family:
            raise Rejected(f"{where}: only families have samples")
        self.rules.add("others")
        self.of_all += 1
        try:
            f, _ = self.product(value, where)
        finally:
            self.of_all -= 1
        return self.mean(f) - self.times(Polynomial.variable(averages.WEIGHT), f)

    def _gram(self, value: Any, where: str) -> Polynomial:
        """The sum of S_ab <R_a, R_b> for a PSD matrix S of rationals."""
        roots = [self._root(root, where) for root in sequence(value["of"], where, MAX_VECTORS)]
        if any(root.shape != "vector" for root in roots):
            raise Rejected(f"{where}: a Gram matrix is of vectors")
        S = symmetric(value["matrix"], len(roots), f"{where}.matrix")
        self.work.charge(len(roots) ** 3, len(roots) * bits(s for row in S.rows for s in row))
        if negative_direction(S) is not None:
            raise Rejected(f"{where}.matrix: not PSD")
        total = Polynomial.constant(0)
        for a, left in zip(S.rows, roots, strict=True):
            for s, right in zip(a, roots, strict=True):
                self.work.words(left, right)
                total = total + s * averages.number(inner(left, right))
        return total

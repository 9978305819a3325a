"""Proof certificates read a second way: every factor is computed in numbers, on one random model.

A value is a list with one entry for each sample of a family (one entry where there are none), and a
mean is the mean over that list. Nothing of the checker's algebra of words takes part.
"""

from __future__ import annotations

import operator
import random
from fractions import Fraction
from math import prod
from types import SimpleNamespace
from typing import Any

from theory.atoms import AtMost, Equal, Loewner, MeanSquare
from theory.domains import Family, FamilyModel, Scalars
from theory.exact import Matrix, SecondMoment

SAMPLES, DIMENSION = 3, 3


class Each:
    """One value for each sample; arithmetic is sample by sample, numbers stand for every sample."""

    def __init__(self, values: list[Any]) -> None:
        self.values = values

    def map(self, f) -> Each:
        return Each([f(value) for value in self.values])

    def with_(self, other: Any, f) -> Each:
        others = other.values if isinstance(other, Each) else [other] * len(self.values)
        return Each([f(a, b) for a, b in zip(self.values, others, strict=True)])

    def __pow__(self, power: int) -> Each:
        return self.map(lambda a: a**power)

    def __neg__(self) -> Each:
        return self.map(operator.neg)

    @property
    def T(self) -> Each:
        return self.map(lambda M: M.T)

    @property
    def varies(self) -> bool:
        return any(value != self.values[0] for value in self.values)


for _name in ("add", "sub", "mul", "matmul", "truediv"):
    _f = getattr(operator, _name)
    setattr(Each, f"__{_name}__", lambda self, other, f=_f: self.with_(other, f))
    setattr(
        Each, f"__r{_name}__", lambda self, other, f=_f: self.with_(other, lambda a, b: f(b, a))
    )


class Drawn(FamilyModel):
    """A family whose one sample is all of them at once."""

    def __init__(self, names, rng) -> None:
        def whole(rows, columns):
            return Matrix([[rng.randint(-3, 3) for _ in range(columns)] for _ in range(rows)])

        factors = [whole(2, DIMENSION) for _ in range(SAMPLES)]
        raw = [rng.randint(1, 5) for _ in factors]
        self.X = whole(DIMENSION, DIMENSION)
        self.X = self.X + self.X.T
        super().__init__(
            [Each([F.T @ F for F in factors])],
            [Each([Fraction(w, sum(raw)) for w in raw])],
            Each([Matrix.identity(DIMENSION)] * SAMPLES),
            {
                name: Each([Fraction(rng.randint(1, 9), rng.randint(2, 9))] * SAMPLES)
                for name in names
            },
        )

    def mean(self, matrices):
        weighted = (self.weights[0] * matrices[0]).values
        return Each([sum(weighted[1:], weighted[0])] * len(weighted))

    @staticmethod
    def corner(matrix):
        return matrix.map(lambda M: M.rows[0][0])

    def trace(self, matrix):
        return self.mean([matrix.map(FamilyModel.trace)])

    def form(self, image):
        X = self.I.map(lambda _: self.X)
        return self.trace(X @ image(X))

    @property
    def T(self):
        weights, steps = self.weights, [self.I - self.eta * A for A in self.A]
        mean = self.mean

        class Averaged(SecondMoment):
            def __call__(self, X):
                return mean([steps[0] @ X @ steps[0].T])

        return Averaged(weights, steps)


class Numbers:
    """One random model of a claim's domain, and the values of a certificate's factors there."""

    def __init__(self, domain: Any, seed: int) -> None:
        rng = random.Random(seed)
        self.family = isinstance(domain, Family)
        self.domain = domain
        if self.family:
            self.model: Any = Drawn(domain.names, rng)
            return

        def number() -> Each:
            return Each([Fraction(rng.randint(-9, 9), rng.randint(2, 9))])

        def matrix(rows: int, columns: int) -> Matrix:
            return Matrix([[rng.randint(-3, 3) for _ in range(columns)] for _ in range(rows)])

        if isinstance(domain, Scalars):
            self.model = SimpleNamespace(**{name: number() for name in domain.names})
            return
        square = {name: matrix(DIMENSION, DIMENSION) for name in domain.symmetric + domain.general}
        square |= {name: square[name] + square[name].T for name in domain.symmetric}
        vectors = {name: matrix(DIMENSION, 1) for name in domain.vectors}
        self.model = SimpleNamespace(
            inner=lambda u, v: (u.T @ v).map(lambda M: M.rows[0][0]),
            **{name: Each([M]) for name, M in (square | vectors).items()},
            **{name: number() for name in domain.scalars},
        )

    # --- what a certificate names ----------------------------------------------------------------

    def polynomial(self, value) -> Each:
        total = self.constant(0)
        for coefficient, powers in value:
            if any(int(power) < 0 for power in powers.values()):
                raise ValueError("a negative power")
            parts = [self.named(name) ** int(power) for name, power in powers.items()]
            total = total + prod(parts, start=self.constant(Fraction(coefficient)))
        return total

    def constant(self, value) -> Each:
        return Each([Fraction(value)] * (SAMPLES if self.family else 1))

    def named(self, name: str) -> Each:
        if name == "p_i" and self.family:
            return self.model.weights[0]
        if name.startswith("tr("):
            return self.model.trace(self.word(split(name[3:-1])))
        if name.startswith("E{"):
            factors = [part.rpartition("^") for part in split(name[2:-1])]
            values = [self.named(inner[1:-1]) ** int(power) for inner, _, power in factors]
            return self.model.mean([prod(values, start=self.constant(1))])
        letters = split(name)
        if len(letters) == 1:
            found = vars(self.model).get(
                name, self.model.scalars.get(name) if self.family else None
            )
            assert isinstance(found, Each) and not isinstance(found.values[0], Matrix)
            return found
        left, right = self.letter(letters[0]), self.word(letters[1:])
        return (left.T @ right).map(lambda M: M.rows[0][0])

    def word(self, letters) -> Each:
        total = None
        for text in letters:
            one = self.letter(text)
            total = one if total is None else total @ one
        if total is None:
            return self.model.I
        return total

    def letter(self, text: str) -> Each:
        if text.endswith("'"):
            return self.letter(text[:-1]).T
        if not self.family:
            return vars(self.model)[text]
        if text.startswith("E("):
            return self.model.mean([self.word(split(text[2:-1]))])
        column = Matrix([[int(i == 0)] for i in range(DIMENSION)])
        every = {"h_i": self.model.samples[0]}
        every |= {"v": self.model.I.map(lambda _: column)}
        return (every | {"X": self.model.I.map(lambda _: self.model.X)})[text]


def split(text: str) -> list[str]:
    """The words between spaces outside all brackets."""
    found, depth = [""], 0
    for sign in text:
        depth += (sign in "({") - (sign in ")}")
        if sign == " " and not depth:
            found.append("")
        else:
            found[-1] += sign
    return found if found != [""] else []


class Reading:
    """One claim on one model: its hypotheses and lemmas as values, and whether steps add up to zero."""

    def __init__(self, claim: Any, seed: int) -> None:
        self.at = Numbers(claim.domain, seed)
        model = self.at.model
        self.given = [self.fact(atom) for atom in claim.given(model)]
        lemmas = claim.lemmas(model) if claim.lemmas else ()
        self.shown = [self.fact(atom) for atom in (*lemmas, *claim.then(model))]
        self.known: list[Any] = []

    def fact(self, atom):
        """(sort, value, strict): a number, zero, an operator, or a stable step with its bound."""
        match atom:
            case AtMost(lhs, rhs, strict):
                return "number", self.lifted(rhs - lhs), strict
            case Equal(lhs, rhs):
                return "zero", self.lifted(rhs - lhs), False
            case Loewner(lower, upper):
                gap = upper - lower
                kind = "operator" if isinstance(gap.values[0], Matrix) else "number"
                return kind, gap, False
            case MeanSquare(T, bound):
                return "stable", T.steps[0], bound
        raise TypeError(atom)

    def lifted(self, value) -> Each:
        return value if isinstance(value, Each) else self.at.constant(value)

    def shows(self, steps) -> bool:
        """Whether every part of every step adds up to zero with one product positive."""
        self.known = []
        if len(steps) != len(self.shown):
            return False
        for shown, parts in zip(self.shown, steps, strict=True):
            opposites = self.opposites(shown)
            if len(parts) != len(opposites):
                return False
            if not all(self.vanishes(*pair) for pair in zip(parts, opposites, strict=True)):
                return False
            self.known.append(shown)
        return True

    def opposites(self, shown):
        sort, value, strict = shown
        if sort == "zero":
            return [("number", sign * value, True) for sign in (1, -1)]
        if sort == "operator":
            return [("number", -self.at.model.corner(value), True)]
        if sort == "stable":
            return [("number", -self.stable(shown, "X"), True)]
        return [("number", -value, not strict)]

    def vanishes(self, part, opposite) -> bool:
        self.opposite, random_ = opposite, self.at.family and opposite[1].varies
        total, positive = self.at.constant(0), False
        for term in part["terms"]:
            if Fraction(term["times"]) <= 0:
                return False
            value, strict = self.product(term["factors"])
            total, positive = total + Fraction(term["times"]) * value, positive or strict
        for zero in part["zeros"]:
            sort, value, _ = self.pick(self.given, zero["given"])
            if sort != "zero":
                return False
            total = total + value * self.at.polynomial(zero["polynomial"])
        if self.at.family and not random_:
            total = self.at.model.mean([total])
        return positive and all(value == 0 for value in total.values)

    def pick(self, facts, index):
        if Fraction(index).denominator != 1 or int(index) < 0:
            raise IndexError(index)
        return facts[int(index)]

    def product(self, factors):
        value, strict = self.at.constant(1), True
        for factor in factors:
            ((kind, inside),) = factor.items()
            one, positive = self.factor(kind, inside)
            value, strict = value * one, strict and positive
        return value, strict

    def factor(self, kind, inside):
        model = self.at.model
        match kind:
            case "given" | "lemma" | "opposite":
                chosen = {"given": self.given, "lemma": self.known}
                found = self.opposite if kind == "opposite" else self.pick(chosen[kind], inside)
                if found[0] != "number":
                    raise ValueError("no number")
                return found[1], found[2]
            case "scalar":
                return model.scalars[inside], False
            case "square":
                root = self.at.polynomial(inside)
                constant = all(not powers for _, powers in inside)
                return root * root, constant and any(root.values)
            case "form":
                G, R = self.psd(inside["psd"]), self.root(inside["at"])
                if R.values[0].shape[1] == 1:
                    return (R.T @ (R if G is None else G @ R)).map(lambda M: M.rows[0][0]), False
                return model.trace(R.T @ R if G is None else R.T @ G @ R), False
            case "stable":
                return self.stable(self.pick(self.given, inside["given"]), inside["at"]), False
            case "others":
                if self.opposite[1].varies and "opposite" in str(inside):
                    raise ValueError("the opposite holds of one sample, not of every one")
                value, _ = self.product(inside)
                return model.mean([value]) - model.weights[0] * value, False
            case "gram":
                return self.gram(inside), False
        raise KeyError(kind)

    def gram(self, inside) -> Each:
        from sympy import Matrix as Dense
        from sympy import Rational

        S = Dense([[Rational(x) for x in row] for row in inside["matrix"]])
        roots = [self.root(root) for root in inside["of"]]
        if S.shape != (len(roots),) * 2 or not S.is_symmetric():
            raise ValueError("no symmetric matrix of that size")
        if any((-1) ** k * c < 0 for k, c in enumerate(S.charpoly().all_coeffs())):
            raise ValueError("not PSD")
        total = self.at.constant(0)
        for row, left in zip(inside["matrix"], roots, strict=True):
            for s, right in zip(row, roots, strict=True):
                total = total + Fraction(s) * (left.T @ right).map(lambda M: M.rows[0][0])
        return total

    def root(self, words) -> Each:
        parts = [self.at.polynomial(c) * self.at.word(letters) for c, letters in words]
        return sum(parts[1:], parts[0])

    def psd(self, parts):
        """The product, symmetric because its factors commute; None for the identity."""
        total = None
        operators = [self.operator(part) for part in parts]
        for i, one in enumerate(operators):
            for other in operators[:i]:
                if any((one @ other - other @ one).map(lambda M: not M.is_zero()).values):
                    raise ValueError("they do not commute")
            total = one if total is None else total @ one
        return total

    def operator(self, part) -> Each:
        ((kind, inside),) = part.items()
        if kind == "sample":
            return self.at.model.samples[0]
        if kind == "mean":
            inner = self.psd(inside)
            return self.at.model.I if inner is None else self.at.model.mean([inner])
        found = self.pick({"given": self.given, "lemma": self.known}[kind], inside)
        if found[0] != "operator":
            raise ValueError("no operator")
        return found[1]

    def stable(self, fact, at) -> Each:
        sort, Phi, c = fact
        if sort != "stable":
            raise ValueError("not stable")
        model = self.at.model
        if at == "v":
            return c - model.mean([model.corner(Phi) ** 2])
        X = model.I if at == "I" else model.I.map(lambda _: model.X)
        return model.trace(c * (X @ X) - X @ Phi @ X @ Phi)

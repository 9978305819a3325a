"""Averages over a drawn sample have the values that explicit sums over samples give."""

from __future__ import annotations

from fractions import Fraction
from math import prod
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.exact import Matrix, Polynomial, Words, averages
from theory.symbolic import IDENTITY, SAMPLE, X

# A word as a tree: "h", "X", or the tuple of a word that is averaged.
Tree = Any
UNITS = ([Fraction(3, 5), Fraction(4, 5)], [Fraction(-5, 13), Fraction(12, 13)])


class Explicit:
    """A family in two dimensions: samples F'F, weights, X, a unit vector and eta, all rational."""

    def __init__(self, factors: Any, weights: Any, entries: Any, unit: Any = UNITS[0]) -> None:
        self.samples = [(F := Matrix(rows)).T @ F for rows in factors]
        self.weights = [Fraction(w, sum(weights)) for w in weights]
        a, b, c = entries
        self.X, self.unit, self.eta = Matrix([[a, b], [b, c]]), Matrix.column(unit), Fraction(2, 7)

    def mean(self, value: Any) -> Any:
        """The sum over samples j of w_j value(j)."""
        parts = [w * value(j) for j, w in enumerate(self.weights)]
        total = parts[0]
        for other in parts[1:]:
            total = total + other
        return total

    def tree(self, word: Tree, i: int) -> Matrix:
        """A tree's matrix at sample i, straight from what it means."""
        total = Matrix.identity(2)
        for one in word:
            if one == "h":
                part = self.samples[i]
            elif one == "X":
                part = self.X
            else:
                part = self.mean(lambda j, inner=one: self.tree(inner, j))
            total = total @ part
        return total

    def along(self, matrix: Matrix) -> Fraction:
        return (self.unit.T @ matrix @ self.unit).rows[0][0]

    # Names are read here by recursive descent, from the description in the module's docstring.

    def spelled(self, text: str, i: int) -> Matrix:
        """The matrix a spelled word stands for at sample i."""
        total = Matrix.identity(2)
        for part in split(text):
            core = part.rstrip("'")
            if core.startswith("E("):
                one = self.mean(lambda j, inner=core[2:-1]: self.spelled(inner, j))
            else:
                one = {"h_i": self.samples[i], "X": self.X}[core]
            total = total @ (one.T if part.endswith("'") else one)
        return total

    def named(self, name: str, i: int) -> Fraction:
        """The number a name stands for at sample i."""
        if name == "eta":
            return self.eta
        if name == "p_i":
            return self.weights[i]
        if name.startswith("tr("):
            return self.mean(lambda j: trace(self.spelled(name[3:-1], j)))
        if name.startswith("E{"):
            return self.mean(lambda j: self._powers(split(name[2:-1]), j))
        assert name.startswith("v ")
        assert name.endswith(" v")
        return self.along(self.spelled(name[2:-2], i))

    def _powers(self, parts: list[str], j: int) -> Fraction:
        total = Fraction(1)
        for part in parts:
            base, power = part[1:].rsplit(")^", 1)
            total *= self.named(base, j) ** int(power)
        return total

    def number(self, value: Polynomial, i: int) -> Fraction:
        total = Fraction(0)
        for monomial, coefficient in value.terms.items():
            total += coefficient * prod(self.named(name, i) ** power for name, power in monomial)
        return total

    def operator(self, value: Words, i: int) -> Matrix:
        total = 0 * Matrix.identity(2)
        for word, coefficient in value.terms.items():
            spelled = " ".join(name + "'" * transposed for name, transposed in word)
            total = total + self.number(coefficient, i) * self.spelled(spelled, i)
        return total


def split(text: str) -> list[str]:
    """Parts between spaces outside all brackets."""
    parts, start, depth = [], 0, 0
    for place, sign in enumerate(text + " "):
        depth += {"(": 1, "{": 1, ")": -1, "}": -1}.get(sign, 0)
        if sign == " " and depth == 0:
            parts.append(text[start:place])
            start = place + 1
    return [part for part in parts if part]


def trace(matrix: Matrix) -> Fraction:
    return matrix.rows[0][0] + matrix.rows[1][1]


def words(tree: Tree) -> Words:
    """The same tree through the module."""
    total = IDENTITY
    for one in tree:
        part = {"h": SAMPLE, "X": X}[one] if isinstance(one, str) else averages.mean(words(one))
        assert isinstance(part, Words)
        total = total @ part
    return total


small = st.integers(-3, 3)
letters = st.sampled_from(["h", "X", "h"])
flat = st.lists(letters, max_size=4).map(tuple)
nested = st.lists(st.one_of(letters, flat), max_size=4).map(tuple)
trees = st.lists(st.one_of(letters, letters, flat, nested), max_size=5).map(tuple)


@st.composite
def family_and_trees(draw: Any, count: int = 2, of: Any = trees) -> tuple[Explicit, list[Tree]]:
    samples = draw(st.integers(1, 3))
    blocks = st.lists(st.tuples(small, small), min_size=1, max_size=2)
    factors = draw(st.lists(blocks, min_size=samples, max_size=samples))
    weights = draw(st.lists(st.integers(1, 5), min_size=samples, max_size=samples))
    entries = draw(st.tuples(small, small, small))
    return Explicit(factors, weights, entries), [draw(of) for _ in range(count)]


@settings(max_examples=150, deadline=None)
@given(family_and_trees())
def test_the_mean_of_an_operator_is_a_sum_over_samples(drawn: Any) -> None:
    family, (a, b) = drawn
    eta = Polynomial.variable("eta")
    averaged = averages.mean_operator(words(a) - eta * words(b))
    expected = family.mean(lambda j: family.tree(a, j) - family.eta * family.tree(b, j))
    for i in range(len(family.samples)):
        assert family.operator(averaged, i) == expected


@settings(max_examples=150, deadline=None)
@given(family_and_trees())
def test_a_corner_is_the_form_at_the_unit_vector(drawn: Any) -> None:
    family, (a, b) = drawn
    number = averages.corner(words(a) + 2 * words(b).T)
    for i in range(len(family.samples)):
        expected = family.along(family.tree(a, i)) + 2 * family.along(family.tree(b, i))
        assert family.number(number, i) == expected


@settings(max_examples=150, deadline=None)
@given(family_and_trees(3), st.integers(0, 2), st.integers(0, 2), st.integers(0, 2))
def test_the_mean_of_numbers_is_a_sum_over_samples(drawn: Any, k: int, q: int, w: int) -> None:
    family, (a, b, c) = drawn
    eta, p = Polynomial.variable("eta"), Polynomial.variable("p_i")
    A, B, C = (averages.corner(words(tree)) for tree in (a, b, c))
    averaged = averages.mean_number(A**k * B**q * p**w + eta * C - A + 3)
    # The mean of a mean is itself.
    assert averages.mean_number(averaged) == averaged

    def at(j: int) -> Fraction:
        x, y, z = (family.along(family.tree(tree, j)) for tree in (a, b, c))
        return x**k * y**q * family.weights[j] ** w + family.eta * z - x + 3

    assert family.number(averaged, 0) == family.mean(at)


one_sample = st.one_of(flat, flat.map(lambda inner: ("X", ("h", *inner, "h"), "X")))


@settings(max_examples=150, deadline=None)
@given(family_and_trees(2, one_sample))
def test_a_trace_is_the_mean_of_the_sum_of_the_diagonal(drawn: Any) -> None:
    family, (a, b) = drawn
    number = averages.trace(words(a) - words(b).T)
    expected = family.mean(lambda j: trace(family.tree(a, j)) - trace(family.tree(b, j)))
    assert {family.number(number, i) for i in range(len(family.samples))} == {expected}


@settings(max_examples=100, deadline=None)
@given(family_and_trees(3))
def test_every_name_is_the_one_spelling_of_its_number(drawn: Any) -> None:
    family, (a, b, c) = drawn
    A, B, C = (averages.corner(words(tree)) for tree in (a, b, c))
    number = A * B + averages.mean_number(A * A * B + C)
    other = Explicit([[[0, 0]]], [1], (0, 0, 0), UNITS[1])
    other.samples, other.weights, other.X = family.samples, family.weights, family.X
    for name in {name for word in number.terms for name, _ in word}:
        assert averages.is_name(name)
        values = {family.named(name, i) for i in range(len(family.samples))}
        assert averages.depends(name) or len(values) == 1
        assert averages.names_unit(name)


def test_letters_that_do_not_depend_on_the_sample_leave_its_mean() -> None:
    # E(X h X h X) = X E(h X h) X, and the mean of a constant is the constant.
    assert (
        averages.mean_operator(X @ SAMPLE @ X @ SAMPLE @ X)
        == X @ averages.operator([averages.letter("E(h_i X h_i)")]) @ X
    )
    assert averages.mean_operator(X @ X) == X @ X


def test_a_trace_turns_and_a_mean_of_unlike_ends_has_a_transpose() -> None:
    assert averages.trace(X @ SAMPLE @ SAMPLE) == averages.trace(SAMPLE @ X @ SAMPLE)
    crooked = averages.operator([averages.letter("E(h_i X h_i h_i)")])
    assert crooked.T != crooked
    assert crooked.T == averages.operator([averages.letter("E(h_i h_i X h_i)")])
    assert crooked.T.T == crooked
    assert averages.trace(crooked) == averages.trace(crooked.T)


NAMES = ("p_i", "v h_i v", "v E(h_i) h_i v", "tr(X)", "tr()", "E{(p_i)^1}", "E{(v h_i v)^2}")
ODD = (
    "h_i", "v", "", " ", "v v", "v h_i X v", "v h_i  v", "v h_j v", "E(h_i)", "v E(X) v",
    "v E(E(h_i)) v", "v h_i' v", "tr(h_i X)'", "tr(h_i X h_j)", "tr(h_i X)", "tr(E(h_i))",
    "E{(v h_i v)^1}", "E{(p_i)^0}", "E{(p_i)^-1}", "E{(p_i)^02}", "E{(p_i)^1 (p_i)^1}", "E{}",
    "E{(v h_i v)^1 (p_i)^1}", "E{(tr(X))^2}", "v h_i v)^1 (v h_i v", "v E(h_i h_i) h_i v)^2",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_the_module_gives_is_one(name: str) -> None:
    assert averages.is_name(name)


@pytest.mark.parametrize("name", ODD)
def test_any_other_text_is_no_name(name: str) -> None:
    assert not averages.is_name(name)


def test_only_numbers_along_the_unit_vector_name_it() -> None:
    named = ("v h_i v", "v E(h_i) X v", "E{(p_i)^1 (v h_i v)^1}")
    assert all(map(averages.names_unit, named))
    assert not any(map(averages.names_unit, ("p_i", "eta", "v", "nu_v", "tr(X)", "E{(p_i)^1}")))


def test_what_has_no_name_is_refused() -> None:
    random = Polynomial.variable("p_i")
    H = averages.mean_operator(SAMPLE)
    assert isinstance(H, Words)
    with pytest.raises(ValueError, match="coefficients that are not random"):
        averages.mean_operator(X * random)
    with pytest.raises(ValueError, match="coefficients that are not random"):
        averages.trace(X * random)
    with pytest.raises(ValueError, match="two independent samples"):
        averages.trace(H @ SAMPLE)
    with pytest.raises(ValueError, match="two independent samples"):
        averages.trace(averages.operator([averages.letter("E(h_i E(h_i) h_i)")]))
    with pytest.raises(ValueError, match="no letter"):
        averages.letter("h_j")
    with pytest.raises(ValueError, match="begins and ends with a sample"):
        averages.letter("E(X h_i)")
    with pytest.raises(ValueError, match="begins and ends with a sample"):
        averages.letter("E()")

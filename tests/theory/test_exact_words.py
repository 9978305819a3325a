"""An expression in operators and vectors and its expansion agree on matrices of every size."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.exact import Polynomial, Words, inner

COMMON = settings(deadline=None, max_examples=80, derandomize=True)
SYMMETRIC, GENERAL, VECTORS = ("S", "R"), ("A", "B"), ("x", "y")
TABLE = frozenset(SYMMETRIC)
SCALAR = "c"

FACTORS = st.one_of(st.integers(-3, 3), st.just(SCALAR))
OPERATORS = st.recursive(
    st.sampled_from(SYMMETRIC + GENERAL),
    lambda inside: st.one_of(
        st.tuples(st.sampled_from(["+", "-", "@"]), inside, inside),
        st.tuples(st.just("*"), FACTORS, inside),
        st.tuples(st.just("T"), inside),
    ),
    max_leaves=4,
)
ARROWS = st.recursive(
    st.sampled_from(VECTORS),
    lambda inside: st.one_of(
        st.tuples(st.sampled_from(["+", "-"]), inside, inside),
        st.tuples(st.just("*"), FACTORS, inside),
        st.tuples(st.just("@"), OPERATORS, inside),
    ),
    max_leaves=3,
)
SCALARS = st.tuples(st.just("inner"), ARROWS, ARROWS)


def symbols() -> dict:
    return {
        SCALAR: Polynomial.variable(SCALAR),
        "inner": inner,
        **{name: Words.letter(name, "operator", TABLE) for name in SYMMETRIC},
        **{name: Words.letter(name, "operator") for name in GENERAL},
        **{name: Words.letter(name, "vector") for name in VECTORS},
    }


def integers(size: int, seed: int) -> dict:
    """Random integer matrices and vectors, in Python's integers, so that nothing overflows."""
    rng = np.random.default_rng(seed)
    draw = lambda *shape: rng.integers(-50, 51, size=shape).astype(object)  # noqa: E731
    square = {name: draw(size, size) for name in SYMMETRIC}
    return {
        SCALAR: int(rng.integers(2, 50)),
        "inner": lambda u, v: u @ v,
        **{name: m + m.T for name, m in square.items()},
        **{name: draw(size, size) for name in GENERAL},
        **{name: draw(size) for name in VECTORS},
    }


def read(tree, m):
    """One expression in any arithmetic."""
    if isinstance(tree, int):
        return tree
    if isinstance(tree, str):
        return m[tree]
    head, *parts = tree
    values = [read(part, m) for part in parts]
    match head:
        case "+":
            return values[0] + values[1]
        case "-":
            return values[0] - values[1]
        case "*":
            return values[0] * values[1]
        case "@":
            return values[0] @ values[1]
        case "T":
            return values[0].T
        case _:
            return m["inner"](*values)


def evaluated(words: Words, m, size: int):
    """The value of an expansion, letter by letter, by plain matrix products."""
    zero = {"operator": np.zeros((size, size), object), "vector": np.zeros(size, object)}
    total = zero.get(words.shape, 0)
    for word, polynomial in words.terms.items():
        factor = sum(c * m[SCALAR] ** dict(w).get(SCALAR, 0) for w, c in polynomial.terms.items())
        parts = [m[name].T if transposed else m[name] for name, transposed in word]
        product = parts[0]
        for part in parts[1:]:
            product = product @ part
        total = total + factor * product
    return total


@COMMON
@given(st.one_of(OPERATORS, ARROWS, SCALARS), st.integers(1, 4), st.integers(0, 99))
def test_the_expansion_has_the_value_of_the_expression(tree, size, seed):
    m = integers(size, seed)
    assert np.array_equal(evaluated(read(tree, symbols()), m, size), read(tree, m))


@COMMON
@given(SCALARS, SCALARS, st.integers(0, 99))
def test_expansions_are_equal_exactly_when_the_values_are(left, right, seed):
    """At size 4 short words in random matrices satisfy no accidental identity."""
    m = integers(4, seed)
    assert (read(left, symbols()) == read(right, symbols())) == (read(left, m) == read(right, m))


@COMMON
@given(OPERATORS, OPERATORS, ARROWS, ARROWS)
def test_a_scalar_equals_its_mirror_image(A, B, x, y):
    """x'ABy = y'B'A'x, and an operator moves across the product as its transpose."""
    A, B, x, y = (read(tree, symbols()) for tree in (A, B, x, y))
    assert inner(x, A @ B @ y) == inner(y, B.T @ A.T @ x) == inner(A.T @ x, B @ y)
    assert repr(inner(x, A @ B @ y)) == repr(inner(y, B.T @ A.T @ x))


@COMMON
@given(OPERATORS, OPERATORS)
def test_transposition_reverses_products_and_undoes_itself(A, B):
    A, B = (read(tree, symbols()) for tree in (A, B))
    assert (A @ B).T == B.T @ A.T
    assert A.T.T == A
    assert (A + B).T == A.T + B.T


def test_only_declared_letters_are_symmetric_and_none_commute():
    m = symbols()
    assert m["S"].T == m["S"] and m["A"].T != m["A"]
    assert m["A"] @ m["B"] != m["B"] @ m["A"] and m["S"] @ m["R"] != m["R"] @ m["S"]
    assert inner(m["x"], m["S"] @ m["y"]) == inner(m["S"] @ m["x"], m["y"])
    assert inner(m["x"], m["A"] @ m["y"]) != inner(m["A"] @ m["x"], m["y"])
    assert inner(m["x"], m["S"] @ m["R"] @ m["x"]) == inner(m["x"], m["R"] @ m["S"] @ m["x"])
    assert inner(m["x"], m["A"] @ m["x"]) == inner(m["x"], m["A"].T @ m["x"])
    assert inner(m["x"], m["A"] @ m["y"]) != inner(m["x"], m["A"].T @ m["y"])


def test_a_square_worked_by_hand():
    """(A + B)^2 has four words, and x'(A + A')y has two however it is written."""
    m = symbols()
    A, B, x, y = m["A"], m["B"], m["x"], m["y"]
    assert (A + B) @ (A + B) == A @ A + A @ B + B @ A + B @ B
    assert len(((A + B) @ (A + B)).terms) == 4
    assert len(inner(x, (A + A.T) @ y).terms) == 2
    # A (B A) and (A B) A are one word, which arises twice
    assert repr((2 * A + A @ B) @ (3 * B @ A + A)) == (
        "operator: [(2)]A A + [(7)]A B A + [(3)]A B B A"
    )
    assert (A - A).is_zero() and not A.is_zero()
    assert 2 * A / 2 == A == A * Fraction(1)
    assert repr(inner(x, A @ y) * 2) == "scalar: [(2)]x A y"


@pytest.mark.parametrize(
    "wrong",
    [
        lambda m: m["A"] + m["x"],
        lambda m: m["x"] @ m["A"],
        lambda m: m["x"] @ m["y"],
        lambda m: m["A"] @ m["inner"](m["x"], m["y"]),
        lambda m: m["x"].T,
        lambda m: m["inner"](m["x"], m["A"]),
        lambda m: m["A"] * m["B"],
        lambda m: m["inner"](m["x"], m["x"]) * m["x"],
        lambda m: m["A"] * 0.5,
        lambda m: 0.5 * m["A"],
        lambda m: m["A"] / 0.1,
        lambda m: m["A"] / m["c"],
        lambda m: m["A"] + 1,
    ],
)
def test_shapes_that_do_not_combine_and_inexact_numbers_are_refused(wrong):
    with pytest.raises(TypeError):
        wrong(symbols())

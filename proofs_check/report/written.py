"""Certificates written out: witnesses as matrices, every H_i = F_i'F_i computed exactly."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from xml.etree import ElementTree as ET

from proofs_check.report.mathml import INLINE_WIDTH, element, markup, width
from theory.domains import Family, matrix, rational
from theory.exact import Matrix


@dataclass(frozen=True)
class Line:
    """A line of a certificate written out: a few words, then formulas."""

    words: str
    formulas: tuple[Any, ...] = ()
    wide: bool = False


def written_out(certificate: dict[str, Any]) -> Iterator[Line]:
    """The numbers of a witness, with every H_i = F_i'F_i computed exactly."""
    kind = certificate["kind"]
    if kind == "identity" and "point" in certificate:
        yield from _values("A point that meets every hypothesis:", certificate["point"])
    if kind not in ("family", "point", "piecewise"):
        return
    witness = certificate["witness"]
    if kind == "family":
        shapes = {name: witness[name] for name in ("factors", "weights") if name in witness}
        yield from _family(shapes)
        yield from _values("Scalars:", {n: v for n, v in witness.items() if n not in shapes})
    elif kind == "piecewise":
        yield from _functions(witness)
    else:
        yield from _values("Witness:", witness)
    for number, help_ in enumerate(certificate["given"], start=1):
        if "lyapunov" in help_:
            words = f"Hypothesis {number} holds: P is positive definite and the second-moment"
            words += " operator T does not increase it (directions that never move left out)."
            yield _line(words, [_is("P", _matrix(matrix(help_["lyapunov"], "lyapunov")))])
    then = certificate["then"]
    if "vector" in then:
        words = "The conclusion, L ⪯ U, fails: v'Lv > v'Uv in this direction."
        yield _line(words, [_is("v", _matrix(matrix([[x] for x in then["vector"]], "vector")))])
    if "growth" in then:
        X = _is("X", _matrix(matrix(then["growth"], "growth")))
        factor = _is("c", _number(rational(then["factor"], "factor")))
        yield _line("The conclusion fails: T maps X to c X or more.", [X, factor])


def _family(witness: dict[str, Any]) -> Iterator[Line]:
    model = Family(()).exact(witness)
    triples = zip(witness["factors"], model.samples, model.weights, strict=True)
    for i, (factor, sample, weight) in enumerate(triples, start=1):
        F, H = _indexed("F", i), _indexed("H", i)
        product = element("mrow", H, _operator("="), F, _operator("′"), F)
        formulas = [
            _is(_indexed("p", i), _number(weight)),
            _is(F, _matrix(matrix(factor, "factors"))),
            _is(product, _matrix(sample)),
        ]
        yield _line(f"Sample {i}: weight, factor, Hessian.", formulas)
    total = element("mrow", _symbol("H"), _operator("="), _operator("∑"), _indexed("p", "i"))
    total.append(_indexed("H", "i"))
    yield _line("Mean Hessian:", [_is(total, _matrix(model.H))])


def _functions(witness: dict[str, Any]) -> Iterator[Line]:
    """Each function by value and slope at a point, breaks, and second derivatives between them."""
    named: list[tuple[str, Any]] = [(n, f) for n, f in witness.items() if isinstance(f, dict)]
    named += [(f"f_{i}", f) for i, f in enumerate(witness.get("samples", ()), start=1)]
    for name, f in named:
        words = f"Function {name}: value and slope at a point, breaks, f″ from left to right."
        yield from _values(words, {part: value for part, value in f.items() if value != []})
    rest = {n: v for n, v in witness.items() if n != "samples" and not isinstance(v, dict)}
    yield from _values("Scalars:", rest)


def _values(words: str, values: dict[str, Any]) -> Iterator[Line]:
    if values:
        yield _line(words, [_is(name, _value(value, name)) for name, value in values.items()])


def _value(value: Any, name: str) -> ET.Element:
    if not isinstance(value, list):
        return _number(rational(value, name))
    rows = value if value and isinstance(value[0], list) else [[entry] for entry in value]
    return _matrix(matrix(rows, name))


def _line(words: str, sides: Sequence[ET.Element]) -> Line:
    trees = [element("math", side) for side in sides]
    wide = any(width(tree) > INLINE_WIDTH for tree in trees)
    return Line(words, tuple(markup(tree, True) for tree in trees), wide)


def _is(left: str | ET.Element, right: ET.Element) -> ET.Element:
    left = _symbol(left) if isinstance(left, str) else left
    return element("mrow", left, _operator("="), right)


def _symbol(name: str) -> ET.Element:
    """A variable as readers know it: eta is a Greek letter."""
    try:
        letter = {"lam": "lamda", "lambda": "lamda"}.get(name, name)
        name = unicodedata.lookup(f"GREEK SMALL LETTER {letter}")
    except KeyError:
        pass
    return element("mi", text=name)


def _indexed(name: str, index: int | str) -> ET.Element:
    tag = "mn" if isinstance(index, int) else "mi"
    return element("msub", _symbol(name), element(tag, text=str(index)))


def _operator(sign: str) -> ET.Element:
    return element("mo", text=sign)


def _number(value: Fraction) -> ET.Element:
    """p/q as a fraction, its sign in front."""
    size = element("mn", text=str(abs(value.numerator)))
    if value.denominator != 1:
        size = element("mfrac", size, element("mn", text=str(value.denominator)))
    return size if value >= 0 else element("mrow", _operator("−"), size)


def _matrix(value: Matrix) -> ET.Element:
    rows = [
        element("mtr", *(element("mtd", _number(entry)) for entry in row)) for row in value.rows
    ]
    table = element("mtable", *rows)
    table.set("class", "matrix")
    return table

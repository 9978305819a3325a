"""Reads certificates: nested lists, objects and strings, nothing else. Standard library only.

The file is untrusted. Its size, depth and numbers are limited before anything is computed, every
text from it that a message repeats is escaped, and whatever is not expected is refused.
"""

from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

from theory.exact import Matrix, Polynomial

FORMAT = "flatproof-certificate-1"
MAX_BYTES = 1_000_000  # the largest certificate shipped is a few kilobytes
MAX_DEPTH = 20
MAX_DIGITS = 400  # of one numerator or denominator
MAX_SAMPLES, MAX_DIMENSION, MAX_TERMS, MAX_POWER = 64, 12, 4096, 15
_DIGITS = f"[1-9][0-9]{{0,{MAX_DIGITS - 1}}}"
_NUMBER = re.compile(f"0|-?{_DIGITS}(/{_DIGITS})?")
# A bracket, or a whole string: brackets inside strings nest nothing. A string may lack its end.
_NESTING = re.compile(r'[\[\]{}]|"(?:[^"\\]|\\.)*+"?', re.DOTALL)


class Rejected(ValueError):
    """A certificate that does not show what it says; the message names the place."""


def read(path: Path) -> dict[str, Any]:
    """A certificate file as nested lists, objects and strings; raises `Rejected` for anything else.

    Only regular files are opened, and no more is read than a certificate may have; depth is looked
    at before parsing: a hostile file costs nothing.
    """
    try:
        if not path.is_file():
            raise Rejected("file: not a regular file")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        text = content.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Rejected(f"file: {error.__class__.__name__}: cannot be read as UTF-8 text") from None
    if len(content) > MAX_BYTES:
        raise Rejected(f"file: larger than {MAX_BYTES} bytes")
    if _depth(text) > MAX_DEPTH:
        raise Rejected(f"file: nested deeper than {MAX_DEPTH}")
    try:
        value = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_int=_bare,
            parse_float=_bare,
            parse_constant=_bare,
        )
    except json.JSONDecodeError as error:
        raise Rejected(f"file: not JSON: {error}") from None
    return table(value, "certificate")


def _depth(text: str) -> int:
    depth = deepest = 0
    for token in _NESTING.findall(text):
        depth += (token in "[{") - (token in "]}")
        deepest = max(deepest, depth)
    return deepest


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise Rejected("file: a key appears twice in one object")
    return result


def _bare(text: str) -> Any:
    raise Rejected(f"file: bare number {text[:20]}; numbers are strings 'p' or 'p/q'")


def number(value: Any, where: str) -> Fraction:
    """A rational in its one spelling: lowest terms, no sign but a leading minus, no spaces."""
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        allowed = f"strings 'p' or 'p/q' of at most {MAX_DIGITS} digits each"
        raise Rejected(f"{where}: numbers are {allowed}")
    result = Fraction(value)
    if str(result) != value:
        raise Rejected(f"{where}: {value} is not in lowest terms")
    return result


def natural(value: Any, where: str, limit: int) -> int:
    """An integer from 0 to limit - 1."""
    result = number(value, where)
    if result.denominator != 1 or not 0 <= result < limit:
        raise Rejected(f"{where}: expected an integer from 0 to {limit - 1}")
    return int(result)


def vector(value: Any, where: str, limit: int = MAX_DIMENSION) -> list[Fraction]:
    """A list of rationals."""
    return [number(x, where) for x in sequence(value, where, limit)]


def matrix(value: Any, where: str) -> Matrix:
    """One or more rows of equal length."""
    rows = [vector(row, where) for row in sequence(value, where, MAX_DIMENSION)]
    if len({len(row) for row in rows}) != 1:
        raise Rejected(f"{where}: needs rows of equal length")
    return Matrix(rows)


def symmetric(value: Any, size: int, where: str) -> Matrix:
    """A symmetric matrix of the given size, which may be zero."""
    result = matrix(value, where) if value != [] else Matrix([])
    if result.shape != (size, size) or not result.is_symmetric():
        raise Rejected(f"{where}: needs a symmetric {size} by {size} matrix")
    return result


def polynomial(value: Any, where: str) -> Polynomial:
    """A list of [coefficient, {variable: power}] terms."""
    terms: dict[tuple[tuple[str, int], ...], Fraction] = {}
    for term in sequence(value, where, MAX_TERMS):
        pair = sequence(term, where, 2)
        if len(pair) != 2:
            raise Rejected(f"{where}: a term is a coefficient and its powers")
        powers = {
            name: natural(power, where, MAX_POWER + 1)
            for name, power in table(pair[1], where).items()
        }
        word = tuple(sorted((name, power) for name, power in powers.items() if power))
        total = terms.get(word, Fraction(0)) + number(pair[0], where)
        if max(abs(total.numerator), total.denominator) >= 10**MAX_DIGITS:
            raise Rejected(f"{where}: repeated powers add up to more than {MAX_DIGITS} digits")
        terms[word] = total
    return Polynomial(terms)


def sequence(value: Any, where: str, limit: int = MAX_TERMS) -> list[Any]:
    """A list of limited length."""
    if not isinstance(value, list) or len(value) > limit:
        raise Rejected(f"{where}: expected a list of at most {limit}")
    return value


def table(value: Any, where: str) -> dict[str, Any]:
    """An object, whatever its keys."""
    if not isinstance(value, dict):
        raise Rejected(f"{where}: expected an object")
    return value


def fields(value: Any, where: str, names: set[str], rest: bool = False) -> dict[str, Any]:
    """An object with exactly these keys, or at least these where a rest is allowed."""
    found = table(value, where)
    if not (names <= found.keys() if rest else names == found.keys()):
        raise Rejected(f"{where}: expected the keys {', '.join(sorted(names)) or '(none)'}")
    return found

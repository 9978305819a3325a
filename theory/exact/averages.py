"""Averages over one drawn sample: of operators known by name, and of numbers made of them.

Letters: `h_i` is the drawn sample's Hessian, `v` a unit vector, `X` a symmetric matrix, both
arbitrary and fixed; `E(h_i h_i)` is the mean of a word, with which letters that do not depend on the
sample commute out. Numbers are polynomials in variables named by words: `v h_i v` depends on the
sample, `v E(h_i) v` does not, `E{...}` is the mean of a product of several, and `tr(...)` the mean of
a trace, folded with its rotations and mirror image. Every name has one meaning, whoever wrote it.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache

from theory.exact.polynomial import Monomial, Polynomial
from theory.exact.words import Letter, Words, inner

SAMPLE, UNIT, ANY, WEIGHT = "h_i", "v", "X", "p_i"
BASE = (SAMPLE, ANY)  # the operators a word may be spelled with; all symmetric
Word = tuple[Letter, ...]


def operator(word: Sequence[Letter]) -> Words:
    """A word as an operator; the empty word is the identity."""
    symmetric = frozenset(name for name, _ in word if is_symmetric(name))
    return Words({tuple(word): Polynomial.constant(1)}, "operator", symmetric)


def unit() -> Words:
    """The unit vector."""
    return Words.letter(UNIT, "vector")


def letter(text: str) -> Letter:
    """The operator a text names: h_i, X, or the mean E(...) of a word between two samples.

    Raises `ValueError` for anything else.
    """
    if text in BASE:
        return text, False
    if text.endswith("'"):
        name, transposed = letter(text[:-1])
        return name, not transposed and not is_symmetric(name)
    if not (text.startswith("E(") and text.endswith(")")):
        raise ValueError(f"no letter: {text[:80]!r}")
    core = tuple(letter(part) for part in tokens(text[2:-1]))
    if not core or core[0][0] != SAMPLE or core[-1][0] != SAMPLE:
        raise ValueError(f"a mean begins and ends with a sample: {text[:80]!r}")
    return _mean_letter(core)


def mean(value: Words | Polynomial) -> Words | Polynomial:
    """The mean over the drawn sample of an operator or a number."""
    return mean_number(value) if isinstance(value, Polynomial) else mean_operator(value)


def mean_operator(value: Words) -> Words:
    """The mean of an operator whose coefficients do not depend on the sample (else `ValueError`)."""
    total: Words = 0 * operator([])
    for word, coefficient in value.terms.items():
        if any(depends(name) for names in coefficient.terms for name, _ in names):
            raise ValueError("the mean of an operator needs coefficients that are not random")
        total = total + operator(_averaged(word)) * coefficient
    return total


def mean_number(value: Polynomial) -> Polynomial:
    """The mean of a number, term by term."""
    terms: dict[Monomial, Fraction] = {}
    for monomial, coefficient in value.terms.items():
        random = [pair for pair in monomial if depends(pair[0])]
        averaged = monomial
        if random:
            rest = [pair for pair in monomial if not depends(pair[0])]
            powers = dict(rest)
            name = _mean_name(random)
            powers[name] = powers.get(name, 0) + 1
            averaged = tuple(sorted(powers.items()))
        terms[averaged] = terms.get(averaged, Fraction(0)) + coefficient
    return Polynomial(terms)


def number(value: Words) -> Polynomial:
    """A scalar expression as a polynomial in its words; the unit vector has length one."""
    total = Polynomial.constant(0)
    for word, coefficient in value.terms.items():
        is_one = not word or (len(word) == 2 and {name for name, _ in word} == {UNIT})
        total = total + coefficient * (1 if is_one else Polynomial.variable(_spell(word)))
    return total


def corner(value: Words) -> Polynomial:
    """v'Wv at the unit vector."""
    return number(inner(unit(), value @ unit()))


def trace(value: Words) -> Polynomial:
    """The mean of tr W. Raises `ValueError` where a word holds two independent samples, or a
    coefficient is random: neither has a name here.
    """
    total = Polynomial.constant(0)
    for word, coefficient in value.terms.items():
        if any(depends(name) for names in coefficient.terms for name, _ in names):
            raise ValueError("a trace needs coefficients that are not random")
        turns = [
            w[i:] + w[:i] for w in (_flat(word), _flat(word)[::-1]) for i in range(len(w) or 1)
        ]
        total = total + coefficient * Polynomial.variable(f"tr({' '.join(min(turns))})")
    return total


@cache
def depends(name: str) -> bool:
    """Whether the number of this name depends on the drawn sample."""
    return name == WEIGHT or SAMPLE in tokens(name)


@cache
def names_unit(name: str) -> bool:
    """Whether the number of this name depends on the unit vector: no other letter has a v in it."""
    return UNIT in name and not name.startswith("tr(") and (" " in name or "{" in name)


@cache
def is_name(text: str) -> bool:
    """Whether this is the one spelling of a number here. No other name may be averaged: that would
    give two numbers one name.
    """
    try:
        return _respelled(text) == text
    except ValueError:
        return False


@cache
def is_symmetric(name: str) -> bool:
    """Whether an operator is its own transpose: means of words that read the same backwards are."""
    if not name.startswith("E("):
        return True
    core = tuple(letter(part) for part in tokens(name[2:-1]))
    return _mirror(core) == core


@cache
def tokens(text: str) -> tuple[str, ...]:
    """Letters separated by spaces, those inside brackets left whole."""
    parts, depth = [""], 0
    for sign in text:
        depth += (sign in "({") - (sign in ")}")
        if sign == " " and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return tuple(part for part in parts if part)


def _respelled(text: str) -> str:
    """The name of the number that a text describes; raises `ValueError` if it describes none."""
    if text == WEIGHT:
        return text
    if text.startswith("tr(") and text.endswith(")"):
        return _only(trace(operator([letter(part) for part in tokens(text[3:-1])])))
    if text.startswith("E{") and text.endswith("}"):
        parts = [part.rpartition("^") for part in tokens(text[2:-1])]
        random = [(name[1:-1], int(power)) for name, _, power in parts]
        if not all(is_name(name) and depends(name) and power > 0 for name, power in random):
            raise ValueError(f"no mean of random numbers: {text[:80]!r}")
        return _mean_name(sorted(dict(random).items()))
    first, *inside, last = tokens(text) if " " in text else ("", "")
    if (first, last) != (UNIT, UNIT):
        raise ValueError(f"no number: {text[:80]!r}")
    return _only(corner(operator([letter(part) for part in inside])))


def _only(value: Polynomial) -> str:
    """The variable that a polynomial is."""
    return "".join(name for word in value.terms for name, _ in word)


def _averaged(word: Word) -> Word:
    """The word with everything between its first and its last sample under one mean."""
    places = [i for i, (name, _) in enumerate(word) if name == SAMPLE]
    if not places:
        return word
    first, last = places[0], places[-1] + 1
    return (*word[:first], _mean_letter(word[first:last]), *word[last:])


def _mean_letter(core: Word) -> Letter:
    mirrored = _mirror(core)
    return f"E({_spell(min(core, mirrored))})", mirrored < core


def _mean_name(random: list[tuple[str, int]]) -> str:
    """The name of the mean of a product of numbers that depend on the sample."""
    (name, power), *others = random
    if others or power > 1 or name == WEIGHT:
        return "E{" + " ".join(f"({name})^{power}" for name, power in random) + "}"
    ends = tokens(name)
    inside = tuple(_letter_of(part) for part in ends[1:-1])
    word = ((ends[0], False), *_averaged(inside), (ends[-1], False))
    return _spell(min(word, (word[-1], *_mirror(word[1:-1]), word[0])))


def _letter_of(token: str) -> Letter:
    """A letter as a word spells it, transposed or not."""
    transposed = token.endswith("'")
    return token.removesuffix("'"), transposed


def _flat(word: Word) -> tuple[str, ...]:
    """The word with its one mean, if any, spelled out."""
    means = [i for i, (name, _) in enumerate(word) if name.startswith("E(")]
    bare = any(name == SAMPLE for name, _ in word)
    if len(means) + bare > 1:
        raise ValueError("a trace with two independent samples has no name here")
    if not means:
        return tuple(name for name, _ in word)
    name, transposed = word[means[0]]
    core = tokens(name[2:-1])
    if any(part.startswith("E(") for part in core):
        raise ValueError("a trace with two independent samples has no name here")
    before, after = word[: means[0]], word[means[0] + 1 :]
    spelled = core[::-1] if transposed else core
    return (*(n for n, _ in before), *spelled, *(n for n, _ in after))


def _mirror(word: Word) -> Word:
    return tuple((n, not is_symmetric(n) and not transposed) for n, transposed in reversed(word))


def _spell(word: Word) -> str:
    return " ".join(name + "'" * transposed for name, transposed in word)

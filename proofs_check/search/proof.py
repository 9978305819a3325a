"""Looks for a proof of an inequality: which products add up to zero is a linear program.

Every factor a step may use is offered, times products of the numbers known not to be negative; the
program (HiGHS) finds coefficients that are not negative, elimination over the rationals makes them
exact on the columns it used, and the checker has the last word. A claim's `squares` name what the
argument squares and its `lemmas` what it shows on the way; without them only short proofs are found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations_with_replacement, islice, product
from typing import Any

from proofs_check.checker import FORMAT, Rejected, holds, replay
from proofs_check.checker.factors import Ring
from proofs_check.checker.facts import Fact, fact
from proofs_check.search.identity import satisfying
from proofs_check.search.program import Column, Spec, solve, terms
from proofs_check.search.witness import spell
from theory.atoms import Equal
from theory.core import Claim
from theory.domains import Scalars
from theory.exact import Polynomial, Words, averages
from theory.fingerprint import fingerprint
from theory.symbolic import symbolic

DEGREE = 4  # numbers multiplied to one factor, at most
COLUMNS = 60_000  # of one linear program: HiGHS takes a minute or two
GLANCE = 400  # of one where a proof is only tried in passing: all of them take a second or two
ROUNDS = 2  # of multiples of equations, each reaching the monomials of the last


@dataclass(frozen=True)
class Factor:
    """A factor as a certificate spells it, its value, and whether it is positive."""

    spec: Spec
    value: Polynomial
    strict: bool


def prove(claim: Claim, columns: int = COLUMNS) -> dict[str, Any] | None:
    """A replayed proof, or None if none was found in programs of at most so many columns.

    Equalities alone are left to `identity.py`.
    """
    try:
        if all(isinstance(a, Equal) for a in claim.then(symbolic(claim.domain))):
            return None
        model = symbolic(claim.domain)
        ring = Ring(claim.domain, [fact(a, "given") for a in claim.given(model)])
        shown = [*(claim.lemmas(model) if claim.lemmas else ()), *claim.then(model)]
        squares = claim.squares(model) if claim.squares else ()
        steps = []
        for atom in shown:
            step = _step(fact(atom, "then"), ring, squares, columns)
            if step is None:
                return None
            steps.append(step)
            ring.lemmas.append(fact(atom, "then"))
    except (Rejected, ValueError, TypeError):
        return None
    point = _point(claim)
    return None if point is None else replayed(claim, point, steps)


def replayed(claim: Claim, point: Any, steps: list[Any]) -> dict[str, Any] | None:
    """The proof with these steps, not vacuous at this point, if the checker accepts it."""
    certificate = {
        "format": FORMAT,
        "claim": fingerprint(claim),
        "kind": "proof",
        "point": spell(point),
        "steps": steps,
    }
    try:
        replay(certificate, claim)
    except Rejected:
        return None
    return certificate


def _point(claim: Claim) -> Any:
    """A rational point that meets every hypothesis: the author's tightest, or one drawn at random."""
    if claim.tightest is not None:
        given = claim.given(claim.domain.exact(claim.tightest))
        if all(holds(atom) for atom in given):
            return claim.tightest
    return satisfying(claim)


def _step(
    shown: Fact, ring: Ring, squares: Sequence[Any], most: int = COLUMNS
) -> list[Spec] | None:
    parts = []
    for opposite in ring.opposites(shown):
        ring.opposite = opposite
        part = _refute(shown, opposite, ring, squares, most)
        if part is None:
            return None
        parts.append(part)
    return parts


def _refute(
    shown: Fact, opposite: Fact, ring: Ring, squares: Sequence[Any], most: int
) -> Spec | None:
    """Products of ever more factors, until some add up to zero.

    Most arguments use the opposite and every inequality once, times plain variables: those are tried
    first.
    """
    known = list({f.value: f for f in sorted(_numbers(ring), key=lambda f: f.strict)}.values())
    simple = [f for f in known if len(f.value.terms) == 1]
    others = [f for f in known if len(f.value.terms) != 1]
    against = Factor({"opposite": "of what is shown"}, opposite.value, opposite.strict)
    exceeded: set[tuple[int, bool, bool]] = set()  # a higher degree only adds columns
    for degree, psd, wide, zeros in _effort(ring):
        if (psd, wide, zeros) in exceeded:
            continue
        main = list(_main(shown, opposite, ring, squares, psd)) + ([] if wide else others)
        numbers = known if wide else simple
        every = _columns(ring, opposite, numbers, main, against, degree, not wide)
        columns = list(islice(every, most + 1))
        if zeros and len(columns) <= most:
            columns += islice(_zeros(ring, opposite, columns), most + 1)
        if len(columns) > (1 + zeros) * most:
            exceeded.add((psd, wide, zeros))
            continue
        found = solve(columns)
        if found is not None:
            return found
    return None


def _effort(ring: Ring) -> list[tuple[int, int, bool, bool]]:
    """Degree, PSD operators in a form, whether anything is multiplied with anything, and whether
    equations are used: the cheapest programs first.
    """
    equations = any(known.sort == "zero" for known in ring.given)
    all_of_them = product(range(DEGREE + 1), (1, 2), (False, True), (False, True))
    sensible = [e for e in all_of_them if (ring.family or e[1] == 1) and (equations or not e[3])]
    return sorted(sensible, key=lambda e: (e[0] + (e[1] - 1) + 2.5 * e[2] + 1.5 * e[3], e))


def _numbers(ring: Ring) -> Iterator[Factor]:
    """Scalars, hypotheses and lemmas that are numbers."""
    for name in ring.nonnegative:
        yield Factor({"scalar": name}, Polynomial.variable(name), False)
    for kind, facts in (("given", ring.given), ("lemma", ring.lemmas)):
        for i, known in enumerate(facts):
            if known.sort == "number":
                yield Factor({kind: str(i)}, known.value, known.strict)


def _main(
    shown: Fact, opposite: Fact, ring: Ring, squares: Sequence[Any], psd: int
) -> Iterator[Factor]:
    """Squares, forms and stability, where the statement is about them."""
    numbers = [square for square in squares if isinstance(square, Polynomial)]
    if isinstance(ring.domain, Scalars):
        numbers += vars(ring.domain.generic()[0]).values()
    for number in numbers:
        square: Spec = {"square": terms(number)}
        yield Factor(square, number * number, False)
        if any(averages.depends(name) for word in number.terms for name, _ in word):
            spec: Spec = {"others": [square]}
            yield Factor(spec, *ring.product([spec], "search"))
    if not ring.family:
        for square in squares:
            if isinstance(square, Words):
                yield from _forms(ring, [square], psd)
        return
    names = {name for word in opposite.value.terms for name, _ in word}
    traced = shown.sort == "stable" or any(name.startswith("tr(") for name in names)
    for i, known in enumerate(ring.given):
        if known.sort == "stable":
            for at in ("X", "I") if traced else ("v",):
                spec = {"stable": {"given": str(i), "at": at}}
                yield Factor(spec, *ring.product([spec], "search"))
    operators = [square for square in squares if isinstance(square, Words)]
    if traced:
        yield from _forms(ring, operators, psd)
    else:
        unit = averages.unit()
        yield from _forms(ring, [unit, *(square @ unit for square in operators)], psd)


def _forms(ring: Ring, roots: Sequence[Words], most: int) -> Iterator[Factor]:
    """R'GR for every root R and every product G of at most so many PSD operators that commute."""
    parts: list[Spec] = [{"sample": "h_i"}] if ring.family else []
    for kind, facts in (("given", ring.given), ("lemma", ring.lemmas)):
        parts += [{kind: str(i)} for i, known in enumerate(facts) if known.sort == "operator"]
    if ring.family:
        parts.append({"mean": [{"sample": "h_i"}]})
    for root in roots:
        at = [[terms(c), [n + "'" * t for n, t in word]] for word, c in root.terms.items()]
        for size in range(most + 1):
            for psd in combinations_with_replacement(parts, size):
                spec = {"form": {"psd": list(psd), "at": at}}
                try:
                    yield Factor(spec, *ring.product([spec], "search"))
                except (Rejected, ValueError):
                    continue


def _columns(
    ring: Ring,
    opposite: Fact,
    numbers: Sequence[Factor],
    main: Sequence[Factor],
    against: Factor,
    degree: int,
    plain: bool,
) -> Iterator[Column]:
    """Products of up to `degree` numbers, at most one of `main`, and the opposite up to twice; `plain`:
    the opposite with positive numbers only.
    """
    averaged = not ring.is_random(opposite)
    one = Factor({}, Polynomial.constant(1), True)
    products: list[tuple[tuple[Factor, ...], Polynomial, bool]] = [((), one.value, True)]
    for size in range(1, degree + 1):
        for chosen in combinations_with_replacement(numbers, size):
            value = one.value
            for factor in chosen:
                value = value * factor.value
            products.append((chosen, value, all(f.strict for f in chosen)))
    for chosen, value, strict in products:
        for last in (one, *main):
            total = value * last.value
            for opposites in range(3):
                if opposites and plain and not (strict and last is one and opposites == 1):
                    break
                factors = [f.spec for f in (*chosen, last, *[against] * opposites) if f.spec]
                positive = strict and last.strict and (against.strict or not opposites)
                yield Column(ring.mean(total) if averaged else total, positive, tuple(factors))
                total = total * against.value


def _zeros(ring: Ring, opposite: Fact, columns: Sequence[Column]) -> Iterator[Column]:
    """Multiples of hypotheses that are zero, by monomials, that bring in at most one new monomial.

    The new ones are then within reach of further multiples.
    """
    averaged = not ring.is_random(opposite)
    equations = [(i, f.value) for i, f in enumerate(ring.given) if f.sort == "zero"]
    reached = {word: None for column in columns for word in column.value.terms}  # in order
    made: set[tuple[int, Polynomial]] = set()
    fresh = list(reached)
    for _ in range(ROUNDS if equations else 0):
        added: dict[Any, None] = {}
        for i, value in equations:
            quotients = dict.fromkeys(_divide(w, part) for w in fresh for part in value.terms)
            for quotient in quotients:
                if quotient is None or (i, quotient) in made:
                    continue
                multiple = value * quotient
                multiple = ring.mean(multiple) if averaged else multiple
                beyond = [word for word in multiple.terms if word not in reached]
                if len(beyond) <= 1:
                    made.add((i, quotient))
                    added |= dict.fromkeys(beyond)
                    yield Column(multiple, False, zero=(i, quotient))
        fresh = list(added)
        reached |= added


def _divide(word: Any, part: Any) -> Polynomial | None:
    powers = dict(word)
    for name, power in part:
        powers[name] = powers.get(name, 0) - power
        if powers[name] < 0:
            return None
    return Polynomial({tuple(sorted((n, p) for n, p in powers.items() if p)): Fraction(1)})

"""Attacks on a claim that take nothing from the checker: z3's real algebra, and the hunt.

z3 (nlsat, Jovanović & de Moura 2012) is asked for a model where every hypothesis holds and an atom
of the conclusion fails. The claim's own functions are read on z3's numbers: no polynomial, word, mean
or hash of this project takes part. For named numbers `unsat` is a proof. Families are read with one
to three samples in one dimension, operators in one and two; there `unsat` covers these sizes only.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from proofs_check.checker.base import holds
from proofs_check.checker.facts import Fact, fact
from proofs_check.search import reals
from proofs_check.search.hunt import hunt
from theory.core import Claim
from theory.domains import Domain, Family, Operators, Point, Scalars
from theory.exact import Matrix, averages
from theory.symbolic import symbolic

TIMEOUT = 5_000  # milliseconds of one question; nearly all take a few
EVALUATIONS = 3_000  # of one hunt


class FalseProofError(AssertionError):
    """A claim the checker calls proved has a counterexample: the checker is wrong."""


@dataclass(frozen=True)
class Answer:
    """What z3 said: "unsat", "sat" or "unknown", and the size and model where it found one."""

    word: str
    told: str = ""


def refuted(claim: Claim, timeout: int = TIMEOUT) -> Answer:
    """Whether z3 finds hypotheses that hold and a conclusion that fails.

    "sat" as soon as one size has a model, "unsat" only if every size has none.
    """
    words = []
    for size in reals.sizes(claim.domain):
        try:
            answer = _ask(claim, size, timeout)
        except (TypeError, ValueError, AttributeError) as error:  # no algebra of real numbers
            return Answer("unknown", str(error))
        if answer.word == "sat":
            return answer
        words.append(answer.word)
    return Answer("unsat" if set(words) == {"unsat"} else "unknown")


def attack(claim: Claim, *, timeout: int = TIMEOUT, evaluations: int = EVALUATIONS) -> str:
    """In what sense a claim called proved stands; raises `FalseProofError` with a counterexample."""
    answer = refuted(claim, timeout)
    if answer.word == "sat":
        raise FalseProofError(f"{claim.title}: proved, and false at {answer.told}")
    if answer.word == "unsat" and isinstance(claim.domain, Scalars):
        return "z3: no real point breaks it"
    found = hunt(claim, evaluations=evaluations)
    if found.certificate is not None:
        raise FalseProofError(f"{claim.title}: proved, and refuted by {found.certificate}")
    small = {"unsat": "z3: no small model", "unknown": "z3 undecided"}[answer.word]
    return f"{small}; hunt: nothing"


def follows(mutant: Claim, original: Claim) -> bool:
    """Whether a mutant follows from the original by real algebra of what both name.

    Every number the symbolic readings name is a real variable, those that cannot be negative are
    known not to be, and operators are compared along one vector: z3 then finds no values where the
    mutant's hypotheses hold, the original is true and the mutant is not.
    """
    import z3

    try:
        model = symbolic(original.domain)
        stated, known = (_facts(claim, model) for claim in (mutant, original))
    except (TypeError, ValueError, AttributeError):
        return False
    variables: dict[str, Any] = {}
    meaning = {id(f): _abstract(f, variables) for side in (*stated, *known) for f in side}
    given, then, old_given, old_then = (
        z3.And([meaning[id(f)] for f in side]) for side in (*stated, *known)
    )
    solver = _solver(TIMEOUT)
    solver.add([x >= 0 for name, x in variables.items() if _known(name, original.domain)])
    # At the same unit vector: the mutant's hypotheses, and the original as a sentence.
    solver.add(given, z3.Or(z3.Not(old_given), old_then), z3.Not(then))
    return str(solver.check()) == "unsat"


def _facts(claim: Claim, model: Any) -> tuple[list[Fact], list[Fact]]:
    return (
        [fact(atom, "given") for atom in claim.given(model)],
        [fact(atom, "then") for atom in claim.then(model)],
    )


def _abstract(stated: Fact, variables: dict[str, Any]) -> Any:
    """A fact with its names as real variables; stability is one by its spelling."""
    import z3

    if stated.sort == "stable":
        spelled = repr(sorted((w, repr(c)) for w, c in stated.value.terms.items()))
        return z3.Bool(f"stable {spelled} {stated.bound}")
    value = averages.corner(stated.value) if stated.sort == "operator" else stated.value
    total: Any = z3.RealVal(0)
    for monomial, coefficient in value.terms.items():
        part: Any = z3.RealVal(str(coefficient))
        for name, power in monomial:
            part = part * variables.setdefault(name, z3.Real(name)) ** power
        total = total + part
    if stated.sort == "zero":
        return total == 0
    return total > 0 if stated.strict else total >= 0


def _known(name: str, domain: Domain) -> bool:
    """Whether a number is never negative: a family's scalars, a mean power at v, a length."""
    if isinstance(domain, Family):
        powers = {f"v E({' '.join(['h_i'] * k)}) v" for k in range(1, 13)}
        powers |= {f"v {' '.join(['h_i'] * k)} v" for k in range(1, 13)}
        return name in domain.names or name == averages.WEIGHT or name in powers
    if isinstance(domain, Operators):
        first, _, last = name.partition(" ")
        return first == last and first in domain.vectors
    return False


def point(claim: Claim, timeout: int = TIMEOUT) -> Point | None:
    """A rational point that meets every hypothesis, by z3; None where it has none to offer.

    Numbers known by name, and operators and vectors of the sizes read.
    """
    import z3

    domain = claim.domain
    for size in reals.sizes(domain) if not isinstance(domain, Family) else ():
        model = reals.model(domain, size)
        try:
            given = [reals.formula(atom) for atom in claim.given(model)]
        except (TypeError, ValueError, AttributeError):
            return None
        solver = _solver(timeout)
        solver.add(*given)
        values = _rational(solver.model()) if solver.check() == z3.sat else None
        if values is None:
            continue
        exact = reals.model(domain, size, lambda name, v=values: v.get(name, Fraction(0)))
        return {name: _spelled(value) for name, value in vars(exact).items() if name != "inner"}
    return None


def _spelled(value: Any) -> Any:
    if not isinstance(value, Matrix):
        return value
    return [row[0] for row in value.rows] if value.shape[1] == 1 else [list(r) for r in value.rows]


def _solver(timeout: int) -> Any:
    import z3

    solver = z3.SolverFor("QF_NRA")
    solver.set("timeout", timeout)
    return solver


def _rational(found: Any) -> dict[str, Fraction] | None:
    """The numbers of z3's model, or None where one of them is no fraction."""
    import z3

    values = {str(name): found[name] for name in found.decls() if name.arity() == 0}
    if not all(z3.is_rational_value(value) for value in values.values()):
        return None
    return {name: Fraction(str(value)) for name, value in values.items()}


def _ask(claim: Claim, size: int, timeout: int) -> Answer:
    """One question for each atom of the conclusion: together they are far harder."""
    model = reals.model(claim.domain, size)
    known = reals.axioms(claim.domain, model) + [reals.formula(a) for a in claim.given(model)]
    words = set()
    for atom in claim.then(model):
        answer = _broken(claim, size, known, reals.formula(atom), timeout)
        if answer.word == "sat":
            return answer
        words.add(answer.word)
    return Answer("unsat" if words <= {"unsat"} else "unknown")


def _broken(claim: Claim, size: int, known: list[Any], shown: Any, timeout: int) -> Answer:
    import z3

    solver = _solver(timeout)
    solver.add(*known, z3.Not(shown))
    word = str(solver.check())
    if word != "sat":
        return Answer(word)
    values = _rational(solver.model())
    told = f"{size}: {values or solver.model()}"
    if values is None or _breaks(claim, size, values):
        return Answer("sat", told)
    return Answer("unknown", f"no model after all: {told}")


def _breaks(claim: Claim, size: int, point: dict[str, Fraction]) -> bool:
    """z3 gives a quotient by zero any value, so its models are looked at once more, exactly."""
    model = reals.model(claim.domain, size, lambda name: point.get(name, Fraction(0)))
    try:
        return all(map(holds, claim.given(model))) and not all(map(holds, claim.then(model)))
    except ZeroDivisionError:
        return False

"""Looks for the proof of a worst-case rate at one setting: the dual of a performance-estimation SDP.

A claim about vectors says something of their inner products alone. Once its scalars are numbers,
hypotheses h_i >= 0 and conclusion c >= 0 are linear in the Gram matrix G. Multipliers lambda_i >= 0
with c - sum lambda_i h_i = <S, G>, S positive semidefinite, prove it in every dimension (Drori &
Teboulle 2014; Taylor, Hendrickx & Glineur 2017). `semidefinite.py` finds them exactly; the checker has
the last word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

from proofs_check.checker import holds
from proofs_check.search.proof import replayed
from proofs_check.search.semidefinite import Form, certified
from proofs_check.search.witness import spell
from theory.atoms import AtMost, Atom, Equal
from theory.core import Claim, InputError
from theory.domains import Operators, check_names, rational
from theory.exact import Matrix, Words


@dataclass(frozen=True)
class Dual:
    """c = sum multipliers[i] h_i + <slack, G>; one multiplier a hypothesis, `slack` (n, n) is PSD.

    Hypotheses between numbers have multiplier 0; those of equalities may have any sign.
    """

    multipliers: tuple[Fraction, ...]
    slack: Matrix


def fixed(claim: Claim, setting: Mapping[str, Any]) -> Claim:
    """The claim with its scalars replaced by numbers, for exact readings.

    Raises `InputError` where the claim is not about vectors and scalars alone, the setting does not
    name exactly its scalars, or a hypothesis between numbers fails there.
    """
    vectors = _vectors(claim)
    names = claim.domain.scalars if isinstance(claim.domain, Operators) else ()
    check_names(setting, names)
    scalars = {name: rational(setting[name], name) for name in names}

    def at(read: Any) -> Any:
        return lambda m: read(SimpleNamespace(**vars(m), **scalars))

    tightest = claim.tightest and {name: claim.tightest[name] for name in vectors}
    found = replace(
        claim,
        domain=Operators(vectors=vectors),
        given=at(claim.given),
        then=at(claim.then),
        lemmas=None,
        squares=None,
        tightest=tightest,
    )
    for i, atom in enumerate(found.given(found.domain.generic()[0])):
        if not _about_vectors(atom) and not holds(atom):
            raise InputError(f"given[{i}]", f"false at {dict(setting)}", "a setting it holds at")
    return found


def dual(claim: Claim, index: int = 0) -> Dual | None:
    """Exact multipliers and slack for one atom of a claim about vectors alone, or None.

    None: the solver finds no multipliers, or no rounding tried is exact. Raises `InputError` where the
    package is missing or the atoms are not linear in the Gram matrix.
    """
    model = claim.domain.generic()[0]
    given = [atom if _about_vectors(atom) else None for atom in claim.given(model)]
    names = _vectors(claim)
    forms = [None if atom is None else _form(atom, names) for atom in given]
    conclusion = claim.then(model)[index]
    if not isinstance(conclusion, AtMost) or conclusion.strict:
        raise InputError(f"then[{index}]", type(conclusion).__name__, "an inequality <=")
    target = _form(conclusion, names)
    used = [i for i, form in enumerate(forms) if form is not None]
    columns = [form for form in forms if form is not None]
    free = [isinstance(given[i], Equal) for i in used]
    found = certified(target, columns, free, len(names))
    if found is None:
        return None
    multipliers = dict(zip(used, found[0], strict=True))
    return Dual(tuple(multipliers.get(i, Fraction(0)) for i in range(len(forms))), found[1])


def prove(claim: Claim) -> dict[str, Any] | None:
    """A replayed certificate of kind `proof` for a claim about vectors alone, or None."""
    if not isinstance(claim.domain, Operators) or claim.domain != Operators(
        vectors=claim.domain.vectors
    ):
        return None
    model = claim.domain.generic()[0]
    steps = []
    for index in range(len(claim.then(model))):
        found = dual(claim, index)
        if found is None:
            return None
        steps.append([_part(claim, found)])
    point = claim.tightest
    if point is None or not all(map(holds, claim.given(claim.domain.exact(point)))):
        point = {name: [0] for name in _vectors(claim)}  # every form vanishes, so hypotheses hold
    return replayed(claim, point, steps)


def _part(claim: Claim, found: Dual) -> dict[str, Any]:
    """-c > 0, the hypotheses and the slack add up to zero."""
    given = claim.given(claim.domain.generic()[0])
    terms: list[Any] = [{"times": "1", "factors": [{"opposite": "of what is shown"}]}]
    zeros = []
    for i, (atom, weight) in enumerate(zip(given, found.multipliers, strict=True)):
        if weight and isinstance(atom, Equal):
            zeros.append({"given": str(i), "polynomial": [[str(weight), {}]]})
        elif weight:
            terms.append({"times": str(weight), "factors": [{"given": str(i)}]})
    roots = [[[[["1", {}]], [name]]] for name in _vectors(claim)]
    gram = {"matrix": spell(found.slack.rows), "of": roots}
    terms.append({"times": "1", "factors": [{"gram": gram}]})
    return {"terms": terms, "zeros": zeros}


def _vectors(claim: Claim) -> tuple[str, ...]:
    domain = claim.domain
    if not isinstance(domain, Operators) or domain.symmetric or domain.general:
        raise InputError("claim", type(domain).__name__, "Operators of vectors and scalars alone")
    return domain.vectors


def _about_vectors(atom: Atom) -> bool:
    return isinstance(atom, AtMost | Equal) and any(
        isinstance(side, Words) for side in (atom.lhs, atom.rhs)
    )


def _form(atom: Atom, names: Sequence[str]) -> Form:
    """rhs - lhs as a form in the Gram matrix."""
    assert isinstance(atom, AtMost | Equal)
    form: Form = {}
    for sign, side in ((1, atom.rhs), (-1, atom.lhs)):
        if not isinstance(side, Words):
            if side != 0:
                raise InputError(
                    "given, then", side, "inner products compared with each other or 0"
                )
            continue
        for word, coefficient in side.terms.items():
            i, j = sorted(names.index(name) for name, _ in word)
            if set(coefficient.terms) != {()}:
                raise InputError(
                    "given, then", coefficient, "numbers for all scalars (see `fixed`)"
                )
            form[i, j] = form.get((i, j), Fraction(0)) + sign * coefficient.terms[()]
    return form

"""A claim's hash: what it says, not how it is worded.

sha256 over the domain's signature, the conventions, and the atoms evaluated exactly on the domain's
generic models: as polynomials or words, or on fixed rational families. Titles, prose, layout and
variable names inside functions change nothing; a constant, a sign or a notion changes everything.
"""

from __future__ import annotations

import hashlib
from dataclasses import astuple
from fractions import Fraction

from theory.atoms import AtMost, Atom, Equal, Loewner, MeanSquare
from theory.core import Claim
from theory.exact import Matrix, Polynomial, Words


def fingerprint(claim: Claim) -> str:
    """The hash a certificate quotes, as 64 hexadecimal digits."""
    lines = [claim.domain.signature(), repr(tuple(map(str, astuple(claim.conventions))))]
    for model in claim.domain.generic():
        for role, atoms in (("given", claim.given(model)), ("then", claim.then(model))):
            lines += [f"{role}: {spell(atom)}" for atom in atoms]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def spell(atom: Atom) -> str:
    """An atom's canonical text; raises `TypeError` where a float slipped into exact arithmetic."""
    require_exact(atom)
    match atom:
        case AtMost(lhs, rhs, strict):
            return f"{lhs} {'<' if strict else '<='} {rhs}"
        case Equal(lhs, rhs):
            return f"{lhs} = {rhs}"
        case Loewner(lower, upper):
            return f"{lower} psd<= {upper}"
        case MeanSquare(T, bound):
            parts = zip(T.probabilities, T.steps, strict=True)
            words = (f"{p} {Phi}" for p, Phi in parts)
            return f"radius <= {bound} of " + " + ".join(words)


def require_exact(atom: Atom) -> None:
    """Raise `TypeError` unless this is an atom and every number in it is exact.

    A claim may compute a float at one point and a fraction at another (a square root of a perfect
    square, a minimum): comparing a fraction with a float would then decide by rounding.
    """
    if not isinstance(atom, Atom):
        raise TypeError(f"hypotheses and conclusions are atoms, not {type(atom).__name__}")
    match atom:
        case AtMost(lhs, rhs) | Equal(lhs, rhs) | Loewner(lhs, rhs):
            values = [lhs, rhs]
        case MeanSquare(T, bound):
            values = [bound, *T.probabilities, *T.steps]
    for value in values:
        number = isinstance(value, int | Fraction | Polynomial) and not isinstance(value, bool)
        if not (number or isinstance(value, Matrix | Words)):
            raise TypeError(f"an exact reading met the inexact value {value!r}")

"""A claim's hash: what it says, not how it is worded.

sha256 over the domain's signature, the conventions, and the atoms evaluated exactly on the domain's
generic models: as polynomials or words, or on fixed rational families. Titles, prose, layout and
variable names inside functions change nothing; a constant, a sign or a notion changes everything.
"""

from __future__ import annotations

import hashlib
from dataclasses import astuple
from typing import Any

from theory.atoms import AtMost, Atom, Equal, Loewner, MeanSquare
from theory.core import Claim


def fingerprint(claim: Claim) -> str:
    """The hash a certificate quotes, as 64 hexadecimal digits."""
    lines = [claim.domain.signature(), repr(tuple(map(str, astuple(claim.conventions))))]
    for model in claim.domain.generic():
        for role, atoms in (("given", claim.given(model)), ("then", claim.then(model))):
            lines += [f"{role}: {spell(atom)}" for atom in atoms]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def spell(atom: Atom) -> str:
    """An atom's canonical text; raises `TypeError` where a float slipped into exact arithmetic."""
    match atom:
        case AtMost(lhs, rhs, strict):
            return f"{_exact(lhs)} {'<' if strict else '<='} {_exact(rhs)}"
        case Equal(lhs, rhs):
            return f"{_exact(lhs)} = {_exact(rhs)}"
        case Loewner(lower, upper):
            return f"{_exact(lower)} psd<= {_exact(upper)}"
        case MeanSquare(T, bound):
            parts = zip(T.probabilities, T.steps, strict=True)
            words = (f"{_exact(p)} {_exact(Phi)}" for p, Phi in parts)
            return f"radius <= {_exact(bound)} of " + " + ".join(words)
    raise TypeError(f"hypotheses and conclusions are atoms, not {type(atom).__name__}")


def _exact(value: Any) -> str:
    if isinstance(value, float) or type(value).__module__.startswith("numpy"):
        raise TypeError(f"an exact reading met the inexact number {value!r}")
    return str(value)

"""Looks for a proof of an equality: the expansion, with cofactors by polynomial division."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

from proofs_check.checker import FORMAT, Rejected, holds, replay
from proofs_check.search.charts import draw
from proofs_check.search.rounding import Rounding
from proofs_check.search.witness import spell
from theory.atoms import AtMost, Equal
from theory.core import Claim
from theory.domains import Operators, Point, Scalars
from theory.exact import Polynomial
from theory.fingerprint import fingerprint

TRIES = 50  # random rational points tried for one that meets every hypothesis


def prove(claim: Claim) -> dict[str, Any] | None:
    """A replayed identity certificate, or None if the division leaves a remainder."""
    if not isinstance(claim.domain, Scalars | Operators):
        return None
    model = claim.domain.generic()[0]
    then = claim.then(model)
    if not all(isinstance(atom, Equal) for atom in then):
        return None
    certificate = {"format": FORMAT, "claim": fingerprint(claim), "kind": "identity"}
    if isinstance(claim.domain, Scalars):
        point = satisfying(claim)
        steps = [_divide(claim, atom, claim.given(model)) for atom in then]
        if point is None or None in steps:
            return None
        certificate |= {"point": spell(point), "steps": steps}
    try:
        replay(certificate, claim)
    except Rejected:
        return None
    return certificate


def satisfying(claim: Claim) -> Point | None:
    """A rational point that meets every hypothesis: without one the claim would be vacuous."""
    import numpy as np

    rng = np.random.default_rng(0)
    for attempt in range(TRIES):
        chart = draw(claim.domain, rng, tame=True)
        try:
            point = chart.point(chart.start(rng), Rounding(denominator=1 + attempt))
            if all(holds(atom) for atom in claim.given(claim.domain.exact(point))):
                return point
        except (ValueError, ArithmeticError):
            continue
    return None


def _divide(claim: Claim, atom: Any, given: Sequence[Any]) -> dict[str, Any] | None:
    """Cofactors q_j with prod p_i (lhs - rhs) = sum q_j (g_j - h_j), at most one p_i, or None.

    Which remainder division leaves depends on the monomial order, so several are tried.
    """
    import sympy

    assert isinstance(claim.domain, Scalars)
    symbols = sympy.symbols(claim.domain.names)
    equalities = [j for j, h in enumerate(given) if isinstance(h, Equal)]
    divisors = [_sympy(given[j].lhs - given[j].rhs) for j in equalities]
    strict = [i for i, h in enumerate(given) if isinstance(h, AtMost) and h.strict]
    orders = list(product(("lex", "grevlex"), (symbols, symbols[::-1])))
    for positive in ([], *([i] for i in strict)):
        target = _sympy(atom.lhs - atom.rhs)
        for i in positive:
            target = target * _sympy(given[i].rhs - given[i].lhs)
        for order, variables in orders:
            quotients, rest = sympy.reduced(target, divisors, *variables, order=order)
            if sympy.expand(rest) == 0:
                return {
                    "positive": [str(i) for i in positive],
                    "cofactors": [
                        {"given": str(j), "polynomial": _terms(sympy.Poly(q, *symbols))}
                        for j, q in zip(equalities, quotients, strict=True)
                        if q != 0
                    ],
                }
    return None


def _sympy(value: Any) -> Any:
    import sympy

    if not isinstance(value, Polynomial):
        return sympy.Rational(value.numerator, value.denominator)
    return sum(
        sympy.Rational(c.numerator, c.denominator)
        * sympy.prod([sympy.Symbol(name) ** power for name, power in word])
        for word, c in value.terms.items()
    )


def _terms(poly: Any) -> list[Any]:
    names = [str(symbol) for symbol in poly.gens]
    return [
        [str(c), {n: str(p) for n, p in zip(names, powers, strict=True) if p}]
        for powers, c in poly.terms()
    ]

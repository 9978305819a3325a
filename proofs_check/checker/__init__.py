"""Replays certificates exactly. The only code whose word earns PROVED or REFUTED.

A certificate never carries a statement, a path or code. It quotes the hash of a claim and supplies
numbers; everything else is rebuilt from the claim. Standard library only.

Kinds:
- `point`, `family`, `piecewise`: a rational witness against a claim. Every hypothesis is verified,
  then one atom of the conclusion is shown false. Mean-square stability is shown by a
  Lyapunov matrix (P > 0 and bound P - T(P) >= 0 give r(T) <= bound), its failure by growth
  (X >= 0 nonzero and T(X) - c X >= 0 give r(T) >= c), both in the
  coordinates of `SecondMoment.quotient`.
- `identity`: a proof of an equality by expansion. With hypotheses g_j = h_j and strict hypotheses
  p_i > 0, the expansion of prod p_i (lhs - rhs) - sum q_j (g_j - h_j) is zero, and a rational point
  satisfies all hypotheses, so the claim is not vacuous. Between operators the plain expansion of
  lhs - rhs is zero, which covers matrices of every size.
- `proof`: inequalities, step by step (`proof.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from proofs_check.certificate import FORMAT, Rejected, fields, read
from proofs_check.checker.base import Replayed, holds
from proofs_check.checker.factors import RULES
from proofs_check.checker.identity import replay_identity
from proofs_check.checker.proof import replay_proof
from proofs_check.checker.witness import replay_witness
from theory.core import Claim
from theory.domains import Family, Operators, Scalars
from theory.fingerprint import fingerprint
from theory.piecewise import Piecewise

__all__ = ["FORMAT", "RULES", "Rejected", "Replayed", "holds", "read", "replay"]


def replay(certificate: dict[str, Any], claim: Claim) -> Replayed:
    """Decide the certificate against the claim; raises `Rejected` if anything does not hold.

    Fails closed: whatever the claim's own functions raise at a witness, such as a zero denominator
    or shapes that do not fit, is a rejection too.
    """
    try:
        return _replay(certificate, claim)
    except Rejected:
        raise
    except Exception as error:  # a claim's functions may raise anything
        told = f"{type(error).__name__}: {error}"
        raise Rejected(f"claim: cannot be evaluated for this certificate: {told}") from error


def _replay(certificate: dict[str, Any], claim: Claim) -> Replayed:
    fields(certificate, "certificate", {"format", "claim", "kind"}, rest=True)
    if certificate["format"] != FORMAT:
        raise Rejected(f"format: expected {FORMAT!r}")
    if certificate["claim"] != fingerprint(claim):
        raise Rejected("claim: the certificate quotes the hash of another statement")
    kinds: dict[str, tuple[tuple[type, ...], Callable[[dict[str, Any], Claim], Replayed]]] = {
        "point": ((Scalars, Operators), replay_witness),
        "family": ((Family,), replay_witness),
        "piecewise": ((Piecewise,), replay_witness),
        "identity": ((Scalars, Operators), replay_identity),
        "proof": ((Scalars, Family, Operators), replay_proof),
    }
    kind = certificate["kind"]
    if not isinstance(kind, str) or kind not in kinds:
        raise Rejected(f"kind: expected one of {', '.join(kinds)}")
    domains, replay_kind = kinds[kind]
    if not isinstance(claim.domain, domains):
        raise Rejected("kind: does not fit the claim's domain")
    return replay_kind(certificate, claim)

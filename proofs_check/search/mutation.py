"""`make mutants`: what becomes of every mutant of every claim, and why the proved ones are true.

The claim's certificate is bound to the mutant, so that the hash decides nothing, and given another
point where its own no longer meets the hypotheses; then the finders look for a proof. Whatever is
proved is attacked (`attack.py`); a counterexample stops everything, for the checker is then wrong.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from proofs_check import library
from proofs_check.certificate import Rejected, read
from proofs_check.checker import replay
from proofs_check.search import identity, proof
from proofs_check.search.attack import FalseProofError, attack, follows, point, refuted
from proofs_check.search.mutants import Mutant, mutants
from proofs_check.search.witness import spell
from theory.atoms import Atom
from theory.core import Claim, Verdict
from theory.domains import Family, Scalars
from theory.fingerprint import fingerprint
from theory.fingerprint import spell as atom_text

QUICK = 100  # milliseconds z3 has for a mutant that is not proved anyway
COLUMNS = 300  # of one program of the finder: a mutant whose proof differs by a constant needs few
JOBS = 2
UNREADABLE = (ArithmeticError, AttributeError, TypeError, ValueError)  # what a mutant may raise


@dataclass(frozen=True)
class Judged:
    """What became of one mutant.

    `replayed`: what the re-bound certificate showed, "rejected" if nothing, None without one;
    `found`: whether a finder proved it; `because`: why a proved one is true; `false`: z3 broke it.
    """

    change: str
    replayed: str | None
    found: bool = False
    because: str | None = None
    false: bool = False


def judged(key: str, *, every: int = 1) -> Iterator[Judged]:
    """Every mutant of a claim that says something else, the finders tried on one in `every`.

    Raises `FalseProofError` on a false proof.
    """
    item = library.entry(key)
    certificate = read(item.certificates[0]) if item.certificates else None
    seen = {_hash(item.claim)}
    for i, mutant in enumerate(mutants(key)):
        hashed = _hash(mutant.claim)
        if hashed is None or hashed in seen:
            continue
        seen.add(hashed)
        yield judge(mutant, item.claim, certificate, search=i % every == 0)


def _hash(claim: Claim) -> str | None:
    """None where a mutant cannot be read, so that nothing can ever be shown of it."""
    try:
        return fingerprint(claim)
    except Exception:  # a mutant may divide by zero, mix shapes, or anything else
        return None


def judge(
    mutant: Mutant, original: Claim, certificate: dict[str, Any] | None, *, search: bool = True
) -> Judged:
    """What becomes of one mutant; raises `FalseProofError` if it is proved and false, or refuted and
    true.
    """
    claim = mutant.claim
    replayed = None if certificate is None else rebound(certificate, claim)
    found = search and replayed != Verdict.PROVED and _found(claim)
    if found and replayed == Verdict.REFUTED:
        raise FalseProofError(f"{claim.title}: proved, and refuted by a committed witness")
    if replayed != Verdict.PROVED and not found:
        word = refuted(claim, QUICK).word
        if replayed == Verdict.REFUTED and word == "unsat" and isinstance(claim.domain, Scalars):
            raise FalseProofError(f"{claim.title}: refuted, and no real point breaks it")
        return Judged(mutant.change, replayed, false=word == "sat")
    stands = attack(claim)
    if not isinstance(claim.domain, Scalars) and follows(claim, original):
        stands = f"follows from the claim; {stands}"
    elif certificate is not None and unused(claim, original, certificate):
        stands = f"only a hypothesis no step uses differs; {stands}"
    return Judged(mutant.change, replayed, found, stands)


def unused(mutant: Claim, original: Claim, certificate: dict[str, Any]) -> bool:
    """Whether all that differs are hypotheses which no step of the original's certificate names."""
    model = original.domain.generic()[0]
    if isinstance(original.domain, Family) or certificate["kind"] != "proof":
        return False  # a family's hypotheses are counted by sample there
    if _said(mutant.then(model)) != _said(original.then(model)):
        return False
    lemmas = [_said(one.lemmas(model)) if one.lemmas else [] for one in (mutant, original)]
    if lemmas[0] != lemmas[1]:
        return False
    before, after = _said(original.given(model)), _said(mutant.given(model))
    named = set(_named(certificate["steps"]))
    same = len(before) == len(after)
    return same and not any(str(i) in named for i, a in enumerate(before) if a != after[i])


def _said(atoms: Sequence[Atom]) -> list[str]:
    return [atom_text(atom) for atom in atoms]


def _named(steps: Any) -> Iterator[str]:
    """The indices of the hypotheses that steps name."""
    for name, inside in steps.items() if isinstance(steps, dict) else enumerate(steps):
        if name == "given":
            yield inside
        elif isinstance(inside, dict | list):
            yield from _named(inside)


def rebound(certificate: dict[str, Any], claim: Claim) -> str:
    """What a certificate shows of a mutant once it quotes its hash, "rejected" if nothing."""
    bound = certificate | {"claim": fingerprint(claim)}
    try:
        return replay(bound, claim).verdict
    except Rejected as error:
        if not str(error).startswith("point:"):
            return "rejected"
    try:
        other = point(claim) or identity.satisfying(claim)
        return replay(bound | {"point": spell(other)}, claim).verdict
    except (Rejected, *UNREADABLE):
        return "rejected"


def _found(claim: Claim) -> bool:
    try:
        return bool(identity.prove(claim) or proof.prove(claim, COLUMNS))
    except UNREADABLE:  # as where the finders meet a quotient
        return False


# --- the table ------------------------------------------------------------------------------------

COUNTED = ("mutants", "rejected", "refuted", "replayed", "found", "false", "open")


def counted(results: Sequence[Judged]) -> Counter[str]:
    """How many mutants met which end: `false` and `open` are those nothing proved or refuted."""
    total: Counter[str] = Counter(mutants=len(results))
    for one in results:
        total["rejected"] += one.replayed == "rejected"
        total["refuted"] += one.replayed == Verdict.REFUTED
        total["replayed"] += one.replayed == Verdict.PROVED
        total["found"] += one.found
        left = one.because is None and one.replayed != Verdict.REFUTED
        total["false"] += left and one.false
        total["open"] += left and not one.false
    return total


def _all(key: str, every: int) -> tuple[str, list[Judged]]:
    return key, list(judged(key, every=every))


def main(arguments: Sequence[str]) -> int:
    """Judge all mutants of these claims, by default of all, and print what became of them."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("keys", nargs="*", metavar="KEY")
    parser.add_argument("--every", type=int, default=1, help="try the finders on one mutant in N")
    given = parser.parse_args(arguments)
    keys = given.keys or [item.key for item in library.entries()]
    results: list[Judged] = []
    print(f"{'claim':40}" + "".join(f"{name:>9}" for name in COUNTED))
    with ProcessPoolExecutor(JOBS) as pool:
        for key, found in pool.map(partial(_all, every=given.every), keys):
            _row(key, counted(found))
            results += found
    _row(f"{len(keys)} claims", counted(results))
    for why, count in Counter(one.because for one in results if one.because).most_common():
        print(f"{count:6} proved: {why}")
    print("     0 proved and false")  # a false proof has stopped everything
    return 0


def _row(name: str, total: Counter[str]) -> None:
    print(f"{name:40}" + "".join(f"{total[column]:9}" for column in COUNTED), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

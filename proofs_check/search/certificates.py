"""`make certificates`: finds every committed certificate again, from the claims alone.

Every finder is deterministic, so the same files come out. A certificate that is not found again is
kept, named, and makes the exit code 1: evidence is never thrown away because a search is weak.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from proofs_check import library, output
from proofs_check.library import CERTIFICATES, Entry
from proofs_check.search import families, identity, pep, proof
from proofs_check.search.hunt import hunt

EVALUATIONS = 200_000  # of one hunt from scratch; the slowest committed witness needs a tenth
SEEDS = 3


def find(item: Entry) -> dict[str, Any] | None:
    """A certificate for a claim, by whichever finder has one."""
    if item.key in families.RECIPES:
        return families.find(item.key)
    for prove in (identity.prove, proof.prove, pep.prove):
        certificate = prove(item.claim)
        if certificate is not None:
            return certificate
    for seed in range(SEEDS):
        certificate = hunt(item.claim, evaluations=EVALUATIONS, seed=seed).certificate
        if certificate is not None:
            return certificate
    return None


def main(keys: Sequence[str]) -> int:
    """Find and write the certificates of these claims, by default of all that have one."""
    items = [library.entry(key) for key in keys]
    lost = 0
    for item in items or [item for item in library.entries() if item.certificates]:
        certificate = find(item)
        if certificate is None:
            lost += 1
            print(f"{item.key}: not found again, kept as it was", flush=True)
            continue
        output.write(CERTIFICATES / f"{item.key}.json", output.strict(certificate))
        print(f"{item.key}: {certificate['kind']}", flush=True)
    return int(lost > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

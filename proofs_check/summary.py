"""The one JSON shape of a claim and of its audit. Standard library only.

`describe` is a row of `flatproof claims --json`; `summarise` adds what an audit found and is a row
of `flatproof verify --json`, of verify.json and of the page.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from proofs_check.library import CERTIFICATES, Entry, recorded_verdict

if TYPE_CHECKING:
    from proofs_check.engine import Report


def describe(item: Entry) -> dict[str, Any]:
    """Key, title, paper, kind, notion and the recorded verdict."""
    claim = item.claim
    return {
        "key": item.key,
        "title": claim.title,
        "paper": claim.source.paper,
        "kind": claim.kind.value,
        "notion": claim.conventions.notion.value,
        "verdict": recorded_verdict(item),
    }


def summarise(item: Entry, report: Report) -> dict[str, Any]:
    """Everything one audit found, as strict JSON values."""
    claim = item.claim
    deciding = report.deciding
    return describe(item) | {
        "verdict": report.verdict.value,
        "recorded": recorded_verdict(item),
        "meaning": report.verdict.sentence,
        "statement": claim.statement,
        "source": asdict(claim.source),
        "conventions": asdict(claim.conventions) | {"notion": claim.conventions.notion.value},
        "conventions_line": claim.conventions.describe(),
        "hash": report.hash,
        "deciding": None if deciding is None else deciding.sentence,
        "tightness": report.tightness,
        "evidence": [asdict(finding) for finding in report.findings],
        "certificates": _certificates(item, report),
        "trusted_lemmas": [*claim.trusted, *report.rules],
        "repaired_by": claim.repaired_by,
        "repairs": claim.repairs,
        "recheck": _recheck(item),
    }


def _certificates(item: Entry, report: Report) -> list[dict[str, Any]]:
    """Replayed certificates by name and content; one found by the audit itself has no file yet."""
    rows = [
        {"name": path.name, "content": json.loads(path.read_text(encoding="utf-8"))}
        for path in item.certificates
        if path.name in report.certificates
    ]
    if report.found is not None:
        rows.append({"name": None, "content": report.found})
    return rows


def _recheck(item: Entry) -> list[str]:
    """The commands that reproduce this line."""
    if item.file is not None:
        return [f"flatproof verify {item.file.name}"]
    commands = [f"flatproof verify {item.key}"]
    return commands + [
        f"flatproof check {CERTIFICATES.parent.name}/{CERTIFICATES.name}/{path.name}"
        for path in item.certificates
    ]

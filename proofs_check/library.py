"""Where claims, their certificates and their recorded verdicts are found. Standard library only."""

from __future__ import annotations

import difflib
import importlib.util
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from proofs_check.certificate import read
from theory import catalogue
from theory.core import Claim, InputError
from theory.fingerprint import fingerprint

CLAIMS = "theory.claims"
HERE = Path(__file__).parent
CERTIFICATES = HERE / "certificates"
RECORDED = HERE / "recorded.json"


@dataclass(frozen=True)
class Entry:
    """A claim with its key and the certificates that belong to it."""

    key: str
    claim: Claim
    certificates: tuple[Path, ...]
    file: Path | None = None  # where a user's own claim came from


def entry(key: str) -> Entry:
    """One of the shipped claims; raises `InputError` with the nearest known key."""
    known = catalogue.keys(CLAIMS)
    if key not in known:
        near = difflib.get_close_matches(key, known, n=1, cutoff=0.0)
        hint = f"; nearest: {near[0]}" if near else ""
        raise InputError("claim", repr(key), f"a key listed by `flatproof claims`{hint}")
    return _shipped(key)


def entries() -> list[Entry]:
    """Every shipped claim, in the order of their keys."""
    return [_shipped(key) for key in catalogue.keys(CLAIMS)]


def _shipped(key: str) -> Entry:
    claim = catalogue.load(CLAIMS, key).CLAIM
    path = CERTIFICATES / f"{key}.json"
    return Entry(key, claim, (path,) if path.exists() else ())


def entry_of_file(path: Path) -> Entry:
    """A user's own claim file: `CLAIM` in it, and `<stem>.certificate.json` beside it if there is one.

    Runs the file. Raises `InputError` if it is missing, fails to run or defines no claim.
    """
    if not path.is_file():
        raise InputError("FILE", repr(str(path)), "an existing Python file that defines CLAIM")
    spec = importlib.util.spec_from_file_location(f"user_claim_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise InputError("FILE", repr(str(path)), "a Python file, with the suffix .py")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # a user's file may raise anything
        message = f"{type(error).__name__}: {error}"
        raise InputError(path.name, message, "a file that runs without an error") from None
    claim = getattr(module, "CLAIM", None)
    if not isinstance(claim, Claim):
        raise InputError(f"{path.name}: CLAIM", type(claim).__name__, "a theory.core.Claim")
    beside = path.with_name(f"{path.stem}.certificate.json")
    return Entry(path.stem, claim, (beside,) if _is_about(beside, claim) else (), path)


def _is_about(path: Path, claim: Claim) -> bool:
    """Whether a certificate beside a user's file quotes its claim; an older version's is no news."""
    try:
        return path.exists() and read(path).get("claim") == fingerprint(claim)
    except Exception:  # unreadable either way: the audit says what is wrong with which
        return path.exists()


def by_hash(value: Any) -> Entry | None:
    """The shipped claim a certificate quotes, or None."""
    return _hashes().get(value) if isinstance(value, str) else None


@cache
def _hashes() -> dict[str, Entry]:
    return {fingerprint(item.claim): item for item in entries()}


def recorded() -> dict[str, dict[str, Any]]:
    """What `make record` last wrote: key -> hash, verdict, deciding sentence, tightness."""
    if not RECORDED.exists():
        return {}
    return json.loads(RECORDED.read_text(encoding="utf-8"))


def recorded_verdict(item: Entry) -> str | None:
    """The recorded verdict of exactly this statement; None if it was never recorded or changed."""
    row = recorded().get(item.key)
    return row["verdict"] if row and row["hash"] == fingerprint(item.claim) else None

"""The page: one HTML file that loads nothing, holds no script and is the same for the same rows.

Text is escaped by the template; the only markup put in is the MathML of `mathml`.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from proofs_check.output import strict
from proofs_check.report.mathml import pieces
from proofs_check.report.written import written_out
from theory.core import Verdict

HERE = Path(__file__).parent
STANDINGS = {
    "quoted": "quoted from the source",
    "reconstructed": "reconstructed: the source's result in our words",
    "our own": "our own statement",
}


def render(rows: list[dict[str, Any]], statistics: dict[str, Any] | None = None) -> str:
    """The page for rows of verify.json and, if there is one, statistics.json.

    Raises on a row that lacks a field.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    css = (HERE / "page.css").read_text(encoding="utf-8")
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    ids = _anchors([row["key"] for row in rows])
    found = [row["verdict"] for row in rows]
    return environment.get_template("page.html.j2").render(
        claims=[_claim(row, id_) for row, id_ in zip(rows, ids, strict=True)],
        anchors=dict(reversed([(row["key"], id_) for row, id_ in zip(rows, ids, strict=True)])),
        counts=[(verdict, found.count(verdict)) for verdict in Verdict if verdict in found],
        verdicts=list(Verdict),
        statistics=None if statistics is None else _statistics(statistics),
        css=Markup(css),
        css_hash=base64.b64encode(hashlib.sha256(css.encode()).digest()).decode(),
    )


def _anchors(keys: Sequence[str]) -> list[str]:
    """Unique ids: the key itself wherever an id and a fragment can carry it.

    The page's own ids contain a dot, which no id made here does.
    """
    ids: list[str] = []
    for key in keys:
        name = id_ = re.sub(r"[^A-Za-z0-9_-]+", "-", key) or "-"
        count = 1
        while id_ in ids:
            count += 1
            id_ = f"{name}-{count}"
        ids.append(id_)
    return ids


def _statistics(found: dict[str, Any]) -> dict[str, Any]:
    from proofs_check.statistics import sentence

    return found | {"sentence": sentence(found)}


def _claim(row: dict[str, Any], id_: str) -> dict[str, Any]:
    """What the template shows beside the row itself."""
    standing = row["source"]["standing"]
    return {
        "row": row,
        "id": id_,
        "verdict": Verdict(row["verdict"]),
        "statement": list(pieces(row["statement"])),
        "standing": STANDINGS.get(standing, standing),
        "certificates": [
            _certificate(row["key"], certificate) for certificate in row["certificates"]
        ],
    }


def _certificate(key: str, certificate: dict[str, Any]) -> dict[str, Any]:
    text = strict(certificate["content"])
    return {
        "name": certificate["name"] or f"{key}.certificate.json",
        "found": certificate["name"] is None,
        "text": text,
        "href": "data:application/json," + quote(text, safe=""),
        "lines": list(written_out(certificate["content"])),
    }

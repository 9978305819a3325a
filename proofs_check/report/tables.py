"""The verdict table, on a terminal and as Markdown."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from proofs_check.checker import RULES, read, replay
from proofs_check.library import Entry, recorded
from proofs_check.summary import describe

STYLES = {
    "PROVED": "bold green",
    "PROVED_WITH": "green",
    "AGREES": "cyan",
    "REFUTED": "bold red",
    "INCONCLUSIVE": "yellow",
    "CONTRADICTION": "bold white on red",
}
PIPE_WIDTH = 140  # columns where there is no terminal to ask


def console() -> Console:
    """Standard output at the terminal's width, wide enough to read where there is none."""
    probe = Console()
    return probe if probe.is_terminal else Console(width=PIPE_WIDTH)


def print_claims(rows: Sequence[dict[str, Any]]) -> None:
    """`flatproof claims`."""
    table = _table("claim", "what it says", "paper", "kind", "notion", "recorded verdict")
    for row in rows:
        cells = (row["key"], row["title"], row["paper"], row["kind"], row["notion"])
        table.add_row(*map(Text, cells), _verdict(row["verdict"]))
    console().print(table)


def print_verdicts(rows: Sequence[dict[str, Any]]) -> None:
    """`flatproof verify`."""
    table = _table("claim", "kind", "notion; conventions", "verdict", "deciding evidence", "tight")
    for row in rows:
        conventions = f"{row['notion']}; {row['conventions_line']}"
        table.add_row(
            Text(row["key"]),
            Text(row["kind"]),
            Text(conventions),
            _verdict(row["verdict"]),
            Text(row["deciding"] or "none"),
            Text(row["tightness"]),
        )
    console().print(table)


def _rules(item: Entry) -> list[str]:
    """The checker's own lemmas that the claim's certificates rest on, found by replaying them."""
    shown = [replay(read(path), item.claim) for path in item.certificates]
    return [RULES[rule] for one in shown for rule in one.rests_on]


def print_claim(item: Entry) -> None:
    """`flatproof show`."""
    claim, row = item.claim, describe(item)
    known = recorded().get(item.key, {})
    lines = {
        "": f"{item.key}: {claim.title}",
        "statement": claim.statement,
        "kind": claim.kind.value,
        "notion": f"{row['notion']}; {claim.conventions.describe()}",
        "source": f"{claim.source.paper}: {claim.source.reference} ({claim.source.standing})",
        "verdict": row["verdict"] or "not recorded for this statement",
        "evidence": known.get("deciding"),
        "tight": known.get("tightness"),
        "on trust": " ".join([*claim.trusted, *_rules(item)]) or None,
        "repaired by": claim.repaired_by,
        "repairs": claim.repairs,
        "certificate": ", ".join(path.name for path in item.certificates) or None,
    }
    for name, text in lines.items():
        if text is not None:
            indent = " " * 13 if name else ""
            print(
                textwrap.fill(f"{name:<13}{text}" if name else text, 100, subsequent_indent=indent)
            )


def _table(*columns: str) -> Table:
    table = Table(show_lines=True)
    for name in columns:
        table.add_column(name, overflow="fold")
    return table


def _verdict(verdict: str | None) -> Text:
    return Text(verdict or "not recorded", STYLES.get(verdict or "", ""))


def markdown(rows: Sequence[dict[str, Any]]) -> str:
    """The README's table, from recorded rows."""
    lines = [
        "| claim | kind | notion; conventions | verdict | deciding evidence | tight |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        cells = (
            f"`{row['key']}`<br>{row['title']}",
            row["kind"],
            f"{row['notion']}; {row['conventions_line']}",
            f"**{row['verdict']}**",
            row["deciding"],
            row["tightness"],
        )
        lines.append("| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"

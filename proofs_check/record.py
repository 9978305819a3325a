"""`make record`: audits every claim, writes recorded.json and the table in the README.

The README's table is rendered from recorded.json and the claims themselves, so a test can tell
whether it is stale without auditing anything.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from proofs_check import library, output, summary
from proofs_check.library import Entry
from proofs_check.report.tables import markdown
from proofs_check.verification import audits

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- verdicts: written by `make record` -->", "<!-- end of verdicts -->"


def main() -> None:
    """Audit, then rewrite both files."""
    rows = list(audits(library.entries()))
    kept = {
        row["key"]: {k: row[k] for k in ("hash", "verdict", "deciding", "tightness")}
        for row in rows
    }
    library.RECORDED.write_text(output.strict(kept), encoding="utf-8")
    README.write_text(with_table(README.read_text(encoding="utf-8")), encoding="utf-8")
    for row in rows:
        print(f"{row['key']}: {row['verdict']}")


def with_table(readme: str) -> str:
    """The README's text with its table replaced by the one the recorded verdicts give."""
    head, _, rest = readme.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n\n{markdown(table_rows())}\n{END}{tail}"


def table_rows() -> list[dict[str, Any]]:
    """Recorded rows, with the words of each claim."""
    return [_row(item) for item in library.entries()]


def _row(item: Entry) -> dict[str, Any]:
    known = library.recorded().get(item.key, {})
    return (
        known
        | summary.describe(item)
        | {
            "conventions_line": item.claim.conventions.describe(),
            "deciding": known.get("deciding", "not recorded"),
            "tightness": known.get("tightness", "not recorded"),
        }
    )


if __name__ == "__main__":
    main()

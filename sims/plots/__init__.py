"""A figure a file: arrays go in, a matplotlib `Figure` comes out; nothing is computed or written.

Every key has one function, `draw`. Predictions are passed in as numbers and curves, so a picture
shows them beside what happened without knowing where they come from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def svg(figure: Figure) -> str:
    """The figure as SVG: text stays text, and the same figure gives the same bytes."""
    import io

    import matplotlib

    page = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "flatproof"}):
        figure.savefig(page, format="svg", metadata={"Date": None})
    return page.getvalue()

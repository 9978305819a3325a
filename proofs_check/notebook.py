r"""Prose in a notebook is checked: a number it prints must be the rounded value of a computed one.

    said("1.1010", steps.mean_square)

fails unless `steps.mean_square` rounds to exactly those digits. `unsaid` lists the numbers of a
notebook that nothing vouches for. `attempt` checks a reader's answer to an exercise, and `picture`
shows a figure, text as text, in a notebook that never loads pyplot.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

# 0.98, .2, 3/8; not the dots and slashes of versions, dates and words
NUMBER = re.compile(r"(?<![\w./])-?(?:\d*\.\d+|\d+/\d+)(?![\w/]|\.\d)")
LATEX_FRACTION = re.compile(r"\\[td]?frac(?:\{(\d+)\}|(\d))(?:\{(\d+)\}|(\d))")
ROUNDING = 1e-9  # relative; leaves room for some thousands of steps in double precision
ELSEWHERE = re.compile(r"\]\([^)]*\)|https?:\S+|arXiv:\S+")  # addresses are not claims


def said(text: str, value: Any) -> None:
    """Raises `AssertionError` unless `value` rounds to exactly the digits of `text`.

    A fraction such as "3/8" has no last digit, so it must be met to `ROUNDING` of its size.
    """
    if "/" in text:
        agreed = math.isclose(value, Fraction(text), rel_tol=ROUNDING)
        shown = str(value)
    else:
        digits = -int(Decimal(text).as_tuple().exponent)
        shown = f"{float(value):.{digits}f}"
        agreed = Decimal(shown) == Decimal(text) and math.isfinite(float(value))
    if not agreed:
        raise AssertionError(f"the prose says {text}, the computation {shown}")


def numbers(prose: str) -> list[str]:
    """The decimal numbers and fractions of a text in Markdown, in order; integers are left out."""
    plain = LATEX_FRACTION.sub(_slashed, ELSEWHERE.sub("]", prose))
    return NUMBER.findall(plain)


def _slashed(match: re.Match[str]) -> str:
    over, under = (part for part in match.groups() if part)
    return f" {over}/{under} "


def unsaid(notebook: dict[str, Any]) -> list[str]:
    """Numbers in the prose of a notebook, as read from its JSON, that no cell passes to `said`."""
    prose, vouched = [], set()
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            prose += numbers(source)
        else:
            vouched |= _vouched(source)
    return [number for number in prose if number not in vouched]


def _vouched(source: str) -> set[str]:
    """First arguments of `said`, where it surely runs and its value is more than a constant."""
    found = set()
    for statement in ast.parse(source).body:
        call = statement.value if isinstance(statement, ast.Expr) else None
        if not (isinstance(call, ast.Call) and getattr(call.func, "id", "") == "said"):
            continue
        text, value = call.args
        if isinstance(text, ast.Constant) and any(
            isinstance(part, ast.Name | ast.Attribute) for part in ast.walk(value)
        ):
            found.add(str(text.value))
    return found


def attempt(
    yours: Any,
    answer: float,
    *,
    of: Callable[[Any], float] | None = None,
    within: float = 1e-3,
) -> str:
    """What to tell a reader: not answered yet (`...`), or right; raises `AssertionError` if wrong.

    Right means equal to `answer` to a relative `within`; with `of`, that of(yours) is, so that the
    cell need not show the answer.
    """
    if yours is ...:
        return "Put your answer in place of the dots and run this cell again."
    if not math.isclose(of(yours) if of else yours, answer, rel_tol=within):
        raise AssertionError(f"{yours} is not it; try again")
    return "Right."


class picture:  # noqa: N801 - used as a verb: picture(figure) is what a cell ends with
    """A matplotlib figure as a notebook shows it, in SVG."""

    def __init__(self, figure: Any) -> None:
        from sims.plots import svg

        self.svg = svg(figure)

    def _repr_svg_(self) -> str:
        return self.svg

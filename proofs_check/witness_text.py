"""A witness in lines a reader can check by hand: matrices, weights, step, radius."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from theory.core import Claim
from theory.domains import FamilyModel
from theory.exact import Matrix

LONG = 7  # characters of a fraction from which its decimals are printed beside it


def lines(certificate: dict[str, Any], claim: Claim) -> Iterator[str]:
    """Every number of a refutation: Hessians H_i and weights, or operators; scalars; directions."""
    model = claim.domain.exact(certificate["witness"])
    if isinstance(model, FamilyModel):
        for i, (H, weight) in enumerate(zip(model.samples, model.weights, strict=True), 1):
            rows = list(_named(f"H_{i}", H))
            yield f"{rows[0]}   weight {_number(weight)}"
            yield from rows[1:]
        values = model.scalars
    else:
        values = {name: value for name, value in vars(model).items() if name != "inner"}
    for name, value in values.items():
        yield from _named(name, value)
    broken = certificate["then"]
    if "vector" in broken:
        yield from _named("v", Matrix.column(map(Fraction, broken["vector"])))
    if "growth" in broken:
        yield from _named("X", Matrix([[Fraction(x) for x in row] for row in broken["growth"]]))


def _named(name: str, value: Any) -> Iterator[str]:
    """name = value; matrices one row a line, columns (d, 1) as a row with a prime."""
    if not isinstance(value, Matrix):
        yield f"{name} = {_number(value)}"
        return
    height, width = value.shape
    if width == 1 < height:
        yield f"{name} = ({', '.join(map(str, value.T.rows[0]))})'"
        return
    cells = [[str(x) for x in row] for row in value.rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lead = f"{name} = "
    for row in cells:
        yield f"{lead}[ {'  '.join(map(str.rjust, row, widths))} ]"
        lead = " " * len(lead)


def _number(value: Fraction) -> str:
    text = str(value)
    whole = value.denominator == 1
    return text if whole or len(text) < LONG else f"{text} (about {float(value):.6g})"

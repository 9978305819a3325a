"""A claim must say the same in fractions and in floats.

The certificates decide in fractions, the search looks in floats. A claim that branches on the type
of its numbers, or a formula that loses all its digits, would be searched as one statement and
certified as another.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from proofs_check.checker import holds
from proofs_check.evidence import Evidence, Outcome
from theory.core import Claim

POINTS = 40
CLEAR = 1e-6  # a slack beyond this has its sign right whatever the rounding


def agree(claim: Claim) -> Evidence:
    """Every atom is judged alike in both readings, at random rational points."""
    compared = 0
    for name, number, precise, rough in _pairs(claim):
        verdict = _clear(rough)
        if verdict is None:
            continue
        compared += 1
        if verdict is not holds(precise):
            told = f"{name}[{number}] is {not verdict} in fractions and {verdict} in floats"
            return Evidence("controls", Outcome.FAILS, told)
    return Evidence(
        "controls", Outcome.CONSISTENT, f"read alike in both readings, {compared} times"
    )


def _pairs(claim: Claim) -> Iterator[tuple[str, int, Any, Any]]:
    """Atoms in both readings at up to POINTS points where neither breaks down."""
    import numpy as np

    from proofs_check.search.charts import draw
    from proofs_check.search.floats import floated
    from proofs_check.search.rounding import Rounding

    rng, points = np.random.default_rng(5), 0
    for _ in range(4 * POINTS):
        chart = draw(claim.domain, rng)
        try:
            exact = claim.domain.exact(chart.point(chart.start(rng), Rounding(denominator=64)))
            rough = floated(exact)
            read = [
                (n, getattr(claim, n)(exact), getattr(claim, n)(rough)) for n in ("given", "then")
            ]
        except (ValueError, ArithmeticError):
            continue
        for name, precise, floats in read:
            yield from (
                (name, i, a, b) for i, (a, b) in enumerate(zip(precise, floats, strict=True))
            )
        points += 1
        if points == POINTS:
            return


def _clear(rough: Any) -> bool | None:
    """What the float reading says of an atom, or None where rounding could have said it."""
    from proofs_check.search.slack import sees_all, slack
    from theory.atoms import Equal

    value = slack(rough)
    if isinstance(rough, Equal):
        return None if -CLEAR < value < 0 else value >= 0
    if abs(value) <= CLEAR or (value > 0 and not sees_all(rough)):
        return None
    return value > 0

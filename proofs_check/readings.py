"""A claim must say the same in fractions and in floats.

The certificates decide in fractions, the search looks in floats. A claim that branches on the type
of its numbers, or a formula that loses all its digits, would be searched as one statement and
certified as another.
"""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace
from typing import Any

from proofs_check.checker import holds
from proofs_check.evidence import Evidence, Outcome
from theory.core import Claim
from theory.domains import FamilyModel
from theory.exact import Matrix

POINTS = 40
CLEAR = 1e-6  # a slack beyond this has its sign right whatever the rounding


def agree(claim: Claim) -> Evidence:
    """Every atom is judged alike in both readings, at random rational points."""
    compared = 0
    for model in _points(claim):
        for name in ("given", "then"):
            pairs = zip(
                getattr(claim, name)(model), getattr(claim, name)(floated(model)), strict=True
            )
            for number, (precise, rough) in enumerate(pairs):
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


def _points(claim: Claim) -> list[Any]:
    import numpy as np

    from proofs_check.search.charts import draw
    from proofs_check.search.rounding import Rounding

    rng, models = np.random.default_rng(5), []
    for _ in range(4 * POINTS):
        chart = draw(claim.domain, rng)
        try:
            model = claim.domain.exact(chart.point(chart.start(rng), Rounding(denominator=64)))
            _ = claim.given(model), claim.then(model)
        except (ValueError, ArithmeticError):
            continue
        models.append(model)
        if len(models) == POINTS:
            break
    return models


def _clear(rough: Any) -> bool | None:
    from proofs_check.search.slack import slack
    from theory.atoms import Equal

    value = slack(rough)
    if isinstance(rough, Equal):
        return None if -CLEAR < value < 0 else value >= 0
    return None if abs(value) <= CLEAR else value > 0


def floated(model: Any) -> Any:
    """The float model of an exact one, entry by entry."""
    import numpy as np

    if isinstance(model, FamilyModel):
        samples = [_array(H) for H in model.samples]
        scalars = {name: float(value) for name, value in model.scalars.items()}
        weights = [float(w) for w in model.weights]
        return FamilyModel(samples, weights, np.eye(len(samples[0])), scalars)
    values: dict[str, Any] = {}
    for name, value in vars(model).items():
        if isinstance(value, Fraction):
            values[name] = float(value)
        elif isinstance(value, Matrix):
            values[name] = _array(value)
    if "inner" in vars(model):
        return SimpleNamespace(inner=lambda u, v: float((u.T @ v).item()), **values)
    return SimpleNamespace(**values)


def _array(matrix: Matrix) -> Any:
    import numpy as np

    return np.array([[float(x) for x in row] for row in matrix.rows])

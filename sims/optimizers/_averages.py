"""Moving averages of gradients and curvatures, and the step that divides one by the other."""

from __future__ import annotations

from typing import Any

from theory.problems._oracle import namespace


def averaged(average: Any, new: Any, beta: Any) -> Any:
    """beta * average + (1 - beta) * new."""
    return beta * average + (1 - beta) * new


def corrected(average: Any, beta: Any, count: Any) -> Any:
    """What an average that started at zero estimates after `count` >= 1 additions.

    It is divided by 1 - beta^count, the total weight given to what was added (Kingma & Ba 2015).
    """
    return average / (1 - beta**count)


def preconditioned(direction: Any, preconditioner: Any) -> Any:
    """direction / preconditioner, and 0 where the direction is 0, whatever the preconditioner."""
    xp = namespace(direction)
    return direction / xp.where(direction == 0, 1.0, preconditioner)


def decayed(x: Any, lr: Any, weight_decay: Any) -> Any:
    """(1 - lr * weight_decay) x, decay kept apart from the gradient (Loshchilov & Hutter 2019)."""
    return x if weight_decay is None else (1 - lr * weight_decay) * x

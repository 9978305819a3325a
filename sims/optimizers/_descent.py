"""PyTorch's SGD update, which SGD, SAM and USAM share."""

from __future__ import annotations

from typing import Any


def descend(
    x: Any, gradient: Any, buffer: Any, *, lr: Any, momentum: Any, weight_decay: Any
) -> tuple[Any, Any]:
    """(x - lr b, b) with b = momentum * buffer + gradient + weight_decay * x.

    `x`, `gradient` and `buffer` (d,). A zero buffer makes the first b the first gradient, as
    PyTorch does with dampening 0. Decay is coupled: it enters the buffer. Where momentum or decay
    is None its term is not there, and neither is its cost.
    """
    if weight_decay is not None:
        gradient = gradient + weight_decay * x
    if momentum is None:
        return x - lr * gradient, None
    buffer = momentum * buffer + gradient
    return x - lr * buffer, buffer


def empty_buffer(x: Any, momentum: Any) -> Any:
    """The buffer before the first step, (d,); None without momentum."""
    return None if momentum is None else 0.0 * x

"""PyTorch's SGD update, which SGD, SAM and USAM share."""

from __future__ import annotations

from typing import Any


def descend(
    x: Any, gradient: Any, buffer: Any, *, lr: Any, momentum: Any, weight_decay: Any
) -> tuple[Any, Any]:
    """(x - lr b, b) with b = momentum * buffer + gradient + weight_decay * x.

    `x`, `gradient` and `buffer` (d,). A zero buffer makes the first b the first gradient, as
    PyTorch does with dampening 0. Decay is coupled: it enters the buffer.
    """
    buffer = momentum * buffer + (gradient + weight_decay * x)
    return x - lr * buffer, buffer


def empty_buffer(x: Any) -> Any:
    """The buffer before the first step, (d,)."""
    return 0.0 * x

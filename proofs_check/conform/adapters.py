"""One door for the optimizers of three libraries: start at x, make one whole update, look at x.

Neither optax nor torch is imported: whoever made an optimizer of theirs has loaded them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from proofs_check.conform.gradients import LR, RHO, Minibatch
from proofs_check.conform.load import guarded, make
from proofs_check.conform.tensors import Shapes, join, split
from theory.core import InputError

MADE = "an optax transformation, a function from parameters to a torch optimizer, or init and step"


class Session(Protocol):
    """One run of an optimizer."""

    @property
    def x(self) -> np.ndarray:
        """Where it stands, (d,)."""
        ...

    def step(self, batch: Minibatch) -> None:
        """One whole update: the climb and the descent."""
        ...

    def counters(self) -> list[int]:
        """The whole numbers in its state, some of which may count steps."""
        ...


class Subject(Protocol):
    """An optimizer under test, of one library and with one protocol."""

    @property
    def library(self) -> str: ...
    @property
    def protocol(self) -> str: ...
    def start(self, lr: float, rho: float, x: np.ndarray, shapes: Shapes) -> Session:
        """A run from x (d,), handed over as tensors of those shapes."""
        ...

    def doubling(self, lr: float, rho: float, x: np.ndarray, shapes: Shapes) -> Session:
        """A run whose lr doubles with every step, by the library's own means.

        Raises `InputError` at once or later where the optimizer does not take that.
        """
        ...


def adapt(factory: Callable[[Any, float], Any], protocol: str | None) -> Subject:
    """The factory as a subject; raises `InputError` where what it makes is none of the three.

    `protocol` is "alternating" or "closure"; None takes what the optimizer offers.
    """
    made = make(factory, LR, RHO)
    if not isinstance(made, type) and callable(getattr(made, "init", None)):
        if callable(getattr(made, "update", None)):
            from proofs_check.conform import optax_runs

            return optax_runs.Optax(factory, protocol or optax_runs.offered(made))
        if callable(getattr(made, "step", None)):
            if protocol is not None:
                raise InputError("--protocol", protocol, "none: this optimizer asks an oracle")
            return Ours(factory)
    if hasattr(made, "param_groups") or not callable(made) or "torch" not in sys.modules:
        raise InputError("TARGET", f"factory(lr, rho) of type {type(made).__name__}", MADE)
    from proofs_check.conform import torch_runs

    return torch_runs.Torch(factory, protocol or torch_runs.offered(made))


@dataclass(frozen=True)
class Ours:
    """flatproof's own form: init(x) and step(oracle, x, state), as in sims.optimizers."""

    factory: Callable[[Any, float], Any]
    protocol: str = "oracle"
    library: str = "flatproof"

    def start(self, lr: float, rho: float, x: np.ndarray, shapes: Shapes) -> Session:
        return _OurRun(make(self.factory, lr, rho), x, shapes)

    def doubling(self, lr: float, rho: float, x: np.ndarray, shapes: Shapes) -> Session:
        raise InputError("lr", "a schedule", "a number")


class _OurRun:
    def __init__(self, made: Any, x: np.ndarray, shapes: Shapes) -> None:
        self.made, self.x, self.shapes = made, x.astype(np.float64), shapes
        with guarded("init"):
            self.state = made.init(self.x)

    def step(self, batch: Minibatch) -> None:
        with guarded("step"):
            x, self.state = self.made.step(_Asked(batch, self.shapes), self.x, self.state)
            self.x = join([x])

    def counters(self) -> list[int]:
        return []


@dataclass(frozen=True)
class _Asked:
    """The part of `theory.core.Oracle` that asks for gradients alone."""

    batch: Minibatch
    shapes: Shapes

    def grad(self, x: np.ndarray) -> np.ndarray:
        return self.batch(x)

    def norm(self, v: np.ndarray) -> float:
        return float(v @ v) ** 0.5

    def each(self, f: Callable[[Any], Any], size: int = 1) -> Any:
        """The mean of f over groups of samples, whose points count as the batch's."""
        parts = self.batch.parts
        groups = [parts[i : i + size] for i in range(0, len(parts), size)]
        asked = [_Asked(Minibatch(group, self.batch.points), self.shapes) for group in groups]
        return sum(f(one) for one in asked) / len(asked)

    def tensors(self, x: np.ndarray) -> list[np.ndarray]:
        return split(x, self.shapes)

    def ravel(self, tensors: list[np.ndarray]) -> np.ndarray:
        return np.concatenate([tensor.ravel() for tensor in tensors])

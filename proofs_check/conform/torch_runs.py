"""torch: first_step and second_step around a second backward (alternating), or step(closure).

Before either, the gradient at x has been sent back, as training loops do; the closure clears
gradients, computes the loss, sends it back and returns it. torch is whatever the user's module has
loaded.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from proofs_check.conform.gradients import Minibatch
from proofs_check.conform.load import guarded, make
from proofs_check.conform.tensors import Shapes, join, split
from theory.core import InputError


@dataclass(frozen=True)
class Torch:
    """A factory of functions from parameters to a torch optimizer."""

    factory: Callable[[Any, float], Any]
    protocol: str
    library: str = "torch"

    def start(self, lr: float, rho: float, x: np.ndarray, shapes: Shapes) -> Run:
        """A run from x (d,)."""
        return Run(make(self.factory, lr, rho), self.protocol, x, shapes)

    def doubling(self, lr: float, rho: float, x: np.ndarray, shapes: Shapes) -> Run:
        """lr set in param_groups before every update, as torch's schedulers do."""
        run = self.start(lr, rho, x, shapes)
        run.doubled = lr
        return run


class Run:
    """One run; each tensor is a parameter, all in one group."""

    doubled: float | None = None  # the lr of the next update, if it is to double with each

    def __init__(self, construct: Any, protocol: str, x: np.ndarray, shapes: Shapes) -> None:
        torch = sys.modules["torch"]
        self.protocol, self.shapes = protocol, shapes
        parts = [torch.tensor(part.astype(np.float64)) for part in split(x, shapes)]
        self.parameters = [torch.nn.Parameter(part) for part in parts]
        with guarded("constructing the optimizer"):
            self.optimizer = construct(self.parameters)
        if not hasattr(self.optimizer, "param_groups"):
            found = f"factory(lr, rho)(parameters) of type {type(self.optimizer).__name__}"
            raise InputError("TARGET", found, "a torch optimizer")
        if protocol == "alternating" and not _climbs_apart(self.optimizer):
            raise InputError("--protocol", protocol, "closure: it has no first_step, second_step")

    @property
    def x(self) -> np.ndarray:
        """Where the parameters stand, (d,)."""
        return join([p.detach().numpy() for p in self.parameters])

    def step(self, batch: Minibatch) -> None:
        """One whole update by the protocol."""

        def closure() -> Any:
            self.optimizer.zero_grad()
            return self._backward(batch)

        with guarded("step"):
            if self.doubled is not None:
                for group in self.optimizer.param_groups:
                    group["lr"] = self.doubled
                self.doubled *= 2
            closure()
            if self.protocol == "closure":
                self.optimizer.step(closure)
            else:
                self.optimizer.first_step(zero_grad=True)
                self._backward(batch)
                self.optimizer.second_step(zero_grad=True)

    def _backward(self, batch: Minibatch) -> Any:
        """A loss whose gradient here is the batch's, sent back by torch's own autograd."""
        told = zip(self.parameters, split(batch(self.x), self.shapes), strict=True)
        loss: Any = sum((p * p.new_tensor(g)).sum() for p, g in told)
        loss.backward()
        return loss

    def counters(self) -> list[int]:
        """Every "step" in its state, or in that of an optimizer it wraps."""
        inside = (self.optimizer, *vars(self.optimizer).values())
        states = [s for o in inside if hasattr(o, "param_groups") for s in o.state.values()]
        return [int(state["step"]) for state in states if "step" in state]


def offered(construct: Any) -> str:
    """alternating if the optimizer has both first_step and second_step, otherwise closure."""
    optimizer = Run(construct, "closure", np.ones(2), [(2,)]).optimizer
    return "alternating" if _climbs_apart(optimizer) else "closure"


def _climbs_apart(optimizer: Any) -> bool:
    return hasattr(optimizer, "first_step") and hasattr(optimizer, "second_step")

"""PyTorch: a SAM class in a training loop, and torch.func over all runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from benchmarks._entrant import Entrant
from benchmarks._workload import TINY, LeastSquares

torch.set_num_threads(1)


class SAM(torch.optim.Optimizer):
    """SAM around SGD, in the two-step form most training scripts copy."""

    def __init__(self, params: Any, lr: float, rho: float) -> None:
        super().__init__(params, {"lr": lr, "rho": rho})

    @torch.no_grad()
    def first_step(self) -> None:
        """Climb, and remember from where."""
        for group in self.param_groups:
            norm = torch.linalg.vector_norm(
                torch.stack([torch.linalg.vector_norm(p.grad) for p in group["params"]])
            )
            scale = group["rho"] / (norm + TINY)
            for p in group["params"]:
                self.state[p]["old"] = p.clone()
                p.add_(p.grad * scale)
        self.zero_grad()

    @torch.no_grad()
    def second_step(self) -> None:
        """Return, and descend with the gradient found above."""
        for group in self.param_groups:
            for p in group["params"]:
                p.copy_(self.state[p]["old"])
                p.add_(p.grad, alpha=-group["lr"])
        self.zero_grad()

    def step(self, closure: Callable[[], Any]) -> None:
        closure()
        self.first_step()
        closure()
        self.second_step()


class Loop(Entrant):
    """One run at a time, autograd and an optimizer object."""

    name = "torch, SAM class"
    most = (2, 500)

    def prepare(self, workload: LeastSquares) -> None:
        self.workload = workload
        self.X, self.y = torch.from_numpy(workload.inputs), torch.from_numpy(workload.targets)
        self.indices = workload.stream()[:, :, 0].tolist()

    def run(self) -> dict[str, np.ndarray]:
        w, last = self.workload, []
        for k in range(w.runs):
            x = torch.tensor(w.starts[k], requires_grad=True)
            optimizer = SAM([x], float(w.lr[k]), float(w.rho[k]))
            for i in self.indices[k]:

                def closure(i: int = i, x: torch.Tensor = x) -> None:
                    (0.5 * (self.X[i] @ x - self.y[i]) ** 2).backward()

                optimizer.step(closure)
            last.append(x.detach().numpy())
        return {"loss": w.losses(np.array(last))}


class OverRuns(Entrant):
    """torch.func: the gradient of one run, mapped over all runs; a Python loop over the steps."""

    name = "torch.func.vmap"
    most = (4096, 50)

    def prepare(self, workload: LeastSquares) -> None:
        w = self.workload = workload
        X, y = torch.from_numpy(w.inputs), torch.from_numpy(w.targets)
        self.starts, self.lr, self.rho = (torch.from_numpy(a) for a in (w.starts, w.lr, w.rho))
        self.indices = torch.from_numpy(np.ascontiguousarray(w.stream()[:, :, 0].T)).long()

        def loss(x: torch.Tensor, row: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
            return 0.5 * (row @ x - target) ** 2

        def step(x: Any, row: Any, target: Any, lr: Any, rho: Any) -> torch.Tensor:
            gradient = torch.func.grad(loss)(x, row, target)
            above = x + rho * gradient / (torch.linalg.vector_norm(gradient) + TINY)
            return x - lr * torch.func.grad(loss)(above, row, target)

        mapped = torch.func.vmap(step)
        self.step = lambda x, i: mapped(x, X[i], y[i], self.lr, self.rho)

    def run(self) -> dict[str, np.ndarray]:
        x = self.starts
        for i in self.indices:
            x = self.step(x, i)
        return {"loss": self.workload.losses(x.numpy())}

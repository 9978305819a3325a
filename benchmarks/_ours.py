"""flatproof itself, through the interface its users have."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks._entrant import Entrant
from benchmarks._workload import EVERY, ROOT, Network, Workload
from sims.engine import Setting, simulate
from sims.lab import build
from theory.problems.linear import linear
from theory.problems.two_layer import two_layer


class Flatproof(Entrant):
    """One definition of SAM serves every workload: `sims.engine` chooses space and blocks."""

    name = "flatproof"

    def prepare(self, workload: Workload) -> None:
        w = self.workload = workload
        network = isinstance(w, Network)
        self.setting = Setting(
            problem=_problem(w),
            optimizer=build("sam"),
            batch=w.batch,
            sampling="with",
            steps=w.steps,
            every=EVERY if network else w.steps,
            record=("loss", "lambda_max") if network else ("loss",),
        )

    def run(self) -> dict[str, np.ndarray]:
        w = self.workload
        found = simulate(self.setting, {"lr": w.lr, "rho": w.rho}, w.seeds, root=ROOT)
        result = {"loss": found["loss"][:, -1]}
        if "lambda_max" in found:
            result["lambda_max"] = found["lambda_max"]
        return result


def _problem(w: Workload) -> Any:
    if isinstance(w, Network):
        return two_layer(w.inputs, w.targets, w.width)
    return linear(w.inputs, w.targets)

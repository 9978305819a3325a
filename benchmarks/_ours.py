"""flatproof itself: one definition of SAM serves every workload."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from benchmarks._entrant import Entrant
from benchmarks._workload import EVERY, ROOT, Network, Workload
from sims.engine import Setting, simulation, together
from sims.lab import build
from theory.problems.linear import linear
from theory.problems.two_layer import two_layer


class Flatproof(Entrant):
    """`sims.engine` chooses space and blocks; it draws the streams itself while it runs.

    The starts are drawn in `prepare`, because the peers are given theirs.
    """

    name = "flatproof"

    def prepare(self, workload: Workload) -> None:
        w = workload
        network = isinstance(w, Network)
        setting = Setting(
            problem=_problem(w),
            optimizer=build("sam"),
            batch=w.batch,
            sampling="with",
            steps=w.steps,
            every=EVERY if network else w.steps,
            record=("loss", "lambda_max") if network else ("loss",),
        )
        self.simulation, self.shared = simulation(setting), together(w.seeds)
        begun = time.process_time()
        self.runs = self.simulation.runs({"lr": w.lr, "rho": w.rho}, w.seeds, ROOT)
        self.note = f"{1e3 * (time.process_time() - begun):.0f} ms more to draw the starts"

    def run(self) -> dict[str, np.ndarray]:
        found = self.simulation.run(self.runs, shared=self.shared)
        result = {"loss": found["loss"][:, -1]}
        if "lambda_max" in found:
            result["lambda_max"] = found["lambda_max"]
        return result


def _problem(w: Workload) -> Any:
    if isinstance(w, Network):
        return two_layer(w.inputs, w.targets, w.width)
    return linear(w.inputs, w.targets)

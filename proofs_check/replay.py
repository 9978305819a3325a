"""Our optimizers repeat recorded runs of reference implementations, number for number.

The steps are the optimizer's own, on NumPy arrays, over the recorded batches and with the recorded
probes. An argument of the reference code sets our field of that name, or the field that declares
the argument with `field(metadata={"reference": NAME})`, where `betas[0]` is the first entry of a
list `betas`.
"""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from proofs_check import reference
from proofs_check.reference import Recorded
from sims.lab import build
from sims.optimizers._tensors import fitted
from theory.core import InputError, Optimizer

# Faithful implementations agree to about 1e-12: sums rounded in another order, carried over 40
# steps; 1e-10 leaves room for longer runs. Another convention (which decay, what steers the climb)
# moves the recorded runs by 1e-3 and more; leaving 1e-12 out of the climb's norm stays just below.
LIMIT = 1e-10
DIFFERS = 1


def replay_files(files: Sequence[Path]) -> int:
    """Replay recorded runs, one printed line each; 1 if any deviates by more than 1e-10, else 0.

    All files are read and replayed before anything is printed, since only a replay shows whether
    its probes suffice; raises `InputError` naming file and place.
    """
    if not files:
        raise InputError("FILE", "none", "at least one recorded run")
    replayed = [(file, *_replay(file)) for file in files]
    code = 0
    for file, run, found in replayed:
        agrees = found <= LIMIT  # false for nan, too
        line = f"{file}: {run.optimizer} {run.problem}, {len(run.batches)} steps: deviation"
        print(f"{line} {found:.1e}" + ("" if agrees else f", more than {LIMIT:.0e}"))
        code = code if agrees else DIFFERS
    return code


def _replay(file: Path) -> tuple[Recorded, float]:
    try:
        run = reference.read(file)
        optimizer = build(run.optimizer, **hyperparameters(run.optimizer, run.options))
        return run, deviation(run, optimizer)
    except InputError as error:
        raise InputError(f"{file}: {error.field}", *error.parts) from None


def deviation(run: Recorded, optimizer: Optimizer) -> float:
    """The largest max|ours - recorded| / max|recorded| over all moments and parameter tensors.

    The start counts as a moment. Where everything recorded is zero, ours must be zero as well.
    Raises `InputError` unless the optimizer draws as many probes as the run recorded.
    """
    probes, optimizer = _Drawn(run.probes), fitted(optimizer, run.model)
    x, state = run.start, optimizer.init(run.start)
    ours = [x]
    with np.errstate(all="ignore"):  # a run that overflows deviates, by inf or nan
        for batch in run.batches:
            x, state = optimizer.step(run.model.oracle(batch, probes), x, state)
            ours.append(x)
        probes.check_all_drawn()
        ends = np.cumsum([path.shape[1] for path in run.paths])[:-1]
        pairs = zip(np.split(np.array(ours), ends, axis=1), run.paths, strict=True)
        return float(np.max([_relative(found, path) for found, path in pairs]))


class _Drawn:
    """Recorded probes, handed out in the order drawn, whatever step and kind they are asked for."""

    def __init__(self, probes: list[np.ndarray]) -> None:
        self.probes, self.drawn = probes, 0

    def __call__(self, t: Any, j: Any, kind: str) -> np.ndarray:
        if self.drawn == len(self.probes):
            raise InputError("probes", f"{self.drawn} entries", f"more: step {t} draws another")
        self.drawn += 1
        return self.probes[self.drawn - 1]

    def check_all_drawn(self) -> None:
        if self.drawn < len(self.probes):
            allowed = f"{self.drawn}, as many as the steps draw"
            raise InputError("probes", f"{len(self.probes)} entries", allowed)


def _relative(found: np.ndarray, recorded: np.ndarray) -> np.ndarray:
    """(steps+1,) from two paths (steps+1, size)."""
    gap, size = np.abs(found - recorded).max(axis=1), np.abs(recorded).max(axis=1)
    return np.where(gap == 0, 0.0, gap / size)


def hyperparameters(key: str, options: dict[str, Any]) -> dict[str, Any]:
    """Our fields' values from the reference's arguments, every one of which must be known.

    A file may leave unsaid what does nothing: a field whose default is 0 or None, a
    count of 1, a name.
    """
    default: Any = build(key)
    known = {field.metadata.get("reference", field.name): field for field in fields(default)}
    given = _flat(options)
    for name, value in given.items():
        if name not in known:
            allowed = f"{key} has {', '.join(known)}"
            raise InputError(f"config.opt.{ascii(name)[1:-1]}", reprlib.repr(value), allowed)
    for name, field in known.items():
        if (
            name not in given
            and not field.metadata.get("static")
            and field.default not in (None, 0, 1)
        ):
            raise InputError(f"config.opt.{name}", "nothing", "a number: its default is not 0")
    return {known[name].name: value for name, value in given.items()}


def _flat(options: dict[str, Any]) -> dict[str, Any]:
    """Entries of lists by their index: {"betas": [0.9, 0.99]} has betas[0] and betas[1]."""
    flat: dict[str, Any] = {}
    for name, value in options.items():
        if isinstance(value, list):
            flat |= {f"{name}[{index}]": item for index, item in enumerate(value)}
        else:
            flat[name] = value
    return flat

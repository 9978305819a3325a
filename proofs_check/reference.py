"""Recorded runs of reference implementations, read from JSON that must be whole and finite.

One file is one run: a problem, an optimizer with its hyperparameters, the batch of each step, the
random probes in the order drawn and the parameters before the first step and after every step
(tests/reference/README.md). Whatever is missing, misshapen or out of range is an `InputError` that
names its place.
"""

from __future__ import annotations

import reprlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from proofs_check import json_file
from theory.core import InputError, Problem
from theory.problems.quadratic import Quadratic
from theory.problems.two_layer import two_layer

MAX_BYTES = 20_000_000  # a recorded run has tens of kilobytes


@dataclass(frozen=True)
class Recorded:
    """One run: `start` (d,), the `batches`, and a (steps+1, size) path of each parameter tensor.

    `options` are the optimizer's hyperparameters under the reference's argument names; `probes` are
    vectors (d,), one a Hutchinson sample.
    """

    problem: str
    optimizer: str
    options: dict[str, Any]
    model: Problem
    start: np.ndarray
    batches: list[np.ndarray]
    probes: list[np.ndarray]
    paths: list[np.ndarray]


def read(path: Path) -> Recorded:
    """The run in a file; raises `InputError` naming the place within it."""
    run = _checked(_Run, json_file.read(path, MAX_BYTES))
    if run.problem not in _PROBLEMS:
        raise InputError("problem", reprlib.repr(run.problem), ", ".join(_PROBLEMS))
    data = _checked(_PROBLEMS[run.problem], run.data, "data")
    model, start = data.problem(), data.start()
    shapes = [tensor.shape for tensor in start]
    return Recorded(
        run.problem,
        run.optimizer,
        run.config.opt,
        model,
        np.concatenate([tensor.ravel() for tensor in start]),
        _batches(run.batches, len(model.weights)),
        [_flat(probe, shapes, f"probes[{draw}]") for draw, probe in enumerate(run.probes)],
        _paths(run.trajectory, len(run.batches), shapes),
    )


def _array(value: Any, *, axes: int) -> np.ndarray:
    """A float64 array with so many axes; the numbers are known to be finite already."""
    allowed = f"numbers in {axes} nested lists, rows of equal length and none empty"
    try:
        array = np.array(value, dtype=object)
    except ValueError:
        raise ValueError(allowed) from None
    if array.ndim != axes or array.size == 0 or {type(x) for x in array.flat} - {int, float}:
        raise ValueError(allowed)
    return array.astype(np.float64)


_Vector = Annotated[Any, AfterValidator(partial(_array, axes=1))]
_Matrix = Annotated[Any, AfterValidator(partial(_array, axes=2))]
_Cube = Annotated[Any, AfterValidator(partial(_array, axes=3))]
_Batch = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]


class _Config(BaseModel):
    """Beside `opt` it holds the sizes, which the arrays say themselves."""

    model_config = ConfigDict(strict=True, frozen=True)
    opt: dict[str, Any]


class _Run(BaseModel):
    """What a replay needs; other keys are informational and none of them can change a result."""

    model_config = ConfigDict(strict=True, frozen=True)
    problem: str
    optimizer: str
    config: _Config
    data: dict[str, Any]
    batches: Annotated[list[_Batch], Field(min_length=1)]
    probes: list[list[Any]] = []
    trajectory: list[list[Any]]


class _Data(BaseModel):
    """A key of `data` may be a constant of the problem, so unknown ones are refused."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")
    model: str = ""  # the problem in words


class _QuadraticData(_Data):
    hessians: _Cube
    x0: _Vector

    def start(self) -> list[np.ndarray]:
        return [self.x0]

    def problem(self) -> Problem:
        """x'H_i x / 2 sees only H_i's symmetric part; unlike a minimum's, it may be indefinite."""
        H, d = self.hessians, len(self.x0)
        if H.shape[1:] != (d, d):
            raise InputError("data.hessians", f"shape {H.shape}", f"(n, {d}, {d}), as x0 says")
        return Quadratic(H / 2 + np.swapaxes(H, 1, 2) / 2, np.full(len(H), 1 / len(H)))


class _NetworkData(_Data):
    inputs: _Matrix
    targets: _Vector
    W0: _Matrix
    a0: _Vector

    def start(self) -> list[np.ndarray]:
        return [self.W0, self.a0]

    def problem(self) -> Problem:
        if len(self.targets) != len(self.inputs):
            expected = f"({len(self.inputs)},), one for each input"
            raise InputError("data.targets", f"shape {self.targets.shape}", expected)
        shape = (len(self.a0), self.inputs.shape[1])
        if self.W0.shape != shape:
            raise InputError("data.W0", f"shape {self.W0.shape}", f"{shape}, as a0 and inputs say")
        return two_layer(self.inputs, self.targets, len(self.a0))


_PROBLEMS = {"quadratic": _QuadraticData, "mlp": _NetworkData}


def _checked(model: Any, value: Any, *where: str) -> Any:
    """`value` as that model; its first complaint becomes an `InputError`."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        found = "nothing" if first["type"] == "missing" else reprlib.repr(first["input"])
        allowed = first["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
        raise InputError(json_file.place([*where, *first["loc"]]), found, allowed) from None


def _batches(batches: list[list[int]], samples: int) -> list[np.ndarray]:
    for step, batch in enumerate(batches):
        if max(batch) >= samples:
            place = f"batches[{step}][{batch.index(max(batch))}]"
            raise InputError(place, max(batch), f"indices from 0 to {samples - 1}")
    return [np.array(batch, dtype=np.int64) for batch in batches]


def _paths(entries: list[list[Any]], steps: int, shapes: list[tuple[int, ...]]) -> list[np.ndarray]:
    """(steps+1, size) for each tensor, from one list of tensors for each moment."""
    if len(entries) != steps + 1:
        allowed = f"{steps + 1}: one before the first of the {steps} batches, one after each"
        raise InputError("trajectory", f"{len(entries)} entries", allowed)
    moments = [_tensors(e, shapes, f"trajectory[{moment}]") for moment, e in enumerate(entries)]
    return [np.array([t.ravel() for t in path]) for path in zip(*moments, strict=True)]


def _flat(entry: list[Any], shapes: list[tuple[int, ...]], where: str) -> np.ndarray:
    """(d,), the tensors of one entry laid end to end."""
    return np.concatenate([tensor.ravel() for tensor in _tensors(entry, shapes, where)])


def _tensors(entry: list[Any], shapes: list[tuple[int, ...]], where: str) -> list[np.ndarray]:
    if len(entry) != len(shapes):
        raise InputError(where, f"{len(entry)} tensors", f"{len(shapes)}, as at the start")
    pairs = enumerate(zip(entry, shapes, strict=True))
    return [_tensor(tensor, shape, f"{where}[{which}]") for which, (tensor, shape) in pairs]


def _tensor(value: Any, shape: tuple[int, ...], where: str) -> np.ndarray:
    allowed = f"numbers of shape {shape}, as at the start"
    try:
        array = _array(value, axes=len(shape))
    except ValueError:
        raise InputError(where, reprlib.repr(value), allowed) from None
    if array.shape != shape:
        raise InputError(where, f"shape {array.shape}", allowed)
    return array

"""What a sweep computes, read strictly from TOML or a dict: tables `problem`, `grid` and `run`.

Every value is checked before anything runs, and every error names its place, what was found there
and what is allowed; a name nobody knows is answered with the nearest known one.
"""

from __future__ import annotations

import difflib
import reprlib
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from sims._tables import Config, Grid, Kind, Run, Span, distinct, several
from theory import catalogue
from theory.core import InputError

MEASURES = "sims.measures"
MOST_BYTES = 1_000_000  # of a configuration file

Source = Config | Mapping[str, Any] | str | Path


def read(source: Source) -> Config:
    """A checked configuration from a TOML file, a dict of the same shape, or one read before.

    Raises `InputError`; its field is the place in the file, `grid.rho[2]` for example.
    """
    if isinstance(source, Config):
        return source
    table = dict(source) if isinstance(source, Mapping) else _toml(Path(source))
    try:
        config = Config.model_validate(table)
    except ValidationError as error:
        raise _refused(error) from None
    for key in config.run.record:
        _known("run.record", key, [*catalogue.keys(MEASURES), "x"])
    grid, run = config.grid, config.run
    if run.steps % run.every:
        raise InputError("run.every", run.every, f"a divisor of steps = {run.steps}")
    fields = {
        name: _values(name, given, grid) for name, given in (config.grid.model_extra or {}).items()
    }
    return config.model_copy(update={"grid": grid.model_copy(update=fields)})


def optimizer_fields(key: str) -> dict[str, Kind]:
    """The hyperparameters of an optimizer: those that one compiled block may vary, and the rest.

    Integers and settings that are not numbers split a grid into blocks of their own.
    """
    from dataclasses import fields

    from sims.lab import build

    return {
        field.name: "split"
        if field.metadata.get("static") or isinstance(field.default, int)
        else "traced"
        for field in fields(build(key))  # pyright: ignore[reportArgumentType]
    }


def _values(name: str, given: Any, grid: Grid) -> tuple[Any, ...]:
    """The values of an optimizer's field, converted as every optimizer that has it wants them."""
    from sims.lab import build

    place = f"grid.{name}"
    having: dict[str, None] = {}
    known = [*Grid.model_fields]
    for key in grid.optimizer:
        try:
            own = optimizer_fields(key)
        except InputError as error:
            raise InputError("grid.optimizer", *error.parts) from None
        having |= {key: None} if name in own else {}
        known += own
    if not having:
        _known("grid", name, dict.fromkeys(known))
    values = _expanded(place, given)
    for index, value in enumerate(values):
        if not isinstance(value, str | bool | int | float):
            raise InputError(f"{place}[{index}]", _short(value), "a number, a name, true or false")
        try:
            found = [getattr(build(key, **{name: value}), name) for key in having]
        except InputError as error:
            own = error.field == name
            told = (_short(value), error.parts[1]) if own else error.parts
            raise InputError(f"{place}[{index}]" if own else f"grid.{error.field}", *told) from None
        if not isinstance(value, str | bool):  # 0.0 for -0.0: equal numbers have one spelling
            values[index] = np.asarray(found[0]).item() + 0
    try:
        return distinct(tuple(values))
    except ValueError as error:
        raise InputError(place, _short(given), str(error)) from None


def _expanded(place: str, given: Any) -> list[Any]:
    if not isinstance(given, Mapping):
        return list(several(given))
    try:
        return list(Span.model_validate(dict(given)).values())
    except ValidationError as error:
        raise _refused(error, place) from None
    except InputError as error:
        raise InputError(place, *error.parts) from None


def _toml(path: Path) -> dict[str, Any]:
    try:
        if not path.is_file():
            raise InputError("config", repr(str(path)), "an existing TOML file")
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise InputError("config", f"more than {MOST_BYTES} bytes", "a smaller file")
        return tomllib.loads(content.decode("utf-8"))
    except OSError as error:
        raise InputError("config", error.strerror, "a readable file") from None
    except (ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError("config", f"not TOML: {error}", "a TOML file in UTF-8") from None


def _known(place: str, word: str, known: Iterable[str]) -> None:
    """Raise unless a name is known, with the nearest known one."""
    names = list(known)
    if word not in names:
        near = difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.0)
        raise InputError(place, _short(word), f"{', '.join(names)}; nearest: {near[0]}")


def _refused(error: ValidationError, place: str = "") -> InputError:
    """One of pydantic's complaints in this project's words: an unknown name before all else."""
    complaints = error.errors(include_url=False)
    first = min(complaints, key=lambda each: each["type"] != "extra_forbidden")
    *outer, last = first["loc"]
    if first["type"] == "extra_forbidden":
        table = Span if place else Run if outer else Config
        names = [field.alias or name for name, field in table.model_fields.items()]
        try:
            _known(place or ".".join(map(str, outer)) or "config", str(last), names)
        except InputError as unknown:
            return unknown
    words = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in first["loc"])
    field = (place + words).removeprefix(".")
    if first["type"] == "missing":
        return InputError(field, "nothing", "a value: there is no default")
    said = first["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    return InputError(field, _short(first["input"]), "a table" if "dictionary" in said else said)


def _short(value: Any) -> str:
    return reprlib.repr(value)

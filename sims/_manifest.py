"""`sweep.json`: what a folder of results is about, and which code and machine began it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from sims._files import StoreError, write
from sims._tables import Config, Grid, Kind, Table
from theory.core import InputError

NAME = "sweep.json"
FORMAT = 1  # of blocks and manifest; results of another format are not read


class Manifest(Table):
    """`extents` are the grids this sweep has had, each within the next; the last is the config's.

    `fields`: for each optimizer, those of the grid that it has. `width`: runs a block holds at
    most. `data`: hash of the problem's arrays. `code`: hash of what an optimizer's runs execute.
    """

    format: Literal[1] = FORMAT
    config: Config
    fields: dict[str, dict[str, Kind]]
    width: int = Field(ge=1)
    dimension: int = Field(ge=1)
    data: str
    environment: dict[str, str]
    code: dict[str, str]
    extents: tuple[Grid, ...] = Field(min_length=1)

    def origin(self, optimizer: str) -> dict[str, Any]:
        """What all numbers of an optimizer depend on, beside its grid values and seeds."""
        plain = self.config.plain()
        return {
            "format": self.format,
            "problem": plain["problem"],
            "data": self.data,
            "run": plain["run"],
            "environment": self.environment,
            "optimizer": optimizer,
            "code": self.code[optimizer],
        }

    def plain(self) -> dict[str, Any]:
        """The manifest as JSON has it."""
        grids = [grid.model_dump(mode="json", exclude_unset=True) for grid in self.extents]
        plain = {"config": self.config.plain(), "extents": grids}
        return self.model_dump(mode="json", exclude={"config", "extents"}) | plain

    def save(self, folder: Path) -> None:
        """Write it to its folder."""
        plain = self.plain()
        text = json.dumps(plain | {"sha256": _sum(plain)}, indent=2, allow_nan=False)
        write(folder / NAME, text.encode() + b"\n")

    def with_grid(self, later: Manifest) -> Manifest:
        """This sweep, grown to the grid of a later request; raises `InputError` where it differs.

        A grid may gain values, seeds at the end of their list, and optimizers.
        """
        self._check_same(later)
        mine, new = self.config.grid, later.config.grid
        for name, values in _listed(mine).items():
            lacking = [value for value in values if value not in _listed(new).get(name, ())]
            if lacking:
                raise InputError(f"grid.{name}", f"no {lacking[0]!r}", f"all of {_begun(values)}")
        for name in _listed(new).keys() - _listed(mine).keys():
            raise InputError(f"grid.{name}", "a field", "the fields this folder was begun with")
        seeds = mine.seed_list
        if list(new.seed_list[: len(seeds)]) != list(seeds):
            allowed = f"the {len(seeds)} seeds this folder was begun with, then new ones"
            raise InputError("grid.seeds", new.seeds, allowed)
        if _listed(mine) == _listed(new) and len(seeds) == len(new.seed_list):
            return self
        grown = {"extents": (*self.extents, new), "width": self.width}
        return later.model_copy(update=grown)

    def _check_same(self, later: Manifest) -> None:
        mine, new = self.config.plain(), later.config.plain()
        for table in ("problem", "run"):
            for name in mine[table] | new[table]:
                was, now = mine[table].get(name), new[table].get(name)
                if was != now:
                    place = f"{table}.{name}"
                    raise InputError(place, now, f"{was}, or another folder than this one")
        for name in self.environment | later.environment:
            was, now = self.environment.get(name), later.environment.get(name)
            if was != now:
                raise InputError("out", f"results by {name} {was}", f"results by {name} {now}")
        if self.data != later.data:
            raise InputError("out", "results on other data", "results on what is generated now")
        for key in self.code.keys() & later.code.keys():
            if self.code[key] != later.code[key]:
                raise InputError("out", f"results by other code of {key}", "results by this code")


def load(folder: Path) -> Manifest:
    """The manifest of a folder; raises `StoreError` where there is none or it is damaged."""
    path = folder / NAME
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        if plain.pop("sha256") != _sum(plain):
            raise ValueError("its checksum is another one")
        plain["extents"] = tuple(plain["extents"])
        return Manifest.model_validate(plain)
    except FileNotFoundError:
        raise StoreError(f"{folder}: no {NAME}: not a folder of results") from None
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        told = "of another format" if isinstance(error, ValidationError) else error
        raise StoreError(f"{path}: damaged: {told}") from None


def canonical(value: Any) -> bytes:
    """JSON with one spelling; floats have the shortest one that reads back to the same bits."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _sum(plain: dict[str, Any]) -> str:
    return hashlib.sha256(canonical(plain)).hexdigest()


def _listed(grid: Grid) -> dict[str, tuple[Any, ...]]:
    """The values of every field of a grid, but for the seeds."""
    own = {"optimizer": grid.optimizer, "batch": grid.batch, "sampling": grid.sampling}
    return own | grid.fields


def _begun(values: tuple[Any, ...]) -> str:
    shown = ", ".join(map(repr, values[:4])) + (", ..." if len(values) > 4 else "")
    return f"what this folder was begun with: {shown}"

"""The tables of a configuration, as pydantic models: frozen, strict, nothing unknown.

An optimizer's fields stand in `grid` beside the keys listed here; `sims.config` knows which there
are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeVar

import numpy as np
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from theory.core import InputError

MOST_VALUES = 10_000  # of one field; a grid is their product
MOST_SEEDS = 10_000_000
WIDEST = 2**63 - 1  # integers are 64 bits wide from here on

Count = Annotated[int, Field(ge=1, le=WIDEST)]
Index = Annotated[int, Field(ge=0, le=WIDEST)]


Kind = Literal["traced", "split"]
"""Whether one compiled block may vary a hyperparameter, or a grid over it splits into several."""


class Table(BaseModel):
    """One table of the file: nothing unknown, nothing converted, no NaN, no infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Span(Table):
    """`num` values from `start` to `stop`, both included, evenly spaced or by equal ratios."""

    start: float = Field(alias="from")
    stop: float = Field(alias="to")
    num: int = Field(ge=2, le=MOST_VALUES)
    scale: Literal["linear", "log"] = "linear"

    def values(self) -> tuple[float, ...]:
        """Raises `InputError` where there is no such ladder."""
        if self.scale == "log" and not (self.start > 0 and self.stop > 0):
            raise InputError("from, to", (self.start, self.stop), "positive ends on a log scale")
        spaced = np.geomspace if self.scale == "log" else np.linspace
        return tuple(spaced(self.start, self.stop, self.num).tolist())


def several(value: Any) -> Any:
    """A value alone is a list of one."""
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def distinct(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Raises `ValueError` where a list is empty, too long, or names a value twice."""
    if not 1 <= len(values) <= MOST_VALUES:
        raise ValueError(f"from 1 to {MOST_VALUES} values")
    if len(set(values)) < len(values):
        raise ValueError("each value once")
    return values


def _batch(value: Any) -> Any:
    if value == "full" or (type(value) is int and 1 <= value <= WIDEST):
        return value
    raise ValueError("a whole number of samples, at least 1, or 'full'")


def _seeds(value: Any) -> Any:
    if type(value) is int and 1 <= value <= MOST_SEEDS:
        return value
    if not (isinstance(value, list | tuple) and 1 <= len(value) <= MOST_SEEDS):
        raise ValueError(f"how many seeds, from 1 to {MOST_SEEDS}, or a list of them")
    if not all(type(seed) is int and 0 <= seed <= WIDEST for seed in value):
        raise ValueError("whole numbers, at least 0")
    if len(set(value)) < len(value):
        raise ValueError("each seed once")
    return tuple(value)


T = TypeVar("T")
Some = Annotated[tuple[T, ...], BeforeValidator(several), AfterValidator(distinct)]
"""One or more different values; a value alone is a list of one."""
Batch = Annotated[Any, AfterValidator(_batch)]


class Problem(Table):
    """`name`, and the settings that the problem's generator takes."""

    model_config = ConfigDict(extra="allow")

    name: str


class Grid(Table):
    """What is combined with what. Further keys are the optimizers' own fields."""

    model_config = ConfigDict(extra="allow")

    optimizer: Some[str]
    batch: Some[Batch] = (1,)
    sampling: Some[Literal["with", "without"]] = ("with",)
    seeds: Annotated[Any, AfterValidator(_seeds)] = 1

    @property
    def fields(self) -> dict[str, tuple[Any, ...]]:
        """The optimizers' fields and their values, in the order they were given."""
        return {name: tuple(values) for name, values in (self.model_extra or {}).items()}

    @property
    def seed_list(self) -> Sequence[int]:
        """The seeds of every cell."""
        return range(self.seeds) if isinstance(self.seeds, int) else self.seeds


class Run(Table):
    """How long a run is and what is written down of it, every `every` steps."""

    steps: Count
    every: Count = 1
    record: Some[str] = ("loss",)
    root: Index = 0
    space: Literal["auto", "plain", "gram"] = "auto"


class Config(Table):
    """A sweep: every optimizer at every combination of grid values, with every seed.

    `grid` holds the optimizers' fields in their final types; a problem's settings were accepted by
    its generator.
    """

    problem: Problem
    grid: Grid
    run: Run

    @property
    def settings(self) -> dict[str, Any]:
        """The problem's settings without its name."""
        return dict(self.problem.model_extra or {})

    def plain(self) -> dict[str, Any]:
        """The tables as JSON has them; of `grid`, what was given."""
        dumped = self.model_dump(mode="json")
        return dumped | {"grid": self.grid.model_dump(mode="json", exclude_unset=True)}

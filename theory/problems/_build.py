"""A problem by its name, as a configuration file gives it."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable
from typing import Any

from theory import catalogue
from theory.core import InputError

PROBLEMS = "theory.problems"


def problem(name: str, **settings: Any) -> Any:
    """What `generate(**settings)` of the file `name` returns; settings left out take its defaults.

    Raises `InputError` on a name or a setting nobody knows, with the nearest known one, and passes
    on those of the generator.
    """
    known = catalogue.keys(PROBLEMS)
    if name not in known:
        raise InputError("problem", repr(name), _known(name, known))
    generate = catalogue.load(PROBLEMS, name).generate
    takes = inspect.signature(generate).parameters
    for setting, value in settings.items():
        if setting not in takes:
            raise InputError(setting, repr(value), f"{name} has {_known(setting, takes)}")
    return generate(**settings)


def _known(word: object, known: Iterable[str]) -> str:
    names = list(known)
    near = difflib.get_close_matches(str(word).lower(), names, n=1, cutoff=0.0)
    return f"{', '.join(names)}; nearest: {near[0]}"

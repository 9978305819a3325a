"""`module:factory`, imported as `python -m` would, whatever the user's code does on the way."""

from __future__ import annotations

import importlib
import os
import reprlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from theory.core import InputError

FORM = "module:factory, where factory(lr, rho) makes an optimizer"


def factory(target: str) -> Callable[[float, float], Any]:
    """The callable that `target` names; raises `InputError` where there is none.

    The module may lie in the current directory.
    """
    module, colon, name = target.partition(":")
    if not (module and colon and name) or module.startswith("."):
        raise InputError("TARGET", ascii(target[:200]), FORM)
    if (here := os.getcwd()) not in sys.path:
        sys.path.insert(0, here)
    with guarded(f"importing {module[:200]!a}"):
        found = importlib.import_module(module)
    for part in name.split("."):
        if not hasattr(found, part):
            named = [each for each in vars(found) if not each.startswith("_")]
            allowed = f"a name that {module} defines: {reprlib.repr(sorted(named))}"
            raise InputError("TARGET", ascii(name[:200]), allowed)
        found = getattr(found, part)
    if not callable(found):
        raise InputError("TARGET", f"{target[:200]!a} of type {type(found).__name__}", FORM)
    return found


def make(factory: Callable[[Any, float], Any], lr: Any, rho: float) -> Any:
    """factory(lr, rho), whatever it raises as an `InputError`."""
    with guarded(f"factory({lr if isinstance(lr, float) else 'schedule'}, {rho})"):
        return factory(lr, rho)


@contextmanager
def guarded(doing: str) -> Iterator[None]:
    """Whatever the user's code raises becomes an `InputError`; an interrupt stays one."""
    try:
        yield
    except (InputError, KeyboardInterrupt):
        raise
    except BaseException as error:  # SystemExit, too: a script that is no module
        told = " ".join(str(error).split())[:300]
        found = f"{type(error).__name__}" + (f" ({told})" if told else "")
        raise InputError(doing, found, "code that raises nothing there") from None

"""Where numbers come from: the code that is executed, and the machine that executes it.

Two runs are equal to the last bit where both fingerprints are. Comments, docstrings and layout are
no part of the code's; the names and order of definitions are.
"""

from __future__ import annotations

import ast
import hashlib
import os
import platform
from dataclasses import fields, is_dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
OURS = ("sims", "theory")
# Of a processor's flags, those that decide which vector instructions XLA and LAPACK use.
VECTOR = ("sse", "ssse", "avx", "fma", "f16c", "amx", "asimd", "sve", "neon")


@cache
def environment() -> dict[str, str]:
    """What the last bits depend on beside the code: libraries, processor, compiler flags."""
    packages = {name: version(name) for name in ("jax", "jaxlib", "numpy", "scipy")}
    own = {"python": ".".join(platform.python_version_tuple()[:2]), "machine": platform.machine()}
    xla = {
        "xla_flags": " ".join(sorted(os.environ.get("XLA_FLAGS", "").split())),
        "xla_threads": os.environ.get("NPROC", ""),
    }
    return packages | own | _processor() | xla


def _processor() -> dict[str, str]:
    """Make and vector instructions of the first processor; Linux only knows, others are named."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("\n\n")[0].splitlines()
    except OSError:
        return {"processor": platform.processor(), "instructions": ""}
    known = {key.strip(): value.strip() for key, _, value in (x.partition(":") for x in lines)}
    names = ("vendor_id", "cpu family", "model", "CPU implementer", "CPU part")
    flags = known.get("flags", known.get("Features", "")).split()
    return {
        "processor": " ".join(known[name] for name in names if name in known),
        "instructions": " ".join(sorted(f for f in flags if f.startswith(VECTOR))),
    }


def code(*modules: str) -> str:
    """A hash over the syntax trees of these modules and of all of ours that they import."""
    found: dict[str, str] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name not in found and (path := _file(name)):
            found[name], imported = _read(path)
            waiting += imported
    return hashlib.sha256(repr(sorted(found.items())).encode()).hexdigest()


def _file(module: str) -> Path | None:
    """The file of one of our modules; None for a name that is none, such as a function's."""
    base = ROOT.joinpath(*module.split("."))
    return next((p for p in (base.with_suffix(".py"), base / "__init__.py") if p.is_file()), None)


@cache
def _read(path: Path) -> tuple[str, tuple[str, ...]]:
    """The hash of a file's syntax tree, and the modules of ours that it may import."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body: list[Any] = getattr(node, "body", [])
        if (
            isinstance(body, list)
            and body
            and isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
            and isinstance(body[0].value.value, str)
        ):
            body[0].value.value = ""
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    imported = tuple(name for name in names if name.partition(".")[0] in OURS)
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest(), imported


def data(problem: Any) -> str:
    """A hash of all arrays and settings of a problem, those of problems within it included."""
    total = hashlib.sha256()
    _feed(total, problem)
    return total.hexdigest()


def _feed(total: Any, value: Any) -> None:
    if is_dataclass(value):
        total.update(f"{type(value).__name__}(".encode())
        for field in fields(value):
            total.update(f"{field.name}=".encode())
            _feed(total, getattr(value, field.name))
    elif isinstance(value, np.ndarray):
        total.update(f"{value.dtype.str}{value.shape}".encode())
        total.update(np.ascontiguousarray(value).tobytes())
    else:
        total.update(f"{value!r},".encode())

"""Reads a witness made of piecewise quadratics. Standard library only.

Exact arithmetic grows with what it is given: sums over the pieces of a mean multiply denominators, and
an expectation takes a term for each batch. So everything that sets the work is limited here, before a
claim's functions see any of it.
"""

from __future__ import annotations

from math import comb
from typing import Any

from proofs_check.certificate import Rejected, fields, natural, number, sequence
from theory.piecewise import PARTS, Piecewise

MAX_FUNCTIONS, MAX_BREAKS, MAX_LENGTH = 4, 8, 30  # length: digits of one numerator or denominator
MAX_BATCH, MAX_BATCHES = 200, 1001  # samples in a batch, and batches that differ


def functions_of(entries: dict[str, Any], domain: Piecewise, where: str) -> dict[str, Any]:
    """The point of these entries: functions, weights, batch sizes and scalars, each within limits.

    Names that the domain lacks are read as scalars; the domain refuses them by name.
    """
    point: dict[str, Any] = {}
    for name, given in entries.items():
        place = f"{where}[{name!r}]"
        if name == "samples" and domain.samples:
            functions = sequence(given, place, MAX_FUNCTIONS)
            point[name] = [_function(f, f"{place}[{i}]") for i, f in enumerate(functions)]
        elif name == "weights" and domain.samples:
            point[name] = [_short(w, place) for w in sequence(given, place, MAX_FUNCTIONS)]
        elif name in domain.functions:
            point[name] = _function(given, place)
        elif name in domain.counts:
            point[name] = natural(given, place, MAX_BATCH + 1)
        else:
            point[name] = _short(given, place)
    n = len(point.get("samples", ()))
    for name in domain.counts:
        size = point.get(name, 0)
        if n and comb(n + size - 1, size) > MAX_BATCHES:
            raise Rejected(f"{where}[{name!r}]: more than {MAX_BATCHES} batches of {n} samples")
    return point


def _function(given: Any, where: str) -> dict[str, Any]:
    fields(given, where, set(PARTS))
    short = {part: _short(given[part], f"{where}.{part}") for part in PARTS[:3]}
    lists = {part: sequence(given[part], f"{where}.{part}", MAX_BREAKS + 1) for part in PARTS[3:]}
    return short | {part: [_short(x, f"{where}.{part}") for x in xs] for part, xs in lists.items()}


def _short(value: Any, where: str) -> Any:
    """A rational of few digits."""
    found = number(value, where)
    if max(abs(found.numerator), found.denominator) >= 10**MAX_LENGTH:
        raise Rejected(f"{where}: numbers here have at most {MAX_LENGTH} digits")
    return found

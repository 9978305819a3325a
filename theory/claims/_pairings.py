"""Moments of Gaussian variables as sums over pairings (Isserlis; Wick)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any


def pairings(places: Sequence[int]) -> Iterator[list[tuple[int, int]]]:
    """Every way to split the places into pairs: (2k - 1)!! of them."""
    if not places:
        yield []
        return
    first, rest = places[0], places[1:]
    for i, other in enumerate(rest):
        for others in pairings([*rest[:i], *rest[i + 1 :]]):
            yield [(first, other), *others]


def moment(variances: Sequence[Any], *entries: int) -> Any:
    """E of a product of independent centred Gaussians, named by their places in `variances`."""
    total = 0
    for pairs in pairings(range(len(entries))):
        term = 1
        for i, j in pairs:
            term = term * (variances[entries[i]] if entries[i] == entries[j] else 0)
        total = total + term
    return total


def wishart(k: int, d: Any, B: Any) -> Any:
    """E tr (G'G)^k / d, G (B, d) standard normal.

    The trace is a ring of 2k factors G: those at 2t and 2t + 1 share a row, those at 2t + 1 and
    2t + 2 a column. A pairing joins the rows and the columns of its pairs; every class of rows left
    counts B, every class of columns d.
    """
    total = 0
    for pairs in pairings(range(2 * k)):
        rows = [(i // 2, j // 2) for i, j in pairs]
        columns = [((i + 1) // 2 % k, (j + 1) // 2 % k) for i, j in pairs]
        total = total + B ** _classes(k, rows) * d ** (_classes(k, columns) - 1)
    return total


def _classes(count: int, joined: Sequence[tuple[int, int]]) -> int:
    """How many classes are left of `count` labels."""
    label = list(range(count))
    for i, j in joined:
        label = [label[i] if x == label[j] else x for x in label]
    return len(set(label))

"""Points that are simpler than a family's point, or are a step on the way to one.

Without one sample, dimension or row; with other weights; in other units; with simpler numbers. None
needs to be a witness: `shrink` finds out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from math import gcd, lcm
from typing import Any

Change = Callable[[Fraction], Fraction]

WIDTHS = (*(Fraction(1, 2**k) for k in range(13)), Fraction(0))  # of the intervals searched
LIMIT = 12  # of the whole numbers that all factor entries are rounded to at once
SCALES = tuple(Fraction(c) for c in ("2", "3", "5", "10", "1/2", "1/3", "1/5", "1/10"))


def steps(point: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every point one step away, the boldest first; values are fractions, in nested lists."""
    yield from _drops(point)
    yield from _weighings(point)
    yield from _coarser(point)
    yield from _rescalings(point)
    yield from _flips(point)
    yield from _roundings(point)


def _drops(point: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Without one sample, without one dimension, without one row of one factor."""
    factors, weights = point["factors"], point.get("weights")
    for i in range(len(factors) if len(factors) > 1 else 0):
        less = {**point, "factors": factors[:i] + factors[i + 1 :]}
        yield less if weights is None else {**less, "weights": weights[:i] + weights[i + 1 :]}
    width = len(factors[0][0])
    for j in range(width if width > 1 else 0):
        yield {**point, "factors": [[row[:j] + row[j + 1 :] for row in F] for F in factors]}
    for i, F in enumerate(factors):
        for r in range(len(F) if len(F) > 1 else 0):
            yield {**point, "factors": [*factors[:i], F[:r] + F[r + 1 :], *factors[i + 1 :]]}


def _weighings(point: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """No weights; the least whole numbers in their ratio; one weight made equal to another."""
    weights = point.get("weights")
    if weights is None:
        return
    yield {name: value for name, value in point.items() if name != "weights"}
    scale = Fraction(lcm(*(w.denominator for w in weights)))
    scale /= gcd(*(int(w * scale) for w in weights))
    yield {**point, "weights": [w * scale for w in weights]}
    for c in (1, 2, 3):
        whole = [Fraction(round(c * w / min(weights))) for w in weights]
        yield {**point, "weights": whole}
        for digits in (1, 2):
            yield {**point, "weights": [Fraction(f"{float(w):.{digits - 1}e}") for w in whole]}
    for i, own in enumerate(weights):
        for other in dict.fromkeys(weights):
            if other != own:
                yield {**point, "weights": [*weights[:i], other, *weights[i + 1 :]]}


def _coarser(point: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Whole numbers up to 1, 2, 3, ... in every factor, simple scalars and weights to go with them."""
    top = max(abs(x) for x in flat(point["factors"]))
    others = [name for name in point if name not in ("factors", "weights", "eta")]
    for limit in range(1, LIMIT + 1) if top else ():
        c = limit / top
        whole = _mapped(point, "factors", lambda x, c=c: Fraction(round(c * x)))
        for width in (Fraction(1, 4), Fraction(1, 16), Fraction(1, 64)):
            scaled = {**whole, "eta": point["eta"] / (c * c)} if "eta" in point else dict(whole)
            for name in others:
                value = point[name] / (c * c)
                scaled[name] = simplest(value * (1 - width), value * (1 + width))
            yield scaled
            if "weights" in point:
                yield _mapped(
                    scaled, "weights", lambda w, b=width: simplest(w * (1 - b), w * (1 + b))
                )


def _flips(point: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """One row or one column of the factors negated: the same minimum, other signs."""
    factors = point["factors"]
    for i, F in enumerate(factors):
        for r, row in enumerate(F):
            turned = [*F[:r], [-x for x in row], *F[r + 1 :]]
            yield {**point, "factors": [*factors[:i], turned, *factors[i + 1 :]]}
    for j in range(len(factors[0][0])):
        turned = [[[-x if k == j else x for k, x in enumerate(row)] for row in F] for F in factors]
        yield {**point, "factors": turned}


def _rescalings(point: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All factors times c, every scalar divided by c^2: the same minimum in other units."""
    for c in SCALES:
        scaled = _mapped(point, "factors", lambda x, c=c: c * x)
        yield {k: v if k in ("factors", "weights") else v / (c * c) for k, v in scaled.items()}


def _roundings(point: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Simpler numbers: for all factor entries of one size, all equal weights, then one by one."""
    classes = [("factors", s) for s in dict.fromkeys(abs(x) for x in flat(point["factors"]))]
    classes += [("weights", w) for w in dict.fromkeys(point.get("weights", ()))]
    classes += [(name, x) for name, x in point.items() if isinstance(x, Fraction)]
    for name, number in classes:
        for simpler in _simpler(number):

            def swap(
                x: Fraction, number: Fraction = number, simpler: Fraction = simpler
            ) -> Fraction:
                return (simpler if x > 0 else -simpler) if abs(x) == number else x

            yield _mapped(point, name, swap)
    for name in ("factors", "weights"):
        for place, number in enumerate(flat(point.get(name, []))):
            for simpler in _simpler(abs(number)):
                counter = iter(range(10**9))

                def put(x: Fraction, place: int = place, simpler: Fraction = simpler) -> Fraction:
                    new = simpler if x > 0 else -simpler
                    return new if next(counter) == place else x  # noqa: B023 consumed at once

                yield _mapped(point, name, put)


def _simpler(number: Fraction) -> list[Fraction]:
    """1 to 9, then numbers with fewer digits near one that is not negative, boldest first."""
    if number == 0:
        return []
    near = [Fraction(x) for x in range(1, 10)]
    near += [simplest(number * (1 - w), number * (1 + w)) for w in WIDTHS[:-1]]
    exponent = len(str(number.numerator)) - len(str(number.denominator))
    for digits in (1, 2, 3):
        unit = Fraction(10) ** (exponent - digits + 1)
        near += [round(number / unit) * unit, (number // unit) * unit]
    return [x for x in dict.fromkeys(near) if x != number and x >= 0]


def simplest(low: Fraction, high: Fraction) -> Fraction:
    """The fraction of least denominator, then numerator, in [low, high]; 0 <= low <= high."""
    whole = -(-low.numerator // low.denominator)  # the least integer not below low
    if whole <= high:
        return Fraction(whole)
    part = Fraction(whole - 1)
    return part + 1 / simplest(1 / (high - part), 1 / (low - part))


def _mapped(point: dict[str, Any], name: str, change: Change) -> dict[str, Any]:
    def walk(value: Any) -> Any:
        return [walk(x) for x in value] if isinstance(value, list) else change(value)

    return {**point, name: walk(point[name])}


def flat(value: Any) -> Iterator[Fraction]:
    """The numbers of nested lists, in order."""
    if isinstance(value, list):
        for item in value:
            yield from flat(item)
    else:
        yield value

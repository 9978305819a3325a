"""Smaller witnesses: a refutation is made shorter, step by step, for as long as it still replays.

Greedy and deterministic. A step drops a sample, a dimension or a row of a factor, equalises weights,
rescales, or puts a simpler number (Stern-Brocot) where one or all numbers of one size stand. Witnesses
about stability sit just inside a critical step, so that no number but eta can be changed alone: each
step is also tried with eta moved to a simple number below the new critical step. Floats say which
steps are worth an exact replay; the replay decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import takewhile
from typing import Any

import numpy as np

from proofs_check.certificate import Rejected
from proofs_check.checker import replay
from proofs_check.search.floats import floated
from proofs_check.search.simpler import WIDTHS, flat, simplest, steps
from proofs_check.search.slack import slack
from proofs_check.search.witness import refutation
from theory.atoms import MeanSquare
from theory.core import Claim, InputError, Verdict
from theory.domains import Family
from theory.stability import threshold

MARGIN = 1e-9  # what a float slack may be wrong by before an exact replay is not worth it


def size(point: dict[str, Any]) -> tuple[int, int, Fraction]:
    """Digits, then samples, then the sum of numerators, denominators and minus signs.

    Three zeros at the end of a number count as one digit: 40000 reads more easily than 40136.
    """
    numbers = list(_numbers(point))
    parts = [abs(x.numerator) for x in numbers]
    parts += [x.denominator for x in numbers if x.denominator > 1]
    digits = sum(map(_length, parts))
    height = sum((abs(x.numerator) + x.denominator + (x < 0) for x in numbers), 0)
    return digits, len(point["factors"]), Fraction(height)


def _length(number: int) -> int:
    written = str(number)
    significant = written.rstrip("0") or "0"
    return len(significant) + (len(written) - len(significant)) // 3


def shrink(
    claim: Claim,
    certificate: dict[str, Any],
    *,
    floor: Fraction | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """A certificate of the same claim, no larger by `size`, that violates it by at least the floor.

    `floor` is relative, as the replay reports it; by default half of what the certificate shows. Where
    the replay reports none (the bounding side is not positive), any refutation will do. Told to stop,
    it returns the smallest so far. Raises `InputError` unless the claim is about a family and the
    certificate refutes it by the floor.
    """
    if not isinstance(claim.domain, Family):
        raise InputError("claim", claim.domain.signature(), "a claim about a family")
    try:
        shown = replay(certificate, claim)
    except Rejected as error:
        raise InputError("certificate", str(error), "one that replays against the claim") from None
    if shown.verdict is not Verdict.REFUTED:
        raise InputError("certificate", shown.verdict, "a refutation")
    if floor is None:
        floor = Fraction(0) if shown.violation is None else shown.violation / 2
    elif shown.violation is not None and shown.violation < floor:
        raise InputError("floor", floor, f"at most what the certificate shows, {shown.violation}")
    point = witness_of(certificate)
    while (found := _smaller(claim, point, floor, stop)) is not None:
        point, certificate = found
    return certificate


def _smaller(
    claim: Claim, point: dict[str, Any], floor: Fraction, stop: Callable[[], bool]
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """The first step that makes the witness smaller and keeps the violation, or None."""
    now = size(point)
    for changed in takewhile(lambda _: not stop(), steps(point)):
        for candidate in _fitted(claim, changed):
            if size(candidate) >= now or not _worth_replaying(claim, candidate, float(floor)):
                continue
            certificate = refutation(claim, candidate)
            if certificate is None:
                continue
            violation = replay(certificate, claim).violation
            if violation is None or violation >= floor:
                return candidate, certificate
    return None


def _fitted(claim: Claim, point: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The point, then the point with eta moved to simple numbers below its critical step."""
    yield point
    if "eta" not in point:
        return
    edge = _edge(claim, point)
    if not np.isfinite(edge) or edge <= 0:
        return
    top = Fraction(edge) * (1 - Fraction(1, 10**9))
    etas = dict.fromkeys(simplest(top * (1 - width / 2), top) for width in WIDTHS[:-1])
    for eta in etas:
        yield {**point, "eta": eta}


def _edge(claim: Claim, point: dict[str, Any]) -> float:
    """The mean-square critical step where the claim assumes that notion, else the one-step one."""
    try:
        exact = claim.domain.exact(point)
        m = floated(exact)
        given = claim.given(exact)
        notion = any(isinstance(atom, MeanSquare) for atom in given)
        edge = threshold.mean_square_critical_step if notion else threshold.one_step_critical_step
        return edge(np.asarray(m.weights), np.asarray(m.A))
    except (ArithmeticError, ValueError, np.linalg.LinAlgError):
        return float("nan")


def _worth_replaying(claim: Claim, point: dict[str, Any], floor: float) -> bool:
    """Whether floats see the hypotheses hold and one conclusion fail by the floor, near enough."""
    try:
        with np.errstate(all="ignore"):
            model = floated(claim.domain.exact(point))
            if min((slack(atom) for atom in claim.given(model)), default=0.0) < -MARGIN:
                return False
            then = min(slack(atom) for atom in claim.then(model))
    except (ArithmeticError, ValueError, np.linalg.LinAlgError):
        return False
    # A violation by v is a slack of -v/(2 + v), whichever side is scaled.
    return bool(then <= -floor / (2 + floor) + MARGIN)


def _numbers(point: dict[str, Any]) -> Iterator[Fraction]:
    for value in point.values():
        yield from flat(value)


def witness_of(certificate: dict[str, Any]) -> dict[str, Any]:
    """The point of a refutation, its numbers as fractions."""
    return _read(certificate["witness"])


def _read(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _read(inside) for name, inside in value.items()}
    return [_read(item) for item in value] if isinstance(value, list) else Fraction(value)

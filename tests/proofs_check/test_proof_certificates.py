"""Every number, factor and term of every shipped proof matters, exactly as far as mathematics says.

A changed proof is accepted exactly when a second reading (`drawn.py`), in numbers on random models,
still finds products that add up to zero with a positive one among them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from proofs_check import library
from proofs_check.checker import Rejected, replay
from proofs_check.search.floats import floated
from proofs_check.search.slack import mean_square_radius
from theory.atoms import AtMost, Equal, Loewner, MeanSquare
from theory.core import InputError
from theory.domains import Family

from .drawn import Reading

FILES = sorted(library.CERTIFICATES.glob("*.json"))
SHIPPED = {
    path.stem: found for path in FILES if (found := json.loads(path.read_text()))["kind"] == "proof"
}
CLAIMS = {key: library.entry(key).claim for key in SHIPPED}
SEEDS = (0, 1)
EVERY = 17  # of the changes are tried outside `make soak`
every_proof = pytest.mark.parametrize("key", SHIPPED)


def accepted(key: str, certificate: Any) -> bool:
    try:
        replay(certificate, CLAIMS[key])
    except Rejected:
        return False
    return True


def shows(key: str, certificate: Any, readings: list[Reading]) -> bool:
    """The second reading: the point meets the hypotheses, the steps add up on every random model."""
    try:
        return meets(key, certificate["point"]) and all(
            reading.shows(certificate["steps"]) for reading in readings
        )
    except (LookupError, ValueError, TypeError, AttributeError, AssertionError):
        return False


def meets(key: str, point: Any) -> bool:
    """Hypotheses at the point: comparisons in fractions, matrices by eigenvalues.

    Points that attain a bound leave eigenvalues at zero; a change moves them by far more than 1e-9.
    """
    domain = CLAIMS[key].domain
    try:
        model = domain.exact(point)
    except InputError:
        return False
    if isinstance(domain, Family) and any(value < 0 for value in model.scalars.values()):
        return False
    for atom, rough in zip(
        CLAIMS[key].given(model), CLAIMS[key].given(floated(model)), strict=True
    ):
        match atom:
            case AtMost(lhs, rhs, strict):
                if lhs > rhs or (strict and lhs == rhs):
                    return False
            case Equal(lhs, rhs):
                if lhs != rhs:
                    return False
            case Loewner():
                gap = np.asarray(rough.upper - rough.lower, float)
                if np.linalg.eigvalsh(gap)[0] < -1e-9 * max(1, np.abs(gap).max()):
                    return False
            case MeanSquare(bound=bound):
                if mean_square_radius(rough.T) > float(bound) + 1e-9:
                    return False
    return True


# --- changes --------------------------------------------------------------------------------------


def leaves(value: Any, path=()) -> Iterator[tuple]:
    """The places of all numbers."""
    if isinstance(value, dict):
        for name, inside in value.items():
            if name not in ("format", "claim", "kind"):
                yield from leaves(inside, (*path, name))
    elif isinstance(value, list):
        for i, inside in enumerate(value):
            yield from leaves(inside, (*path, i))
    elif value.lstrip("-")[:1].isdigit():
        yield path


def lists(value: Any, path=()) -> Iterator[tuple]:
    """The places of all members of lists of terms, factors, operators, words and steps."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for name, inside in inner if isinstance(value, dict | list) else ():
        if isinstance(value, list):
            yield (*path, name)
        if isinstance(inside, dict | list):
            yield from lists(inside, (*path, name))


def at(value: Any, path) -> Any:
    for step in path:
        value = value[step]
    return value


def variants(certificate: Any) -> Iterator[tuple[str, Any]]:
    """Each number changed, each member of each list dropped or doubled, one at a time."""
    for path in leaves(certificate):
        value = Fraction(at(certificate, path))
        for new in {value + 1, value - 1, 2 * value, -value, value / 2} - {value}:
            copied = json.loads(json.dumps(certificate))
            at(copied, path[:-1])[path[-1]] = str(new)
            yield f"{path} = {new}", copied
    for path in lists(certificate["steps"], ("steps",)):
        for change in ("dropped", "doubled"):
            copied = json.loads(json.dumps(certificate))
            holder = at(copied, path[:-1])
            if change == "dropped":
                del holder[path[-1]]
            else:
                holder.insert(path[-1], holder[path[-1]])
            yield f"{path} {change}", copied


def judge(key: str, every: int) -> Counter:
    readings = [Reading(CLAIMS[key], seed) for seed in SEEDS]
    verdicts: Counter[tuple[bool, bool]] = Counter()
    for i, (place, certificate) in enumerate(variants(SHIPPED[key])):
        if i % every == 0:
            taken = accepted(key, certificate)
            assert taken == shows(key, certificate, readings), (place, taken)
            verdicts[taken, "point" in place] += 1
    return verdicts


# --- tests ----------------------------------------------------------------------------------------


def test_there_are_proofs():
    assert len(SHIPPED) >= 20


@every_proof
def test_both_readings_accept_what_is_shipped(key):
    assert accepted(key, SHIPPED[key])
    assert shows(key, SHIPPED[key], [Reading(CLAIMS[key], seed) for seed in SEEDS])


@every_proof
def test_a_changed_proof_is_accepted_exactly_when_it_still_adds_up(key):
    verdicts = judge(key, EVERY)
    assert verdicts[False, False] > 10 * verdicts[True, False]


@pytest.mark.soak
@every_proof
def test_every_changed_proof_is_accepted_exactly_when_it_still_adds_up(key):
    verdicts = judge(key, 1)
    print(key, dict(verdicts))
    assert verdicts[False, False] > 10 * verdicts[True, False]


@every_proof
def test_a_proof_shows_nothing_about_another_claim(key):
    """Bound to every other claim in turn, so that the hash decides nothing."""
    from theory.fingerprint import fingerprint

    for other, claim in CLAIMS.items():
        moved = SHIPPED[key] | {"claim": fingerprint(claim)}
        if other != key and accepted(other, moved):
            assert shows(other, moved, [Reading(claim, seed) for seed in SEEDS]), other

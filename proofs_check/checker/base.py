"""What all kinds of certificate share: the outcome of a replay, points, and exact decisions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from proofs_check.certificate import MAX_SAMPLES, Rejected, matrix, number, sequence, table, vector
from proofs_check.checker.piecewise import functions_of
from proofs_check.checker.work import afford, afford_elimination, bits
from proofs_check.evidence import percent
from theory.atoms import AtMost, Atom, Equal, Loewner, MeanSquare
from theory.core import Claim, InputError, Verdict
from theory.domains import Operators
from theory.exact import Matrix, Polynomial, negative_direction
from theory.exact.second_moment import radius_at_most
from theory.fingerprint import require_exact
from theory.piecewise import Piecewise

CLAIM, DEGREE = 10, 8  # of the expressions a claim makes of a point, roughly


@dataclass(frozen=True)
class Replayed:
    """What a certificate showed: PROVED or REFUTED, and for a refutation by how much.

    `violation` is relative to the side that bounds: the conclusion weakened by any smaller fraction
    is refuted as well. None where that side is not positive, and there is nothing to be relative to.
    """

    verdict: Verdict
    kind: str
    sentence: str
    violation: Fraction | None = None
    rests_on: tuple[str, ...] = ()  # keys of the trusted rules a proof used

    @property
    def told(self) -> str:
        """The sentence, with how far the conclusion is violated."""
        return self.sentence + (f", {percent(self.violation)} too much" if self.violation else "")


def holds(atom: Atom) -> bool:
    """Whether an atom with exact entries is true, decided without any help."""
    require_exact(atom)
    match atom:
        case AtMost(lhs, rhs, strict):
            return lhs < rhs if strict else lhs <= rhs
        case Equal(lhs, rhs):
            difference = lhs - rhs
            return difference.is_zero() if hasattr(difference, "is_zero") else difference == 0
        case Loewner(lower, upper):
            return negative_direction(upper - lower) is None
        case MeanSquare(T, bound):
            return radius_at_most(T, bound)


def point_of(value: Any, claim: Claim, where: str) -> dict[str, Any]:
    """The rational point a certificate gives, with every number read strictly."""
    domain = claim.domain
    operators = (*domain.symmetric, *domain.general) if isinstance(domain, Operators) else ()
    vectors = domain.vectors if isinstance(domain, Operators) else ("weights",)
    point: dict[str, Any] = {}
    entries = table(value, where)
    if isinstance(domain, Piecewise):
        point, entries = functions_of(entries, domain, where), {}
    for name, given in entries.items():
        place = f"{where}[{name!r}]"  # quoted: a name from the file may hold anything
        if name == "factors":
            blocks = sequence(given, place, MAX_SAMPLES)
            point[name] = [matrix(block, f"{place}[{i}]").rows for i, block in enumerate(blocks)]
        elif name in operators:
            point[name] = matrix(given, place).rows
        elif name in vectors:
            point[name] = vector(given, place, MAX_SAMPLES)
        else:
            point[name] = number(given, place)
    try:
        outside = domain.outside(domain.exact(point))
    except InputError as error:
        raise Rejected(f"{where}: {error}") from None
    if outside is not None:
        raise Rejected(f"{where}: {outside}")
    affordable_point(point, where)
    return point


def met(claim: Claim, point: dict[str, Any]) -> None:
    """Raise `Rejected` unless every hypothesis holds at a point: the claim is then not vacuous."""
    for i, atom in enumerate(claim.given(claim.domain.exact(point))):
        affordable(atom, "point")
        if not holds(atom):
            raise Rejected(f"point: hypothesis {i} does not hold there")


def affordable_point(point: dict[str, Any], where: str) -> None:
    """Raise `Rejected` where a claim's expressions would take too long at a point.

    A claim is taken to make CLAIM operations, of degree DEGREE in the point, on each sample's matrix
    product; the largest point shipped has 220 bits.
    """
    blocks = point.get("factors", ())
    lists = [value for value in point.values() if isinstance(value, list | tuple)]
    size = len(blocks[0][0]) if blocks else max(map(len, lists), default=1)
    afford(CLAIM * max(len(blocks), 1) * size**3, DEGREE * bits(_numbers(point)), where)


def _numbers(value: Any) -> Iterator[Fraction]:
    """All numbers of a point."""
    if isinstance(value, Fraction):
        yield value
    elif isinstance(value, dict | list | tuple):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _numbers(item)


def affordable(atom: Atom, where: str) -> None:
    """Raise `Rejected` where `holds` would take too long."""
    match atom:
        case Loewner(Matrix() as lower, Matrix() as upper):
            afford_elimination(upper - lower, where)
        case MeanSquare(T, _):
            size = T.steps[0].shape[0]
            length = bits(value for Phi in T.steps for row in Phi.rows for value in row)
            # Elimination of a form on symmetric matrices, whose entries are two steps long.
            afford(len(T.steps) * size**6 // 8, 2 * size**2 * length, where)


def lift(value: Polynomial | Fraction | int) -> Polynomial:
    return value if isinstance(value, Polynomial) else Polynomial.constant(value)

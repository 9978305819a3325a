"""From a float violation to an exact certificate: round, verify hypotheses, show the break."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from proofs_check.checker import FORMAT, Rejected, holds, replay
from proofs_check.search.rounding import DENOMINATORS
from theory.atoms import Atom, Loewner, MeanSquare
from theory.core import Claim, InputError
from theory.domains import Family, Point
from theory.exact import Matrix, SecondMoment, is_positive_definite, negative_direction
from theory.exact.matrix import quadratic_form
from theory.fingerprint import fingerprint
from theory.piecewise import Piecewise


def refutation(claim: Claim, point: Point) -> dict[str, Any] | None:
    """A replayed certificate that the point refutes the claim, or None if it does not."""
    try:
        model = claim.domain.exact(point)
        given = [_support(atom) for atom in claim.given(model)]
        if any(help_ is None for help_ in given):
            return None
        then = claim.then(model)
    except (InputError, ValueError, ZeroDivisionError):
        return None
    for index, atom in enumerate(then):
        for help_ in _breaks(atom):
            certificate = {
                "format": FORMAT,
                "claim": fingerprint(claim),
                "kind": _kind(claim),
                "witness": spell(point),
                "given": given,
                "then": {"atom": str(index), **help_},
            }
            try:
                replay(certificate, claim)
            except Rejected:
                continue
            return certificate
    return None


def _kind(claim: Claim) -> str:
    if isinstance(claim.domain, Piecewise):
        return "piecewise"
    return "family" if isinstance(claim.domain, Family) else "point"


def _support(atom: Atom) -> dict[str, Any] | None:
    """What a certificate must add to show that a hypothesis holds; None if it does not."""
    if not isinstance(atom, MeanSquare):
        return {} if holds(atom) else None
    P = lyapunov(atom.T.quotient(), atom.bound)
    return None if P is None else {"lyapunov": spell(P.rows)}


def lyapunov(T: SecondMoment, bound: Fraction) -> Matrix | None:
    """A rational P > 0 with bound P - T(P) >= 0, with small entries, or None."""
    size = T.steps[0].shape[0]
    for P in _candidates(_solve_lyapunov(T, float(bound)), size):
        if is_positive_definite(P) and negative_direction(bound * P - T(P)) is None:
            return P
    return None


def _solve_lyapunov(T: SecondMoment, bound: float) -> np.ndarray | None:
    """The P with bound P - T(P) = I, in floats."""
    kron = _kron(T)
    size = T.steps[0].shape[0]
    try:
        P = np.linalg.solve(bound * np.eye(size * size) - kron, np.eye(size).ravel())
    except np.linalg.LinAlgError:
        return None
    return P.reshape(size, size)


def _candidates(P: np.ndarray | None, size: int) -> Iterator[Matrix]:
    """The identity (which settles the one-step case), then P rounded ever more finely."""
    yield Matrix.identity(size)
    if P is None or not np.isfinite(P).all() or not P.any():
        return
    scaled = ((P + P.T) / np.abs(P + P.T).max()).tolist()
    for denominator in DENOMINATORS:
        yield Matrix(
            [[Fraction(round(x * denominator), denominator) for x in row] for row in scaled]
        )


def growth(T: SecondMoment, bound: Fraction) -> Iterator[dict[str, Any]]:
    """PSD matrices X that T multiplies by more than the bound, from its dominant eigenvector."""
    size = T.steps[0].shape[0]
    if size == 0:
        return
    values, vectors = np.linalg.eig(_kron(T))
    top = int(np.argmax(np.real(values)))
    radius = float(np.real(values[top]))
    if radius <= bound:
        return
    X = np.real(vectors[:, top]).reshape(size, size)
    for candidate in _candidates(X * np.sign(np.trace(X)), size):
        for part in (Fraction(1, 2), Fraction(1, 10), Fraction(1, 100)):
            rough = (bound + part * (Fraction(radius) - bound)).limit_denominator(10**6)
            factor = _simplest_between(bound, rough) if rough > bound else rough
            yield {"growth": spell(candidate.rows), "factor": str(factor)}


def _simplest_between(low: Fraction, high: Fraction) -> Fraction:
    """A fraction in (low, high] with a small denominator."""
    denominator = 1
    while Fraction(int(high * denominator), denominator) <= low:
        denominator *= 2
    return Fraction(int(high * denominator), denominator)


def _breaks(atom: Atom) -> Iterator[dict[str, Any]]:
    """Candidate ways to show that an atom of the conclusion fails."""
    if holds(atom):
        return
    match atom:
        case MeanSquare(T, bound):
            yield from growth(T.quotient(), bound)
        case Loewner(lower, upper):
            yield {"vector": spell(worst_vector(lower, upper))}
        case _:
            yield {}


def worst_vector(lower: Matrix, upper: Matrix) -> list[Fraction]:
    """A short rational v with v'Lv > v'Uv, within a tenth of the best ratio known.

    Directions come from the generalised eigenproblem where U is safely definite, and from exact
    elimination, which finds a violation however slight.
    """
    certain = negative_direction(upper - lower)
    assert certain is not None
    directions = [np.array([float(x) for x in certain])]
    values, vectors = np.linalg.eigh(_floats(upper))
    if values[0] > 1e-9 * values[-1]:  # enough digits left to divide by U
        frame = vectors / np.sqrt(values)
        directions.insert(0, frame @ np.linalg.eigh(frame.T @ _floats(lower) @ frame)[1][:, -1])
    short = [
        [Fraction(round(x * denominator), denominator) for x in w / np.abs(w).max()]
        for denominator in DENOMINATORS
        for w in directions
    ]
    best = max(_excess(lower, upper, v) for v in [certain, *short])
    return next(v for v in [*short, certain] if _excess(lower, upper, v) >= best * Fraction(9, 10))


def _excess(lower: Matrix, upper: Matrix, v: list[Fraction]) -> Fraction:
    low, high = quadratic_form(lower, v), quadratic_form(upper, v)
    return low / high - 1 if high > 0 else low - high


def _kron(T: SecondMoment) -> np.ndarray:
    size = T.steps[0].shape[0]
    total = np.zeros((size * size, size * size))
    for p, Phi in zip(T.probabilities, T.steps, strict=True):
        step = _floats(Phi)
        total += float(p) * np.kron(step, step)
    return total


def _floats(matrix: Matrix) -> np.ndarray:
    return np.array([[float(x) for x in row] for row in matrix.rows]).reshape(matrix.shape)


def spell(value: Any) -> Any:
    """Numbers as strings, containers as lists and objects: the certificate's spelling."""
    if isinstance(value, dict):
        return {key: spell(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [spell(item) for item in value]
    return str(Fraction(value))

"""How far an atom is from failing, in floats: the objective of every search.

A slack is relative and scale-free: positive where the atom holds, negative where it fails, and
between -1 and 1 for inequalities.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from theory.atoms import AtMost, Atom, Equal, Loewner, MeanSquare
from theory.exact import SecondMoment
from theory.moments import rank_tolerance
from theory.stability.operator import spectral_radius, symmetric_square

TINY = 1e-300  # keeps 0/0 a zero; far below any product of numbers searched
# Directions below this fraction of the largest: dividing by them would lift rounding past 1e-10.
RANK = 1e-6
ROUNDING = 1e-12  # of an eigenvalue relative to the largest, after a few products
EQUALITY = 1e-9  # double precision after the few products an equality is made of


def slack(atom: Atom) -> float:
    """The slack of one atom on a float model."""
    match atom:
        case AtMost(lhs, rhs):
            return float((rhs - lhs) / (abs(rhs) + abs(lhs) + TINY))
        case Equal(lhs, rhs):
            return EQUALITY - distance(lhs, rhs)
        case Loewner(lower, upper):
            return _loewner(np.asarray(lower, float), np.asarray(upper, float))
        case MeanSquare(T, bound):
            radius = mean_square_radius(T)
            return (float(bound) - radius) / (float(bound) + radius)


def mean_square_radius(T: SecondMoment) -> float:
    """r(T) of a float second-moment operator, common fixed directions divided out."""
    steps, p = np.asarray(T.steps, float), np.asarray(T.probabilities, float)
    moved = np.eye(steps.shape[-1]) - steps
    # I - Phi need not be PSD here, but the mean of its square is, and has the same common null space.
    values, vectors = np.linalg.eigh(np.tensordot(p, moved @ moved, 1))
    Q = vectors[:, values > rank_tolerance(len(values)) * values.max(initial=0.0)]
    return spectral_radius(symmetric_square(p, Q.T @ steps @ Q))


def distance(lhs: Any, rhs: Any) -> float:
    """Relative distance of two scalars or arrays."""
    size = np.max(np.abs(lhs)) + np.max(np.abs(rhs)) + TINY
    return float(np.max(np.abs(np.asarray(lhs) - np.asarray(rhs))) / size)


def sees_all(atom: Atom) -> bool:
    """Whether a positive slack speaks for every direction; tiny ones are left out of Loewner's."""
    if not isinstance(atom, Loewner):
        return True
    scale = np.abs(
        np.linalg.eigvalsh(np.asarray(atom.upper, float) + np.asarray(atom.lower, float))
    )
    return bool((scale > RANK * scale.max(initial=TINY)).all())


def _loewner(lower: np.ndarray, upper: np.ndarray) -> float:
    """The least (u - l)/(u + l) over directions, u and l the values of the two forms there.

    Directions where both forms vanish (a common null space) say nothing and are left out; without
    that every rank-deficient family would have slack exactly zero and hide the rest. Directions too
    small to divide by still count through the plain eigenvalue, once it is beyond rounding.
    """
    values, vectors = np.linalg.eigh(upper + lower)
    scale = np.abs(values)
    keep = scale > RANK * scale.max(initial=TINY)
    if not keep.any():
        return 0.0
    frame = vectors[:, keep] / np.sqrt(scale[keep])
    least = np.linalg.eigvalsh(frame.T @ (upper - lower) @ frame)[0]
    plain = 0.0 if keep.all() else np.linalg.eigvalsh(upper - lower)[0] / scale.max()
    return float(min(least, plain) if plain < -ROUNDING else least)

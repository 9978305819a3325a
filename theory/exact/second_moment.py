"""The second-moment operator of a random linear iteration, on whatever arithmetic it is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from theory.exact.matrix import Matrix, column_basis, negative_direction, solve


@dataclass(frozen=True)
class SecondMoment:
    """T(X) = E[Phi X Phi'] for x_{t+1} = Phi x_t with Phi drawn anew each step.

    `probabilities` (m,) sum to one; `steps` are the m matrices Phi (d, d), exact or numpy.
    """

    probabilities: Sequence[Any]
    steps: Sequence[Any]

    def __call__(self, X: Any) -> Any:
        pairs = zip(self.probabilities, self.steps, strict=True)
        parts = [p * (Phi @ X @ Phi.T) for p, Phi in pairs]
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return total

    def quotient(self) -> SecondMoment:
        """The same iteration with its common fixed directions divided out (exact steps only).

        Directions v with Phi v = v for every Phi never move; they make the spectral radius 1 and
        say nothing. For symmetric Phi the columns of all I - Phi span the orthogonal complement R;
        in the reduced echelon basis Q of R the restriction is (Q'Q)^{-1} Q' Phi Q. That is a change
        of basis, so spectral radii and definiteness are kept, symmetry of Phi is not. A quotient of
        dimension zero has steps of shape (0, 0).
        """
        size = self.steps[0].shape[0]
        if any(not Phi.is_symmetric() for Phi in self.steps):
            raise ValueError("the quotient is defined for symmetric step matrices")
        moved = [Matrix.identity(size) - Phi for Phi in self.steps]
        basis = column_basis(row for A in moved for row in A.rows)
        if len(basis) == size:
            return self
        if not basis:
            return SecondMoment(self.probabilities, [Matrix([]) for _ in self.steps])
        Q = Matrix(basis).T
        gram = Q.T @ Q
        return SecondMoment(self.probabilities, [solve(gram, Q.T @ Phi @ Q) for Phi in self.steps])


def radius_at_most(T: SecondMoment, bound: Fraction) -> bool:
    """Whether r(T) <= bound, decided exactly; common fixed directions are divided out first.

    With symmetric steps T is self-adjoint for <X, Y> = tr XY and maps PSD matrices to PSD ones, so
    r(T) is its largest eigenvalue and r(T) <= c exactly when c I - T is PSD as a quadratic form on
    symmetric matrices. In the basis q_a q_b' + q_b q_a' of the symmetric matrices that live on R
    (q a basis of R) both tr XY and tr X T(Y) are rational, and elimination decides.
    """
    if any(not Phi.is_symmetric() for Phi in T.steps):
        raise ValueError("the radius is decided for symmetric step matrices")
    size = T.steps[0].shape[0]
    moved = [Matrix.identity(size) - Phi for Phi in T.steps]
    basis = [Matrix.column(v) for v in column_basis(row for A in moved for row in A.rows)]
    pairs = [(a, b) for a in range(len(basis)) for b in range(a + 1)]
    frame = [basis[a] @ basis[b].T + basis[b] @ basis[a].T for a, b in pairs]
    images = [bound * X - T(X) for X in frame]
    form = Matrix([[_pairing(X, image) for image in images] for X in frame])
    return negative_direction(form) is None


def _pairing(X: Matrix, Y: Matrix) -> Fraction:
    """tr XY of symmetric matrices."""
    return sum(
        (a * b for p, q in zip(X.rows, Y.rows, strict=True) for a, b in zip(p, q, strict=True)),
        Fraction(0),
    )

"""The mean-square edge of a rational law is an algebraic number: its digits are certified here.

The step is v+ = m v + (A_S + w I) x, x+ = x - eta v+, as in PyTorch's SGD with momentum m and weight
decay w; plain SGD at m = w = 0. Write A for E A_S, both with w I added, and for symmetric P
C(P) = (A P + P A')/2, D(P) = E[A_S P A_S'], G(P) = A P A'. The edge is

    eta_2 = 2 (1 - m)/lambda_max(C^{-1} L),   L = D + 2m/(1 - m) G - 4m/(1 - m^2) C^2,

an eigenproblem on symmetric r x r matrices with momentum as without (ours; m = 0 is Mulayoff &
Michaeli 2024; d = 1 is the known closed form). Proof. Let u = eta v, and let P, R, S be the second
moments E xx', E xu', E uu'. T maps them to S+ = m^2 S + m eta (A R + R'A') + eta^2 D(P),
R+ = m R + eta P A' - S+ and P+ = P - (R+ + S+) - (R+ + S+)' + S+. At a fixed point R = -S/2 + K with
K antisymmetric; the symmetric part of R = R+ gives (1 + m) S = 2 eta C(P), the antisymmetric part
2 (1 - m) K = eta (P A' - A P), and what is left of S = S+ is 2 (1 - m) C(P) = eta L(P). So T has
the eigenvalue 1 at eta > 0 exactly when 2 (1 - m)/eta is an eigenvalue of C^{-1} L. T maps PSD
matrices to PSD ones, so r(T) is an eigenvalue of T; it is below 1 for small eta > 0, where the
eigenvalues 1 of eta = 0 have moved by those of -2 eta C/(1 - m); it is continuous, and so it first
reaches 1 at the smallest of these eta.

It stays at least 1 from there on. Let N = D - G, the noise: a positive map. The rest of
M = 2 (1 - m) C/eta - L belongs to the iteration without noise, and where that is stable its inverse
is positive, so that r(T) < 1 needs mu(eta) < 1, mu the largest eigenvalue of (M + N)^{-1} N.
In the inner product that makes A symmetric M + N is a diagonal form that decreases in eta, so mu,
a Rayleigh quotient, increases; and mu = 1 at the edge. Past 2 (1 + m)/lambda_max(A) the mean grows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from numbers import Rational
from typing import Any, Literal

import numpy as np
from flint import fmpq_mat

from theory.core import InputError
from theory.exact import Matrix
from theory.exact.matrix import is_positive_definite
from theory.stability._flint import (
    echelon,
    real_eigenvalues,
    rounded_down,
    rounded_up,
    solve,
    to_flint,
    to_fmpq,
)
from theory.stability.enclosure import Enclosure
from theory.stability.operator import step_matrices

MOST_RANK = 9  # 4 to 12 s for ordinary floats, a minute where they span twelve decades
MOST_BATCHES = 10_000  # 44 s at the largest rank
MOST_FULL = 48  # size of a preconditioner that is no diagonal: cubic in fractions that grow


def exact_law(
    factors: Any,
    weights: Any,
    *,
    hessians: Any = None,
    rho: Any = 0,
    batch: int | None = 1,
    sampling: Literal["with", "without"] = "with",
    ascent: Literal["shared", "per-sample"] = "shared",
    preconditioner: Any = None,
) -> tuple[list[Fraction], list[Matrix]]:
    """Every batch with its exact probability, from floats: (probabilities (m,), A (m, r, r)).

    A float is a fraction, so floats fix one rational law. `factors` (n, k, d) are F_i, H_i = F_i'F_i,
    or None where `hessians` (n, d, d) are given; `weights` (n,); numbers may also be `Fraction`s. The
    rest is as in `step_matrices`. The matrices act on y = Q'x, Q (d, r) a rational basis of the span
    of all rows: what no sample moves is gone, and they are similar to symmetric ones, not symmetric. A
    frozen `preconditioner` P, (d,) or (d, d) symmetric positive definite, makes the step
    x - eta P^{-1} A_S x, the ascent being without it. Raises `InputError`, also above rank MOST_RANK
    or MOST_BATCHES batches.
    """
    field, given = ("factors", factors) if hessians is None else ("hessians", hessians)
    blocks = [rational(F) for F in given]
    if not blocks or len({F.shape for F in blocks}) != 1 or not all(blocks[0].shape):
        raise InputError(field, [F.shape for F in blocks[:4]], "(n, k, d), none of them zero")
    shares = [_fraction(w, "weights") for w in weights]
    if min(shares, default=Fraction(0)) < 0 or sum(shares) <= 0:
        raise InputError("weights", weights, "numbers of at least 0, not all 0")
    _check_batches(len(blocks), batch, sampling)
    basis, leads = _basis([row for F in blocks for row in F.rows], field)
    gram = basis @ basis.T
    coordinates = [Matrix([[row[j] for j in leads] for row in F.rows]) for F in blocks]  # F = C Q'
    # H_S = Q h_S Q' makes H_S + rho H_S^2 = Q (h_S + rho h_S g h_S) Q', g the Gram matrix of Q:
    # with g h_S in place of H_S the law is g times what stands between Q and Q'.
    probabilities, A = step_matrices(
        [
            gram @ (C.T @ C if hessians is None else Matrix([C.rows[j] for j in leads]))
            for C in coordinates
        ],
        shares,
        rho=_fraction(rho, "rho"),
        batch=batch,
        sampling=sampling,
        ascent=ascent,
    )
    if preconditioner is not None:
        change = solve(gram, basis @ _divided(basis.T, preconditioner)).T
        A = [change @ S for S in A]
    return probabilities, A


def exact_mean_square(
    probabilities: Sequence[Any], A: Sequence[Matrix], *, momentum: Any = 0, decay: Any = 0
) -> Enclosure:
    """The mean-square critical step of a rational law, certified: an enclosure three floats wide
    at most, infinite where nothing moves.

    `probabilities` (m,) are rational and sum to one; `A` (m, d, d) are rational, symmetric and PSD
    in one common inner product, as from `exact_law` or `step_matrices`; 0 <= `momentum` < 1 and
    `decay` >= 0 as at the top (to P^{-1} A_S decay adds as it is, which is decoupled decay). Floats
    are read as the fractions they are. What no A_S moves is divided out: decay acts on it too, but
    gives way there later. The characteristic polynomial of C^{-1} L is exact; its largest root is
    isolated in ball arithmetic and rounded outward. Raises `InputError`, also above rank MOST_RANK.
    """
    chances = [_fraction(p, "probabilities") for p in probabilities]
    m, w = _fraction(momentum, "momentum"), _fraction(decay, "decay")
    _check(chances, A, m, w)
    if w == 0 and all(S.is_zero() for S in A):
        return Enclosure(math.inf, math.inf)
    basis, leads = _basis([row for S in A for row in S.T.rows], "A")
    # A_S Q = Q B_S for the basis Q of what moves, and Q has the identity in its leading rows.
    shift = w * Matrix.identity(len(leads))
    steps = [Matrix([(S @ basis.T).rows[i] for i in leads]) + shift for S in A]
    low, high = real_eigenvalues(_pencil(chances, [to_flint(B) for B in steps], m))[-1]
    return Enclosure(rounded_down(2 * (1 - m) / high), rounded_up(2 * (1 - m) / low))


def rational(array: Any) -> Matrix:
    """A matrix (a, b) of the numbers of an array: a float is the dyadic fraction it stores.

    Raises `InputError` on what is not finite or no matrix.
    """
    if np.ndim(array) != 2:
        raise InputError("array", f"{np.ndim(array)} axes", "two axes: a matrix")
    return Matrix([[_fraction(x, "array") for x in row] for row in array])


def _fraction(value: Any, field: str) -> Fraction:
    if isinstance(value, Rational):
        return Fraction(int(value.numerator), int(value.denominator))
    if not math.isfinite(value):
        raise InputError(field, value, "finite numbers")
    return Fraction(float(value))


def _check(chances: list[Fraction], A: Sequence[Matrix], m: Fraction, w: Fraction) -> None:
    if not 0 <= m < 1:
        raise InputError("momentum", m, "at least 0 and below 1")
    if w < 0:
        raise InputError("decay", w, "at least 0")
    if len({S.shape for S in A}) != 1 or A[0].shape[0] != A[0].shape[1] or not A[0].rows:
        raise InputError("A", [S.shape for S in A[:4]], "square matrices of one size")
    if len(chances) != len(A) or min(chances) < 0 or sum(chances) != 1:
        raise InputError("probabilities", chances[:4], "one for each A, at least 0, with sum 1")


def _check_batches(n: int, batch: Any, sampling: str) -> None:
    if (
        isinstance(batch, int | np.integer) and batch >= 1
    ):  # what else is wrong `step_matrices` says
        with_again = sampling != "without"
        count = math.comb(n + with_again * (int(batch) - 1), int(batch))
        if count > MOST_BATCHES:
            raise InputError("batch", f"{count} batches", f"at most {MOST_BATCHES} exact ones")


def _basis(rows: Sequence[Sequence[Fraction]], field: str) -> tuple[Matrix, list[int]]:
    """`echelon` of a span of small rank; an empty one gets a direction in which nothing moves."""
    kept = echelon(rows, MOST_RANK)
    if kept is None:
        raise InputError(field, f"rank above {MOST_RANK}", f"at most {MOST_RANK} in exact numbers")
    kept = kept or Matrix.identity(len(rows[0])).rows[:1]
    return Matrix(kept), [next(j for j, x in enumerate(row) if x) for row in kept]


def _divided(columns: Matrix, preconditioner: Any) -> Matrix:
    """P^{-1} times columns (d, r)."""
    d, axes = columns.shape[0], np.ndim(preconditioner)
    if axes == 1 and len(preconditioner) == d:
        diagonal = [_fraction(x, "preconditioner") for x in preconditioner]
        if min(diagonal) > 0:
            rows = zip(columns.rows, diagonal, strict=True)
            return Matrix([[x / p for x in row] for row, p in rows])
    elif axes == 2 and len(preconditioner) == d <= MOST_FULL:
        P = rational(preconditioner)
        if P.is_symmetric() and is_positive_definite(P):
            return solve(P, columns)
    allowed = f"({d},) or, up to {MOST_FULL}, ({d}, {d}); symmetric positive definite"
    raise InputError("preconditioner", f"shape {np.shape(preconditioner)}", allowed)


def _pencil(chances: Sequence[Fraction], steps: Sequence[fmpq_mat], m: Fraction) -> fmpq_mat:
    """C^{-1} L (N, N), N = r(r+1)/2, on symmetric matrices by their lower triangles."""
    r, count = steps[0].nrows(), len(steps)
    flat = fmpq_mat(count, r * r, [x for B in steps for x in B.entries()])
    p = fmpq_mat(count, 1, [to_fmpq(chance) for chance in chances])
    weighted = fmpq_mat(
        count,
        r * r,
        [
            to_fmpq(chance) * x
            for chance, B in zip(chances, steps, strict=True)
            for x in B.entries()
        ],
    )
    mean = flat.transpose() * p  # (r r, 1)
    _check_mean(fmpq_mat(r, r, mean.entries()))
    one = fmpq_mat(r * r, 1, [int(i == j) for i in range(r) for j in range(r)])
    C = _on_symmetric(mean * one.transpose() + one * mean.transpose(), r) / 2
    D = _on_symmetric(flat.transpose() * weighted, r)
    G = _on_symmetric(mean * mean.transpose(), r)
    L = D + G * to_fmpq(2 * m / (1 - m)) - C * C * to_fmpq(4 * m / (1 - m * m))
    return C.solve(L)


def _on_symmetric(pairs: fmpq_mat, r: int) -> fmpq_mat:
    """X -> sum of U X V' on lower triangles, from pairs[(i, k), (j, l)] = sum of U_ik V_jl."""
    triangle = [(a, b) for a in range(r) for b in range(a + 1)]
    return fmpq_mat(
        [
            [
                pairs[a * r + c, b * r + d] + (pairs[a * r + d, b * r + c] if c != d else 0)
                for c, d in triangle
            ]
            for a, b in triangle
        ]
    )


def _check_mean(mean: fmpq_mat) -> None:
    """An edge is approached from stable steps: small ones must shrink the mean."""
    roots = real_eigenvalues(mean)
    if len(roots) < mean.nrows() or roots[0][0] <= 0:
        raise InputError("A", "a mean with an eigenvalue that is not", "symmetric PSD matrices")

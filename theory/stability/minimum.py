"""A minimum, as far as stability is concerned, is one positive semidefinite matrix a sample.

Near an interpolating minimum f_i(x) = x'H_i x / 2. A model with k outputs has H_i = F_i'F_i with F_i
(k, d) the Jacobian of its outputs at sample i (squared loss), and with one output everything depends
on the Gram matrix K = J J' of the rows alone, whatever the number of parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from theory.core import InputError
from theory.doors import definite, entry, finite, normalised, real, symmetric
from theory.moments import door_tolerance

FORMS = ("hessians", "factors", "jacobian", "gram")
SMALLEST, LARGEST = 1e-70, 1e70  # of a Hessian's entries: fourth powers stay in double range
KEPT = 10**6  # entries: far above what exact arithmetic can do
SPECTRA = 10**8  # entries whose eigenvalues are computed at once


@dataclass(frozen=True)
class Minimum:
    """Per-sample Hessians H_i = F_i'F_i, checked; people come in through `minimum`.

    `factors` (n, k, d), or `gram` (n, n) of rows when their coordinates are not known (k = 1, no d).
    `weights` (n,) sum to one. `preconditioner` (d,) is p of the step x+ = x - eta g/p. `gradients`
    (n, d) are the per-sample gradients left at the minimum. `form` is the key it came in by; small
    `hessians` (n, d, d) are kept as they came, for arithmetic without rounding.
    """

    factors: np.ndarray | None
    gram: np.ndarray | None
    weights: np.ndarray
    preconditioner: np.ndarray | None
    gradients: np.ndarray | None
    form: str
    hessians: np.ndarray | None = None

    @property
    def samples(self) -> int:
        """n."""
        return len(self.weights)

    @property
    def dimension(self) -> int | None:
        """d; None where only a Gram matrix is known."""
        return None if self.factors is None else self.factors.shape[-1]

    @property
    def outputs(self) -> int:
        """k, the largest rank of a per-sample Hessian."""
        return 1 if self.factors is None else self.factors.shape[1]

    @property
    def equal(self) -> bool:
        """Whether all samples weigh the same; a normalisation rounds by an EPS or two."""
        n = len(self.weights)
        return bool(np.ptp(self.weights) <= 1e-15 / n)

    @property
    def sizes(self) -> np.ndarray:
        """tr H_i (n,), no smaller than the largest curvature of each sample."""
        if self.factors is None:
            return np.diag(self._gram())
        return np.einsum("ika,ika->i", self.factors, self.factors)

    def _gram(self) -> np.ndarray:
        if self.gram is None:
            raise ValueError("this minimum came with coordinates")
        return self.gram


def minimum(
    *,
    hessians: Any = None,
    factors: Any = None,
    jacobian: Any = None,
    gram: Any = None,
    weights: Any = None,
    preconditioner: Any = None,
    gradients: Any = None,
) -> Minimum:
    """A checked `Minimum` from exactly one of four forms of its per-sample Hessians.

    `hessians` (n, d, d); `factors` (n, k, d) with H_i = F_i'F_i; `jacobian` (n, d), the gradients of
    one output; `gram` (n, n), their inner products. `weights` (n,) are positive and default to equal
    ones. `preconditioner` (d,) and `gradients` (n, d) are refused beside `gram`, which knows no
    coordinates. Raises `InputError` naming the field, the sample and the entry.
    """
    forms = {"hessians": hessians, "factors": factors, "jacobian": jacobian, "gram": gram}
    given = [name for name, value in forms.items() if value is not None]
    if len(given) != 1:
        found = " and ".join(given) or "none of them"
        raise InputError(", ".join(FORMS), found, "exactly one of the four")
    form = given[0]
    F, K = _read(form, forms[form])
    kept = None
    if form == "hessians" and np.size(hessians) <= KEPT:
        kept = symmetric(np.asarray(hessians, float), "hessians")
    extra = {"preconditioner": preconditioner, "gradients": gradients}
    if F is None or K is not None:
        for name, value in extra.items():
            if value is not None:
                raise InputError(name, "given with gram", "a form that has coordinates, not gram")
        return Minimum(None, K, normalised(weights, np.shape(gram)[0]), None, None, form)
    n = len(F)
    p = None if preconditioner is None else _preconditioner(preconditioner, F.shape[-1])
    g = None if gradients is None else _gradients(gradients, n, F.shape[-1])
    return Minimum(F, None, normalised(weights, n), p, g, form, kept)


def _read(form: str, value: Any) -> tuple[np.ndarray | None, np.ndarray | None]:
    """(factors (n, k, d), None) or (None, gram)."""
    if form == "hessians":
        H = real(value, "hessians", "a real array (n, d, d), n, d >= 1", 3)
        _sized(H, "hessians")
        return _factored(symmetric(H, "hessians")), None
    if form == "gram":
        K = real(value, "gram", "a real array (n, n), n >= 1", 2)
        _sized(K, "gram")
        K = symmetric(K, "gram")
        below = np.flatnonzero(np.diag(K) < 0)
        if len(below):
            i = int(below[0])
            raise InputError(f"gram[{i},{i}]", K[i, i], "squared norms, at least 0")
        return None, K
    if form == "jacobian":
        F = real(value, "jacobian", "a real array (n, d), no axis empty", 2)[:, None, :]
    else:
        F = real(value, "factors", "a real array (n, k, d), no axis empty", 3)
    with np.errstate(over="ignore", invalid="ignore"):
        finite(np.einsum("ika,ika->i", F, F), f"{form}' squared norms")
    _sized(F, form, squared=True)
    return F, None


def _factored(H: np.ndarray) -> np.ndarray:
    """F (n, k, d) with F_i'F_i = H_i, k the largest rank found; raises `InputError` if not PSD.

    Eigenvalues below `door_tolerance` of a matrix's largest are its rounding and count as zero.
    """
    n, d = H.shape[:2]
    step = max(1, SPECTRA // d**2)
    parts = []
    for i in range(0, n, step):
        values, vectors = np.linalg.eigh(H[i : i + step])
        definite(values, "hessians", first=i)
        values[values < door_tolerance(d) * values[:, -1:]] = 0
        parts.append(np.sqrt(values)[:, :, None] * np.swapaxes(vectors, 1, 2))
    F = np.concatenate(parts)
    k = max(1, int((np.einsum("ika,ika->ik", F, F) > 0).sum(axis=1).max()))
    return F[:, d - k :]


def _sized(array: np.ndarray, field: str, *, squared: bool = False) -> None:
    largest = float(max(array.max(), -array.min()))  # no copy, as |array| would be
    power = 0.5 if squared else 1.0
    low, high = SMALLEST**power, LARGEST**power
    if largest and not low <= largest <= high:
        allowed = f"a largest entry from {low:g} to {high:g}, or only zeros"
        raise InputError(field, f"largest entry {largest:g}", allowed)


def _preconditioner(value: Any, d: int) -> np.ndarray:
    allowed = f"{d} positive finite numbers, one per coordinate"
    p = real(value, "preconditioner", allowed, 1)
    if len(p) != d:
        raise InputError("preconditioner", f"shape {p.shape}", allowed)
    wrong = np.flatnonzero(p <= 0)
    if len(wrong):
        i = int(wrong[0])
        raise InputError(entry("preconditioner", i), p[i], allowed)
    return p


def _gradients(value: Any, n: int, d: int) -> np.ndarray:
    g = real(value, "gradients", f"a real array {(n, d)}", 2)
    if g.shape != (n, d):
        raise InputError("gradients", f"shape {g.shape}", f"a real array {(n, d)}")
    return g

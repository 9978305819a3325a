"""What is exactly true of one minimum under SGD or USAM, beside what published bounds say of it.

`analyse` is the Python call behind `flatproof stability`: critical steps by notion, the Hessian
moments, every published bound with its two sides, and at a given eta the four rates. Near an
interpolating minimum x+ = (I - eta A_S) x (see `theory.stability.operator`): any batch B, both
samplers, both ascents. Directions no sample moves are divided out; rates are those of the rest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from theory.core import InputError, Notion
from theory.stability.enclosure import (
    Enclosure,
    critical_enclosures,
    dropped_share,
    exponent_enclosure,
)
from theory.stability.operator import MOST_BATCHES, quotient, step_matrices
from theory.stability.published import PublishedBound, moments, published_bounds
from theory.stability.threshold import critical_steps, mean_rate, mean_square_rate, one_step_rate

MOST_RANK = 80  # the dense operator has rank^4 entries: 330 MB, several times over
MOST_ENTRIES = 5 * 10**7  # of all step matrices together: 0.4 GB, about five times over
MOST_DRAWS = 2 * 10**7  # samples listed over all batches: about ten seconds
SMALLEST, LARGEST = 1e-70, 1e70  # of a Hessian's entries: fourth powers stay in double range
FARTHEST = 1e20  # eta or rho times curvature: products of twelve steps stay in double range
CONVENTIONS = {
    "null": "unbounded; in an almost-sure rate, minus infinity; in stable, too close to the edge "
    "(or to exponent 0) to tell; in implied, undecided or not covered",
    "mean_square": "the mean-square critical step lies in [lower, upper]: a floating eigenvalue "
    "with an allowance for rounding, of the input too",
    "directions": "directions that no sample moves are divided out before any edge or rate",
    "moments": "a = lambda_max(H); sk^k = lambda_max(M_k - H^k), M_k the mean of H_i^k, H = M_1",
    "published_bounds": "stated for one sample a step (B = 1): actual, the quantity called name, "
    "<= value, its bound at eta (null: no bound there); max_eta is the largest eta it allows",
    "implied": "whether mean-square stability at eta forces the bound, by the recorded verdict of "
    "the claim that audits it: true PROVED or AGREES, false REFUTED, null otherwise and for B > 1",
    "rates": "one-step lambda_max(E Phi'Phi); mean-square r(T); almost-sure an enclosure of the "
    "Lyapunov exponent; mean the spectral radius of E Phi; stable up to 1, the exponent up to 0",
}


@dataclass(frozen=True)
class StabilityReport:
    """Critical steps by notion (infinite: unbounded), moments, published bounds, rates at eta.

    `at_eta` maps each notion to its `rate` and `stable`. One-step: lambda_max(E Phi'Phi). Mean-
    square: r(T). Mean: the spectral radius of E Phi. Almost-sure: an `Enclosure` of the Lyapunov
    exponent, stable if below 0. `stable` is None where rounding, or that enclosure, cannot tell.
    """

    one_step: float
    mean_square: Enclosure
    mean: float
    moments: dict[str, float]
    published_bounds: tuple[PublishedBound, ...]
    at_eta: dict[str, dict[str, Any]] | None
    conventions: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """The one schema, with plain values; every infinity is None."""
        return _plain(asdict(self))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    return value


def analyse(
    problem: Any,
    *,
    optimizer: Literal["sgd", "usam"] = "sgd",
    eta: float | None = None,
    rho: float = 0.0,
    batch: int = 1,
    sampling: Literal["with", "without"] = "with",
    ascent: Literal["shared", "per-sample"] = "shared",
    verdicts: Mapping[str, str | None] | None = None,
) -> StabilityReport:
    """Everything known about a minimum with `hessians` (n, d, d) and `weights` (n,) of sum one.

    `problem` is what `theory.problems.quadratic.quadratic` returns. `batch` samples a step are
    drawn `with` or `without` replacement; USAM climbs along the batch's gradient (`shared`) or each
    sample's own. `verdicts` maps keys of claims to recorded verdicts and fills `implied`. Raises
    `InputError` on bad settings and on problems too large for the dense operator.
    """
    H, weights = np.asarray(problem.hessians, float), np.asarray(problem.weights, float)
    _check_settings(optimizer, eta, rho, float(np.abs(H).max()))
    dropped = dropped_share(weights, H)
    Q, _, reduced = quotient(weights, H)
    rank = Q.shape[1]
    reduced = reduced if rank else np.zeros((len(H), 1, 1))
    _check_size(len(H), rank, batch, sampling)
    how = {"batch": batch, "sampling": sampling, "ascent": ascent}
    p, A = step_matrices(reduced, weights, rho=rho, **how)
    h = float(np.linalg.norm(H, axis=(1, 2)).max())
    top = float(np.linalg.eigvalsh(A).max()) if dropped < 1 else h * (1 + rho * h)
    if eta is not None and eta * top > FARTHEST:
        raise InputError("eta", eta, f"at most {FARTHEST / top:.3g} for these Hessians")
    steps = critical_steps(p, A)
    edges = critical_enclosures(
        p, A, steps, ceiling=top, counted=_rounding(H, len(p), batch), dropped=dropped
    )
    values = moments(H, weights)
    single = step_matrices(reduced, weights, rho=rho)
    known = verdicts if verdicts and batch == 1 else {}
    settings = {"optimizer": optimizer, "eta": eta, "rho": float(rho), **how}
    shape = {"samples": len(H), "dimension": H.shape[-1], "rank": rank}
    return StabilityReport(
        one_step=min(steps.one_step, edges[Notion.MEAN_SQUARE].upper),
        mean_square=edges[Notion.MEAN_SQUARE],
        mean=steps.mean,
        moments=values,
        published_bounds=published_bounds(values, single, rho, eta, known),
        at_eta=None if eta is None else _rates(p, A, eta, edges),
        conventions=settings | shape | CONVENTIONS,
    )


def _rounding(H: np.ndarray, batches: int, batch: int) -> float:
    """The relative error every A_S may carry, in EPS.

    16 d at the door (`door_tolerance`), two for every sum over n samples and m batches, and
    4 B (1 + log B) for the probabilities of the batches.
    """
    return 16 * H.shape[-1] + 2 * (len(H) + batches) + 4 * batch * (1 + math.log(batch))


def _check_settings(optimizer: str, eta: float | None, rho: float, largest: float) -> None:
    if optimizer not in ("sgd", "usam"):
        raise InputError("optimizer", optimizer, "sgd or usam")
    if eta is not None and not (eta > 0 and math.isfinite(eta)):
        raise InputError("eta", eta, "a finite number above 0")
    if not (rho >= 0 and math.isfinite(rho)):
        raise InputError("rho", rho, "a finite number, at least 0")
    if optimizer == "sgd" and rho > 0:
        raise InputError("rho", rho, "0 for sgd; the optimizer with a radius is usam")
    if largest and not SMALLEST <= largest <= LARGEST:
        allowed = f"a largest entry from {SMALLEST:g} to {LARGEST:g}, or only zeros"
        raise InputError("hessians", f"largest entry {largest:g}", allowed)
    if rho * largest > FARTHEST:
        raise InputError("rho", rho, f"at most {FARTHEST / largest:.3g} for these Hessians")


def _check_size(n: int, rank: int, batch: int, sampling: str) -> None:
    """Refuses what is too much to enumerate or to store, before anything of that size exists."""
    if not isinstance(batch, int) or isinstance(batch, bool) or batch < 1:
        raise InputError("batch", batch, "an integer, at least 1")
    if sampling == "without" and batch > n:
        raise InputError("batch", batch, f"from 1 to n = {n} without replacement")
    if rank > MOST_RANK:
        raise InputError("hessians", f"rank {rank}", f"rank at most {MOST_RANK}")
    if batch > MOST_DRAWS:
        raise InputError("batch", batch, f"at most {MOST_DRAWS}")
    drawn = n if sampling == "without" else n + batch - 1
    logs = math.lgamma(drawn + 1) - math.lgamma(batch + 1) - math.lgamma(drawn - batch + 1)
    if logs > 20 or math.comb(drawn, batch) > MOST_BATCHES:  # e^20: a count of hundreds of digits
        found = f"{batch} (about 10^{logs / math.log(10):.0f} batches of n = {n} samples)"
        raise InputError("batch", found, f"at most {MOST_BATCHES} batches to enumerate")
    count = math.comb(drawn, batch)
    if count * rank**2 > MOST_ENTRIES or count * batch > MOST_DRAWS:
        found = f"{batch} ({count} batches, rank {rank})"
        limits = f"{MOST_ENTRIES} entries of step matrices and {MOST_DRAWS} samples drawn"
        raise InputError("batch", found, f"at most {limits} in all")


def _rates(
    p: np.ndarray, A: np.ndarray, eta: float, edges: Mapping[Notion, Enclosure]
) -> dict[str, dict[str, Any]]:
    """Rate and verdict by notion, strongest first; what each rate is: `StabilityReport`."""
    rates = {
        Notion.ONE_STEP: one_step_rate(p, A, eta),
        Notion.MEAN_SQUARE: mean_square_rate(p, A, eta),
        Notion.ALMOST_SURE: exponent_enclosure(p, A, eta),
        Notion.MEAN: mean_rate(p, A, eta),
    }
    stable = {notion: edge.allows(eta) for notion, edge in edges.items()}
    exponent = rates[Notion.ALMOST_SURE]
    stable[Notion.ALMOST_SURE] = Enclosure(-exponent.upper, -exponent.lower).allows(0.0)
    return {notion.value: {"rate": rates[notion], "stable": stable[notion]} for notion in rates}

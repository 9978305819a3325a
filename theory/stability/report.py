"""For which step sizes is this minimum stable, by which notion, and where do published bounds lie?

One call answers with the ladder of critical steps, the Hessian moments, every published bound with
its two sides, and at a given eta the four rates and verdicts. Near an interpolating minimum
x+ = (I - eta A_S) x (`theory.stability.steps`): any batch size, both samplers, both ascents, momentum,
weight decay, a frozen preconditioner. Directions no sample moves are divided out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np

from theory.core import InputError, Notion
from theory.doors import whole
from theory.moments import EPS
from theory.stability.almost_sure import Exit, exponent, first_exit
from theory.stability.enclosure import Enclosure
from theory.stability.hessian_moments import summary
from theory.stability.ladder import one_step_edge, one_step_rate, one_step_room
from theory.stability.mean_square import Edge, critical, mean_edge, mean_rate, rate
from theory.stability.minimum import Minimum, minimum
from theory.stability.published import PublishedBound, published_bounds
from theory.stability.stationary import Stationary, stationary
from theory.stability.steps import FARTHEST, Steps, reduced

Progress = Callable[[str], None]  # told what is computed next

CONVENTIONS = {
    "null": "unbounded; in an almost-sure rate, minus infinity; in stable, too close to the edge "
    "(or to exponent 0) to tell; in implied, undecided or not covered; one-step with momentum: "
    "the notion is about x alone and does not exist",
    "step": "x+ = x - eta v+, v+ = momentum v + (g_S + weight_decay x), g_S/p with a preconditioner p "
    "(PyTorch's heavy ball); with averaged gradients, v+ = m v + (1 - m) g, eta is eta/(1 - m)",
    "mean_square": "the mean-square critical step lies in [lower, upper]: Collatz-Wielandt above, a "
    "Rayleigh quotient below, with an allowance for rounding, of the input too",
    "almost_sure": "the first step at which the top Lyapunov exponent rises above 0 lies in [lower, "
    "upper] with this confidence; lower is never below the mean-square one; beyond it steps "
    "may be stable again, and verdicts at eta are computed there; seed null: no simulation",
    "directions": "directions that no sample moves are divided out before any edge or rate",
    "moments": "a = lambda_max(H); sk^k = lambda_max(M_k - H^k), M_k the mean of H_i^k, H = M_1; Mk is "
    "lambda_max(M_k); of the Hessians themselves, whatever optimizer is asked about",
    "published_bounds": "stated for one sample a step (B = 1), plain SGD or USAM: none is listed with "
    "momentum, weight decay or a preconditioner; actual, the quantity called name, <= value, its "
    "bound at eta (null: no bound there); max_eta is the largest eta it allows",
    "implied": "whether mean-square stability at eta forces the bound, by the recorded verdict of "
    "the claim that audits it: true PROVED or AGREES, false REFUTED, null otherwise and for B > 1",
    "rates": "one-step lambda_max(E Phi'Phi); mean-square r(T); almost-sure an enclosure of the "
    "Lyapunov exponent; mean the spectral radius of E Phi; stable up to 1, the exponent up to 0",
    "stationary": "of SGD with the per-sample gradients given, in the coordinates sqrt(p) x of a "
    "preconditioner p: trace E||x - x*||^2, its largest variance, the excess loss; drift is the "
    "mean gradient's norm over the root mean square of the per-sample ones",
}


@dataclass(frozen=True)
class StabilityReport:
    """Critical steps by notion (infinite: unbounded), moments, published bounds, rates at eta.

    `at_eta` maps each notion to its `rate` and `stable`. One-step: lambda_max(E Phi'Phi). Mean-
    square: r(T). Mean: the spectral radius of E Phi. Almost-sure: an `Exponent`, stable if it lies
    below 0. `stable` is None where rounding, or that enclosure, cannot tell.
    """

    one_step: float | None
    mean_square: Enclosure
    almost_sure: Exit
    mean: float
    exact: Enclosure | None
    moments: dict[str, float]
    published_bounds: tuple[PublishedBound, ...]
    at_eta: dict[str, dict[str, Any]] | None
    stationary: dict[str, float] | None
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
    batch: int | None = 1,
    sampling: Literal["with", "without"] = "with",
    ascent: Literal["shared", "per-sample"] = "shared",
    momentum: float = 0.0,
    weight_decay: float = 0.0,
    exact: bool = False,
    seed: int = 0,
    confidence: float = 0.99,
    budget: float | None = None,
    verdicts: Mapping[str, str | None] | None = None,
    progress: Progress = lambda _: None,
) -> StabilityReport:
    """Everything known about a minimum, from `minimum(...)` or a problem with hessians and weights.

    `batch` samples a step (None: all of them) are drawn `with` or `without` replacement; USAM climbs
    along the batch's gradient (`shared`) or each sample's own. `exact` adds the critical step in
    rational arithmetic, for small minima. `verdicts` maps keys of claims to recorded verdicts and
    fills `implied`. `seed`, `confidence` and `budget` (operations; None: some two seconds' worth) are
    of the simulation behind the almost-sure notion, which is done only where nothing exact serves.
    `progress` is told what is being computed. Raises `InputError`.
    """
    here = problem if isinstance(problem, Minimum) else _of(problem)
    _check(optimizer, eta, rho, seed)
    how: dict[str, Any] = {
        "rho": float(rho), "batch": batch, "sampling": sampling, "ascent": ascent
    }  # fmt: skip
    progress("the span of the samples")
    steps = reduced(here, **how, momentum=momentum, weight_decay=weight_decay)
    _check_step(steps, here, eta, rho)
    progress("the mean-square critical step")
    edge = critical(steps)
    progress("the first almost-sure exit")
    luck: dict[str, Any] = {"seed": seed, "confidence": confidence}
    spent = {} if budget is None else {"budget": budget}
    exit_ = _exit(steps, edge, luck | spent)
    progress("Hessian moments")
    bare = steps.climb is None and here.preconditioner is None  # the span is that of the Hessians
    values = summary(here, steps if bare and rho == 0 else None)
    plain = momentum == weight_decay == 0 and here.preconditioner is None
    single = None
    if plain:
        single = replace(steps, batch=1) if bare else reduced(here, rho=float(rho))
    known = verdicts if verdicts and batch == 1 else {}
    progress("rates")
    return StabilityReport(
        one_step=_capped(one_step_edge(steps), edge.upper),
        mean_square=edge.enclosure,
        almost_sure=exit_,
        mean=mean_edge(steps),
        exact=_exact(here, how, momentum, weight_decay, progress) if exact else None,
        moments=values,
        published_bounds=(
            () if single is None else published_bounds(values, single, float(rho), eta, known)
        ),
        at_eta=None if eta is None else _rates(steps, eta, edge, luck | spent),
        stationary=_hovering(here, steps, eta, edge),
        conventions={"optimizer": optimizer, "eta": eta, **how}
        | {"momentum": float(momentum), "weight_decay": float(weight_decay)}
        | {"eta_ema": None if eta is None else eta / (1 - momentum)}
        | {"preconditioner": here.preconditioner is not None}
        | {"samples": here.samples, "dimension": here.dimension, "rank": steps.rank}
        | {"outputs": here.outputs}
        | CONVENTIONS,
    )


def _of(problem: Any) -> Minimum:
    return minimum(hessians=problem.hessians, weights=problem.weights)


def _check(optimizer: str, eta: float | None, rho: float, seed: int) -> None:
    if optimizer not in ("sgd", "usam"):
        raise InputError("optimizer", optimizer, "sgd or usam")
    if eta is not None and not (eta > 0 and math.isfinite(eta)):
        raise InputError("eta", eta, "a finite number above 0")
    whole(seed, "seed", least=0)
    if optimizer == "sgd" and rho > 0:
        raise InputError("rho", rho, "0 for sgd; the optimizer with a radius is usam")


def _check_step(steps: Steps, here: Minimum, eta: float | None, rho: float) -> None:
    """eta times the largest curvature a batch can have stays where products are finite."""
    if eta is None or steps.rank == 0:
        return
    sizes = np.einsum("ika,ika->i", steps.blocks, steps.blocks)
    top = float(sizes.max())
    if steps.climb is not None:
        top *= 1 + rho * float(here.sizes.max())
    if eta * top > FARTHEST:
        raise InputError("eta", eta, f"at most {FARTHEST / top:.3g} for these Hessians")


def _exit(steps: Steps, edge: Edge, luck: dict[str, Any]) -> Exit:
    if steps.rank == 0:
        return Exit(math.inf, math.inf, 1.0, None)
    return first_exit(steps, lower=edge.lower, **luck)


def _capped(value: float | None, most: float) -> float | None:
    return None if value is None else min(value, most)


def _rates(steps: Steps, eta: float, edge: Edge, luck: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Rate and verdict by notion, strongest first; what each rate is: `StabilityReport`."""
    growth, one, mean = rate(steps, eta), one_step_edge(steps), mean_edge(steps)
    most = math.log(growth) / 2 if growth > 0 else -math.inf
    found = exponent(steps, eta, at_most=most, **luck)
    rates: dict[Notion, Any] = {
        Notion.ONE_STEP: one_step_rate(steps, eta),
        Notion.MEAN_SQUARE: growth,
        Notion.ALMOST_SURE: found,
        Notion.MEAN: mean_rate(steps, eta),
    }
    room = 4 * steps.noise + 16 * EPS
    stable = {
        Notion.ONE_STEP: None if one is None else _around(one, one_step_room(steps) + room, eta),
        Notion.MEAN_SQUARE: edge.enclosure.allows(eta),
        Notion.ALMOST_SURE: Enclosure(-found.upper, -found.lower).allows(0.0),
        Notion.MEAN: _around(mean, room, eta),
    }
    return {notion.value: {"rate": rates[notion], "stable": stable[notion]} for notion in rates}


def _around(value: float, room: float, eta: float) -> bool | None:
    return Enclosure(value * (1 - room), value * (1 + room)).allows(eta)


def _hovering(
    here: Minimum, steps: Steps, eta: float | None, edge: Edge
) -> dict[str, float] | None:
    """The stationary law's summary, where there are gradients and a stable eta."""
    if here.gradients is None or eta is None or eta > edge.lower:
        return None
    if steps.climb is not None:
        return None
    found: Stationary = stationary(here, steps, eta)
    return {name: value for name, value in asdict(found).items() if name != "covariance"}


def _exact(
    here: Minimum, how: dict[str, Any], momentum: float, decay: float, progress: Progress
) -> Enclosure:
    from theory.stability.exact_edge import exact_law, exact_mean_square

    if here.factors is None:
        raise InputError("exact", "a gram", "a form that has coordinates")
    progress("the exact critical step")
    if here.form == "hessians" and here.hessians is None:
        raise InputError("exact", f"hessians (n, d, d) with d = {here.dimension}", "small ones")
    law: dict[str, Any] = how | {"preconditioner": here.preconditioner, "hessians": here.hessians}
    p, A = exact_law(here.factors, here.weights, **law)
    return exact_mean_square(p, A, momentum=momentum, decay=decay)

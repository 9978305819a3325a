"""Mean-square stability: its critical step, enclosed, and the rate r(T) at any step, at any size.

Both are roots of one equation: the gain of `theory.stability.gain` at the response of
`theory.stability.response` has largest eigenvalue 1/p. In s = 1/eta, and without momentum in r, the
reciprocal of that eigenvalue is increasing and concave, so Newton's method converges from the left; for
one eigenvalue of A it is linear. In r with momentum it may fall before it rises, far beyond the edge;
r(T) is its last crossing, found between brackets.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from theory.moments import EPS
from theory.stability.enclosure import Enclosure
from theory.stability.gain import Gain, Kernel, Space
from theory.stability.partitions import Noise
from theory.stability.perron import Top, enclose, lanczos, ones
from theory.stability.response import Response
from theory.stability.steps import RARE, Steps

COARSE, FINE = 1e-6, 1e-11  # residuals of Lanczos: far from the root, and
NEARLY = 1e-3  # with a loop gain this near one
NEWTON = 60  # steps at most; four are usual
NEAR = 1e-11  # relative: rates this close to the mean step's are called equal to it
MIXED = 1e-2  # of the start that later Lanczos runs keep


@dataclass(frozen=True)
class Edge:
    """A critical step with its enclosure; `applications` of the gain it took.

    Where a sample curves only what is rounding in the mean (`Steps.noise` infinite) `value` is
    `lower`, a step that is surely stable, and no estimate.
    """

    value: float
    lower: float
    upper: float
    applications: int = 0

    @property
    def enclosure(self) -> Enclosure:
        return Enclosure(self.lower, self.upper)


def gain_of(steps: Steps) -> tuple[Gain, Response]:
    """The noise of `steps` as a gain, and the mean step's response, whichever form is smaller."""
    n, k, r = steps.blocks.shape
    small = steps.climb is None and n * k * k <= max(r * r, 4096)
    return kernel_of(steps) if small else space_of(steps)


def kernel_of(steps: Steps) -> tuple[Kernel, Response]:
    """The same in one block a sample, which holds the noise of a batch alone; not under a climb."""
    response = Response(steps.lam, steps.share, steps.momentum, steps.decay)
    return _kernel(steps, steps.blocks / np.sqrt(steps.lam)), response


def space_of(steps: Steps) -> tuple[Space, Response]:
    """The same in one (r, r) matrix, which holds the whole second moment: its share is 1."""
    n, k, _ = steps.blocks.shape
    response = Response(steps.lam, 1.0, steps.momentum, steps.decay)
    m, top = steps.momentum, float(steps.lam[-1]) + steps.decay
    bend = 0.0 if response.fixed else top**2 * (5 + 8 * m / (1 - m * m))
    noise = noise_of(steps)
    return Space(steps.lam, noise, n * k, _second(steps, noise), bend), response


def _second(steps: Steps, noise: Callable[[np.ndarray], np.ndarray]) -> float:
    """A bound on E A_S^2, and on the sums that make it up where they have both signs."""
    if steps.climb is not None and not steps.replacement:
        sizes = np.einsum("ika,ika->i", steps.blocks, steps.blocks)
        metric = float(np.linalg.norm(steps.climb.metric, 2))
        return float(steps.weights @ (sizes * (1 + steps.climb.rho * metric * sizes)) ** 2)
    root = np.sqrt(steps.lam)
    return float(np.linalg.norm(noise(np.diag(steps.lam)) * root * root[:, None]))


def noise_of(steps: Steps) -> Callable[[np.ndarray], np.ndarray]:
    """X -> D(X) = E[A_S X A_S] (r, r) in coordinates scaled by A^{1/2}, where A X A reads X."""
    scaled = steps.blocks / np.sqrt(steps.lam)
    if steps.climb is not None:
        root = np.sqrt(steps.lam)
        M = root[:, None] * steps.climb.metric * root
        return Noise(scaled, steps.weights, M, steps.climb.rho, steps.batch, steps.replacement)
    p, own = steps.share, _kernel(steps, scaled)

    def mixed(X: np.ndarray) -> np.ndarray:
        return (1 - p) * X + p * own.gather(own.read(X) * own.scale[:, None, None] ** 2)

    return mixed


def _kernel(steps: Steps, scaled: np.ndarray) -> Kernel:
    """The samples that curve anything; `scaled` is overwritten."""
    live = np.einsum("ika,ika->i", scaled, scaled) > 0
    root = np.sqrt(steps.weights)
    if not live.all():
        scaled, root = scaled[live], root[live]
    scaled *= root[:, None, None]
    return Kernel(scaled, 1 / root)


def critical(steps: Steps, *, tolerance: float = 1e-10) -> Edge:
    """eta_2, the largest step size with r(T) <= 1, in [lower, upper].

    Infinite where no sample moves anything. Rounding allowances included; `tolerance` is what the
    enclosure is narrowed to where they permit.
    """
    if steps.rank == 0:
        return Edge(math.inf, math.inf, math.inf)
    if not math.isfinite(steps.noise):
        low, high = least_edge(steps), mean_edge(steps)
        lower = float(low * (1 - RARE))
        return Edge(lower, lower, float(high * (1 + RARE)))
    if steps.deterministic:
        return _around(mean_edge(steps), 4 * steps.noise + 16 * EPS)
    gain, response = gain_of(steps)
    if response.fixed:
        K = response.kernel(response.slope)
        top = enclose(gain, K, noise=steps.noise, tolerance=tolerance)
        upper = 1 / top.lower if top.lower > 0 else math.inf
        edge = Edge(1 / top.value, 1 / top.upper, upper, top.applications)
    else:
        edge = _varying(gain, response, steps, tolerance)
    room = 8 * EPS
    most = mean_edge(steps) * (1 + 4 * min(steps.noise, 1) + 16 * EPS)
    lower = max(edge.lower * (1 - room), least_edge(steps) * (1 - 64 * EPS))
    upper = min(edge.upper * (1 + room), most)
    # Where the gain carries few digits, the bounds may know more than the value does.
    value = min(max(edge.value, lower), upper)
    return Edge(float(value), float(lower), float(upper), edge.applications)


def _varying(gain: Gain, response: Response, steps: Steps, tolerance: float) -> Edge:
    """The critical step where the response depends on it; the unknown is 1/eta - 1/eta_4."""
    p, least = response.share, response.mean_inverse_step
    x, z, used = _root(
        gain,
        lambda x: response.kernel(response.at_excess(x)),
        p,
        start=p * float(steps.lam[-1]) / 2,
        z=ones(gain),
    )
    denominators = response.at_excess(x)
    q = min(1.0, float(((least + x) * response.slope / denominators).min()))
    K = response.kernel(denominators)
    top = enclose(gain, K, noise=steps.noise, start=z, tolerance=tolerance * q / 2)
    edge = _carried(1 / (least + x), q, p * top.lower, p * top.upper, used + top.applications)

    def loop(eta: float) -> Top | None:
        if 1 / eta <= least:
            return None
        K = response.kernel(response.at_step(eta))
        return enclose(gain, K, noise=steps.noise, start=z, tolerance=tolerance * q / 2)

    return _narrowed(edge, loop, p, tolerance / 4, 2 * steps.noise / q)


def _narrowed(
    edge: Edge, loop: Callable[[float], Top | None], p: float, first: float, noise: float
) -> Edge:
    """The same edge, its bounds looked up at steps nearby where they are wide, `first` away at first.

    What is known of the loop gain at eta says little of eta where the gain changes slowly with some
    entries of the response; at a step nearby it is known to lie on this or that side of one. `noise`
    is the relative error of eta that errors of A itself make.
    """
    eta, lower, upper, used = edge.value, edge.lower, edge.upper, edge.applications
    for away in (first, 16 * first, 256 * first):
        near = away + noise
        if lower < eta * (1 - near) and (top := loop(eta * (1 - away))) is not None:
            used += top.applications
            lower = eta * (1 - near) if p * top.upper <= 1 else lower
        if upper > eta * (1 + near) and (top := loop(eta * (1 + away))) is not None:
            used += top.applications
            upper = eta * (1 + near) if p * top.lower >= 1 else upper
    # A gain by samples charges an error of A the response to it without momentum; with momentum it
    # may be larger, and the step is charged at least as much as when such an error scales all of A.
    return Edge(eta, min(lower, eta * (1 - noise)), max(upper, eta * (1 + noise)), used)


def _carried(eta: float, q: float, low: float, high: float, used: int) -> Edge:
    """The critical step near eta, from an enclosure [low, high] of the loop gain there.

    With q the least share of s a_ab in s a_ab - b_ab, s = 1/eta, the gain at eta (1 - x) is at most
    high/(1 + q x), and at eta (1 + x) at least low/(1 - q x/(1 + x)).
    """
    above, below = max(high - 1, 0.0), max(1 - low, 0.0)
    lower = eta * (1 - above / q) if above < q else 0.0
    upper = eta * (1 + below / (q - below)) if below < q else math.inf
    return Edge(eta, lower, upper, used)


def _root(
    gain: Gain,
    kernel: Callable[[Any], np.ndarray],
    p: float,
    *,
    start: float,
    z: np.ndarray,
    scale: float = 0.0,
) -> tuple[float, np.ndarray, int]:
    """(x, eigenvector, applications) with p lambda_max(gain at kernel(x)) = 1, x >= 0.

    x is found to rounding, of itself or of the `scale` it is added to.
    """
    x, low, high, used, precision = start, 0.0, math.inf, 0, COARSE
    spread = z / np.linalg.norm(z) * MIXED  # keeps every component in sight, should z live in one
    for _ in range(NEWTON):
        K = kernel(x)
        value, z, count = lanczos(gain, K, z + spread, precision)
        used += count
        F = 1 / (p * value)
        if precision == FINE or abs(F - 1) > NEARLY:  # then F is surely on this side of 1
            low, high = (x, high) if F <= 1 else (low, min(high, x))
        fall = np.imag(kernel(x + 1e-30j * start)) / (1e-30 * start)  # by a complex step
        slope = -float((gain.gradient(z, K) * fall).sum()) / (p * value**2)
        used += 1
        new = x + (1 - F) / slope if slope > 0 else math.nan
        if not low <= new <= high:  # the unknown spans many orders of magnitude
            new = math.sqrt(max(low, 1e-6 * high) * high) if math.isfinite(high) else 100 * x
        # An eigenvalue errs by the square of what its vector does, unless the next one is near.
        settled, precision = precision == FINE, FINE if abs(F - 1) <= NEARLY else COARSE
        if settled and (abs(new - x) <= 4 * EPS * (x + scale) or abs(F - 1) <= 4 * EPS):
            break
        x = new
    return x, z, used


def least_edge(steps: Steps) -> float:
    """2/L (1 - m)^2/(1 + m) with L = largest curvature of any batch + decay: no path grows below.

    For g = (A_S + w) x and z = x - eta m/(1 - m) v, z+ = z - eta g/(1 - m), and up to this step
    |z|^2 + eta^2 m/(1 - m)^2 |v|^2 never increases: <g, x> >= |g|^2/L pays for all else in |g|^2,
    |m v + g|^2 <= m |v|^2 + |g|^2/(1 - m) and 2 <g, v> <= |g|^2/(1 - m) + (1 - m) |v|^2.
    """
    m = steps.momentum
    return 2 * (1 - m) ** 2 / (1 + m) / (steps.ceiling + steps.decay)


def mean_edge(steps: Steps) -> float:
    """eta_4 = 2 (1 + momentum)/(l_1 + decay), where E x_t stops being bounded."""
    if steps.rank == 0:
        return math.inf
    return 2 * (1 + steps.momentum) / float(steps.lam[-1] + steps.decay)


def mean_rate(steps: Steps, eta: float) -> float:
    """The spectral radius of the mean step, the growth of |E x_t|."""
    if steps.rank == 0:
        return 0.0
    q, m = eta * (steps.lam + steps.decay), steps.momentum
    if m == 0:
        return float(np.abs(1 - q).max())
    half = (1 + m - q) / 2
    return float(np.abs(np.abs(half) + np.sqrt(half * half - m + 0j)).max())


def rate(steps: Steps, eta: float) -> float:
    """r(T), the growth of E||x_t||^2 a step, as t goes to infinity, to some EPS of one.

    On the range of A: directions that only decay moves shrink by (1 - eta w)^2 and are not counted.
    """
    floor = max(mean_rate(steps, eta) ** 2, steps.momentum if steps.rank else 0.0)
    if steps.rank == 0 or steps.deterministic:
        return floor
    gain, response = gain_of(steps)

    def kernel(x: Any) -> np.ndarray:
        return response.kernel(response.at_rate(floor + x, eta))

    # Just above the mean step's own rate, where modes with complex roots have a pole.
    near = floor * NEAR + EPS
    while not (np.diag(kernel(near)) > 0).all():  # the pole itself is known to some digits
        near *= 16
    if response.share * lanczos(gain, kernel(near), ones(gain), 1e-10)[0] <= 1:
        return floor
    start = max(near, response.share * (eta * float(steps.lam[-1])) ** 2)
    p = response.share
    return floor + _root(gain, kernel, p, start=start, z=ones(gain), scale=floor)[0]


def _around(value: float, room: float) -> Edge:
    return Edge(value, float(value * (1 - room)), float(value * (1 + room)))

"""The nouns: claims, the verdicts they can earn, and what problems and optimizers must offer.

Standard library only, like everything a claim file imports at its top level: a certificate is
replayed where nothing else is installed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from theory.atoms import Atom
    from theory.domains import Domain, Point


class InputError(ValueError):
    """A user's mistake: the field, the value found there, and what is allowed."""

    def __init__(self, field: str, value: object, allowed: str) -> None:
        super().__init__(f"{field}: got {value}; allowed: {allowed}")
        self.field = field
        self.parts = (value, allowed)

    def __reduce__(self) -> Any:
        """Exceptions are rebuilt from their arguments when they cross processes."""
        return InputError, (self.field, *self.parts)


class Verdict(StrEnum):
    """What the evidence for one claim earns."""

    PROVED = "PROVED"
    PROVED_WITH = "PROVED_WITH"
    REFUTED = "REFUTED"
    AGREES = "AGREES"
    INCONCLUSIVE = "INCONCLUSIVE"
    CONTRADICTION = "CONTRADICTION"

    @property
    def sentence(self) -> str:
        """The verdict in words a reader cannot take for more than it says."""
        return _SENTENCES[self]


_SENTENCES = {
    Verdict.PROVED: "Exact certificates lead from the hypotheses to the conclusion.",
    Verdict.PROVED_WITH: "Exact certificates prove it under one more assumption, named here.",
    Verdict.REFUTED: "An exact rational witness meets every hypothesis and breaks the conclusion.",
    Verdict.AGREES: "No counterexample in a search that did refute the same claim made stronger by "
    "the amount stated; a smaller violation may have been missed. Not a proof.",
    Verdict.INCONCLUSIVE: "The evidence decides nothing; what was tried is listed.",
    Verdict.CONTRADICTION: "Both a proof and a refutation replay: one of them must be wrong.",
}


class Kind(StrEnum):
    """What sort of statement a claim makes; it fixes which control the claim must carry."""

    EXACT = "exact"
    SUFFICIENT = "sufficient"
    NECESSARY = "necessary"
    UPPER_BOUND = "upper-bound"
    LOWER_BOUND = "lower-bound"
    ASYMPTOTIC = "asymptotic"


class Notion(StrEnum):
    """The four notions of linear stability of x_{t+1} = Phi x_t, strongest first, or none."""

    ONE_STEP = "one-step"  # E||x||^2 never grows: lambda_max(E Phi'Phi) <= 1
    MEAN_SQUARE = "mean-square"  # E||x_t||^2 stays bounded: r(T) <= 1
    ALMOST_SURE = "almost-sure"  # top Lyapunov exponent <= 0
    MEAN = "mean"  # E x_t stays bounded: spectral radius of E Phi <= 1
    NONE = "none"


@dataclass(frozen=True)
class Conventions:
    """The choices a statement depends on; they are part of its hash.

    `normalised` and `ascent` are None where no climb is involved. `ascent` is "any" where shared
    and per-sample ascent coincide (one sample a step) or both are covered.
    """

    notion: Notion = Notion.NONE
    normalised: bool | None = None
    ascent: Literal["shared", "per-sample", "any"] | None = None
    sampler: str = "one sample a step (B = 1), with replacement"
    bias_correction: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "notion", Notion(self.notion))  # its plain name will do

    def describe(self) -> str:
        """One line for tables."""
        climb = {None: None, True: "normalised", False: "unnormalised"}[self.normalised]
        ascent = None if self.ascent is None else f"{self.ascent} ascent"
        return "; ".join(filter(None, (climb, ascent, self.sampler, self.bias_correction)))


@dataclass(frozen=True)
class Source:
    """Where a statement comes from, and whether we quote it or had to reconstruct it."""

    paper: Literal["P1", "P2", "other"]
    reference: str  # authors, year, number in the paper
    standing: Literal["quoted", "reconstructed", "our own"]


@dataclass(frozen=True)
class Tolerance:
    """A relative tolerance and why it has that size."""

    value: float
    reason: str


@dataclass(frozen=True)
class Looseness:
    """How many times weaker than the truth a bound is: `measure(m)` >= 1, and in which quantity."""

    measure: Callable[[Any], float]
    unit: str  # "in step size", "in log rate"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One statement, and the ways to catch it being wrong.

    `given(m)` and `then(m)` return atoms; the same two functions are read exactly, in floats and
    symbolically (see `theory.domains`). `exact(m)` is the computed truth and `observe(lab, m)` what
    a simulated optimizer does, with `formula(m)` the closed form between or above them: equal for
    exact claims, measured <= exact <= bound for other bounds. `trusted` lists, in words, every step
    from the atoms to the statement that no certificate covers.

    Controls: an equality carries `control`, a point outside its hypotheses where it must fail; a
    bound carries `tightest`, a point inside them where it is attained or, with the slack computed
    there as its measured looseness, nearest to failing. Raises `ValueError` without one.
    """

    title: str
    statement: str
    source: Source
    kind: Kind
    conventions: Conventions
    domain: Domain
    given: Callable[[Any], tuple[Atom, ...]]
    then: Callable[[Any], tuple[Atom, ...]]
    control: Point | None = None
    tightest: Point | None = None
    formula: Callable[[Any], float] | None = None
    exact: Callable[[Any], float] | None = None
    observe: Callable[[Lab, Any], float] | None = None
    tolerance: Tolerance | None = None
    looseness: Looseness | None = None
    lemmas: Callable[[Any], tuple[Atom, ...]] | None = None
    squares: Callable[[Any], tuple[Any, ...]] | None = None
    trusted: tuple[str, ...] = ()
    repaired_by: str | None = None
    repairs: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", Kind(self.kind))  # its plain name will do
        for name, kind in (("source", Source), ("conventions", Conventions)):
            if not isinstance(getattr(self, name), kind):
                found = type(getattr(self, name)).__name__
                raise ValueError(f"{name}: got {found}; allowed: {kind.__name__}(...)")
        if self.kind is Kind.EXACT and self.control is None:
            raise ValueError("control: an exact claim needs a point where it must not agree")
        if self.kind is not Kind.EXACT and self.tightest is None:
            raise ValueError(f"tightest: {self.kind} claims need a point of attainment or near it")
        if (self.exact or self.observe) and not (self.formula and self.tolerance):
            raise ValueError("formula, tolerance: needed wherever exact or observe is compared")

    def only(self, index: int) -> Claim:
        """The claim with one atom of its conclusion, so that no other can stand in for it."""
        from dataclasses import replace

        return replace(self, then=lambda m: (self.then(m)[index],))

    def altered(self, relative: Fraction) -> Claim:
        """The claim with its conclusion altered: strengthened by a positive fraction, weakened by a
        negative one; for equalities either sign makes another constant.
        """
        from dataclasses import replace

        return replace(self, then=lambda m: tuple(a.altered(relative) for a in self.then(m)))


Probes = Callable[[Any, Any, str], Any]
"""Random vectors (d,) with independent entries of mean 0 and variance 1: (step, index, kind)."""


class Oracle(Protocol):
    """All an optimizer may learn about one minibatch; asked twice, it answers on the same data."""

    def loss(self, x: Any) -> Any: ...
    def grad(self, x: Any) -> Any: ...
    def hvp(self, x: Any, v: Any) -> Any:
        """The Hessian of the minibatch's loss at x, times v."""
        ...

    def norm(self, v: Any) -> Any: ...
    def each(self, f: Callable[[Any], Any], size: int = 1) -> Any:
        """The mean of f over oracles of `size` consecutive samples of this batch each."""
        ...

    def probe(self, t: Any, j: Any, kind: str = "rademacher") -> Any:
        """The j-th random probe of step t (both from 0), "rademacher" or "gaussian"."""
        ...

    def tensors(self, x: Any) -> list[Any]:
        """The parameter tensors that x lays end to end."""
        ...

    def ravel(self, tensors: list[Any]) -> Any:
        """The inverse of `tensors`."""
        ...


class Problem(Protocol):
    """Data and constants of a training problem; `oracle` looks at it through one minibatch.

    `weights` (n,) are the probabilities samples are drawn with; `oracle(None)` sees their mean.
    """

    @property
    def weights(self) -> Any: ...
    @property
    def dimension(self) -> int: ...
    def oracle(self, batch: Any, probes: Probes | None = None) -> Oracle: ...
    def start(self, rng: Any) -> Any:
        """A random initial point (d,), drawn with a NumPy generator."""
        ...


class Optimizer(Protocol):
    """Hyperparameters are fields, memory is the state, a step is pure."""

    def init(self, x: Any) -> Any: ...
    def step(self, oracle: Oracle, x: Any, state: Any) -> tuple[Any, Any]: ...


class Lab(Protocol):
    """What a claim may ask of a simulation, by name: it imports none."""

    def run(self, problem: Problem, optimizer: str, /, **how: Any) -> Any: ...
    def enumerate(self, problem: Problem, optimizer: str, /, **how: Any) -> Any: ...

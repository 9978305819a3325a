"""What a claim quantifies over, and how its two functions are read there.

- `Scalars`: finitely many real numbers.
- `Family`: per-sample Hessians H_i = F_i'F_i (PSD by construction) with positive weights, and
  scalars such as eta and rho.
- `Operators`: matrices and vectors of any size, known only by name.
- `Piecewise` (`theory.piecewise`): continuously differentiable piecewise quadratics on the line.

A domain turns a rational point into a model `m` with exact entries, and offers one or more
*generic* models, on which a claim's atoms are evaluated for its hash.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeAlias

from theory.core import InputError
from theory.exact import Matrix, Polynomial, SecondMoment, Words, inner

if TYPE_CHECKING:
    from theory.piecewise import Piecewise

Point = Mapping[str, Any]  # rationals as "p/q" strings, integers or Fractions; lists for matrices


class FamilyModel:
    """A set of per-sample Hessians as a claim sees it: m.H, m.M(k), m.A, m.T, m.I, m.eta, ...

    One sample a step. `samples` are n matrices (d, d), `weights` sum to one; entries are exact or
    numpy, the algebra is the same. Scalars become attributes.
    """

    def __init__(
        self,
        samples: Sequence[Any],
        weights: Sequence[Any],
        identity: Any,
        scalars: Mapping[str, Any],
    ) -> None:
        self.samples = samples
        self.weights = weights
        self.I = identity
        self.scalars = dict(scalars)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["scalars"][name]
        except KeyError:
            raise AttributeError(f"this family has no variable {name!r}") from None

    def mean(self, matrices: Sequence[Any]) -> Any:
        """The weighted mean over samples."""
        total = self.weights[0] * matrices[0]
        for weight, matrix in zip(self.weights[1:], matrices[1:], strict=True):
            total = total + weight * matrix
        return total

    @staticmethod
    def corner(matrix: Any) -> Any:
        """e_1'M e_1; a family is rotation invariant, so e_1 stands for every unit vector."""
        return matrix.rows[0][0] if isinstance(matrix, Matrix) else matrix[0, 0]

    @staticmethod
    def trace(matrix: Any) -> Any:
        """The sum of the diagonal."""
        rows = matrix.rows if isinstance(matrix, Matrix) else matrix
        return sum(rows[i][i] for i in range(len(rows)))

    def form(self, image: Callable[[Any], Any]) -> Any:
        """A self-adjoint map of symmetric matrices as a quadratic form: tr X_a image(X_b).

        The X_a run over e_i e_j' + e_j e_i', i >= j; the basis is not orthonormal, which changes no
        comparison in the Loewner order. Float models bring their own.
        """
        e = [Matrix.column(row) for row in self.I.rows]
        frame = [e[i] @ e[j].T + e[j] @ e[i].T for i in range(len(e)) for j in range(i + 1)]
        images = [image(X) for X in frame]
        return Matrix([[self.trace(X @ Y) for Y in images] for X in frame])

    @cached_property
    def H(self) -> Any:
        """The Hessian of the mean loss, M_1."""
        return self.mean(self.samples)

    def M(self, k: int) -> Any:
        """The k-th Hessian moment, the mean of H_i^k."""
        return self.mean([power(sample, k) for sample in self.samples])

    @cached_property
    def A(self) -> list[Any]:
        """A_i = H_i + rho H_i^2: USAM's step is I - eta A_i (rho = 0 where the domain has none)."""
        rho = self.scalars.get("rho")
        if rho is None:
            return list(self.samples)
        return [sample + rho * (sample @ sample) for sample in self.samples]

    @cached_property
    def T(self) -> SecondMoment:
        """The second-moment operator of the step I - eta A_i, one sample a step."""
        if "eta" not in self.scalars:
            raise ValueError("m.T needs a variable named eta in the family's domain")
        return SecondMoment(self.weights, [self.I - self.eta * A for A in self.A])


def power(matrix: Any, k: int) -> Any:
    """The k-th power, k >= 1, by repeated products (numpy's ** is entrywise)."""
    result = matrix
    for _ in range(k - 1):
        result = result @ matrix
    return result


@dataclass(frozen=True)
class Scalars:
    """Real variables by name.

    `start` gives the interval each is first drawn from when searching (default: both signs, all
    magnitudes near one); `complete` maps each variable that equations determine to the function
    that finds it from the variables before it.
    """

    names: tuple[str, ...]
    start: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    complete: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_declared(self.names)

    def exact(self, point: Point) -> SimpleNamespace:
        check_names(point, self.names)
        return SimpleNamespace(**{name: rational(point[name], name) for name in self.names})

    def generic(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(**{name: Polynomial.variable(name) for name in self.names})]

    def outside(self, m: Any) -> str | None:
        """Every real point belongs to the domain."""
        return None

    def signature(self) -> str:
        return "scalars " + " ".join(self.names)


@dataclass(frozen=True)
class Family:
    """Per-sample Hessians and scalars >= 0 by name; `start`, `complete` as in `Scalars`."""

    names: tuple[str, ...] = ("eta", "rho")
    start: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    complete: Mapping[str, Callable[[FamilyModel], Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_declared(self.names, (*dir(FamilyModel), "samples", "weights", "scalars", "I"))

    def exact(self, point: Point) -> FamilyModel:
        """From `factors` (n, k_i, d), optional `weights` (n,) and one value per scalar."""
        check_names(point, ("factors", *self.names), optional=("weights",))
        factors = [matrix(F, f"factors[{i}]") for i, F in enumerate(point["factors"])]
        if not factors or len({F.shape[1] for F in factors}) != 1 or factors[0].shape[1] == 0:
            raise InputError("factors", "unequal or zero widths", "n >= 1 blocks of equal width d")
        given = point.get("weights")
        weights = [rational(w, "weights") for w in ([1] * len(factors) if given is None else given)]
        if len(weights) != len(factors) or any(w <= 0 for w in weights):
            raise InputError("weights", point.get("weights"), "one positive number per sample")
        total = sum(weights, Fraction(0))
        return FamilyModel(
            [F.T @ F for F in factors],
            [w / total for w in weights],
            Matrix.identity(factors[0].shape[1]),
            {name: rational(point[name], name) for name in self.names},
        )

    def generic(self) -> list[FamilyModel]:
        """Fixed rational families, with scalars unlike each other, for the hash."""
        shapes = (
            [[[1, 2]], [[3, -1]], [[0, 1]]],
            [[[1, 0], [1, 1]], [[2, -3], [0, 5]]],
            [[[1, 2, 0]], [[0, 1, -1]], [[1, 1, 1]], [[5, 0, 2]]],
        )
        return [
            self.exact(
                {
                    "factors": factors,
                    "weights": [i + 1 for i in range(len(factors))],
                    **{n: Fraction(i + j + 2, 2 * i + 3 * j + 7) for i, n in enumerate(self.names)},
                }
            )
            for j, factors in enumerate(shapes)
        ]

    def outside(self, m: Any) -> str | None:
        """Why a point is none of the domain's: steps, radii and constants are not negative."""
        below = [name for name in self.names if m.scalars[name] < 0]
        return f"{below[0]}: negative" if below else None

    def signature(self) -> str:
        return "family " + " ".join(self.names)


@dataclass(frozen=True)
class Operators:
    """Matrices and vectors of any size: `symmetric` and `general` operators, vectors, scalars."""

    symmetric: tuple[str, ...] = ()
    general: tuple[str, ...] = ()
    vectors: tuple[str, ...] = ()
    scalars: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for names in (self.symmetric, self.general, self.vectors, self.scalars):
            check_declared(names, ("inner",))

    def exact(self, point: Point) -> SimpleNamespace:
        """Rational matrices and vectors; symmetry is *not* imposed, so controls can break it."""
        operators = self.symmetric + self.general
        check_names(point, (*operators, *self.vectors, *self.scalars))
        return SimpleNamespace(
            inner=lambda u, v: (u.T @ v).rows[0][0],
            **{name: matrix(point[name], name) for name in operators},
            **{name: matrix([[x] for x in point[name]], name) for name in self.vectors},
            **{name: rational(point[name], name) for name in self.scalars},
        )

    def generic(self) -> list[SimpleNamespace]:
        symmetric = frozenset(self.symmetric)
        return [
            SimpleNamespace(
                inner=inner,
                **{name: Words.letter(name, "operator", symmetric) for name in self.symmetric},
                **{name: Words.letter(name, "operator") for name in self.general},
                **{name: Words.letter(name, "vector") for name in self.vectors},
                **{name: Polynomial.variable(name) for name in self.scalars},
            )
        ]

    def outside(self, m: Any) -> str | None:
        """Why a point is none of the domain's, where only controls may look; None if it is."""
        crooked = [name for name in self.symmetric if not getattr(m, name).is_symmetric()]
        return f"{crooked[0]}: declared symmetric, and is not" if crooked else None

    def signature(self) -> str:
        parts = (self.symmetric, self.general, self.vectors, self.scalars)
        return "operators " + " | ".join(" ".join(part) for part in parts)


Domain: TypeAlias = "Scalars | Family | Operators | Piecewise"


def check_declared(names: Any, reserved: Sequence[str] = ()) -> None:
    """Names are a tuple of distinct identifiers that shadow nothing a model offers."""
    if not isinstance(names, tuple) or not all(isinstance(name, str) for name in names):
        raise InputError("names", repr(names), 'a tuple of variable names, as in ("eta",)')
    taken = [name for name in names if name in reserved or not name.isidentifier()]
    if taken or len(set(names)) < len(names):
        raise InputError("names", repr(names), f"distinct names other than {taken or 'repeats'}")


def rational(value: Any, name: str) -> Fraction:
    """A number of a point, exactly; floats are refused because they hide their rounding."""
    if isinstance(value, str | int | Fraction) and not isinstance(value, bool):
        try:
            return Fraction(value)
        except (ValueError, ZeroDivisionError):
            pass
    raise InputError(name, repr(value), "an integer, a Fraction or a string 'p/q'")


def matrix(rows: Any, name: str) -> Matrix:
    """A matrix of a point, exactly."""
    try:
        return Matrix([[rational(value, name) for value in row] for row in rows])
    except TypeError:
        raise InputError(name, repr(rows), "a list of equally long rows of rationals") from None


def check_names(point: Point, needed: Sequence[str], optional: Sequence[str] = ()) -> None:
    """A point names exactly the variables of its domain."""
    missing = [name for name in needed if name not in point]
    unknown = [name for name in point if name not in needed and name not in optional]
    if missing or unknown:
        raise InputError("point", sorted(point), f"exactly the variables {', '.join(needed)}")

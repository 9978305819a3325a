"""Every number of every shipped certificate matters, exactly as far as mathematics says it does.

Each number is changed in several ways, one at a time, and `flatproof check` must accept the result
exactly when an independent reading of the certificate, by SymPy and from the statements in words,
finds that it still shows what it says.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
import sympy
from sympy import QQ, Rational
from sympy.polys.matrices import DomainMatrix

from proofs_check import cli, library
from theory.fingerprint import fingerprint

FILES = sorted(library.CERTIFICATES.glob("*.json"))
SHIPPED = {path.stem: json.loads(path.read_text()) for path in FILES}
every_file = pytest.mark.parametrize("key", SHIPPED)


@pytest.fixture(scope="module", autouse=True)
def each_claim_is_hashed_once():
    """The claims do not change while these tests run; hashing all of them takes a second."""
    hashes = {id(entry.claim): fingerprint(entry.claim) for entry in library.entries()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(library, "fingerprint", lambda claim: hashes[id(claim)])
        yield


def check(path, certificate) -> bool:
    """Whether `flatproof check` accepts it; its exit code must be 0 or 1."""
    path.write_text(json.dumps(certificate))
    code = cli.run(["check", str(path)])
    assert code in (0, 1)
    return code == 0


# --- every number, one at a time ------------------------------------------------------------------


def numbers(value: Any, path=()):
    """The place of every number in a certificate."""
    if isinstance(value, dict):
        for name, inside in value.items():
            if name not in ("format", "claim", "kind"):
                yield from numbers(inside, (*path, name))
    elif isinstance(value, list):
        for i, inside in enumerate(value):
            yield from numbers(inside, (*path, i))
    else:
        yield path


def at(value: Any, path) -> Any:
    for step in path:
        value = value[step]
    return value


def changed(certificate: Any, path, number: Any) -> Any:
    copied = json.loads(json.dumps(certificate))
    at(copied, path[:-1])[path[-1]] = str(number)
    return copied


CHANGES: dict[str, Callable[[Fraction], Fraction]] = {
    "plus one": lambda x: x + 1,
    "minus one": lambda x: x - 1,
    "negated": lambda x: -x,
    "halved": lambda x: x / 2,
    "doubled": lambda x: x * 2,
    "plus a thousandth": lambda x: x + Fraction(1, 1000),
    "minus a thousandth": lambda x: x - Fraction(1, 1000),
    "zeroed": lambda x: Fraction(0),
}


def tied(key: str, witness) -> dict[str, Fraction]:
    """The numbers that a claim's equations fix, found from the others."""
    x = {name: Fraction(value) for name, value in witness.items()}
    if key == "normalised_sam_rate":
        a = x["lam"] * x["rho"]
        return {"eta": (1 - a) / (x["lam"] * (1 + a) ** 2)}
    beta, rho = x["beta"], x["rho"]
    kappa = (Fraction(99, 100) + beta / 100) / 2
    c = 1 - (kappa + Fraction(1, 2)) * beta * rho
    y = (2 * (beta - 1) * x["t"] - beta * x["s"]) / beta
    return {"y": y, "eta": c / (2 * kappa * (1 + beta * rho) ** 2)}


def tied_variants(key: str):
    """One free number changed, and those that the claim's equations fix found again."""
    certificate = SHIPPED[key]
    fixed = tied(key, certificate["witness"])
    for name, value in certificate["witness"].items():
        for change in CHANGES.values() if name not in fixed else ():
            new = changed(certificate, ("witness", name), change(Fraction(value)))
            with contextlib.suppress(ZeroDivisionError):
                found = tied(key, new["witness"])
                new["witness"] |= {name: str(number) for name, number in found.items()}
                yield ("witness", name, "tied"), new


def variants(key: str):
    """Every certificate with one number changed, or two swapped, that differs from the shipped.

    Where equations fix some of the numbers, nothing survives unless these change along.
    """
    if key in ("normalised_sam_rate", "usam_per_sample_rate"):
        yield from tied_variants(key)
    certificate = SHIPPED[key]
    places = list(numbers(certificate))
    for i, path in enumerate(places):
        value = Fraction(at(certificate, path))
        for change in CHANGES.values():
            if change(value) != value:
                yield path, changed(certificate, path, change(value))
        other = places[(i + 1) % len(places)]
        if at(certificate, other) != str(value):
            swapped = changed(certificate, path, at(certificate, other))
            yield path, changed(swapped, other, value)


# --- the independent reading ----------------------------------------------------------------------


def rational(text: str):
    return QQ(*Fraction(text).as_integer_ratio())


def exact_matrix(rows) -> DomainMatrix:
    """A matrix of rationals in SymPy's dense arithmetic, which is fast enough for every variant."""
    shape = len(rows), len(rows[0])
    return DomainMatrix([[rational(x) for x in row] for row in rows], shape, QQ)


def minors(matrix: DomainMatrix) -> list:
    """Sums of principal minors: all >= 0 exactly for PSD matrices, all > 0 for definite ones."""
    return [(-1) ** k * c for k, c in enumerate(matrix.charpoly())]


def psd(matrix: DomainMatrix) -> bool:
    return min(minors(matrix)) >= 0


def symmetric(matrix: DomainMatrix) -> bool:
    return (matrix - matrix.transpose()).is_zero_matrix


class Reading:
    """A family certificate, from the definitions: H_i = F'F, A_i = H_i + rho H_i^2."""

    def __init__(self, certificate) -> None:
        witness = certificate["witness"]
        factors = [exact_matrix(F) for F in witness["factors"]]
        self.H = [F.transpose() * F for F in factors]
        self.d = self.H[0].shape[0]
        self.I = DomainMatrix.eye(self.d, QQ).to_dense()
        raw = [rational(w) for w in witness.get("weights", ["1"] * len(factors))]
        self.sound = min(raw) > 0 and certificate["then"]["atom"] == "0"
        self.p = [w / sum(raw, QQ(0)) for w in raw] if self.sound else []
        self.eta, self.rho = (rational(witness.get(name, "0")) for name in ("eta", "rho"))
        self.sound = self.sound and self.eta >= 0 and self.rho >= 0
        self.A = [H + self.rho * H * H for H in self.H]
        self.given, self.then = certificate["given"], certificate["then"]

    def mean(self, matrices) -> DomainMatrix:
        parts = [w * M for w, M in zip(self.p, matrices, strict=True)]
        return sum(parts[1:], parts[0])

    def spread(self, k: int) -> DomainMatrix:
        """M_k - H^k."""
        return self.mean([H**k for H in self.H]) - self.mean(self.H) ** k

    def broken_by(self, lower, upper) -> bool:
        """v'(lower)v > v'(upper)v for the vector given."""
        v = exact_matrix([self.then["vector"]])
        return (v * (lower - upper) * v.transpose()).to_list()[0][0] > 0

    def steps(self, curvatures) -> list[DomainMatrix]:
        return [self.I - self.eta * A for A in curvatures]

    def moves_everything(self, curvatures) -> bool:
        """Whether no direction is left where it is by every step."""
        first, *rest = [self.eta * A for A in curvatures]
        return first.vstack(*rest).rank() == self.d

    def after(self, X, curvatures) -> DomainMatrix:
        """T(X) = E[S X S] for the steps S = I - eta A."""
        return self.mean([S * X * S for S in self.steps(curvatures)])

    @property
    def one_step(self) -> DomainMatrix:
        """E Phi_i^2."""
        return self.after(self.I, self.A)

    @property
    def stable(self) -> bool:
        """P > 0 and P - T(P) >= 0 for USAM, for the matrix given; nothing may be left unmoved."""
        P = exact_matrix(self.given[0]["lyapunov"])
        if not self.moves_everything(self.A) or not symmetric(P):
            return False
        return min(minors(P)) > 0 and psd(P - self.after(P, self.A))


def one_step_necessary(certificate) -> bool:
    """Stable in mean square, yet one step raises E|x|^2 from v: v'E(Phi^2)v > v'v."""
    c = Reading(certificate)
    return c.sound and c.stable and c.broken_by(c.one_step, c.I)


def second_moment_bound(certificate) -> bool:
    """Stable, eta > 2 rho, and eta (eta - 2 rho) v'(M_2 - H^2)v > v'v."""
    c = Reading(certificate)
    if not c.sound or not c.stable or c.eta <= 2 * c.rho:
        return False
    return c.broken_by(c.eta * (c.eta - 2 * c.rho) * c.spread(2), c.I)


def third_moment_bound(certificate) -> bool:
    """Stable, and 2 eta^2 rho v'(M_3 - H^3)v > v'v."""
    c = Reading(certificate)
    return c.sound and c.stable and c.broken_by(2 * c.eta**2 * c.rho * c.spread(3), c.I)


def fourth_moment_bound(certificate) -> bool:
    """Stable, and eta^2 rho^2 v'(M_4 - H^4)v > v'v."""
    c = Reading(certificate)
    return c.sound and c.stable and c.broken_by(c.eta**2 * c.rho**2 * c.spread(4), c.I)


def third_moment_order(certificate) -> bool:
    """v'H^3v > v'M_3v."""
    c = Reading(certificate)
    return c.sound and c.broken_by(-c.spread(3), 0 * c.I)


def fourth_moment_order(certificate) -> bool:
    """v'H^4v > v'M_4v."""
    c = Reading(certificate)
    return c.sound and c.broken_by(-c.spread(4), 0 * c.I)


def one_step_second_small_step(certificate) -> bool:
    """One step raises E|x|^2 from nowhere, eta < 2 rho, yet s_2^2 > 1/(eta (eta - 2 rho))."""
    c = Reading(certificate)
    if not c.sound or c.eta == 0 or c.eta >= 2 * c.rho or not psd(c.I - c.one_step):
        return False
    return c.broken_by(c.spread(2), 1 / (c.eta * (c.eta - 2 * c.rho)) * c.I)


def one_step_fourth_small_step(certificate) -> bool:
    """One step raises E|x|^2 from nowhere, eta <= 2 rho, yet eta^2 rho^2 v'(M_4 - H^4)v > v'v."""
    c = Reading(certificate)
    if not c.sound or c.eta > 2 * c.rho or not psd(c.I - c.one_step):
        return False
    return c.broken_by(c.eta**2 * c.rho**2 * c.spread(4), c.I)


def sam_stable_is_sgd_stable(certificate) -> bool:
    """Stable for USAM; for SGD a PSD X, not zero, has T(X) - c X >= 0 with c > 1."""
    c = Reading(certificate)
    if not c.sound or not c.stable or not c.moves_everything(c.H):
        return False
    X, factor = exact_matrix(c.then["growth"]), rational(c.then["factor"])
    if factor <= 1 or not symmetric(X) or X.is_zero_matrix or not psd(X):
        return False
    return psd(c.after(X, c.H) - factor * X)


def numbers_of(certificate, names: str) -> list:
    """The numbers of a point, by name."""
    return [Rational(certificate["witness"][name]) for name in names.split()]


def normalised_sam_rate(certificate) -> bool:
    """Theorem 7's step and lam rho < 1, yet f(x_1) > (1 - lam eta (1 - lam rho)) f(x_0)."""
    lam, rho, x, eta = numbers_of(certificate, "lam rho x eta")
    if certificate["then"]["atom"] != "0" or min(lam, rho, x) <= 0 or lam * rho >= 1:
        return False
    if eta != (1 - lam * rho) / (lam * (1 + lam * rho) ** 2):
        return False
    gradient = lam * (x + rho * sympy.sign(lam * x))

    def loss(at):
        return lam * at**2 / 2

    return bool(loss(x - eta * gradient) > (1 - lam * eta * (1 - lam * rho)) * loss(x))


FEW, STEPS, RUNS = 130, 200, 10**4
MORE_THAN_FEW = Rational(sum(sympy.binomial(STEPS, k) for k in range(FEW + 1, STEPS + 1)), 2**STEPS)


def mean_of_runs_sees_growth(certificate) -> bool:
    """r(T) > 1 and a run with 130 factors b shrinks; one with more comes less than half the time.

    The last part holds at every point, or at none.
    """
    a, b = numbers_of(certificate, "a b")
    if certificate["then"]["atom"] != "0" or not 0 < a < 1 < b or (a**2 + b**2) / 2 <= 1:
        return False
    return bool(a ** (STEPS - FEW) * b**FEW < 1 and RUNS * MORE_THAN_FEW < Rational(1, 2))


class Bump:
    """h with h'(0) = 0 and h'' = -1 up to s, beta - 1 up to t, 1 - beta up to r, then zero."""

    def __init__(self, beta, s, t) -> None:
        self.r = t + ((beta - 1) * (t - s) - s) / (beta - 1)  # where h' is back at zero
        self.pieces = ((-1, 0, s), (beta - 1, s, t), (1 - beta, t, self.r))

    def slope(self, x):
        """h'(x), the integral of h'' from 0."""
        return sum(c * (min(x, b) - a) for c, a, b in self.pieces if x > a)

    def height(self, x):
        """h(x), the integral of (x - u) h''(u) from 0."""
        parts = ((c, x - a, x - min(x, b)) for c, a, b in self.pieces if x > a)
        return sum(c * (far**2 - near**2) / 2 for c, far, near in parts)


def usam_per_sample_rate(certificate) -> bool:
    """f = x^2/2 is the mean of f_1, f_2 = f +- h; the batch mean makes too little progress from 1.

    Both are beta-smooth for every s < t; f_1 is never negative, f_2 where it is not at its least.
    """
    beta, rho, s, t, y, eta = numbers_of(certificate, "beta rho s t y eta")
    if certificate["then"]["atom"] != "0" or beta <= 2 or rho <= 0 or not 0 < s < t < 1:
        return False
    batch = 100
    kappa = (Rational(batch - 1, batch) + beta / batch) / 2
    c = 1 - (kappa + Rational(1, 2)) * beta * rho
    if c <= 0 or eta != c / (2 * kappa * (1 + beta * rho) ** 2):
        return False
    h = Bump(beta, s, t)
    falls_at_t = t - h.slope(t) < 0
    least_at_y = t <= y <= h.r and h.slope(y) == y
    if not falls_at_t or not least_at_y or y**2 / 2 - h.height(y) < 0:
        return False
    climbs = [1 + rho * (1 + sign * h.slope(1)) for sign in (1, -1)]
    if not all(t <= x <= h.r for x in (1, *climbs)):
        return False
    gradients = [x + sign * h.slope(x) for x, sign in zip(climbs, (1, -1), strict=True)]
    mean = sum(gradients) / 2
    square = sum(g**2 for g in gradients) / 2
    square_of_batch_mean = square / batch + mean**2 * (1 - Rational(1, batch))
    after = 1 - 2 * eta * mean + eta**2 * square_of_batch_mean
    return bool(after > 1 - eta * c)


def expands(certificate, names: str, positive: dict, zero: dict, conclusions) -> bool:
    """All hypotheses hold at the point, and every conclusion times positive factors expands away.

    Hypotheses are named by their place among all of them, strict inequalities and equalities.
    """
    point = {sympy.Symbol(name): Rational(certificate["point"][name]) for name in names.split()}
    if not all(p.subs(point) > 0 for p in positive.values()):
        return False
    if any(z.subs(point) != 0 for z in zero.values()):
        return False
    for conclusion, step in zip(conclusions, certificate["steps"], strict=True):
        left = conclusion
        for place in step["positive"]:
            if place not in positive:
                return False
            left *= positive[place]
        for cofactor in step["cofactors"]:
            if cofactor["given"] not in zero:
                return False
            for coefficient, powers in cofactor["polynomial"]:
                if any(not p.isdigit() or int(p) > 15 for p in powers.values()):
                    return False
                term = Rational(coefficient)
                for name, power in powers.items():
                    term *= sympy.Symbol(name) ** int(power)
                left -= term * zero[cofactor["given"]]
        if sympy.expand(left) != 0:
            return False
    return True


def sam_two_cycle(certificate) -> bool:
    """The two expansions, and a point with 0 < eta lam < 2 on the cycle."""
    names = "eta rho lam mu w mult"
    eta, rho, lam, mu, w, mult = sympy.symbols(names)
    positive = {"0": eta, "1": rho, "2": lam, "3": w, "4": 2 - eta * lam}
    zero = {
        "5": (2 - eta * lam) * w - eta * lam * rho,
        "6": lam * w * mult - lam * w + eta * mu * (lam * w + rho * mu),
    }
    conclusions = (
        eta * lam * (w + rho) - 2 * w,
        lam**2 * (1 - mult) - eta * mu * lam**2 - mu**2 * (2 - eta * lam),
    )
    return expands(certificate, names, positive, zero, conclusions)


def sam_edge_on_orbit(certificate) -> bool:
    """2 rho lam/N + 1 is the root in the edge: its square, free of denominators, on the cycle."""
    names = "eta rho lam w N"
    eta, rho, lam, w, N = sympy.symbols(names)
    positive = {"0": eta, "1": rho, "2": lam, "3": w, "4": 2 - eta * lam}
    zero = {"5": (2 - eta * lam) * w - eta * lam * rho, "6": N - lam * w}
    squared = (2 * rho * lam / N + 1) ** 2 - (1 + 8 * rho / (eta * N))
    return expands(certificate, names, positive, zero, (sympy.expand(squared * eta * N**2),))


def letters(names: str):
    """Letters that do not commute; a vector is a column letter, and a row letter ending in _t."""
    return [sympy.Symbol(name, commutative=False) for name in names.split()]


def usam_is_regularised_sgd(_) -> bool:
    """Twice the change of loss + rho |gradient|^2 / 2 along v, from both sides."""
    H, x, v, xt, vt = letters("H x v x_t v_t")
    rho = sympy.Symbol("rho")

    def twice_loss(y, yt):
        return yt * H * y + rho * yt * H * H * y

    left = 4 * (xt + rho * xt * H) * H * v
    right = twice_loss(x + v, xt + vt) - twice_loss(x - v, xt - vt)
    mirror = {vt * H * x: xt * H * v, vt * H * H * x: xt * H * H * v}
    return sympy.expand(sympy.expand(right).subs(mirror) - sympy.expand(left)) == 0


def gd_edge(_) -> bool:
    """|x - eta A x|^2 = |x|^2 - eta x'(2A - eta A^2)x for symmetric A."""
    A, x, xt = letters("A x x_t")
    eta = sympy.Symbol("eta")
    after = (xt - eta * xt * A) * (x - eta * A * x)
    return sympy.expand(after - xt * x + eta * xt * (2 * A - eta * A**2) * x) == 0


def usam_full_batch_edge(_) -> bool:
    """The same for A = H + rho H^2, where the step takes the gradient at x + rho Hx."""
    H, x, xt = letters("H x x_t")
    eta, rho = sympy.symbols("eta rho")
    A = H + rho * H**2
    after = (xt - eta * (xt + rho * xt * H) * H) * (x - eta * H * (x + rho * H * x))
    return sympy.expand(after - xt * x + eta * xt * (2 * A - eta * A**2) * x) == 0


def theorem9_is_one_step(_) -> bool:
    """Phi^2 is the printed matrix with h^k for M_k, plus 2 eta (H - h)."""
    H, h = letters("H h")
    eta, rho = sympy.symbols("eta rho")
    printed = (
        (1 - eta * H - eta * rho * H**2) ** 2
        + eta * (eta - 2 * rho) * (h**2 - H**2)
        + 2 * eta**2 * rho * (h**3 - H**3)
        + eta**2 * rho**2 * (h**4 - H**4)
    )
    return sympy.expand((1 - eta * (h + rho * h**2)) ** 2 - printed - 2 * eta * (H - h)) == 0


READINGS = {
    reading.__name__: reading
    for reading in (
        fourth_moment_bound,
        fourth_moment_order,
        gd_edge,
        mean_of_runs_sees_growth,
        normalised_sam_rate,
        one_step_fourth_small_step,
        one_step_necessary,
        one_step_second_small_step,
        sam_edge_on_orbit,
        sam_stable_is_sgd_stable,
        sam_two_cycle,
        second_moment_bound,
        theorem9_is_one_step,
        third_moment_bound,
        third_moment_order,
        usam_full_batch_edge,
        usam_is_regularised_sgd,
        usam_per_sample_rate,
    )
}


def shape(certificate) -> tuple:
    """What a certificate carries, by name; a claim has a use for one shape only."""
    names = {*certificate.get("witness", ()), *certificate.get("point", ())} - {"weights"}
    helps = [set(help_) for help_ in certificate.get("given", ())]
    steps = len(certificate.get("steps", ()))
    return certificate["kind"], names, helps, set(certificate.get("then", ())), steps


def shows(key: str, certificate) -> bool:
    """Whether the certificate shows what it would have to about the claim, read independently."""
    fits = key in SHIPPED and shape(certificate) == shape(SHIPPED[key])
    return fits and READINGS[key](certificate)


# --- tests ----------------------------------------------------------------------------------------


def test_every_shipped_certificate_has_an_independent_reading():
    assert set(SHIPPED) == set(READINGS)


@every_file
def test_a_certificate_is_named_after_its_claim_and_replays(key, tmp_path, capsys):
    assert fingerprint(library.entry(key).claim) == SHIPPED[key]["claim"]
    assert check(tmp_path / "renamed.json", SHIPPED[key])
    assert f": {key} {'PROVED' if SHIPPED[key]['kind'] == 'identity' else 'REFUTED'}: " in (
        capsys.readouterr().out
    )


@every_file
def test_the_independent_reading_agrees_with_what_is_shipped(key):
    assert shows(key, SHIPPED[key])


@every_file
def test_a_changed_number_is_accepted_exactly_when_it_still_shows_the_same(key, tmp_path):
    """Most changes are refused; a wide enough violation survives a thousandth, no identity does."""
    path = tmp_path / "certificate.json"
    verdicts = Counter()
    for place, certificate in variants(key):
        accepted = check(path, certificate)
        assert accepted == shows(key, certificate), (place, certificate)
        verdicts[accepted] += 1
    assert sum(verdicts.values()) >= 3 * len(list(numbers(SHIPPED[key])))
    if SHIPPED[key]["kind"] == "identity":
        assert verdicts[True] == 0
    else:
        assert verdicts[False] > verdicts[True] > 0


@every_file
def test_another_hash_is_no_certificate_of_any_claim(key, tmp_path):
    claim = SHIPPED[key]["claim"]
    for other in (claim[:-1], claim.upper(), claim[::-1], "", " " + claim):
        assert not check(tmp_path / "certificate.json", SHIPPED[key] | {"claim": other})


@every_file
def test_a_certificate_shows_nothing_about_another_claim(key, tmp_path):
    """Bound to every other claim in turn, so that the hash decides nothing.

    Now and then one witness refutes two claims, such as M_3 >= H^3 and M_4 >= H^4, and expansion
    takes no numbers for some: accepted exactly where the other claim's own reading says so.
    """
    for entry in library.entries():
        if entry.key != key:
            moved = SHIPPED[key] | {"claim": fingerprint(entry.claim)}
            assert check(tmp_path / "certificate.json", moved) == shows(entry.key, moved), entry.key

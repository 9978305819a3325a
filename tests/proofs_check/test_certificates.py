"""Every number of every shipped certificate matters, exactly as far as mathematics says it does.

Each number is changed in several ways, one at a time, and `flatproof check` must accept the result
exactly when an independent reading of the certificate, by SymPy and from the statements in words,
finds that it still shows what it says.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
import sympy
from sympy import Rational, eye, zeros

from proofs_check import cli, library
from theory.fingerprint import fingerprint

FILES = sorted(library.CERTIFICATES.glob("*.json"))
SHIPPED = {path.stem: json.loads(path.read_text()) for path in FILES}
every_file = pytest.mark.parametrize("key", SHIPPED)


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


def variants(key: str):
    """Every certificate with one number changed, or two swapped, that differs from the shipped."""
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


def exact(value: Any) -> Any:
    if isinstance(value, list):
        return [exact(x) for x in value]
    return Rational(value)


def minors(matrix) -> list:
    """Sums of principal minors: all >= 0 exactly for PSD matrices, all > 0 for definite ones."""
    coefficients = matrix.charpoly().all_coeffs()
    return [(-1) ** k * c for k, c in enumerate(coefficients)]


class Reading:
    """A family certificate, from the definitions: H_i = F'F, A_i = H_i + rho H_i^2."""

    def __init__(self, certificate) -> None:
        witness = certificate["witness"]
        self.H = [sympy.Matrix(exact(F)).T * sympy.Matrix(exact(F)) for F in witness["factors"]]
        self.d = self.H[0].rows
        raw = exact(witness["weights"])
        self.sound = min(raw) > 0 and certificate["then"]["atom"] == "0"
        self.p = [w / sum(raw) for w in raw] if self.sound else []
        self.eta, self.rho = (exact(witness.get(name, "0")) for name in ("eta", "rho"))
        self.sound = self.sound and self.eta >= 0 and self.rho >= 0
        self.A = [H + self.rho * H * H for H in self.H]
        self.v = sympy.Matrix(exact(certificate["then"]["vector"]))
        self.given = certificate["given"]

    def mean(self, matrices):
        return sum((w * M for w, M in zip(self.p, matrices, strict=True)), zeros(self.d, self.d))

    def moment(self, k):
        return self.mean([H**k for H in self.H])

    def broken_by(self, lower, upper) -> bool:
        return (self.v.T * (lower - upper) * self.v)[0] > 0

    def stable_by(self, rows) -> bool:
        """P > 0 and P - T(P) >= 0, with T as a Kronecker matrix; nothing may be left unmoved."""
        P = sympy.Matrix(exact(rows))
        if sympy.Matrix.vstack(*self.A).rank() < self.d or P != P.T:
            return False
        steps = [eye(self.d) - self.eta * A for A in self.A]
        kron = sum(
            (w * sympy.kronecker_product(S, S) for w, S in zip(self.p, steps, strict=True)),
            zeros(self.d**2, self.d**2),
        )
        grown = (kron * P.reshape(self.d**2, 1)).reshape(self.d, self.d)
        return min(minors(P)) > 0 and min(minors(P - grown)) >= 0


def one_step_necessary(certificate) -> bool:
    """Stable in mean square, yet one step raises E|x|^2 from v: v'E(Phi^2)v > v'v."""
    c = Reading(certificate)
    if not c.sound or not c.stable_by(c.given[0]["lyapunov"]):
        return False
    return c.broken_by(c.mean([(eye(c.d) - c.eta * A) ** 2 for A in c.A]), eye(c.d))


def second_moment_bound(certificate) -> bool:
    """Stable, eta > 2 rho, and eta (eta - 2 rho) v'(M_2 - H^2)v > v'v."""
    c = Reading(certificate)
    if not c.sound or not c.stable_by(c.given[0]["lyapunov"]) or c.eta <= 2 * c.rho:
        return False
    spread = c.moment(2) - c.moment(1) ** 2
    return c.broken_by(c.eta * (c.eta - 2 * c.rho) * spread, eye(c.d))


def third_moment_order(certificate) -> bool:
    """v'H^3v > v'M_3v."""
    c = Reading(certificate)
    return c.sound and c.broken_by(c.moment(1) ** 3, c.moment(3))


def sam_two_cycle(certificate) -> bool:
    """The two expansions, and a point with 0 < eta lam < 2 on the cycle."""
    names = ("eta", "rho", "lam", "mu", "w", "mult")
    symbols = eta, rho, lam, mu, w, mult = sympy.symbols(names)
    positive = (eta, rho, lam, w, 2 - eta * lam)
    zero = {
        5: (2 - eta * lam) * w - eta * lam * rho,
        6: lam * w * mult - lam * w + eta * mu * (lam * w + rho * mu),
    }
    point = dict(zip(symbols, (Rational(certificate["point"][n]) for n in names), strict=True))
    if not all(p.subs(point) > 0 for p in positive):
        return False
    if any(z.subs(point) != 0 for z in zero.values()):
        return False
    conclusions = (
        eta * lam * (w + rho) - 2 * w,
        lam**2 * (1 - mult) - eta * mu * lam**2 - mu**2 * (2 - eta * lam),
    )
    for conclusion, step in zip(conclusions, certificate["steps"], strict=True):
        left = conclusion
        for place in step["positive"]:
            if place not in {"0", "1", "2", "3", "4"}:
                return False
            left *= positive[int(place)]
        for cofactor in step["cofactors"]:
            if cofactor["given"] not in {"5", "6"}:
                return False
            for coefficient, powers in cofactor["polynomial"]:
                if any(not p.isdigit() or int(p) > 15 for p in powers.values()):
                    return False
                term = Rational(coefficient)
                for name, power in powers.items():
                    term *= sympy.Symbol(name) ** int(power)
                left -= term * zero[int(cofactor["given"])]
        if sympy.expand(left) != 0:
            return False
    return True


def usam_is_regularised_sgd(certificate) -> bool:
    """Both sides expanded in letters that do not commute; a vector is a row or a column letter."""
    H = sympy.Symbol("H", commutative=False)
    x, v, xt, vt = (sympy.Symbol(n, commutative=False) for n in ("x", "v", "x_t", "v_t"))
    rho = sympy.Symbol("rho")

    def twice_loss(y, yt):
        return yt * H * y + rho * yt * H * H * y

    left = 4 * (xt + rho * xt * H) * H * v
    right = twice_loss(x + v, xt + vt) - twice_loss(x - v, xt - vt)
    mirror = {vt * H * x: xt * H * v, vt * H * H * x: xt * H * H * v}
    return sympy.expand(sympy.expand(right).subs(mirror) - sympy.expand(left)) == 0


READINGS = {
    reading.__name__: reading
    for reading in (
        one_step_necessary,
        second_moment_bound,
        third_moment_order,
        sam_two_cycle,
        usam_is_regularised_sgd,
    )
}


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
    assert READINGS[key](SHIPPED[key])


@every_file
def test_a_changed_number_is_accepted_exactly_when_it_still_shows_the_same(key, tmp_path):
    """Most changes are refused; a violation of 7% survives a thousandth, and no identity does."""
    path = tmp_path / "certificate.json"
    verdicts = Counter()
    for place, certificate in variants(key):
        accepted = check(path, certificate)
        assert accepted == READINGS[key](certificate), (place, certificate)
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
    """Bound to every other claim in turn, so that the hash decides nothing."""
    for entry in library.entries():
        if entry.key != key:
            moved = SHIPPED[key] | {"claim": fingerprint(entry.claim)}
            twin = entry.key in SHIPPED and SHIPPED[entry.key] == moved
            assert check(tmp_path / "certificate.json", moved) == twin

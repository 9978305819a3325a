"""Every claim said a little differently: what a checker that reads carelessly would let through.

A mutant differs from a shipped claim in one place of its hypotheses, its conclusion or a function
they call: a constant by 1%, an exponent by one, a sign, `<` for `<=`, sides swapped, a hypothesis
dropped, eta for rho. The claim's source is parsed, changed and run here; nothing is written.
"""

from __future__ import annotations

import ast
import copy
import importlib.util
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import numpy as np

from theory.atoms import Atom, Loewner, MeanSquare, at_most, below
from theory.core import Claim
from theory.symbolic import symbolic

CLAIMS = "theory.claims"
PERCENT = Fraction(1, 100)
ATOMS = ("at_most", "below", "equal", "loewner")
SWAPPED = {"below": "at_most", "at_most": "below"}
COUNTS = ("M", "range", "power", "combinations", "comb")  # what their arguments count stays whole
OTHERS = {"eta": "rho", "rho": "eta"}


@dataclass(frozen=True)
class Mutant:
    """A claim changed in one place; `change` names the sort of change, `place` where it is."""

    change: str
    place: str
    claim: Claim


def mutants(key: str) -> Iterator[Mutant]:
    """Every mutant of a shipped claim that can be built, in the order of its source."""
    sources = _sources(key)
    original = _claim(key, sources)
    for name, tree in sources.items():
        for change, node, act in _changes(tree, original):
            mutated = dict(sources)
            mutated[name] = _changed(tree, node, act)
            try:
                claim = _claim(key, mutated)
            except Exception:  # a change may make a file that does not run: it states nothing
                continue
            yield Mutant(change, f"{name}:{node.lineno}: {ast.unparse(node)[:60]}", claim)
    yield from _whole_atoms(original)


def _whole_atoms(claim: Claim) -> Iterator[Mutant]:
    """Hypotheses dropped, and the bounding side of each atom scaled, which no constant may spell."""
    for role in ("given", "then"):
        atoms = getattr(claim, role)
        try:
            count = len(atoms(symbolic(claim.domain)))
        except (TypeError, ValueError):  # a quotient, or a name that proofs keep for themselves
            count = len(atoms(claim.domain.generic()[0]))
        for i in range(count):
            if role == "given":
                yield Mutant("dropped", f"given[{i}]", replace(claim, given=_without(atoms, i)))
            for by in (PERCENT, -PERCENT):
                changed = _altered(atoms, i, by)
                yield Mutant("scaled", f"{role}[{i}] by {by}", replace(claim, **{role: changed}))


Atoms = Callable[[object], tuple[Atom, ...]]


def _without(atoms: Atoms, i: int) -> Atoms:
    return lambda m: tuple(atom for j, atom in enumerate(atoms(m)) if j != i)


def _altered(atoms: Atoms, i: int, by: Fraction) -> Atoms:
    return lambda m: tuple(_scaled(a, 1 + by) if j == i else a for j, a in enumerate(atoms(m)))


def _scaled(atom: Atom, factor: Fraction) -> Atom:
    """The bounding side scaled; numbers of any exact kind by the fraction itself."""
    bounding = {Loewner: "upper", MeanSquare: "bound"}.get(type(atom), "rhs")
    value = getattr(atom, bounding)
    by = float(factor) if isinstance(value, float | np.ndarray) else factor
    return replace(atom, **{bounding: value * by})


# --- sources --------------------------------------------------------------------------------------


def _sources(key: str) -> dict[str, ast.Module]:
    """The claim's file and the helper files it shares, helpers first, by module name."""
    name = f"{CLAIMS}.{key}"
    spec = importlib.util.find_spec(name)
    assert spec is not None and spec.origin is not None
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    found: dict[str, ast.Module] = {}
    for node in tree.body:
        if _is_helper(node):
            found |= _sources(str(node.module).rpartition(".")[2])  # pyright: ignore[reportAttributeAccessIssue]
    return found | {name: tree}


def _is_helper(node: ast.AST) -> bool:
    return isinstance(node, ast.ImportFrom) and str(node.module).startswith(f"{CLAIMS}._")


def _claim(key: str, sources: dict[str, ast.Module]) -> Claim:
    """The claim these sources make; helpers stand in for their files only while it is made."""
    before = {name: sys.modules.get(name) for name in sources}
    try:
        for name, tree in sources.items():
            module = ModuleType(name)
            module.__dict__.update(_Fraction=Fraction)
            # A name the change brings in; the file's own import comes later and says the same.
            module.__dict__.update(at_most=at_most, below=below)
            sys.modules[name] = module
            exec(compile(tree, name, "exec"), module.__dict__)  # noqa: S102
        return sys.modules[f"{CLAIMS}.{key}"].CLAIM
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


# --- changes --------------------------------------------------------------------------------------

Act = Callable[[ast.AST], ast.AST]
Change = tuple[str, ast.expr, Act]


def _changes(tree: ast.Module, claim: Claim) -> Iterator[Change]:
    """What may be changed in one file, as (sort, node, what becomes of a copy of the node)."""
    names = getattr(claim.domain, "names", ()) or getattr(claim.domain, "scalars", ())
    for statement in _reached(tree):
        whole = {id(part) for part in _whole_numbers(statement)}
        for node in ast.walk(statement):
            match node:
                case ast.Constant(value=int() as value) if not isinstance(value, bool):
                    yield from _constants(node, value, id(node) in whole)
                case ast.BinOp(op=ast.Add() | ast.Sub(), left=left):
                    yield "sign", node, _other_sign
                    if not _is_sum(left):
                        yield "sign", left, _negated
                case ast.UnaryOp(op=ast.USub()):
                    yield "sign", node, lambda n: n.operand  # pyright: ignore[reportAttributeAccessIssue]
                case ast.Call(func=ast.Name(id=name), args=[left, right]) if name in ATOMS:
                    if name in SWAPPED:
                        yield "strictness", node, _other_strictness
                    if name != "equal":
                        yield "sides", node, _other_sides
                    yield from (("sign", s, _negated) for s in (left, right) if not _is_sum(s))
                case ast.Attribute(attr=name) if name in OTHERS and OTHERS[name] in names:
                    yield "variable", node, _other_variable


def _reached(tree: ast.Module) -> list[ast.stmt]:
    """The top-level functions and constants that hypotheses and conclusions are made with.

    In a helper's file that is everything: the claim's own file decides what it calls.
    """
    defined: dict[str, ast.stmt] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            defined[node.name] = node
        elif isinstance(node, ast.Assign):
            targets = [part for target in node.targets for part in ast.walk(target)]
            defined |= {part.id: node for part in targets if isinstance(part, ast.Name)}
    todo = [name for name in ("given", "then") if name in defined] or list(defined)
    reached: dict[str, ast.stmt] = {}
    while todo:
        name = todo.pop()
        if name in defined and name not in reached and name != "CLAIM":
            reached[name] = defined[name]
            todo += [part.id for part in ast.walk(defined[name]) if isinstance(part, ast.Name)]
    return list({id(node): node for node in reached.values()}.values())


def _whole_numbers(statement: ast.stmt) -> Iterator[ast.AST]:
    """Constants that count something: exponents, indices, orders of moments."""
    for node in ast.walk(statement):
        match node:
            case ast.BinOp(op=ast.Pow(), right=right):
                yield from ast.walk(right)
            case ast.Subscript(slice=inside):
                yield from ast.walk(inside)
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in COUNTS:
                yield from (part for argument in node.args for part in ast.walk(argument))


def _constants(node: ast.Constant, value: int, whole: bool) -> Iterator[Change]:
    if whole:
        yield from (("exponent", node, _constant(Fraction(value + by))) for by in (1, -1))
    else:
        scale = abs(value) or 1
        yield from (("constant", node, _constant(value + by * scale)) for by in (PERCENT, -PERCENT))


def _constant(value: Fraction) -> Act:
    spelled = f"{value}" if value.denominator == 1 else f"_Fraction({str(value)!r})"
    return lambda _: ast.parse(spelled, mode="eval").body


def _is_sum(node: ast.AST) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub)


def _other_sign(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.BinOp)
    node.op = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
    return node


def _negated(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.expr)
    return ast.BinOp(ast.Constant(-1), ast.Mult(), node)


def _other_strictness(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    node.func.id = SWAPPED[node.func.id]
    return node


def _other_sides(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.Call)
    node.args.reverse()
    return node


def _other_variable(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.Attribute)
    node.attr = OTHERS[node.attr]
    return node


def _changed(tree: ast.Module, node: ast.AST, act: Act) -> ast.Module:
    """A copy of the tree with one node changed."""
    places: dict[int, ast.AST] = {}
    copied = copy.deepcopy(tree, places)
    target = places[id(node)]

    class Change(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            return act(node) if node is target else self.generic_visit(node)

    Change().visit(copied)
    return ast.fix_missing_locations(copied)

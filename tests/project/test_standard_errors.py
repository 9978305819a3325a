"""No standard error is taken of squares: means of ||x_t||^2 over runs are carried by rare paths.

Near an edge such a mean lies many of its own standard errors below the truth, so comparing the two
raises false alarms or hides true ones. Exact propagation, enumeration, the h-transform or bets
(`proofs_check.statistics`) take its place.

Looked for: a standard deviation or a test by it, inside one function, of an expression with a square,
an exponential, a norm or a loss in it; names are followed to what they were last assigned. Logarithms
end the search: log||x_t|| has a central limit theorem.
"""

import ast
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ["theory", "sims", "proofs_check", "tests", "benchmarks", "notebooks"]
SPREADS = {"std", "sem", "tstd", "ttest_1samp", "ttest_ind", "ttest_rel", "zscore", "bootstrap"}
HEAVY = {"square", "exp", "norm", "second_moment", "second_moments", "loss", "x_norm"}
TAME = {"log", "log2", "log10", "log1p", "logaddexp"}
# What shows that plain means fail has to take one.
SHOWN = {
    (
        "tests/proofs_check/test_boundaries.py: "
        "test_plain_means_fail_where_runs_vanish_and_their_mean_square_explodes"
    )
}


def name(node: ast.AST) -> str:
    """The last word of a name, an attribute or a call; of x["loss"], loss."""
    if isinstance(node, ast.Call):
        return name(node.func)
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return str(node.slice.value)
    return getattr(node, "attr", getattr(node, "id", ""))


def heavy(node: ast.AST, assigned: dict[str, ast.AST], seen: frozenset[str] = frozenset()) -> bool:
    """Whether a square is in there, outside of every logarithm."""
    if isinstance(node, ast.Call) and name(node) in TAME:
        return False
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        exponent = node.right
        if isinstance(exponent, ast.Constant) and exponent.value == 2:
            return True
    if name(node) in HEAVY:
        return True
    if isinstance(node, ast.Name) and node.id in assigned and node.id not in seen:
        return heavy(assigned[node.id], assigned, seen | {node.id})
    return any(heavy(child, assigned, seen) for child in ast.iter_child_nodes(node))


def standard_errors(source: str) -> list[str]:
    """The functions, <module> among them, that take a standard error of squares."""
    tree, found = ast.parse(source), []
    scopes = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    for scope in [*scopes, tree]:
        nodes = list(ast.walk(scope)) if scope is not tree else list(outside(tree))
        assigned = {
            target.id: node.value
            for node in nodes
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        spreads = [n for n in nodes if isinstance(n, ast.Call) and name(n) in SPREADS]
        of = [part for n in spreads for part in (*n.args[:2], n.func)]
        if any(heavy(part, assigned) for part in of):
            found.append(getattr(scope, "name", "<module>"))
    return found


def outside(tree: ast.Module):
    """All nodes that are in no function."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += [c for c in ast.iter_child_nodes(node) if not isinstance(c, ast.FunctionDef)]


def sources(path: Path):
    if path.suffix == ".py":
        yield path.read_text(encoding="utf-8")
        return
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            yield "".join(line for line in cell["source"] if not line.startswith("%"))


def test_no_standard_error_is_taken_of_squares():
    files = [p for f in FOLDERS for kind in ("*.py", "*.ipynb") for p in (ROOT / f).rglob(kind)]
    found = {
        f"{path.relative_to(ROOT).as_posix()}: {where}"
        for path in files
        for source in sources(path)
        for where in standard_errors(source)
    }
    assert found == SHOWN


PLANTED = [
    "def f(x):\n    s = (x**2).sum(1)\n    return s.mean(), s.std(ddof=1) / len(s) ** 0.5",
    "def f(x):\n    return ttest_1samp(np.linalg.norm(x, axis=1), 0)",
    "def f(run):\n    last = run.loss[:, -1]\n    return stats.sem(last)",
    "def f(logs):\n    return np.std(np.exp(2 * logs))",
    "def f(found):\n    y = found['loss']\n    z = y / y[0]\n    return z.std()",
    "x = np.square(y)\ne = x.std()",
]
SOUND = [
    "def f(x):\n    return np.log((x**2).sum(1)).std()",
    "def f(slopes):\n    return slopes.std(ddof=1) / len(slopes) ** 0.5",
    "def f(x):\n    return (x**2).mean()",
    "def f(x):\n    s = x.std()\n    t = (x**2).sum()\n    return s, t",
]


@pytest.mark.parametrize("source", PLANTED)
def test_a_planted_standard_error_is_found(source):
    assert standard_errors(source) in (["f"], ["<module>"])


@pytest.mark.parametrize("source", SOUND)
def test_what_is_sound_is_left_alone(source):
    assert standard_errors(source) == []

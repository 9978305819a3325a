"""A configuration is read strictly: every mistake is named with its place and what is allowed."""

import copy
import tomllib
from pathlib import Path

import numpy as np
import pytest

from sims.config import optimizer_fields, read
from sims.engine import with_hyper
from sims.lab import build
from theory import catalogue
from theory.core import InputError

GOOD = {
    "problem": {"name": "linear", "n": 8},
    "grid": {"optimizer": ["sgd", "usam"], "lr": [0.1, 0.2], "rho": 0.05, "seeds": 3},
    "run": {"steps": 10},
}
EXAMPLES = sorted((Path(__file__).parents[2] / "docs" / "examples").glob("*.toml"))


def changed(table, key, value):
    tables = copy.deepcopy(GOOD)
    tables[table][key] = value
    return tables


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_reads_as_its_dict_does(path):
    assert read(path) == read(str(path)) == read(tomllib.loads(path.read_text(encoding="utf-8")))


def test_there_is_an_example():
    assert EXAMPLES


def test_defaults_and_single_values_become_lists():
    config = read(GOOD)
    assert config.grid.fields == {"lr": (0.1, 0.2), "rho": (0.05,)}
    assert (config.grid.batch, config.grid.sampling) == ((1,), ("with",))
    assert list(config.grid.seed_list) == [0, 1, 2]
    assert (config.run.every, config.run.record, config.run.root) == (1, ("loss",), 0)


def test_numbers_take_the_type_their_field_has():
    assert read(changed("grid", "lr", [1, 0.5])).grid.fields["lr"] == (1.0, 0.5)
    zero = read(changed("grid", "lr", -0.0)).grid.fields["lr"][0]
    assert str(zero) == "0.0"  # -0.0 and 0.0 are one value, so they have one spelling
    lazy = changed("grid", "optimizer", "sassha")
    lazy["grid"]["lazy_hessian"] = [1, 5]
    assert read(lazy).grid.fields["lazy_hessian"] == (1, 5)


def test_numpy_and_ranges_are_read_as_what_they_hold():
    config = copy.deepcopy(GOOD)
    config["grid"] |= {"lr": np.array([0.1, 0.2]), "rho": np.float64(0.05), "seeds": range(3)}
    config["run"]["steps"] = np.int64(10)
    assert read(config).grid.fields == read(GOOD).grid.fields
    assert list(read(config).grid.seed_list) == [0, 1, 2]


def test_a_span_is_even_or_by_ratios():
    even = {"from": 0.0, "to": 1.0, "num": 5}
    assert read(changed("grid", "lr", even)).grid.fields["lr"] == (0.0, 0.25, 0.5, 0.75, 1.0)
    steps = {"from": 0.001, "to": 1.0, "num": 4, "scale": "log"}
    found = read(changed("grid", "lr", steps)).grid.fields["lr"]
    assert found == pytest.approx((0.001, 0.01, 0.1, 1.0), rel=1e-15)
    assert (found[0], found[-1]) == (0.001, 1.0)


def test_fields_that_change_what_is_compiled_split_a_grid():
    kinds = optimizer_fields("sassha")
    assert {name for name, kind in kinds.items() if kind == "split"} >= {
        "lazy_hessian",
        "n_samples",
        "guard",
    }
    assert kinds["lr"] == kinds["rho"] == "traced"
    assert optimizer_fields("sam")["momentum"] == "traced"


@pytest.mark.parametrize("key", catalogue.keys("sims.optimizers"))
def test_the_engine_varies_the_traced_fields_of_every_optimizer(key):
    import jax

    prototype = build(key)
    own = [name for name, kind in optimizer_fields(key).items() if kind == "traced"]
    hyper = {name: np.array([0.0, 0.5, 0.75]) for name in own}
    optimizer, varied = with_hyper(prototype, hyper, 3)
    shapes = [np.shape(leaf) for leaf in jax.tree.leaves(optimizer)]
    assert [shape == (3,) for shape in shapes] == list(varied)
    assert sum(varied) == len(own)
    assert not any(with_hyper(prototype, {}, 3)[1])


@pytest.mark.parametrize(
    ("table", "key", "value", "field", "told"),
    [
        ("run", "stepz", 3, "run", "nearest: steps"),
        ("run", "recor", 3, "run", "nearest: record"),
        ("grid", "rh", 0.1, "grid", "nearest: rho"),
        ("grid", "momentun", 0.1, "grid", "nearest: momentum"),
        ("grid", "optimiser", "sgd", "grid", "nearest: optimizer"),
        ("grid", "lr", {"from": 1.0, "to": 2.0, "nun": 3, "num": 3}, "grid.lr", "nearest: num"),
        ("grid", "optimizer", ["sgd", "smam"], "grid.optimizer", "nearest: sam"),
        ("run", "record", ["loss", "lambda"], "run.record", "nearest: lambda_max"),
        ("grid", "lr", [0.1, float("nan")], "grid.lr[1]", "finite"),
        ("grid", "lr", float("inf"), "grid.lr[0]", "finite"),
        ("grid", "lr", [0.1, -0.1], "grid.lr[1]", "at least 0"),
        ("grid", "lr", [0.1, "fast"], "grid.lr[1]", "finite number"),
        ("grid", "lr", [[0.1]], "grid.lr[0]", "a number"),
        ("grid", "lr", [], "grid.lr", "from 1 to 10000"),
        ("grid", "lr", [1, 1.0], "grid.lr", "each value once"),
        ("grid", "lr", 10**400, "grid.lr[0]", "finite number"),
        ("grid", "lr", {"from": 0.0, "to": 1.0, "num": 3, "scale": "log"}, "grid.lr", "positive"),
        ("grid", "lr", {"from": 0.0, "to": 1.0, "num": 10**9}, "grid.lr.num", "10000"),
        ("grid", "lr", {"from": 0.0, "to": float("inf"), "num": 3}, "grid.lr.to", "finite"),
        ("grid", "lr", {"from": 0.0, "num": 3}, "grid.lr.to", "no default"),
        ("grid", "ascent", "up", "grid.ascent[0]", "per-sample"),
        ("grid", "batch", 0, "grid.batch[0]", "at least 1, or 'full'"),
        ("grid", "batch", [1, "ful"], "grid.batch[1]", "or 'full'"),
        ("grid", "batch", [2, 2], "grid.batch", "each value once"),
        ("grid", "batch", True, "grid.batch[0]", "or 'full'"),
        ("grid", "sampling", "maybe", "grid.sampling[0]", "'without'"),
        ("grid", "seeds", 0, "grid.seeds", "how many seeds"),
        ("grid", "seeds", [3, 3], "grid.seeds", "each seed once"),
        ("grid", "seeds", [-1], "grid.seeds", "at least 0"),
        ("grid", "seeds", 10**8, "grid.seeds", "10000000"),
        ("run", "steps", 0, "run.steps", "greater than or equal to 1"),
        ("run", "steps", 10.0, "run.steps", "integer"),
        ("run", "steps", "10", "run.steps", "integer"),
        ("run", "steps", 10**30, "run.steps", "less than"),
        ("run", "every", 3, "run.every", "a divisor of steps = 10"),
        ("run", "record", [], "run.record", "from 1"),
        ("run", "root", -1, "run.root", "greater"),
        ("run", "space", "fourier", "run.space", "gram"),
    ],
)
def test_a_mistake_is_named_by_its_place(table, key, value, field, told):
    with pytest.raises(InputError) as caught:
        read(changed(table, key, value))
    assert caught.value.field == field
    assert told in str(caught.value)
    assert len(str(caught.value)) < 400


def test_tables_are_known_and_complete():
    for tables, field, told in [
        (GOOD | {"rum": {}}, "config", "nearest: run"),
        ({"problem": GOOD["problem"], "run": GOOD["run"]}, "grid", "no default"),
        (GOOD | {"run": 3}, "run", "a table"),
        (GOOD | {"run": {"stepz": 3}}, "run", "nearest: steps"),  # before: steps is missing
        (GOOD | {"problem": {}}, "problem.name", "no default"),
    ]:
        with pytest.raises(InputError, match=told) as caught:
            read(tables)
        assert caught.value.field == field


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"[run\n", "not TOML"),
        (b"[run]\nsteps = 1\nsteps = 2\n", "not TOML"),
        (b"\xff", "UTF-8"),
        (b"x = 1 # " + b"-" * 1_000_001, "more than 1000000 bytes"),
        (b"x = " + b"[" * 5000 + b"]" * 5000, "not TOML"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused(tmp_path, content, told):
    path = tmp_path / "sweep.toml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=told) as caught:
        read(path)
    assert caught.value.field == "config"


def test_only_a_file_is_opened(tmp_path):
    for path in (tmp_path, tmp_path / "absent.toml", "/dev/zero", "a\0b"):
        with pytest.raises(InputError, match="config"):
            read(path)

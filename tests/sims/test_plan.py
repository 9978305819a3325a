"""Blocks hold every run once, depend on the manifest alone, and outlive a sweep's growth."""

import copy
import itertools
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sims import engine
from sims._manifest import Manifest
from sims._plan import SHARED, Plan
from theory.core import InputError

FIELDS = {
    "sgd": {"lr": "traced"},
    "usam": {"lr": "traced", "rho": "traced", "ascent": "split"},
}


def manifest(*grids, width=8, run=None, **changes):
    """A sweep that grew through these grids."""
    config = {
        "problem": {"name": "linear"},
        "grid": copy.deepcopy(grids[-1]),
        "run": run or {"steps": 4},
    }
    plain = {
        "config": config,
        "fields": {key: FIELDS[key] for key in grids[-1]["optimizer"]},
        "width": width,
        "dimension": 3,
        "data": "d",
        "environment": {"jaxlib": "1"},
        "code": dict.fromkeys(grids[-1]["optimizer"], "c"),
        "extents": tuple(copy.deepcopy(grids)),
    }
    return Manifest.model_validate(plain | changes)


def runs(plan):
    """Every run of a plan by its labels, block by block, as a reader of the blocks sees them."""
    for block in plan:
        values = block.group.values(block.cells)
        cells = [tuple(v[i] for v in values.values()) for i in range(len(block.cells))]
        fixed = tuple(block.group.fixed.items())
        for seed, cell in itertools.product(plan.seeds[list(block.seeds)].tolist(), cells):
            yield (block.group.optimizer, fixed, cell, seed)


def expected(grid):
    """The same by the definition of a grid."""
    others = list(itertools.product(grid.get("batch", (1,)), grid.get("sampling", ("with",))))
    for (batch, sampling), seed in itertools.product(others, range(grid["seeds"])):
        rest = (("batch", batch), ("sampling", sampling))
        for key in grid["optimizer"]:
            if key == "sgd":
                for lr in grid["lr"]:
                    yield (key, rest, (lr,), seed)
            else:
                for lr, rho, ascent in itertools.product(grid["lr"], grid["rho"], grid["ascent"]):
                    yield (key, (("ascent", ascent), *rest), (lr, rho), seed)


GRID = {
    "optimizer": ("sgd", "usam"),
    "lr": [0.1, 0.2, 0.3],
    "rho": [0.0, 0.5],
    "ascent": ["shared", "per-sample"],
    "batch": (1, "full"),
    "seeds": 5,
}
SIZES = st.tuples(*(st.integers(1, n) for n in (40, 3, 2, 7, 2)))


def grid_of(lr, rho, batch, seeds, optimizers):
    return {
        "optimizer": ("sgd", "usam")[:optimizers],
        "lr": [k / 8 for k in range(lr)],
        "rho": [k / 4 for k in range(rho)],
        "ascent": ["shared", "per-sample"],
        "batch": (1, "full")[:batch],
        "seeds": seeds,
    }


@given(st.lists(SIZES, min_size=1, max_size=3), st.sampled_from([1, 7, 16, 64]))
def test_every_run_is_in_one_block_however_the_sweep_grew(sizes, width):
    grown = [
        grid_of(*(max(column) for column in zip(*sizes[: k + 1], strict=True)))
        for k in range(len(sizes))
    ]
    plan = Plan(manifest(*grown, width=width))
    found = list(runs(plan))
    assert len(found) == len(set(found)) == plan.runs
    assert set(found) == set(expected(grown[-1]))
    for block in plan:
        assert block.runs <= width
        assert list(block.cells) == sorted(block.cells)


def test_what_an_optimizer_lacks_is_computed_once():
    counts = {"sgd": 0, "usam": 0}
    for block in Plan(manifest(GRID)):
        counts[block.group.optimizer] += block.runs
    assert counts == {"sgd": 3 * 2 * 5, "usam": 3 * 2 * 2 * 2 * 5}


def test_names_are_a_function_of_the_manifest_as_it_is_stored():
    first = manifest(GRID)
    plain = json.loads(json.dumps(first.plain()))
    plain["extents"] = tuple(plain["extents"])
    again = Plan(Manifest.model_validate(plain))
    names = [Plan(first).name(block) for block in Plan(first)]
    assert names == [again.name(block) for block in again]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "change",
    [
        {"run": {"steps": 5}},
        {"run": {"steps": 4, "every": 2}},
        {"run": {"steps": 4, "root": 1}},
        {"run": {"steps": 4, "record": ("grad_norm",)}},
        {"run": {"steps": 4, "space": "plain"}},
        {"data": "other"},
        {"environment": {"jaxlib": "2"}},
        {"code": {"sgd": "other", "usam": "other"}},
    ],
    ids=str,
)
def test_whatever_numbers_depend_on_changes_every_name(change):
    before, after = Plan(manifest(GRID)), Plan(manifest(GRID, **change))
    assert not set(map(before.name, before)) & set(map(after.name, after))


def test_the_last_bit_of_a_value_changes_the_names_of_its_blocks_alone():
    moved = copy.deepcopy(GRID) | {"rho": [0.0, np.nextafter(0.5, 1)]}
    before, after = Plan(manifest(GRID)), Plan(manifest(moved))
    for old, new in zip(before, after, strict=True):
        same = before.name(old) == after.name(new)
        assert same == (old.group.optimizer == "sgd")


@pytest.mark.parametrize("cells", [3, SHARED, 50])
def test_more_seeds_keep_every_block_that_was(cells):
    grid = {"optimizer": ("sgd",), "lr": [k / 64 for k in range(cells)], "seeds": 5}
    before = Plan(manifest(grid, width=64))
    after = Plan(manifest(grid, grid | {"seeds": 9}, width=64))
    assert set(map(before.name, before)) < set(map(after.name, after))


def test_more_values_keep_blocks_unless_they_are_now_computed_together():
    def plan(*counts):
        grids = [
            {"optimizer": ("sgd",), "lr": [k / 64 for k in range(n)], "seeds": 2} for n in counts
        ]
        return Plan(manifest(*grids, width=64))

    def names(plan):
        return {plan.name(block) for block in plan}

    assert names(plan(3)) < names(plan(3, 5))
    assert names(plan(40)) < names(plan(40, 50))
    assert not names(plan(3)) & names(plan(3, 50))  # 3 were too few for the shared stream
    assert {block.shared for block in plan(3, 50)} == {True}


def test_the_engine_shares_a_stream_where_the_plan_expects_it():
    assert engine.LEAST_SHARED == SHARED
    assert engine.together(np.repeat([4, 7], SHARED))
    assert not engine.together(np.repeat([4, 7], SHARED - 1))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"lr": [0.1, 0.2]}, "grid.lr"),
        ({"optimizer": ("usam",)}, "grid.optimizer"),
        ({"batch": (1,)}, "grid.batch"),
        ({"seeds": 4}, "grid.seeds"),
        ({"seeds": (1, 0, 2, 3, 4, 5)}, "grid.seeds"),
        ({"momentum": [0.9]}, "grid.momentum"),
    ],
    ids=str,
)
def test_a_grid_grows_and_never_shrinks(change, field):
    with pytest.raises(InputError) as caught:
        manifest(GRID).with_grid(manifest(GRID | change))
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"run": {"steps": 5}}, "run.steps"),
        ({"run": {"steps": 4, "root": 3}}, "run.root"),
        ({"environment": {"jaxlib": "2"}}, "out"),
        ({"environment": {"jaxlib": "1", "numpy": "9"}}, "out"),
        ({"data": "other"}, "out"),
        ({"code": {"sgd": "c", "usam": "other"}}, "out"),
    ],
    ids=str,
)
def test_what_must_stay_the_same_is_named_where_it_does_not(change, field):
    with pytest.raises(InputError) as caught:
        manifest(GRID).with_grid(manifest(GRID, **change))
    assert caught.value.field == field


def test_growth_is_remembered_and_repetition_is_not():
    first = manifest(GRID)
    assert first.with_grid(manifest(GRID, width=16)) is first
    grown = first.with_grid(manifest(GRID | {"seeds": 7}, width=16))
    assert (len(grown.extents), grown.width) == (2, first.width)
    assert grown.with_grid(manifest(GRID | {"seeds": 7})) is grown

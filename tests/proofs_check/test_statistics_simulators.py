"""Every simulation that ships passes, every planted mistake raises E > 10^6 within a stated time."""

from dataclasses import replace

import numpy as np
import pytest

from proofs_check import cli, library, verification
from proofs_check.report.page import render
from proofs_check.statistics import (
    PATHS,
    Budget,
    _simulators,
    bet,
    first_reached,
    log_capital,
    names,
    report,
    sentence,
)
from sims import _block, _draw, growth
from sims.lab import build

MILLIONTH = 1e-6
BY_NAME = {path.name: path for path in PATHS}
# Numbers, 512 a step, in which a mistake is found on every path it can be made on.
OFF, MISTAKEN, REPEATED = 50_000, 15_000, 18_432  # the last: 32 steps to repeat, and 4 more


def fair(path, iterates, numbers=None):
    """Logarithms of capital against the path's law, over its first `numbers`."""
    if numbers is not None:
        iterates = iterates[: -(-numbers // iterates.shape[1]) + 1]
    return log_capital(*path.bets(iterates))


def caught(path, iterates, within) -> bool:
    found = first_reached(fair(path, iterates, within), MILLIONTH)
    return found is not None and found <= within


def off(path, name: str, factor: float) -> np.ndarray:
    """The path with one hyperparameter off."""
    hyper = path.hyper | {name: path.hyper[name] * factor}
    return path.observe(build(path.optimizer, **hyper))


# -- as they ship --------------------------------------------------------------------------------


def test_paths_cover_batches_samplers_climbs_weights_memory_and_every_way_to_run():
    made = {
        (path.batch, path.sampling, path.hyper.get("ascent", "shared"), path.optimizer)
        for path in PATHS
    }
    one, two = (1, "with"), [(2, "with"), (2, "without")]
    assert made >= {(*how, "shared", name) for how in (one, *two) for name in ("sgd", "usam")}
    assert made >= {(*how, "per-sample", "usam") for how in two}
    assert {path.runner for path in PATHS} == set(_simulators.RUNNERS)
    assert {"momentum", "weight_decay"} <= {name for path in PATHS for name in path.hyper}
    assert any(path.weights == _simulators.UNEQUAL for path in PATHS)
    assert len(BY_NAME) == len(PATHS)


@pytest.mark.parametrize("name", names())
def test_a_simulation_that_ships_raises_no_alarm_and_1_percent_off_it_does(name):
    path = BY_NAME[name]
    assert not fair(path, path.observe()).max() >= -np.log(Budget(len(PATHS)).alone)
    assert caught(path, off(path, "lr", 0.99), OFF)


# -- planted mistakes ----------------------------------------------------------------------------


@pytest.mark.parametrize("factor", [0.98, 1.02])
@pytest.mark.parametrize("name", ["usam", "usam, growth of runs"])
def test_a_radius_2_percent_off_is_caught(name, factor):
    assert caught(BY_NAME[name], off(BY_NAME[name], "rho", factor), OFF)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("sgd, weighted samples", {"weights": _simulators.EQUAL}),
        ("usam, Gram space", {"weights": _simulators.EQUAL}),
        ("sgd, two samples", {"sampling": "without"}),
        ("sgd, two samples without replacement", {"sampling": "with"}),
        ("usam, growth of runs", {"sampling": "without"}),
        ("usam, growth of runs", {"batch": 1}),
        ("usam, each sample climbs", {"hyper": _simulators.USAM}),
        ("sgd, momentum", {"hyper": {"lr": 2.4}}),
        ("sgd, momentum", {"hyper": {"lr": 2.4, "momentum": 0.0}}),
    ],
)
def test_another_law_than_the_stated_one_is_caught(name, change):
    path = BY_NAME[name]
    assert caught(path, replace(path, **change).observe(), MISTAKEN)


def forget():
    """Compiled programs remember how batches were drawn while they were traced."""
    _block.run_blocks.clear_cache()
    growth._grow.clear_cache()


@pytest.fixture
def streams(monkeypatch):
    """Puts other keys and steps in place of a sampler's."""
    true = _draw.Sampler.draw

    def plant(change):
        def draw(self, xp, key, step):
            return true(self, xp, *change(xp, key, step))

        monkeypatch.setattr(_draw.Sampler, "draw", draw)
        forget()

    yield plant
    forget()


STREAMS = {
    "every batch twice": lambda xp, key, step: (key, step // 2),
    "from the start after 32 steps": lambda xp, key, step: (key, step % 32),
    "one for all runs": lambda xp, key, step: (xp.zeros_like(key), step),
}


@pytest.mark.parametrize("fault", STREAMS)
@pytest.mark.parametrize("name", ["sgd", "usam, Gram space"])
def test_a_stream_that_repeats_is_caught(name, fault, streams):
    streams(STREAMS[fault])
    assert caught(BY_NAME[name], BY_NAME[name].observe(), REPEATED)


def test_a_mistake_of_the_first_step_alone_is_kept():
    """Betting ends when it suffices, so what is honest afterwards cannot win the money back."""
    path = BY_NAME["sgd"]
    honest = path.observe()
    late = np.concatenate([1.1 * honest[:1], honest[1:]])
    assert bet_on(path, late) >= -np.log(Budget(len(PATHS)).alone)


def bet_on(path, iterates) -> float:
    """What `bet` makes of iterates."""
    logs = fair(path, iterates)
    return _simulators.stopped(logs, Budget(len(PATHS)).alone)


@pytest.mark.soak
@pytest.mark.parametrize("name", names())
def test_every_mistake_is_caught_on_every_path_it_can_be_made_on(name, streams):
    path = BY_NAME[name]
    within = {"lr": 1.01, "rho": 1.02}
    for field, factor in within.items():
        if field in path.hyper:
            assert caught(path, off(path, field, factor), OFF)
            assert caught(path, off(path, field, 2 - factor), OFF)
    if path.weights != _simulators.EQUAL:
        assert caught(path, replace(path, weights=_simulators.EQUAL).observe(), MISTAKEN)
    elif path.batch == 2:
        other = "without" if path.sampling == "with" else "with"
        assert caught(path, replace(path, sampling=other).observe(), MISTAKEN)
    for change in STREAMS.values():
        streams(change)
        assert caught(path, path.observe(), REPEATED)


@pytest.mark.soak
@pytest.mark.parametrize("name", ["sgd, two samples without replacement", "usam, weighted"])
def test_the_shipped_generator_raises_alarms_as_rarely_as_an_ideal_one(name, monkeypatch):
    """A thousand roots, alarms at 1/10 at any time: a binomial count of chance at most 1/10."""
    from scipy.stats import binomtest

    path = BY_NAME.get(name) or replace(BY_NAME["usam"], weights=_simulators.UNEQUAL)
    monkeypatch.setattr(_simulators, "RUNS", 16)
    found = 0
    for root in range(1000):
        monkeypatch.setattr(_simulators, "ROOT", root)
        found += first_reached(fair(path, path.observe()), 0.1) is not None
    assert binomtest(found, 1000, 0.1, "greater").pvalue > 1e-3


# -- what an audit says --------------------------------------------------------------------------

FAST = "third_moment_order"


@pytest.fixture
def short_audit(monkeypatch):
    """All of `flatproof verify`, with one claim and one simulation, in this process."""
    fast = library.entry(FAST)
    monkeypatch.setattr(library, "entries", lambda: [fast])
    monkeypatch.setattr(verification, "_simulations", lambda: ["sgd"])
    monkeypatch.setattr(verification.os, "cpu_count", lambda: 1)


@pytest.mark.usefixtures("short_audit")
def test_an_audit_of_everything_says_what_the_bets_came_to(tmp_path, capsys):
    assert cli.run(["verify", "--out", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "simulators: 1 e-values, largest" in told
    assert "none beyond the budget of 1e-6 a run" in told
    found = library.json.loads((tmp_path / "statistics.json").read_text())
    assert [(check["name"], check["alarm"]) for check in found["checks"]] == [("sgd", False)]
    assert isinstance(library.json.loads((tmp_path / "verify.json").read_text()), list)
    assert "Simulators" in (tmp_path / "index.html").read_text()


@pytest.mark.usefixtures("short_audit")
@pytest.mark.parametrize("json", [[], ["--json", "-"]])
def test_an_alarm_exits_with_1(json, monkeypatch, capsys):
    path = BY_NAME["sgd"]
    wrong = replace(path, hyper={"lr": path.hyper["lr"] * 1.01}).observe()
    monkeypatch.setattr(_simulators.Path, "observe", lambda path: wrong)
    assert cli.run(["verify", *json]) == 1
    captured = capsys.readouterr()
    assert "1 beyond the budget of 1e-6 a run: sgd" in (captured.err if json else captured.out)
    if json:
        (row,) = library.json.loads(captured.out)  # JSON alone
        assert row["key"] == FAST


def test_an_audit_of_one_claim_bets_on_nothing(tmp_path, capsys):
    assert cli.run(["verify", FAST, "--out", str(tmp_path)]) == 0
    assert "simulators" not in capsys.readouterr().out
    assert not (tmp_path / "statistics.json").exists()


def test_an_e_value_is_the_same_wherever_it_is_computed():
    assert bet("sgd") == bet("sgd") < 5


def test_a_report_names_its_alarms_and_shares_one_budget():
    """K = 3: 3e6 alone; two at 1.5e6 each."""
    quiet = report({"a": 0.0, "b": np.log(2.9e6), "c": -1.0})
    assert sentence(quiet).endswith("largest 2.9e+06, none beyond the budget of 1e-6 a run")
    loud = report({"a": np.log(1.6e6), "b": np.inf, "c": -1.0})
    assert [check["alarm"] for check in loud["checks"]] == [True, True, False]
    assert loud["checks"][1]["log10_e_value"] is None
    assert sentence(loud).endswith("largest inf, 2 beyond the budget of 1e-6 a run: a; b")


def test_the_page_shows_every_e_value_as_text():
    page = render([], report({"a <script>": np.inf, "b": np.log(100.0)}))
    assert "&lt;script&gt;: e-value" in page and "<script>" not in page
    assert "infinite" in page and "10 to the power 2.00" in page
    assert "<strong>alarm</strong>" in page
    assert "Simulators" not in render([])

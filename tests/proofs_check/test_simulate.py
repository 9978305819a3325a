"""`flatproof simulate`: progress, exit codes, and one clear line for every way it can end."""

import io
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from proofs_check import cli
from proofs_check.simulate import _heard, bar, lines
from sims import engine
from sims.store import open_sweep

ROOT = Path(__file__).parents[2]
CONFIG = """
[problem]
name = "linear"
n = 4
d = 3

[grid]
optimizer = ["sgd", "sam"]
lr = { from = 0.1, to = 0.4, num = 3 }
rho = 0.1
seeds = 6

[run]
steps = 4
"""


@pytest.fixture
def stand_in(monkeypatch):
    """An engine that compiles nothing."""

    def simulate(setting, hyper, seeds, *, root):
        return {
            "loss": np.outer(seeds, np.arange(5.0)),
            "diverged_at": np.full(len(seeds), -1),
        }

    monkeypatch.setattr(engine, "simulate", simulate)
    monkeypatch.setattr("sims.sweep.MOST_RUNS", 4)


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "sweep.toml"
    path.write_text(CONFIG)
    return path


def run(config, out, *more):
    return cli.run(["simulate", str(config), "--out", str(out), *more])


def said(capsys):
    """The one line on standard error."""
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    return line


def test_a_sweep_is_computed_once_and_its_digest_is_printed(stand_in, config, tmp_path, capsys):
    out = tmp_path / "with space" / "é"
    assert run(config, out) == 0
    first = capsys.readouterr()
    assert first.out == f"{out}: 36 runs, complete\n"
    assert first.err.splitlines()[0] == "0 of 36 runs were there"
    assert re.fullmatch(r"36 of 36 runs, [\d,.]+ runs/s, 0:00:00 left", first.err.splitlines()[-1])
    assert run(config, out) == 0
    assert capsys.readouterr().err == "36 of 36 runs were there\n"
    assert run(config, out, "--check") == 0
    assert re.fullmatch(rf"{out}: complete, digest [0-9a-f]{{64}}\n", capsys.readouterr().out)
    assert open_sweep(out).attrs["complete"]


def test_damage_is_exit_3_and_running_it_again_mends_it(stand_in, config, tmp_path, capsys):
    out = tmp_path / "out"
    run(config, out)
    victim = next((out / "blocks").glob("*.npz"))
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 1
    victim.write_bytes(content)
    capsys.readouterr()
    assert run(config, out, "--check") == 3
    assert victim.name in said(capsys)
    assert run(config, out) == 0
    assert victim.name in capsys.readouterr().err
    assert run(config, out, "--check") == 0
    victim.unlink()
    capsys.readouterr()
    assert run(config, out, "--check") == 3
    assert "missing" in said(capsys)


def test_a_damaged_manifest_is_exit_3(stand_in, config, tmp_path, capsys):
    out = tmp_path / "out"
    run(config, out)
    capsys.readouterr()
    (out / "sweep.json").write_text("{")
    assert run(config, out) == 3
    assert "sweep.json: damaged" in said(capsys)
    assert run(config, tmp_path / "absent", "--check") == 3


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("seeds", "sedes", "flatproof: grid: got 'sedes'; allowed: .*; nearest: seeds"),
        ("rho = 0.1", "rho = nan", r"flatproof: grid.rho\[0\]: got nan; allowed: a finite number"),
        ('"linear"', '"linnear"', "flatproof: problem.name: got 'linnear'.*nearest: linear"),
        ("d = 3", "dd = 3", "flatproof: problem.dd: got 3; .*nearest: d"),
        ("[run]", "[run", "flatproof: config: got not TOML"),
    ],
)
def test_a_mistake_in_the_file_is_one_line_and_exit_2(config, tmp_path, capsys, old, new, told):
    config.write_text(CONFIG.replace(old, new))
    assert run(config, tmp_path / "out") == 2
    assert re.match(told, said(capsys))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--workers", "-1"), "--workers: got '-1'"),
        (("--workers", "two"), "--workers: got 'two'"),
        (("--partition", "short"), "--partition: got 'short'; allowed: only with --slurm"),
        (("--slurm",), "workers: got 0; allowed: how many jobs"),
        (("--workers", "2", "--scheduler", "tcp://127.0.0.1:1"), "scheduler"),
        (("--check", "--zarr", "x"), "--zarr: got 'x'"),
        (("--nonsense",), "--nonsense"),
    ],
)
def test_a_mistake_on_the_command_line_is_one_line_and_exit_2(
    config, tmp_path, capsys, words, told
):
    assert run(config, tmp_path / "out", *words) == 2
    assert told in said(capsys)


def test_another_configuration_for_the_folder_is_exit_2(stand_in, config, tmp_path, capsys):
    run(config, tmp_path / "out")
    config.write_text(CONFIG.replace("steps = 4", "steps = 8"))
    capsys.readouterr()
    assert run(config, tmp_path / "out") == 2
    assert "run.steps: got 8; allowed: 4, or another folder" in said(capsys)
    assert run(config, tmp_path / "out", "--check") == 2
    assert "CONFIG: got another one" in said(capsys)


def test_interrupted_it_says_how_to_go_on_and_does(stand_in, config, tmp_path, capsys, monkeypatch):
    whole, left = engine.simulate, [3]

    def interrupted(*args, **how):
        left[0] -= 1
        if left[0] == 0:
            signal.raise_signal(signal.SIGINT)
        return whole(*args, **how)

    with monkeypatch.context() as patch:
        patch.setattr(engine, "simulate", interrupted)
        assert run(config, tmp_path / "out") == 130
    captured = capsys.readouterr()
    assert captured.err.splitlines()[-1] == (
        f"flatproof: interrupted: what is done stays in {tmp_path / 'out'}; "
        "the same command goes on from there"
    )
    assert run(config, tmp_path / "out") == 0
    assert capsys.readouterr().err.splitlines()[0] == "6 of 36 runs were there"


def test_an_interrupt_that_python_dropped_is_raised_at_the_next_block():
    watch = lines(lambda: 0.0)
    before = signal.getsignal(signal.SIGINT)
    watch.begin(0, 10)
    with _heard(watch):
        watch.advance(1)
        with pytest.raises(KeyboardInterrupt):  # as if within a __del__, where it is dropped
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            watch.advance(1)
    assert signal.getsignal(signal.SIGINT) is before


def test_lines_come_every_ten_seconds_and_count_what_is_new(capsys):
    now = [0.0]
    watch = lines(lambda: now[0])
    watch.begin(400, 1000)
    for now[0] in (4.0, 8.0, 12.0, 16.0):
        watch.advance(120)
    now[0] = 20.0
    watch.advance(120)
    assert capsys.readouterr().err.splitlines() == [
        "400 of 1000 runs were there",
        "760 of 1000 runs, 30.0 runs/s, 0:00:08 left",  # 360 new ones in 12 s
        "1000 of 1000 runs, 30.0 runs/s, 0:00:00 left",
    ]


def test_a_terminal_shows_a_bar_with_count_and_rate():
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TextColumn

    now, screen = [0.0], io.StringIO()
    console = Console(file=screen, force_terminal=True, width=80)
    columns = (MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
    with Progress(*columns, console=console, auto_refresh=False) as progress:
        watch = bar(progress, lambda: now[0])
        watch.begin(100, 500)
        now[0] = 2.0
        watch.advance(300)
        watch.say("Computed again: [brackets]")
        progress.refresh()
    shown = screen.getvalue()
    assert "400/500" in shown and "150.0 runs/s" in shown
    assert "Computed again: [brackets]" in shown


def test_a_zarr_store_is_written_on_request(stand_in, config, tmp_path, capsys):
    target = tmp_path / "sweep.zarr"
    assert run(config, tmp_path / "out", "--zarr", str(target)) == 0
    assert f"{target}: written as Zarr and compared" in capsys.readouterr().out
    assert (target / "zarr.json").exists()
    assert run(config, tmp_path / "out", "--zarr", str(target)) == 2


def test_a_job_without_slurm_is_exit_2(config, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run(config, tmp_path / "out", "--slurm", "--workers", "1", "--time", "00:05:00") == 2
    assert "no sbatch on this machine" in capsys.readouterr().err.splitlines()[-1]


def test_ctrl_c_ends_a_sweep_with_workers_without_a_traceback(config, tmp_path):
    """As a terminal does, it is sent to all processes of the group."""
    config.write_text(CONFIG.replace("seeds = 6", "seeds = 200000").replace("= 4", "= 400"))
    command = [sys.executable, "-m", "proofs_check", "simulate", str(config)]
    process = subprocess.Popen(
        [*command, "--out", str(tmp_path / "out"), "--workers", "1"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr.readline() == "0 of 1200000 runs were there\n"
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == 130
    assert errors.count("\n") == 1 and errors.startswith("flatproof: interrupted")

"""The figures of a sweep show what its store holds, beside what is exact for its own batches."""

import numpy as np
import pytest

from proofs_check import pictures
from proofs_check.pictures import overall_rate
from sims.store import open_sweep
from sims.sweep import sweep
from theory.core import InputError
from theory.problems._build import problem
from theory.problems.quadratic import quadratic
from theory.stability.report import analyse

CONFIG = {
    "problem": {"name": "linear", "n": 3, "d": 4},
    "grid": {
        "optimizer": ["sgd", "usam", "sam"],
        "lr": [0.05, 0.1, 0.4],
        "rho": [0.1, 0.3],
        "batch": [2, 1],
        "seeds": 3,
    },
    "run": {"steps": 40, "every": 10, "record": ["loss"]},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("sweep")
    sweep(CONFIG, out=path)
    return path


def test_loss_curves_and_a_phase_diagram_for_each_optimizer_with_a_radius(folder):
    files = pictures.draw(folder)
    names = {file.name for file in files}
    assert names == {"loss_curves.svg", "phase_diagram_usam.svg", "phase_diagram_sam.svg"}
    curves, usam, sam = (
        (folder / "pictures" / name).read_text()
        for name in sorted(names)[:1] + ["phase_diagram_usam.svg", "phase_diagram_sam.svg"]
    )
    assert (
        "sgd: r(T)^t" in curves
        and "usam: r(T)^t" in curves
        and "sam: r(T)" not in curves.replace("usam: r(T)", "")
    )
    assert "batch = 2" in curves and "batch = 2" in usam
    assert "mean-square edge, exact" in usam and "mean-square edge" not in sam


def test_the_edges_are_those_of_a_minimum_with_the_same_hessians_and_batches(folder):
    data, _ = pictures._plane(open_sweep(folder))
    minimum = quadratic(factors=problem("linear", n=3, d=4).rows[:, None, :])
    for rho in (0.1, 0.3):
        edges = pictures._exact_edges(data, "usam", rho)
        report = analyse(minimum, optimizer="usam", rho=rho, batch=2)
        assert (
            report.mean_square.lower <= edges["mean-square edge, exact"] <= report.mean_square.upper
        )
        assert edges["mean edge, exact"] == pytest.approx(report.mean, rel=1e-12)  # d EPS


def test_the_overall_rate_by_hand():
    steps = np.array([0, 2, 4])
    loss = np.array([[1.0, 0.25, 0.0625], [1.0, 4.0, np.inf], [1.0, 0.01, 0.0], [0.0, 0.0, 0.0]])
    assert np.allclose(overall_rate(loss, steps), [0.5, 2.0, 0.1, 1.0], rtol=1e-14)


def test_a_sweep_without_loss_has_no_pictures(tmp_path):
    config = CONFIG | {"run": {"steps": 10, "every": 10, "record": ["x_norm"]}}
    sweep(config, out=tmp_path)
    with pytest.raises(InputError, match="--pictures"):
        pictures.draw(tmp_path)

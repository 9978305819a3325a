"""docs/your_minimum.md is true: its JAX lines run here, its PyTorch lines in `make soak`."""

import re
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from theory.stability.network import NotAMinimum, from_jax

DOC = (Path(__file__).parents[2] / "docs" / "your_minimum.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"```python\n# (.*?)\n(.*?)```", DOC, re.DOTALL))


def run(names, **given):
    for name in names:
        exec(compile(BLOCKS[name], f"docs/your_minimum.md, {name}", "exec"), given)
    return given


def test_every_block_of_the_page_has_a_test():
    assert DOC.count("```python") == len(BLOCKS)
    assert set(BLOCKS) == {
        "jax",
        "torch, both losses",
        "torch, squared loss",
        "torch, cross-entropy",
        "torch, the file",
    }


def test_the_lines_for_jax_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(4, 6))
    given = {"model": lambda x, rows: rows @ x, "params": np.ones(6), "inputs": rows}
    run(["jax"], **given, targets=rows.sum(1))
    assert capsys.readouterr().out.startswith("True ")
    with np.load("minimum.npz") as saved:
        assert (saved["jacobian"] == rows).all()


def test_every_key_of_the_table_is_written_by_the_jax_route():
    keys = set(re.findall(r"^\| `(\w+)` \|", DOC, re.MULTILINE))
    rng = np.random.default_rng(0)
    rows, written = rng.normal(size=(4, 6)), set()
    for x, targets in [(np.ones(6), rows.sum(1)), (np.ones((2, 6)), rows.sum(1)[:, None] * [1, 1])]:
        for gram_only in (False, True):
            how = {"gram_only": gram_only, "weights": [1, 2, 3, 4]}
            written |= set(from_jax(lambda x, r: r @ x.T, x, rows, targets, **how).arrays())
    with pytest.warns(NotAMinimum):
        written |= set(from_jax(lambda x, r: r @ x, np.ones(6), rows, rows.sum(1) + 1).arrays())
    assert keys == written


@pytest.mark.soak
@pytest.mark.parametrize("loss", ["squared", "cross-entropy"])
def test_the_lines_for_torch_give_what_the_jax_route_gives(tmp_path, monkeypatch, loss):
    torch = pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(5, 7), torch.nn.Tanh(), torch.nn.Linear(7, 3))
    inputs, targets, labels = torch.randn(6, 5), torch.randn(6, 3), torch.tensor([0, 1, 2, 0, 1, 2])
    names = ["torch, both losses", f"torch, {loss}{' loss' * (loss == 'squared')}"]
    run([*names, "torch, the file"], model=model, inputs=inputs, targets=targets, labels=labels)
    params = [p.detach().numpy() for p in model.parameters()]  # in torch's order and layout

    def same(params, x):
        W, b, A, c = params
        return jnp.tanh(x @ W.T + b) @ A.T + c

    y = targets.numpy() if loss == "squared" else labels.numpy()
    with pytest.warns(NotAMinimum):
        found = from_jax(same, params, inputs.numpy(), y, loss=loss)
    with np.load("minimum.npz") as saved:
        # 1e-12: double precision on both sides, some ten operations an entry
        for name in ("factors", "gradients"):
            ours = getattr(found, name)
            assert saved[name].dtype == np.float64
            assert np.abs(saved[name] - ours).max() <= 1e-12 * np.abs(ours).max()

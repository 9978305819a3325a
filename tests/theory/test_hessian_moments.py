"""Moments from factors are those of the Hessians themselves, whichever form they come in."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory import moments
from theory.stability import hessian_moments
from theory.stability.hessian_moments import moment, summary
from theory.stability.minimum import minimum
from theory.stability.steps import reduced

SEEDS = st.integers(0, 2**32 - 1)


def family(seed: int, k: int):
    rng = np.random.default_rng(seed)
    n, d = rng.integers(1, 6), rng.integers(1, 7)
    F = rng.normal(size=(n, k, d)) * np.exp(rng.normal(size=(n, 1, 1)) / 2)
    w = rng.uniform(0.1, 1, n)
    return F, w / w.sum()


def dense(F: np.ndarray, w: np.ndarray) -> dict[str, float]:
    H = np.swapaxes(F, 1, 2) @ F
    return (
        {"a": moments.sharpness(H, w)}
        | {f"s{k}": moments.nonuniformity(H, w, k) for k in (2, 3, 4)}
        | {f"M{k}": moments.largest(moments.hessian_moments(H, w, k)) for k in (2, 3, 4)}
    )


@pytest.mark.parametrize("limit", [hessian_moments.DENSE, 0])
@settings(max_examples=40)
@given(SEEDS, st.integers(1, 3))
def test_the_summary_is_that_of_the_dense_moments(limit, seed, k):
    F, w = family(seed, k)
    expected = dense(F, w)
    forms = [{"factors": F}, {"hessians": np.swapaxes(F, 1, 2) @ F}]
    if k == 1:
        forms += [{"jacobian": F[:, 0]}, {"gram": F[:, 0] @ F[:, 0].T}]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hessian_moments, "DENSE", limit)
        found = [summary(minimum(weights=w, **form)) for form in forms]
    for ours in found:
        assert list(ours) == list(expected)
        for name, value in expected.items():
            order = int(name[1]) if name != "a" else 1
            # s_k^k is a difference of moments of size M_k
            size = expected[f"M{order}"] if order > 1 else expected["a"]
            assert ours[name] ** order == pytest.approx(
                value**order, rel=1e-10, abs=1e-12 * size
            ) or (name[0] == "M" and ours[name] == pytest.approx(value, rel=1e-11))


@settings(max_examples=40)
@given(SEEDS, st.integers(1, 3), st.integers(1, 4))
def test_each_moment_is_its_dense_one_turned(seed, k, order):
    F, w = family(seed, k)
    M = moment(reduced(minimum(factors=F, weights=w)), order)
    expected = moments.hessian_moments(np.swapaxes(F, 1, 2) @ F, w, order)
    values = np.linalg.eigvalsh(expected)
    assert np.linalg.eigvalsh(M) == pytest.approx(values[-len(M) :], abs=1e-12 * values[-1])
    assert np.abs(values[: -len(M)]).max(initial=0) <= 1e-12 * values[-1]


def test_rows_by_hand():
    """Rows (0,1), (1,-1), (1,1), theory.md section 3: H = diag(2/3, 1), eta = 11/10 gives 242/225."""
    found = summary(minimum(jacobian=[[0, 1], [1, -1], [1, 1]]))
    assert found["a"] == pytest.approx(1)
    assert 1.21 * found["s2"] ** 2 == pytest.approx(242 / 225)


@pytest.mark.parametrize("limit", [hessian_moments.DENSE, 0])
def test_samples_that_agree_have_no_nonuniformity(limit, monkeypatch):
    monkeypatch.setattr(hessian_moments, "DENSE", limit)
    F = np.random.default_rng(0).normal(size=(1, 2, 3))
    found = summary(minimum(factors=np.repeat(F, 7, axis=0)))
    assert found["s2"] == found["s3"] == found["s4"] == 0
    assert found["M2"] == pytest.approx(found["a"] ** 2)
    assert set(summary(minimum(jacobian=np.zeros((2, 3)))).values()) == {0.0}


def test_preconditioner_and_gradients_do_not_matter():
    F, w = family(1, 2)
    d = F.shape[-1]
    given_all = minimum(
        factors=F, weights=w, preconditioner=np.arange(1, d + 1.0), gradients=F[:, 0]
    )
    assert summary(given_all) == summary(minimum(factors=F, weights=w))


def test_forgotten_weights_are_seen(monkeypatch):
    F, w = family(5, 2)
    expected = dense(F, w)
    equal = np.full(len(w), 1 / len(w))
    assert len(w) > 1
    monkeypatch.setattr(hessian_moments, "DENSE", 0)
    assert summary(minimum(factors=F, weights=w))["s2"] == pytest.approx(expected["s2"], rel=1e-10)
    assert abs(summary(minimum(factors=F, weights=equal))["s2"] / expected["s2"] - 1) > 1e-3

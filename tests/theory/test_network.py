"""Gauss-Newton factors of a JAX model, held to hand-written derivatives and dense Hessians."""

import math
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares
from scipy.sparse.linalg import aslinearoperator
from sklearn.datasets import load_digits

from theory.core import InputError
from theory.stability import network
from theory.stability.network import NotAMinimum, NotInterpolating, from_jax
from theory.stability.network_minimum import DENSE, EIGENVALUE, spectral_norm

CLOSE = 1e-12  # relative; some hundred double-precision operations each
pytestmark = pytest.mark.filterwarnings("ignore::theory.stability.network.NotInterpolating")


def tanh_network(params, inputs):
    W, b, A = params
    return jnp.tanh(inputs @ W.T + b) @ A.T


def linear(params, inputs):
    return inputs @ params.T


def random_network(seed, *, d=3, width=4, k=None, n=6, loss="squared"):
    """Parameters, inputs, targets; k None: one output without an axis of its own."""
    rng = np.random.default_rng(seed)
    last = (width,) if k is None else (k, width)
    params = [rng.normal(size=(width, d)), rng.normal(size=width), rng.normal(size=last)]
    shape = (n,) if k is None else (n, k)
    targets = rng.normal(size=shape) if loss == "squared" else rng.integers(k, size=n)
    return params, rng.normal(size=(n, d)), targets


def flattened(params):
    return np.concatenate([np.ravel(part) for part in params])


def unflattened(x, params):
    ends = np.cumsum([part.size for part in params])[:-1]
    return [p.reshape(q.shape) for p, q in zip(jnp.split(x, ends), params, strict=True)]


def sample_loss(z, y, loss):
    if loss == "squared":
        return ((z - y) ** 2).sum() / 2
    return jnp.log(jnp.exp(z).sum()) - z[y]


def tanh_jacobian(params, inputs):
    """(n, P) of one output, written by hand: df/dW_jl = a_j (1 - h_j^2) x_l, and so on."""
    W, b, a = params
    h = np.tanh(inputs @ W.T + b)
    slope = a * (1 - h**2)
    return np.hstack([np.einsum("nj,nl->njl", slope, inputs).reshape(len(h), -1), slope, h])


def dense(model, params, inputs, targets, loss):
    """Hessians (n, P, P) and gradients (n, P) of the samples' losses, and the Hessians' second part.

    That is sum_j e_j Hess z_j with e_j = df/dz_j by hand, so that H_i is what is left.
    """

    def out(x, one):
        return jnp.atleast_1d(model(unflattened(x, params), one[None])[0])

    def of_sample(x, one, y):
        def f(x):
            return sample_loss(out(x, one), y, loss)

        z = out(x, one)
        s = jnp.exp(z) / jnp.exp(z).sum()
        e = z - y if loss == "squared" else s - (jnp.arange(len(z)) == y)
        second = jnp.tensordot(e, jax.hessian(out)(x, one), 1)
        return jax.hessian(f)(x), jax.grad(f)(x), second

    every = jax.jit(jax.vmap(of_sample, in_axes=(None, 0, 0)))
    return [np.asarray(part) for part in every(flattened(params), inputs, targets)]


def disagreements(found, hessians, gradients, beyond):
    """The names of whatever is not what the dense route says."""
    scale = np.abs(hessians).max()
    F, mean = found.factors, np.tensordot(found.weights, beyond, 1)
    products = found.left_out @ np.eye(len(mean))
    pairs = {
        "H_i": (F.transpose(0, 2, 1) @ F, hessians - beyond, scale),
        "g_i": (found.gradients, gradients, np.abs(gradients).max()),
        "|g_i|": (found.gradient_norms, np.linalg.norm(gradients, axis=1), np.abs(gradients).max()),
        "mean g": (
            found.mean_gradient_norm,
            np.linalg.norm(found.weights @ gradients),
            np.abs(gradients).max(),
        ),
        "left out": (products, mean, scale),
    }
    return {
        name
        for name, (ours, theirs, size) in pairs.items()
        if np.abs(ours - theirs).max() > 100 * CLOSE * size
    }


CASES = [
    ("squared", None, None),
    ("squared", 3, [1, 2, 3, 4, 5, 6]),
    ("cross-entropy", 2, None),
    ("cross-entropy", 3, [3, 1, 1, 1, 2, 1]),
]


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}, {case[1] or 1} outputs")
def case(request):
    loss, k, weights = request.param
    setting = random_network(1, k=k, loss=loss)
    return setting, {"loss": loss, "weights": weights}


def test_the_jacobian_is_the_hand_written_one_and_that_of_finite_differences():
    params, inputs, targets = random_network(0)
    found = from_jax(tanh_network, params, inputs, targets).jacobian
    by_hand = tanh_jacobian(params, inputs)
    assert np.abs(found - by_hand).max() <= CLOSE * np.abs(by_hand).max()
    x, h = flattened(params), 1e-6  # central: error h^2, rounding eps/h, both near 1e-10
    moved = [
        [tanh_network(unflattened(x + s * h * unit, params), inputs) for s in (1, -1)]
        for unit in np.eye(len(x))
    ]
    differences = np.array([(up - down) / (2 * h) for up, down in moved]).T
    assert np.abs(found - differences).max() <= 1e-8 * np.abs(by_hand).max()


def test_factors_and_gradients_are_those_of_dense_hessians(case):
    (params, inputs, targets), how = case
    found = from_jax(tanh_network, params, inputs, targets, **how)
    assert not disagreements(found, *dense(tanh_network, params, inputs, targets, how["loss"]))
    if how["loss"] == "squared":  # |J'r| <= |J| |r|
        misfits = np.linalg.norm(found.residuals, axis=1)
        assert (found.output_shifts <= misfits * (1 + CLOSE)).all()


FAULTS = {
    "the sign of what is left out": (lambda B, w, e: (B, w, -e), {"left out"}),
    "nothing left out": (lambda B, w, e: (B, w, 0 * e), {"left out"}),
    "the sign of gradients": (lambda B, w, e: (B, -w, e), {"g_i"}),
    "means over samples": (
        lambda B, w, e: (B / math.sqrt(6), w, e),
        {"H_i", "g_i", "|g_i|", "mean g"},
    ),
    "one row of the factor": (
        lambda B, w, e: (B.at[0].set(0), w, e),
        {"H_i", "g_i", "|g_i|", "mean g"},
    ),
}


@pytest.mark.parametrize(("fault", "seen"), FAULTS.values(), ids=FAULTS)
def test_a_planted_fault_is_seen(monkeypatch, fault, seen):
    params, inputs, targets = random_network(1, k=3, loss="cross-entropy")
    right = network._softmax_factor
    monkeypatch.setattr(network, "_softmax_factor", lambda z, y: fault(*right(z, y)))
    found = from_jax(tanh_network, params, inputs, targets, loss="cross-entropy")
    truth = dense(tanh_network, params, inputs, targets, "cross-entropy")
    assert disagreements(found, *truth) == seen


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.integers(2, 5), st.floats(0, 6))
def test_the_softmax_factor_has_rank_k_minus_1_and_its_square_is_the_hessian(seed, k, spread):
    z = spread * np.random.default_rng(seed).normal(size=k)
    B, w, e = map(np.asarray, jax.jit(network._softmax_factor)(z, seed % k))
    s = np.exp(z) / np.exp(z).sum()
    assert np.abs(B.T @ B - (np.diag(s) - np.outer(s, s))).max() <= CLOSE
    assert np.abs(B.sum(1)).max() <= CLOSE  # constants alone are in its kernel:
    smallest = np.linalg.svd(B, compute_uv=False)[-2]
    # v'(diag s - ss')v = min_c sum s (v - c)^2 >= min s for unit v with mean zero
    assert smallest**2 >= s.min() * (1 - CLOSE) - CLOSE
    loss = -np.log(s[seed % k])
    assert np.abs(B.T @ w - e).max() <= CLOSE
    assert w @ w == pytest.approx(np.expm1(loss), rel=1e-9)


@pytest.mark.parametrize("gap", [0.0, 5.0, 45.0, 200.0, 600.0])
def test_two_classes_keep_full_precision_however_small_the_loss(gap):
    """H = s_0 s_1 d d', s_0 s_1 = 1 / (2 + 2 cosh gap), while s_0 rounds to one past a gap of 37."""
    found = from_jax(linear, np.array([[gap], [0.0]]), [[1.0]], [0], loss="cross-entropy")
    H = found.factors[0].T @ found.factors[0]
    curvature = 1 / (2 + 2 * math.cosh(gap))
    d = np.array([1.0, -1.0])
    assert H == pytest.approx(curvature * np.outer(d, d), rel=1e-12, abs=0)
    assert found.gradients[0] == pytest.approx(-d / (1 + math.exp(gap)), rel=1e-12, abs=0)


@pytest.mark.parametrize("gap", [5.0, 45.0, 600.0])
def test_what_is_left_out_keeps_full_precision_however_small_the_loss(gap):
    """z_j = x_j^2 / 2 leaves out diag(e), e = (-1, 1) / (1 + exp gap); 1 - s_0 would round to 0."""
    x = np.array([math.sqrt(2 * gap), 0.0])
    found = from_jax(lambda p, ones: ones * p**2 / 2, x, [[1.0]], [0], loss="cross-entropy")
    error = 1 / (1 + math.exp(gap))
    # exp gap is read from a square root's square: 600 eps at the largest
    assert found.left_out @ np.eye(2) == pytest.approx(error * np.diag([-1, 1]), rel=1e-11, abs=0)
    assert found.beyond_gauss_newton == pytest.approx(error, rel=1e-11, abs=0)


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.floats(0.1, 30))
def test_cross_entropy_of_two_classes_never_interpolates(seed, spread):
    """g = (1 - s_y) d and H = s_y (1 - s_y) dd' with |d| <= sqrt 2 |J|: a shift of 1/sqrt 2."""
    params, inputs, targets = random_network(seed, k=2, n=3, loss="cross-entropy")
    params[2] = params[2] * spread
    found = from_jax(tanh_network, params, inputs, targets, loss="cross-entropy")
    assert (found.output_shifts >= math.sqrt(0.5) * (1 - 1e-9)).all()
    assert not found.interpolates


@pytest.mark.parametrize("width", [4, 25])
@pytest.mark.parametrize("loss", ["squared", "cross-entropy"])
def test_what_the_factors_leave_out_is_the_dense_difference(loss, width):
    params, inputs, targets = random_network(2, k=3, width=width, loss=loss)
    how = {"loss": loss, "weights": [3, 1, 1, 1, 2, 1]}
    assert (flattened(params).size > DENSE) == (width == 25)  # Lanczos, or all columns
    found = from_jax(tanh_network, params, inputs, targets, **how)
    hessians, _, _ = dense(tanh_network, params, inputs, targets, how["loss"])
    F, p = found.factors, found.weights
    gauss_newton = np.einsum("n,nka,nkb->ab", p, F, F)
    left = np.tensordot(p, hessians, 1) - gauss_newton
    norm, top = np.linalg.norm(left, 2), np.linalg.norm(gauss_newton, 2)
    assert found.beyond_gauss_newton == pytest.approx(norm, rel=2 * EIGENVALUE)
    assert found.sharpness == pytest.approx(top, rel=2 * EIGENVALUE)
    assert found.beyond_ratio == found.beyond_gauss_newton / found.sharpness


@pytest.mark.parametrize(("loss", "k"), [("squared", 2), ("cross-entropy", 3)])
def test_a_linear_model_leaves_out_nothing(loss, k):
    rng = np.random.default_rng(3)
    inputs, W = rng.normal(size=(5, 60)), rng.normal(size=(k, 60))
    targets = rng.normal(size=(5, k)) if loss == "squared" else rng.integers(k, size=5)
    found = from_jax(linear, W, inputs, targets, loss=loss)
    assert found.beyond_gauss_newton == 0.0 == found.beyond_ratio
    assert found.mean_gradient_norm > 0.1


def test_a_network_at_its_own_outputs_interpolates_and_leaves_out_nothing():
    params, inputs, _ = random_network(4, width=30)
    targets = np.asarray(tanh_network(params, inputs))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = from_jax(tanh_network, params, inputs, targets)
    assert found.interpolates and found.stationary and found.complaint() is None
    assert found.beyond_ratio <= 1e-14
    assert set(found.arrays()) == {"jacobian"}


@pytest.mark.parametrize("size", [1e-3 * 0.99, 1e-3 * 1.01])
def test_interpolation_is_judged_relative_to_the_targets(size):
    """One output: the shift is the residual, so a common residual r passes up to r = 1e-3 rms."""
    params, inputs, _ = random_network(4)
    for unit in (1e-6, 1.0, 1e6):
        scaled = [params[0], params[1], unit * params[2]]
        outputs = np.asarray(tanh_network(scaled, inputs))
        targets = outputs + size * np.sqrt((outputs**2).mean())
        found = from_jax(tanh_network, scaled, inputs, targets)
        assert found.output_shifts == pytest.approx(np.abs(outputs - targets), rel=1e-9)
        assert found.interpolates == (size < 1e-3)
        assert found.stationary == found.interpolates  # residuals of one sign: nothing cancels


def test_a_minimum_that_does_not_interpolate_is_told_from_no_minimum():
    rng = np.random.default_rng(5)
    inputs, targets, p = rng.normal(size=(12, 3)), rng.normal(size=12), rng.uniform(1, 2, size=12)
    root = np.sqrt(p)
    x = np.linalg.lstsq(root[:, None] * inputs, root * targets)[0]
    with pytest.warns(NotInterpolating, match="outputs are up to") as said:
        found = from_jax(linear, x, inputs, targets, weights=p)
    assert [warning.category for warning in said] == [NotInterpolating]
    assert said[0].filename == __file__
    assert found.stationary and not found.interpolates
    arrays = found.arrays()
    assert set(arrays) == {"jacobian", "gradients", "weights"}
    assert arrays["weights"] == pytest.approx(p / p.sum())
    assert arrays["gradients"] == pytest.approx((inputs @ x - targets)[:, None] * inputs)
    with pytest.warns(NotAMinimum, match=r"0\.\d+ of the samples' own"):
        from_jax(linear, x + 0.5, inputs, targets, weights=p)
    with pytest.warns(NotAMinimum):  # unweighted, the minimum is elsewhere
        from_jax(linear, x, inputs, targets)


def test_contradictory_labels_make_a_minimum_of_cross_entropy():
    """Labels 0, 0, 1 at one input: at the minimum softmax is (2/3, 1/3)."""
    found = from_jax(
        linear, np.array([[math.log(2)], [0.0]]), np.ones((3, 1)), [0, 0, 1], loss="cross-entropy"
    )
    assert found.stationary and not found.interpolates
    assert found.gradients == pytest.approx(np.array([[-1, 1], [-1, 1], [2, -2]]) / 3)


@pytest.mark.parametrize("chunk", [1, 2, 4, 100])
def test_the_gram_matrix_is_that_of_the_factors_whatever_the_chunks(case, chunk):
    (params, inputs, targets), how = case
    whole = from_jax(tanh_network, params, inputs, targets, **how)
    small = from_jax(tanh_network, params, inputs, targets, chunk=chunk, **how, gram_only=True)
    rows = whole.factors.reshape(whole.residuals.size, -1)
    K = rows @ rows.T
    size = np.abs(K).max()
    assert whole.gram == pytest.approx(K, abs=CLOSE * size)
    assert small.full is None
    assert small.gram == pytest.approx(K, abs=CLOSE * size)
    root = small.factors.reshape(len(K), -1)
    assert root.shape[1] <= min(len(K), flattened(params).size)  # cross-entropy: n (k - 1)
    assert root @ root.T == pytest.approx(K, abs=100 * CLOSE * size)
    g, h = whole.gradients, small.gradients
    assert h @ h.T == pytest.approx(g @ g.T, abs=100 * CLOSE * np.abs(g @ g.T).max())
    for name in ("gradient_norms", "mean_gradient_norm", "output_shifts", "sharpness"):
        assert getattr(small, name) == pytest.approx(getattr(whole, name), rel=1e-6)


@pytest.mark.parametrize("n", [6, 150])
def test_the_sharpness_is_that_of_the_mean_whichever_side_is_shorter(n):
    params, inputs, targets = random_network(6, n=n, width=22)  # 110 parameters: Lanczos
    weights = np.linspace(1, 2, n) / np.linspace(1, 2, n).sum()
    J = tanh_jacobian(params, inputs)
    top = np.linalg.eigvalsh((J.T * weights) @ J)[-1]
    for gram_only in (False, True):
        how = {"weights": weights, "gram_only": gram_only}
        found = from_jax(tanh_network, params, inputs, targets, **how)
        assert found.sharpness == pytest.approx(top, rel=2 * EIGENVALUE)


@pytest.mark.parametrize("size", [1, 4])
def test_the_parts_of_a_hessian_product_do_not_show(case, monkeypatch, size):
    (params, inputs, targets), how = case
    whole = from_jax(tanh_network, params, inputs, targets, **how).left_out
    monkeypatch.setattr(network, "PRODUCT_SAMPLES", size)
    parts = from_jax(tanh_network, params, inputs, targets, **how).left_out
    v = np.ones(flattened(params).size)
    assert parts @ v == pytest.approx(whole @ v, abs=100 * CLOSE * np.abs(whole @ v).max())


def test_the_gram_matrix_is_kept_alone_where_all_factors_are_many(monkeypatch):
    params, inputs, targets = random_network(6, k=2)
    assert from_jax(tanh_network, params, inputs, targets).full is not None
    monkeypatch.setattr(network, "MOST_ENTRIES", 100)
    assert from_jax(tanh_network, params, inputs, targets).full is None
    assert from_jax(tanh_network, params, inputs, targets, gram_only=False).full is not None
    params, inputs, targets = random_network(6, n=60)  # more rows than parameters
    assert from_jax(tanh_network, params, inputs, targets).full is not None


def test_an_interpolating_minimum_known_by_its_gram_matrix_needs_nothing_else():
    params, inputs, _ = random_network(4)
    targets = np.asarray(tanh_network(params, inputs))
    found = from_jax(tanh_network, params, inputs, targets, gram_only=True)
    assert set(found.arrays()) == {"gram"}
    elsewhere = from_jax(tanh_network, params, inputs, targets + 1, gram_only=True).arrays()
    assert set(elsewhere) == {"jacobian", "gradients"}
    assert elsewhere["gradients"] == pytest.approx(-elsewhere["jacobian"])


@settings(max_examples=10)
@given(st.integers(0, 10**6), st.integers(1, 8), st.sampled_from([None, 2]))
def test_neither_the_pytree_nor_the_chunks_change_anything(seed, chunk, k):
    params, inputs, targets = random_network(seed, k=k)
    W, b, A = params

    def nested(tree, x):
        return tanh_network((tree["a"][0], jnp.array(tree["a"][1]), tree["b"]), x)

    plain = from_jax(tanh_network, params, inputs, targets)
    tree = {"b": jnp.asarray(A), "a": (W, b.tolist())}  # one of its parts a list of scalars
    other = from_jax(nested, tree, inputs, targets, chunk=chunk)
    for name in ("factors", "gradients"):
        ours, theirs = getattr(other, name), getattr(plain, name)
        assert ours == pytest.approx(theirs, abs=CLOSE * np.abs(theirs).max())


def test_whole_numbers_and_single_precision_become_double():
    rng = np.random.default_rng(7)
    params, inputs, targets = random_network(7)
    single = [part.astype(np.float32) for part in params]
    found = from_jax(tanh_network, single, inputs.astype(np.float32), targets)
    again = from_jax(
        tanh_network,
        [part.astype(float) for part in single],
        inputs.astype(np.float32).astype(float),
        targets,
    )
    assert found.jacobian.dtype == float and (found.jacobian == again.jacobian).all()
    whole = from_jax(linear, np.arange(3), inputs, targets)
    assert (whole.jacobian == inputs).all()
    table, words = rng.normal(size=(5, 2)), np.array([0, 3, 3])  # integers stay integers
    found = from_jax(lambda t, i: t[i].sum(-1), table, words, np.zeros(3))
    assert (found.jacobian.reshape(3, 5, 2) == (np.arange(5) == words[:, None])[..., None]).all()


def test_more_outputs_than_parameters_are_differentiated_forwards(monkeypatch):
    monkeypatch.setattr(jax, "jacrev", None)
    found = from_jax(lambda a, x: a * x, 2.0, np.ones((2, 3)) * [1, 2, 3], np.zeros((2, 3)))
    assert (found.factors[:, :, 0] == [1, 2, 3]).all()
    assert found.gradients == pytest.approx(28)  # 2 (1 + 4 + 9)


def digits_residuals(images, targets, width):
    """A two-layer tanh network's residuals and Jacobian at a flat vector, in NumPy."""
    shapes = [(width, images.shape[1]), (width,), (width,)]
    ends = np.cumsum([math.prod(shape) for shape in shapes])

    def params(x):
        parts = np.split(x, ends[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]

    def residuals(x):
        W, b, a = params(x)
        return np.tanh(images @ W.T + b) @ a - targets

    return params, residuals, lambda x: tanh_jacobian(params(x), images), int(ends[-1])


def test_digits_trained_to_interpolation_pass_and_untrained_ones_warn(tmp_path):
    digits = load_digits()
    images, targets = digits.data[:20] / 16, (digits.target[:20] - 4.5) / 3
    params, residuals, jacobian, P = digits_residuals(images, targets, width=8)
    start = np.random.default_rng(8).normal(size=P) / 8
    with pytest.warns(NotAMinimum) as said:
        before = from_jax(tanh_network, params(start), images, targets)
    assert len(said) == 1
    assert before.beyond_ratio > 1e-3
    trained = params(least_squares(residuals, start, jacobian, ftol=1e-14, max_nfev=100).x)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = from_jax(tanh_network, trained, images, targets, out=tmp_path / "minimum.npz")
    assert found.interpolates
    assert found.beyond_ratio < before.beyond_ratio / 100
    with np.load(tmp_path / "minimum.npz") as saved:
        assert set(saved) == {"jacobian"}
        assert (saved["jacobian"] == found.jacobian).all()


@pytest.mark.parametrize("size", [3, DENSE + 50])
@pytest.mark.parametrize("unit", [1e-30, 1.0, 1e30])
@pytest.mark.parametrize("ends", [(-2.0, 1.0), (-1.0, 2.0), (-2.0, 2.0), (0.0, 2.0)])
def test_the_spectral_norm_is_the_end_farther_from_zero(size, unit, ends):
    rng = np.random.default_rng(9)
    values = np.concatenate([ends, rng.uniform(max(-1, ends[0]), 1, size - 2)])
    Q = np.linalg.qr(rng.normal(size=(size, size)))[0]
    matrix = aslinearoperator(unit * (Q * values) @ Q.T)
    assert spectral_norm(matrix) == pytest.approx(2 * unit, rel=2 * EIGENVALUE)


def test_the_spectral_norm_of_zero_is_zero():
    assert spectral_norm(aslinearoperator(np.zeros((DENSE + 50, DENSE + 50)))) == 0.0


def normalised(params, inputs):
    """Batch statistics: each output depends on all samples."""
    z = inputs @ params
    return z - z.mean()


GOOD = {"model": linear, "params": np.ones(2), "inputs": np.eye(2), "targets": np.zeros(2)}
LABELLED = GOOD | {"params": np.ones((3, 2)), "targets": [0, 2], "loss": "cross-entropy"}


@pytest.mark.parametrize(
    ("base", "change", "field"),
    [
        (GOOD, {"loss": "hinge"}, "loss"),
        (GOOD, {"params": []}, "params"),
        (GOOD, {"params": np.array([1.0, np.nan])}, "params"),
        (GOOD, {"params": np.array([1j, 1])}, "params"),
        (GOOD, {"params": np.array(["a", "b"])}, "params"),
        (GOOD, {"inputs": 1.0}, "inputs"),
        (GOOD, {"inputs": np.zeros((0, 2))}, "inputs"),
        (GOOD, {"inputs": [[1, np.inf], [0, 1]]}, "inputs"),
        (GOOD, {"targets": np.zeros(3)}, "targets"),
        (GOOD, {"targets": np.zeros((2, 1))}, "targets"),  # would broadcast to (2, 2)
        (GOOD, {"targets": [0, np.nan]}, "targets"),
        (GOOD, {"targets": ["a", "b"]}, "targets"),
        (GOOD, {"weights": [1, 1, 1]}, "weights"),
        (GOOD, {"weights": [1, 0]}, "weights"),
        (GOOD, {"weights": [1, np.nan]}, "weights"),
        (GOOD, {"chunk": 0}, "chunk"),
        (GOOD, {"chunk": 2.0}, "chunk"),
        (GOOD, {"chunk": True}, "chunk"),
        (GOOD, {"model": normalised, "params": [1.0, 2.0]}, "model"),
        (GOOD, {"model": lambda p, x: (x @ p).astype(jnp.float32)}, "model"),
        (GOOD, {"model": lambda p, x: (x @ p).sum()}, "model"),
        (GOOD, {"model": lambda p, x: x @ p + jnp.inf}, "model"),
        (GOOD, {"model": lambda p, x: jnp.sqrt(x @ p - 1)}, "model"),  # a slope of infinity
        (GOOD, {"model": lambda p, x: (x @ p)[:, None, None]}, "model"),
        (GOOD, {"loss": "cross-entropy", "targets": [0, 0]}, "model"),
        (
            LABELLED,
            {"params": 3000.0 * np.eye(3, 2)[::-1]},
            "model",
        ),  # a loss of 3000: e^-3000 is 0
        (LABELLED, {"targets": [0, 3]}, "targets"),
        (LABELLED, {"targets": [-1, 0]}, "targets"),
        (LABELLED, {"targets": [0.0, 1.0]}, "targets"),
        (LABELLED, {"targets": [[1, 0, 0], [0, 1, 0]]}, "targets"),
    ],
)
def test_a_mistake_is_named_by_its_argument(base, change, field):
    with pytest.raises(InputError) as said:
        from_jax(**base | change)
    assert said.value.field == field


def test_the_mistakes_are_made_from_good_settings():
    for base in (GOOD, LABELLED):
        assert from_jax(**base).factors.shape[0] == 2

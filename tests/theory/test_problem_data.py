"""The shared data: each purpose has its own stream, label noise is exact, bundled sets are scaled."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_digits

from theory.core import InputError
from theory.problems import _data


def test_streams_differ_by_seed_and_by_purpose():
    draws = [
        _data.stream(*key).normal(size=4) for key in ((0, "noise"), (1, "noise"), (0, "inputs"))
    ]
    assert np.array_equal(draws[0], _data.stream(0, "noise").normal(size=4))
    assert len({float(draw[0]) for draw in draws}) == 3


def test_gaussian_rows_have_the_promised_spectrum():
    n = 20_000
    rows = _data.gaussian(np.random.default_rng(0), n, 3, 100.0)
    covariance = rows.T @ rows / n
    # the relative error of a variance is sqrt(2/n); five of them
    assert np.allclose(np.diag(covariance), [1.0, 0.1, 0.01], rtol=5 * (2 / n) ** 0.5)
    assert abs(covariance[0, 2]) < 5 * (0.01 / n) ** 0.5


def test_a_single_direction_has_variance_one_whatever_the_condition():
    assert np.array_equal(
        _data.gaussian(np.random.default_rng(0), 5, 1, 9.0),
        np.random.default_rng(0).normal(size=(5, 1)),
    )


@pytest.mark.parametrize(("name", "shape"), [("digits", (1797, 64)), ("diabetes", (442, 10))])
def test_bundled_features_are_centred_and_share_one_scale(name, shape):
    features, _ = _data.bundled(name)
    raw = (load_digits if name == "digits" else load_diabetes)(return_X_y=True)[0]
    assert features.shape == shape
    assert np.abs(features.mean(axis=0)).max() < 1e-14
    assert (features**2).mean() == pytest.approx(1, rel=1e-14)
    scales = features.std(axis=0)[raw.std(axis=0) > 0] / raw.std(axis=0)[raw.std(axis=0) > 0]
    assert np.ptp(scales) < 1e-12 * scales[0]


def test_diabetes_comes_out_standardised_feature_by_feature():
    features, answers = _data.bundled("diabetes")
    assert np.allclose(features.std(axis=0), 1, rtol=1e-12)  # its bundled columns share a scale
    assert (answers.mean(), answers.std()) == (pytest.approx(0, abs=1e-15), pytest.approx(1))


def test_bundled_data_are_read_once_and_cannot_be_spoiled():
    features, _ = _data.bundled("digits")
    assert _data.bundled("digits")[0] is features
    with pytest.raises(ValueError, match="read-only"):
        features[0, 0] = 1.0
    _data.shuffled("digits", 0, 3)[0][0, 0] = 1.0  # a problem's own copy can be written


def test_a_larger_sample_keeps_the_smaller_one():
    small, large = _data.shuffled("diabetes", 3, 5), _data.shuffled("diabetes", 3, 9)
    assert np.array_equal(small[0], large[0][:5]) and np.array_equal(small[1], large[1][:5])
    everything = _data.shuffled("diabetes", 3, None)[1]
    assert np.array_equal(np.sort(everything), np.sort(_data.bundled("diabetes")[1]))


def test_more_than_there_is_cannot_be_had():
    with pytest.raises(InputError, match=r"^n: got 443; allowed: .* at most 442$"):
        _data.shuffled("diabetes", 0, 443)
    with pytest.raises(InputError, match=r"^held_out: got 221"):
        _data.shuffled("diabetes", 0, 1, 442)


@pytest.mark.parametrize("classes", [2, 10])
@pytest.mark.parametrize("noise", [0.0, 0.25, 0.6, 1.0])
def test_exactly_the_asked_fraction_of_labels_becomes_wrong(classes, noise):
    labels = np.random.default_rng(0).integers(0, classes, size=40)
    found = _data.blurred(labels, noise, classes, np.random.default_rng(1))
    assert (found != labels).sum() == round(40 * noise)
    assert found.min() >= 0 and found.max() < classes


def test_a_wrong_label_is_any_of_the_others_alike():
    labels = np.full(9000, 2)
    found = _data.blurred(labels, 1.0, 4, np.random.default_rng(0))
    counts = np.bincount(found, minlength=4)
    assert counts[2] == 0
    # a third each, standard deviation sqrt(9000 (1/3)(2/3)) = 45; five of them
    assert np.abs(counts[[0, 1, 3]] - 3000).max() < 225


def test_numbers_get_normal_errors_of_the_asked_size():
    n = 10_000
    errors = _data.blurred(np.ones(n), 0.5, 0, np.random.default_rng(0)) - 1
    assert errors.std() == pytest.approx(0.5, rel=5 / (2 * n) ** 0.5)
    assert abs(errors.mean()) < 5 * 0.5 / n**0.5


def test_a_fraction_above_one_is_refused_and_a_deviation_above_one_is_not():
    with pytest.raises(InputError, match=r"^noise: got 1.5"):
        _data.blurred(np.array([0, 1]), 1.5, 2, np.random.default_rng(0))
    _data.blurred(np.array([0.0, 1.0]), 1.5, 2, np.random.default_rng(0))


def test_labels_are_encoded_as_signs_or_one_hot_rows():
    labels = np.array([0, 1, 0])
    assert np.array_equal(_data.encoded(labels, 1), [1.0, -1.0, 1.0])
    assert np.array_equal(_data.encoded(labels, 3), [[1, 0, 0], [0, 1, 0], [1, 0, 0]])
    assert np.array_equal(_data.encoded(np.array([0.5]), 1), [0.5])


def test_a_mask_keeps_the_asked_number_and_at_least_one():
    rng = np.random.default_rng(0)
    assert _data.mask(rng, (4, 5), 1.0) is None
    found = _data.mask(rng, (4, 5), 0.3)
    assert found.shape == (4, 5) and found.sum() == 6 and set(found.flat) == {0.0, 1.0}
    assert _data.mask(rng, (4, 5), 1e-9).sum() == 1
    with pytest.raises(InputError, match=r"kept: got 0; allowed: .*above 0 and at most 1"):
        _data.mask(rng, (4, 5), 0)

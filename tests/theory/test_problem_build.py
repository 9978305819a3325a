"""A problem by its name: unknown names and settings are refused with the nearest known one."""

import numpy as np
import pytest

from theory.core import InputError
from theory.problems._build import problem


def test_settings_reach_the_generator():
    found = problem("linear", n=3, d=5, seed=2)
    assert found.rows.shape == (3, 5)
    assert np.array_equal(found.rows, problem("linear", n=3, d=5, seed=2, noise=0.5).rows)


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(InputError, match=r"^problem: got 'two_layers'; .*; nearest: two_layer$"):
        problem("two_layers")
    with pytest.raises(InputError, match="nearest: linear"):
        problem("Linaer")


def test_helpers_are_no_problems():
    with pytest.raises(InputError, match=r"^problem: got '_data'"):
        problem("_data")


def test_an_unknown_setting_is_answered_with_the_nearest():
    with pytest.raises(InputError, match=r"^nois: got 1; allowed: linear has .*; nearest: noise$"):
        problem("linear", nois=1)


def test_what_the_generator_refuses_is_passed_on():
    with pytest.raises(InputError, match=r"^condition: got 0.5"):
        problem("linear", condition=0.5)

"""Prose numbers are held to computed values: to every digit printed, and none goes unchecked."""

from fractions import Fraction

import pytest

from proofs_check.notebook import attempt, numbers, said, unsaid


def cells(prose, code):
    return {
        "cells": [
            {"cell_type": "markdown", "source": prose},
            {"cell_type": "code", "source": code.splitlines(keepends=True)},
        ]
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.1010", 1.101020514),
        ("-0.602", -0.6019864),
        ("0.5", 0.5),
        ("2/3", 2 / 3),
        ("2/3", Fraction(2, 3)),
    ],
)
def test_a_number_is_said_if_the_value_rounds_to_it(text, value):
    said(text, value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.1010", 1.10106),
        ("1.101", 1.1002),
        ("0.602", -0.602),
        ("0.5", float("nan")),
        ("0.5", float("inf")),
        ("2/3", 0.6667),
        ("-2/3", 2 / 3),
    ],
)
def test_a_number_off_in_its_last_digit_is_refused(text, value):
    with pytest.raises(AssertionError, match="the prose says"):
        said(text, value)


@pytest.mark.parametrize(
    ("prose", "found"),
    [
        ("from 0.98 to **1.0200**, and .5", ["0.98", "1.0200", ".5"]),
        (r"$1-0.5$, $-0.5$, $x^{0.25}$", ["0.5", "-0.5", "0.25"]),
        (r"$\tfrac12$, $\frac1{10}$, $\frac{3}{8}$, $\frac{15}2$", ["1/2", "1/10", "3/8", "15/2"]),
        ("factors {1/10, 3} end.", ["1/10"]),
        ("three of 4, 2023, $2^{10}$, $x_1/2$, $\\frac{x}{2}$, version 1.2.3", []),
        ("[paper](https://arxiv.org/abs/2311.17539), arXiv:2502.18153", []),
        ("It ends at 1.5.", ["1.5"]),
    ],
)
def test_numbers_of_a_text_are_found(prose, found):
    assert numbers(prose) == found


def test_a_number_nothing_vouches_for_is_unsaid():
    assert unsaid(cells("0.25 and 0.75", 'x = 1 / 4\nsaid("0.25", x)')) == ["0.75"]
    assert unsaid(cells("0.25", 'x = 1 / 4\nsaid("0.25", x)')) == []


@pytest.mark.parametrize(
    "code",
    [
        'said("0.25", 0.25)',
        'if False:\n    said("0.25", x)',
        'def later():\n    said("0.25", x)',
        '# said("0.25", x)',
        'said("0.250", x)',
        'print("0.25", x)',
    ],
)
def test_what_may_not_run_or_compares_a_constant_vouches_for_nothing(code):
    assert unsaid(cells("0.25", code)) == ["0.25"]


def test_an_answer_is_pending_right_or_wrong():
    assert attempt(..., 2).startswith("Put your answer")
    assert attempt(1.9999, 2) == "Right."
    assert attempt(3, 9, of=lambda x: x**2) == "Right."
    with pytest.raises(AssertionError, match="3 is not it"):
        attempt(3, 2)
    with pytest.raises(AssertionError, match="try again"):
        attempt(2, 9, of=lambda x: x**2)

"""What networks are asked to learn, with samples held out for tuning and for testing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from theory.core import InputError
from theory.doors import choice, whole
from theory.problems import _data

TASKS = ("teacher", *_data.BUNDLED)
Pair = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Split:
    """(inputs, targets) to train on, with label noise, and two others without; None if empty."""

    train: Pair
    validation: Pair | None
    test: Pair | None


def split(
    task: str,
    *,
    seed: Any,
    n: Any,
    d: Any,
    outputs: Any,
    labels: bool,
    noise: Any,
    held_out: Any,
    teach: Callable[[np.ndarray, int], np.ndarray],
) -> Split:
    """`n` samples of a task to train on, `held_out` others for validation and as many for tests.

    `teach(inputs, outputs)` answers (count, outputs), or (count,) for one output, where the task is
    to learn from it; with `labels` only which output is largest counts. Raises `InputError`.
    """
    spare = 2 * whole(held_out, "held_out", 0)
    choice(task, "task", TASKS)
    if task == "teacher":
        k = whole(1 + labels if outputs is None else outputs, "outputs", 1 + labels)
        size, width = whole(32 if n is None else n, "n"), whole(8 if d is None else d, "d")
        purposes = (("held out", spare), ("inputs", size))
        draws = [_data.stream(seed, what).normal(size=(many, width)) for what, many in purposes]
        inputs = np.concatenate(draws)
        answers = teach(inputs, k)
        answers = answers.argmax(-1) if labels else answers
    else:
        if d is not None:
            raise InputError("d", d, f"nothing with task = {task!r}, which fixes it")
        inputs, answers = _data.shuffled(task, seed, n, spare)
        own = {"digits": 10, "diabetes": 1}[task]
        k = own if outputs is None else whole(outputs, "outputs")
        if k not in (own, 1):
            raise InputError("outputs", k, f"{own}" + (" or 1 (even or odd)" if own > 1 else ""))
        if task == "digits" and k == 1:
            answers = answers % 2
    noisy = _data.blurred(answers[spare:], noise, max(k, 2), _data.stream(seed, "noise"))
    half = spare // 2
    others = [
        (inputs[part], _data.encoded(answers[part], k)) if half else None
        for part in (slice(half), slice(half, spare))
    ]
    return Split((inputs[spare:], _data.encoded(noisy, k)), others[1], others[0])

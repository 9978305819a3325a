"""Where generated problems get their data: random draws by seed, and scikit-learn's bundled sets.

Everything is drawn from `stream(seed, purpose)`, one stream a purpose, so that another width, mask
or noise level leaves the inputs as they are. Nothing is downloaded.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from theory.core import InputError
from theory.doors import fraction, number, whole

BUNDLED = ("digits", "diabetes")


def stream(seed: Any, purpose: str) -> np.random.Generator:
    """The random numbers of that seed for that purpose, independent of all its other ones."""
    return np.random.default_rng([whole(seed, "seed", 0), *purpose.encode()])


def gaussian(rng: np.random.Generator, n: int, d: int, condition: Any = 1.0) -> np.ndarray:
    """Rows (n, d) from N(0, diag(l)), l falling geometrically from 1 to 1/condition."""
    most = number(condition, "condition", least=1)
    return rng.normal(size=(n, d)) * np.geomspace(1, 1 / most, d) ** 0.5


@cache
def bundled(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Features (n, d) and answers (n,) of "digits" or "diabetes", read once in a process.

    Each feature is centred, then all share one scale that makes their mean square 1: a scale for
    each would blow up the pixels that are almost always blank. Means and scale are those of the
    whole set; no label enters. Answers: the digit, an integer; the disease's progression,
    standardised.
    """
    from sklearn import datasets

    load: Any = datasets.load_digits if name == "digits" else datasets.load_diabetes
    features, answers = load(return_X_y=True)
    features = features - features.mean(axis=0)
    features = features / np.sqrt((features**2).mean())
    if name == "diabetes":
        answers = (answers - answers.mean()) / answers.std()
    for array in (features, answers):
        array.setflags(write=False)  # every problem of the process shares them
    return features, answers


def shuffled(name: str, seed: Any, n: Any, spare: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """`spare` + n samples of a bundled set in an order drawn by seed; n = None takes all.

    The order does not depend on n or spare: a larger n keeps the samples of a smaller one.
    """
    features, answers = bundled(name)
    if spare >= len(features):
        raise InputError("held_out", spare // 2, f"less than half of the {len(features)} samples")
    left = len(features) - spare
    count = left if n is None else whole(n, "n", 1, left)
    chosen = stream(seed, "order").permutation(len(features))[: spare + count]
    return features[chosen], answers[chosen]


def blurred(answers: np.ndarray, noise: Any, classes: int, rng: np.random.Generator) -> np.ndarray:
    """Answers with label noise: real numbers (n, ...) or integer labels (n,) below `classes`.

    Real answers get independent N(0, noise^2) errors. Of labels, round(noise n) are replaced, each
    by another one; which samples and which labels is drawn uniformly.
    """
    if answers.dtype.kind == "f":
        size = number(noise, "noise")
        return answers + size * rng.normal(size=answers.shape)
    count = round(fraction(noise, "noise") * len(answers))
    wrong = rng.permutation(len(answers))[:count]
    labels = answers.copy()
    labels[wrong] = (labels[wrong] + rng.integers(1, classes, size=count)) % classes
    return labels


def encoded(answers: np.ndarray, outputs: int) -> np.ndarray:
    """What a model is asked to say, as floats.

    Labels become one-hot rows (n, outputs), or with one output +1 for label 0 and -1 for label 1.
    Real answers stay as they are.
    """
    if answers.dtype.kind == "f":
        return answers
    return 1.0 - 2.0 * answers if outputs == 1 else np.eye(outputs)[answers]


def mask(rng: np.random.Generator, shape: tuple[int, int], kept: Any) -> np.ndarray | None:
    """round(kept size) ones among zeros, uniformly placed but at least one; None keeps all."""
    share = fraction(kept, "kept", above=0)
    if share == 1:
        return None
    size = shape[0] * shape[1]
    pattern = np.zeros(size)
    pattern[rng.permutation(size)[: max(1, round(share * size))]] = 1
    return pattern.reshape(shape)

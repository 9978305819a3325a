r"""A two-layer network fits targets with $f(x) = A\,\varphi(W x)$, the smallest deep problem.

The loss of a sample is $|f - y|^2 / 2$ or the cross-entropy of softmax $f$. Gradients are written
out: with $h = \varphi(W x)$ and the error $r = f - y$ or softmax $f - y$ they are $r h'$ for $A$
and $(A' r \circ \varphi'(W x))\, x'$ for $W$. Unlike near a minimum, the Hessians of the samples
change along the way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from theory.core import InputError, Probes
from theory.doors import choice, entry, labelled, normalised, real, whole
from theory.moments import door_tolerance
from theory.problems import _data
from theory.problems._oracle import Minibatch, minibatch, namespace
from theory.problems._tasks import split

LOSSES = ("squared", "cross-entropy")
# phi, phi' from its argument and value, and the variance of W's entries times their number that
# keeps signals at their size (He et al. 2015 for relu, whose slope at 0 is 0)
_ACTIVATIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any], float]] = {
    "tanh": (lambda xp, z: xp.tanh(z), lambda xp, z, h: 1 - h**2, 1.0),
    "relu": (
        lambda xp, z: xp.where(z > 0, z, 0.0),
        lambda xp, z, h: xp.where(z > 0, 1.0, 0.0),
        2.0,
    ),
    "linear": (lambda xp, z: z, lambda xp, z, h: xp.ones_like(z), 1.0),
}


@dataclass(frozen=True)
class TwoLayer:
    """f(x) = A phi(W x) on `inputs` (n, d_in) and `targets`, drawn by `weights` (n,).

    One output: targets (n,) and A is a row a (width,). k outputs: targets (n, k). The parameters
    are one vector: W (width, d_in) row by row, then A (k, width) row by row. `mask` (width, d_in)
    is 0 where a weight of W is held at 0, and None where none is. `validation` and `test` are None
    or the same network on other samples. Nothing is checked here, because JAX rebuilds this class
    from tracers; people come in through `two_layer`.
    """

    inputs: Any
    targets: Any
    weights: Any
    width: int = field(metadata={"static": True})  # a shape: no array of the data knows it
    activation: str = field(default="tanh", metadata={"static": True})
    loss: str = field(default="squared", metadata={"static": True})
    mask: Any = None
    validation: Any = None
    test: Any = None

    @property
    def dimension(self) -> int:
        """width (d_in + k), the length of the parameter vector; masked weights count."""
        return self.width * (self.inputs.shape[-1] + self._heads)

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """W, then A."""
        last = (self.width,) if self.targets.ndim == 1 else (self._heads, self.width)
        return [(self.width, self.inputs.shape[-1]), last]

    @property
    def free(self) -> Any:
        """(d,), 0 where a weight is held at 0 and 1 elsewhere; None without a mask."""
        if self.mask is None:
            return None
        xp = namespace(self.mask)
        return xp.concatenate([self.mask.ravel(), xp.ones(self.width * self._heads)])

    @property
    def samples(self) -> tuple[Any, ...]:
        """Input and target."""
        return self.inputs, self.targets

    def outputs(self, x: Any, inputs: Any) -> Any:
        """What the network says, (B,) or (B, k); its Jacobian in x is that of the samples."""
        return self._forward(x, inputs)[-1]

    def losses(self, x: Any, inputs: Any, targets: Any) -> Any:
        """(B,), |f - y|^2 / 2 or the cross-entropy -y . log softmax f."""
        found = self.outputs(x, inputs)
        if self.loss == "squared":
            squares = (found - targets) ** 2 / 2
            return squares if squares.ndim == 1 else squares.sum(-1)
        xp = namespace(found)
        found = found - found.max(-1, keepdims=True)
        return xp.log(xp.exp(found).sum(-1)) - (targets * found).sum(-1)

    def gradient(self, x: Any, shares: Any, inputs: Any, targets: Any) -> Any:
        A, reached, hidden, found = self._forward(x, inputs)
        xp = namespace(hidden, shares)
        slope = _ACTIVATIONS[self.activation][1](xp, reached, hidden)
        if A.ndim == 1:
            pulls = shares * (found - targets)
            into_hidden, last = A[:, None] * slope * pulls, hidden @ pulls
        else:
            pulls = shares[:, None] * (self._said(found) - targets)
            into_hidden, last = (A.T @ pulls.T) * slope, (hidden @ pulls).T.ravel()
        into_first = into_hidden @ inputs
        if self.mask is not None:
            into_first = into_first * self.mask
        return xp.concatenate([into_first.ravel(), last])

    def accuracy(self, x: Any) -> Any:
        """The weighted share of samples whose largest output, or only output's sign, is right."""
        found = self.outputs(x, self.inputs)
        if found.ndim == 1:
            right = (found > 0) == (self.targets > 0)
        else:
            right = found.argmax(-1) == self.targets.argmax(-1)
        return self.weights @ (1.0 * right)

    def oracle(self, batch: Any = None, probes: Probes | None = None) -> Minibatch:
        """The mean loss over the indices `batch` (B,); None: the weighted mean."""
        return minibatch(self, batch, probes)

    def start(self, rng: np.random.Generator) -> np.ndarray:
        """Entries of W from N(0, g/m), m the mean number of weights a unit keeps, A's from
        N(0, 1/width); g is 2 for relu, otherwise 1. Masked weights are 0.
        """
        first, last = (rng.normal(size=shape) for shape in self.shapes)
        size = _ACTIVATIONS[self.activation][2] / self.inputs.shape[-1]
        if self.mask is not None:
            first, size = first * self.mask, size / self.mask.mean()
        return np.concatenate([(size**0.5 * first).ravel(), last.ravel() / self.width**0.5])

    @property
    def _heads(self) -> int:
        """k, the number of outputs."""
        return 1 if self.targets.ndim == 1 else self.targets.shape[-1]

    def _said(self, found: Any) -> Any:
        """(B, k), what is compared with the targets: f itself, or softmax f."""
        if self.loss == "squared":
            return found
        odds = namespace(found).exp(found - found.max(-1, keepdims=True))
        return odds / odds.sum(-1, keepdims=True)

    def _forward(self, x: Any, inputs: Any) -> tuple[Any, Any, Any, Any]:
        """A, what reaches the hidden units and what they say (width, B), and the outputs.

        Hidden units come first, so that no product here or in the gradient needs a large transpose.
        """
        first, last = self.shapes
        end = first[0] * first[1]
        W, A = x[:end].reshape(first), x[end:].reshape(last)
        if self.mask is not None:
            W = W * self.mask
        reached = W @ inputs.T
        hidden = _ACTIVATIONS[self.activation][0](namespace(reached), reached)
        return A, reached, hidden, (A @ hidden).T


def two_layer(
    inputs: Any,
    targets: Any,
    width: int,
    weights: Any = None,
    *,
    activation: str = "tanh",
    loss: str = "squared",
    mask: Any = None,
    validation: tuple[Any, Any] | None = None,
    test: tuple[Any, Any] | None = None,
) -> TwoLayer:
    """A checked `TwoLayer` with `width` hidden units on `inputs` (n, d_in) and `targets`.

    `targets` are (n,) or, for k >= 2 outputs, (n, k); with cross-entropy (n, k) whose rows are
    probabilities. `weights` (n,) are positive, need not sum to one and default to equal ones.
    `mask` (width, d_in) holds 0 where a weight stays 0, otherwise 1. `validation` and `test` are
    further (inputs, targets). Raises `InputError`.
    """
    choice(activation, "activation", _ACTIVATIONS)
    X, y = _checked(inputs, targets, choice(loss, "loss", LOSSES))
    whole(width, "width")
    if mask is not None:
        allowed = f"zeros and ones, not all 0, shape ({width}, {X.shape[1]})"
        mask = real(mask, "mask", allowed, 2)
        if mask.shape != (width, X.shape[1]) or not np.isin(mask, (0, 1)).all() or not mask.any():
            raise InputError("mask", f"shape {mask.shape}, {mask.min()} to {mask.max()}", allowed)
    how = {"width": int(width), "activation": activation, "loss": loss, "mask": mask}
    others: dict[str, Any] = {}
    for name, pair in (("validation", validation), ("test", test)):
        if pair is not None:
            Z, t = _checked(*pair, loss, f"{name}.")
            if (Z.shape[1:], t.shape[1:]) != (X.shape[1:], y.shape[1:]):
                raise InputError(name, f"shapes {Z.shape}, {t.shape}", "the same but for n")
            others[name] = TwoLayer(Z, t, normalised(None, len(Z)), **how)
    return TwoLayer(X, y, normalised(weights, len(X)), **how, **others)


def _checked(inputs: Any, targets: Any, loss: str, where: str = "") -> Any:
    """Inputs (n, d_in) and targets (n,) or (n, k)."""
    X, y = labelled(inputs, targets, f"{where}inputs", f"{where}targets", outputs=True)
    if loss == "cross-entropy":
        if y.ndim == 1:
            raise InputError("loss", "'cross-entropy' with one output", "it with at least 2")
        wrong = np.flatnonzero((y < 0).any(1) | (abs(y.sum(1) - 1) > door_tolerance(y.shape[1])))
        if len(wrong):
            i = int(wrong[0])
            raise InputError(entry(f"{where}targets", i), y[i], "probabilities that sum to 1")
    return X, y


def generate(
    *,
    seed: int = 0,
    task: str = "teacher",
    n: int | None = None,
    d: int | None = None,
    width: int = 16,
    outputs: int | None = None,
    activation: str = "tanh",
    loss: str = "squared",
    kept: float = 1.0,
    noise: float = 0.0,
    held_out: int = 100,
    teacher_width: int | None = None,
    weights: Any = None,
) -> TwoLayer:
    """A network of `width` units before n samples of a task, `validation` and `test` behind them.

    - "teacher": n = 32 inputs from N(0, I), d = 8; answers of a random network of the same kind
      with `teacher_width` = 4 units, drawn as a start is, and `outputs` = 1; with cross-entropy,
      which of its outputs, by default 2, is largest.
    - "digits": n of 1797 images, d = 64, 10 outputs; or `outputs` = 1: even (+1) or odd (-1).
    - "diabetes": n of 442 patients, d = 10, one output; progression, standardised.

    n = None takes what is left of bundled data once `held_out` samples each are set aside for
    `validation` and `test`; both are free of label noise. `noise` is the fraction of training
    labels replaced by others, or where answers are numbers the standard deviation of their errors.
    A fraction `kept` of W's weights is free, the others, uniformly placed, stay 0. Everything
    depends on the seed and on nothing that does not concern it: another width sees the same data.
    Raises `InputError` naming the setting.
    """
    choice(activation, "activation", _ACTIVATIONS)
    if task != "teacher" and teacher_width is not None:
        raise InputError("teacher_width", teacher_width, f"nothing with task = {task!r}")
    units = whole(4 if teacher_width is None else teacher_width, "teacher_width")

    def teach(inputs: np.ndarray, k: int) -> np.ndarray:
        blank = np.zeros(len(inputs) if k == 1 else (len(inputs), k))
        teacher = TwoLayer(inputs, blank, blank, units, activation)
        return teacher.outputs(teacher.start(_data.stream(seed, "teacher")), inputs)

    found = split(
        task,
        seed=seed,
        n=n,
        d=d,
        outputs=outputs,
        labels=choice(loss, "loss", LOSSES) == "cross-entropy",
        noise=noise,
        held_out=held_out,
        teach=teach,
    )
    shape = (whole(width, "width"), found.train[0].shape[1])
    return two_layer(
        *found.train,
        width,
        weights,
        activation=activation,
        loss=loss,
        mask=_data.mask(_data.stream(seed, "mask"), shape, kept),
        validation=found.validation,
        test=found.test,
    )

"""optax.contrib.sam is accepted in both its modes; other transformations are told what they are."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from proofs_check import reference
from proofs_check.conform.adapters import adapt
from proofs_check.conform.command import examine
from proofs_check.conform.gradients import Minibatch
from proofs_check.conform.outcome import Status
from theory.core import InputError

RECORDED = Path(__file__).parents[1] / "reference"


def sam(outer, **how):
    """optax.contrib.sam as its documentation builds it, around `outer(lr)`."""

    def factory(lr, rho):
        climb = optax.chain(optax.contrib.normalize(), optax.sgd(rho))
        return optax.contrib.sam(outer(lr), climb, **how)

    return factory


def by_hand(descend):
    """One call with grad_fn: a climb, then updates and state by descend(lr, gradient, climb, state)."""

    def factory(lr, rho):
        def update(g, state, params, *, grad_fn):
            norm = optax.tree.norm(g) + 1e-12
            climb = jax.tree.map(lambda a: rho * a / norm, g)
            return descend(lr, grad_fn(optax.apply_updates(params, climb)), climb, state)

        return optax.GradientTransformationExtraArgs(lambda params: jnp.zeros((), int), update)

    return factory


def scaled(lr, g, climb, state):
    return jax.tree.map(lambda a: -lr * a, g), state


def named(report, name):
    return next(check for check in report.checks if check.name.startswith(name))


def lines(report):
    return "\n".join(check.line for check in report.checks)


@pytest.mark.parametrize(("opaque", "protocol"), [(False, "alternating"), (True, "closure")])
def test_optax_sam_conforms_and_its_conventions_are_named(opaque, protocol):
    report = examine(adapt(sam(optax.sgd, opaque_mode=opaque), None))
    assert report.conforms, lines(report)
    assert (report.library, report.protocol) == ("optax", protocol)
    assert report.conventions == {
        "climb": "normalised, one norm over all tensors",
        "epsilon": "none",
        "ascent": "both gradients of an update on the same batch",
        "base": "SGD",
        "momentum": "none",
        "weight decay": "none",
        "learning rate": "counts one step an update",
        "step counter": "none in its state",
    }
    others = {check.name: check.status for check in report.checks if check.status != "ok"}
    assert others == {"zero gradient, largest move beyond weight decay's": Status.HAZARD}


def test_what_is_inside_optax_sam_is_named():
    def outer(lr):
        return optax.chain(
            optax.add_decayed_weights(5e-4), optax.sgd(lr, momentum=0.9, nesterov=True)
        )

    report = examine(adapt(sam(outer), None))
    assert report.conforms, lines(report)
    assert report.conventions["momentum"] == "0.9, Nesterov"
    assert report.conventions["weight decay"].startswith("0.0005, coupled; acts at x")


def test_adam_inside_optax_sam_counts_one_step_an_update():
    report = examine(adapt(sam(optax.adamw, opaque_mode=True), None))
    assert report.conforms, lines(report)
    assert report.conventions["base"] == "not SGD in a form known here"
    assert report.conventions["learning rate"] == "counts one step an update"
    assert report.conventions["step counter"] == "1 an update"


def test_forgetting_to_come_back_is_refused():
    def keep(lr, g, climb, state):
        return jax.tree.map(lambda a, c: c - lr * a, g, climb), state

    report = examine(adapt(by_hand(keep), None))
    assert not report.conforms
    assert "forgets to come back" in named(report, "part of the climb kept").meaning


def test_a_compiled_update_may_ask_for_gradients():
    def factory(lr, rho):
        made = by_hand(scaled)(lr, rho)
        compiled = jax.jit(made.update, static_argnames="grad_fn")
        return optax.GradientTransformationExtraArgs(made.init, compiled)

    report = examine(adapt(factory, None))
    assert report.conforms, lines(report)
    assert report.protocol == "closure"


def alternating(rate_of):
    """Two calls an update whose counter counts calls; `rate_of(lr, count)` is the descent's lr."""

    def factory(lr, rho):
        def init(params):
            return jnp.zeros((), int), params

        def update(g, state, params):
            count, home = state
            if count % 2 == 0:
                norm = optax.tree.norm(g) + 1e-12
                return jax.tree.map(lambda a: rho * a / norm, g), (count + 1, params)
            rate = rate_of(lr, count) if callable(lr) else lr
            moved = jax.tree.map(lambda h, p, a: h - p - rate * a, home, params, g)
            return moved, (count + 1, home)

        return optax.GradientTransformation(init, update)

    return factory


@pytest.mark.parametrize(
    ("rate_of", "told"),
    [
        (lambda lr, count: lr(count), "the second one's lr is used"),
        (lambda lr, count: lr(count - 1), "the first one's lr is used"),
    ],
)
def test_a_state_that_counts_both_calls_is_named(rate_of, told):
    report = examine(adapt(alternating(rate_of), None))
    assert report.conforms, lines(report)
    assert report.conventions["step counter"] == "2 an update"
    assert report.conventions["learning rate"] == f"counts two steps an update; {told}"


def test_a_base_that_steps_at_both_calls_is_refused():
    """SGD in the alternating protocol: it descends where the climb is expected, at rho = 0 too."""
    report = examine(adapt(lambda lr, rho: optax.sgd(lr), None))
    assert not report.conforms
    assert named(report, "rho = 0, distance of the second").status is Status.FAILED
    assert "climbs the wrong way" in named(report, "climb, length over rho").meaning


def test_several_climbs_an_update_are_refused():
    report = examine(adapt(sam(optax.sgd, opaque_mode=True, sync_period=3), None))
    assert not report.conforms
    assert "more than one point" in named(report, "points away from x").meaning


def test_the_wrong_protocol_is_bad_input_or_no_climb():
    with pytest.raises(InputError, match="takes no grad_fn"):
        examine(adapt(alternating(lambda lr, count: lr(count)), "closure"))
    report = examine(adapt(sam(optax.sgd), "closure"))
    assert "not by this protocol" in named(report, "points away from x").meaning


OUTER = {
    "sam_plain": (optax.sgd, 0.05),
    "sam_momentum_rank1": (
        lambda lr: optax.chain(optax.add_decayed_weights(0.01), optax.sgd(lr, momentum=0.9)),
        0.2,
    ),
    "sgd_momentum": (
        lambda lr: optax.chain(optax.add_decayed_weights(0.01), optax.sgd(lr, momentum=0.9)),
        0.0,  # rho = 0 reduces it to its base
    ),
}


@pytest.mark.parametrize("file", OUTER)
@pytest.mark.parametrize("opaque", [False, True])
def test_the_door_leads_optax_sam_along_recorded_trajectories(file, opaque):
    run = reference.read(RECORDED / f"{file}.json")
    outer, rho = OUTER[file]
    assert run.options.get("rho", 0.0) == rho
    subject = adapt(sam(outer, opaque_mode=opaque), None)
    session = subject.start(run.options["lr"], rho, run.start, [run.start.shape])
    for batch, recorded in zip(run.batches, run.paths[0][1:], strict=True):
        session.step(
            Minibatch([run.model.oracle(batch[i : i + 1]).grad for i in range(len(batch))])
        )
        # their norms have an epsilon of 1e-12, optax's has none: up to 1e-11 along these runs
        assert np.abs(session.x - recorded).max() <= 1e-10 * np.abs(recorded).max()

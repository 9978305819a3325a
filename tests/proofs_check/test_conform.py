"""A SAM is accepted and its conventions named; one that is no SAM is told what it does instead.

The plants have flatproof's own form and need no library; optax and torch have files of their own.
"""

import functools
from types import SimpleNamespace

import numpy as np
import pytest

from proofs_check.conform.adapters import adapt
from proofs_check.conform.command import examine
from proofs_check.conform.gradients import LR, RHO, SHAPES
from proofs_check.conform.outcome import Status
from proofs_check.conform.tensors import join, split
from sims.lab import build
from theory.core import InputError


def unit(v, epsilon=1e-12):
    return v / (np.linalg.norm(v) + epsilon)


def foret(x, g, last, rho, lr):
    return rho * unit(g)


def sgd(x, g, b, lr):
    return x - lr * g, b


def there(x, above, at_x, g):
    return g


def planted(climb=foret, told=there, base=sgd, kept=0.0):
    """A factory of SAMs: where it climbs, the gradient it descends along, its base's step, and how
    much of the climb it keeps. The state is the gradient at the last x, and the base's buffer.
    """

    def factory(lr, rho):
        def step(oracle, x, state):
            last, b = state
            at_x = oracle.grad(x)
            went = climb(x, at_x, last, rho, lr)
            g = told(x, x + went, at_x, oracle.grad(x + went))
            after, b = base(x, g, b, lr)
            return after + kept * went, (at_x, b)

        return SimpleNamespace(init=lambda x: (0 * x, 0 * x), step=step)

    return factory


def report_on(**changes):
    return examine(adapt(planted(**changes), None))


def named(report, name):
    """The first check whose name starts so."""
    return next(check for check in report.checks if check.name.startswith(name))


def lines(report):
    return "\n".join(check.line for check in report.checks)


def test_a_sam_by_hand_passes_every_check():
    report = report_on()
    assert {check.status for check in report.checks} == {Status.OK}, lines(report)
    assert report.conforms
    assert report.conventions == {
        "climb": "normalised, one norm over all tensors",
        "epsilon": "1e-12, added to the norm",
        "ascent": "both gradients of an update on the same batch",
        "base": "SGD",
        "momentum": "none",
        "weight decay": "none",
        "learning rate": "not taken: lr is a number",
        "step counter": "none in its state",
    }


CLIMB, KEPT = "climb, length over rho", "part of the climb kept"
STEP, ASKED = "distance of the rest of the update", "points away from x"
LENGTH, TWICE = "rho = 0, step in units of lr", "rho = 0, step at twice the lr"
WRONG_WAY = {"climb": lambda x, g, last, rho, lr: -rho * unit(g)}
DOUBLED = {"climb": lambda x, g, last, rho, lr: 2 * rho * unit(g)}
FORGETS = {"kept": 1.0}
LR_TWICE = {"base": lambda x, g, b, lr: (x - lr * lr * g, b)}
WRONG = {
    "climbs the wrong way": (WRONG_WAY, CLIMB, -1.0, "it climbs the wrong way"),
    "rho doubled": (DOUBLED, CLIMB, 2.0, "rho doubled"),
    "rho halved": (
        {"climb": lambda x, g, last, rho, lr: rho / 2 * unit(g)},
        CLIMB,
        0.5,
        "rho halved",
    ),
    "rho times lr": (
        {"climb": lambda x, g, last, rho, lr: rho * lr * unit(g)},
        CLIMB,
        LR,
        "rho multiplied by lr once more",
    ),
    "unnormalised the wrong way": (
        {"climb": lambda x, g, last, rho, lr: -rho * g},
        CLIMB,
        -1.0,
        "it climbs the wrong way",
    ),
    "climbs along signs": (
        {"climb": lambda x, g, last, rho, lr: rho * np.sign(g)},
        CLIMB,
        None,
        "not along the gradient at x in any known form",
    ),
    "climbs along the last batch": (
        {"climb": lambda x, g, last, rho, lr: rho * unit(last)},
        ASKED,
        0.0,
        "along the first gradient of the update before",
    ),
    "does not climb": (
        {"climb": lambda x, g, last, rho, lr: 0 * x},
        ASKED,
        0.0,
        "it does not climb",
    ),
    "forgets to come back": (FORGETS, KEPT, 1.0, "it forgets to come back"),
    "comes back too far": ({"kept": -0.5}, KEPT, -0.5, ""),
    "descends along the gradient at x": (
        {"told": lambda x, above, at_x, g: at_x},
        STEP,
        None,
        "the climb is without effect",
    ),
    "descends along both gradients": (
        {"told": lambda x, above, at_x, g: at_x / 4 + g * 3 / 4},
        STEP,
        None,
        "0.25 times that at x plus 0.75 times that at the climbed point",
    ),
    "lr applied twice": (LR_TWICE, LENGTH, LR, "multiplied by lr once more"),
    "lr doubled": ({"base": lambda x, g, b, lr: (x - 2 * lr * g, b)}, LENGTH, 2.0, "doubled"),
    "up the loss": ({"base": lambda x, g, b, lr: (x + lr * g, b)}, LENGTH, -1.0, "up the gradient"),
    "an lr of its own": ({"base": lambda x, g, b, lr: (x - LR * g, b)}, TWICE, 1.0, "proportional"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_no_sam_is_refused_and_told_why(what):
    changes, name, measured, meaning = WRONG[what]
    report = report_on(**changes)
    check = named(report, name)
    assert not report.conforms
    assert check.status is Status.FAILED
    assert meaning in check.meaning
    if measured is not None:
        assert check.measured == pytest.approx(measured, rel=1e-6)


@pytest.mark.parametrize("changes", [WRONG_WAY, DOUBLED, FORGETS, LR_TWICE])
def test_the_known_answers_alone_would_have_told(changes):
    report = report_on(**changes)
    for name in ("two-cycle", "factor across the two-cycle"):
        assert named(report, name).status is Status.FAILED


def each_tensor(x, g, last, rho, lr):
    """One norm a tensor; the quadratics of known answers have one tensor only."""
    return join([rho * unit(part) for part in split(g, SHAPES)]) if len(g) == 10 else rho * unit(g)


PLAIN_DECAY = "(coupled or not: the same here)"
NAMED = {
    "a norm for each tensor": (
        {"climb": each_tensor},
        {"climb": "normalised, a norm for each tensor", "epsilon": "1e-12, added to the norm"},
    ),
    "unnormalised": (
        {"climb": lambda x, g, last, rho, lr: rho * g},
        {"climb": "unnormalised: rho times the gradient"},
    ),
    "adaptive": (
        {"climb": lambda x, g, last, rho, lr: rho * x * x * g / (np.linalg.norm(x * g) + 1e-12)},
        {"climb": "normalised and adaptive (ASAM): each coordinate scaled by its parameter"},
    ),
    "an epsilon in the root": (
        {"climb": lambda x, g, last, rho, lr: rho * g / (g @ g + 1e-16) ** 0.5},
        {"epsilon": "1e-16, inside the square root"},
    ),
    "an epsilon as a floor": (
        {"climb": lambda x, g, last, rho, lr: rho * g / max(np.linalg.norm(g), 1e-9)},
        {"epsilon": "1e-09, the least norm"},
    ),
    "a floor below the first gradient tried": (
        {"climb": lambda x, g, last, rho, lr: rho * unit(g, 1e-17)},
        {"epsilon": "1e-17, added to the norm"},
    ),
    "a large epsilon": (
        {"climb": lambda x, g, last, rho, lr: rho * unit(g, 1e-3)},
        {"epsilon": "0.001, added to the norm"},
    ),
    "decay at x": (
        {"told": lambda x, above, at_x, g: g + 0.01 * x},
        {"weight decay": f"0.01 {PLAIN_DECAY}; acts at x, does not steer the climb"},
    ),
    "decay at the climbed point": (
        {"told": lambda x, above, at_x, g: g + 5e-4 * above},
        {
            "weight decay": f"0.0005 {PLAIN_DECAY}; acts at the climbed point, does not steer the "
            "climb"
        },
    ),
    "decay that steers the climb": (
        {
            "climb": lambda x, g, last, rho, lr: rho * unit(g + 5e-4 * x),
            "told": lambda x, above, at_x, g: g + 5e-4 * x,
        },
        {"weight decay": f"0.0005 {PLAIN_DECAY}; acts at x, steers the climb"},
    ),
    "strong decay that steers the climb": (
        {
            "climb": lambda x, g, last, rho, lr: rho * unit(g + 5 * x),
            "told": lambda x, above, at_x, g: g + 5 * x,
        },
        {"weight decay": f"5 {PLAIN_DECAY}; acts at x, steers the climb"},
    ),
    "decay without lr": (
        {"base": lambda x, g, b, lr: (0.99 * x - lr * g, b)},
        {
            "weight decay": "0.01 of x an update, decoupled from lr as well; acts at x, does not "
            "steer the climb"
        },
    ),
}


@pytest.mark.parametrize("what", NAMED)
def test_a_convention_is_named_and_no_reason_to_refuse(what):
    changes, expected = NAMED[what]
    report = report_on(**changes)
    assert report.conforms, lines(report)
    assert {key: report.conventions[key] for key in expected} == expected


def heavy_ball(x, g, b, lr, mu=0.9, w=0.01):
    b = mu * b + g + w * x
    return x - lr * b, b


def nesterov(x, g, b, lr, mu=0.9, w=0.01):
    g = g + w * x
    b = mu * b + g
    return x - lr * (g + mu * b), b


def moving_average(x, g, b, lr, mu=0.8, w=0.01):
    b = mu * b + (1 - mu) * (g + w * x)
    return x - lr * b, b


def decoupled(x, g, b, lr, mu=0.9, w=0.01):
    b = mu * b + g
    return (1 - lr * w) * x - lr * b, b


BASES = {
    "0.9, heavy ball": (heavy_ball, "0.01, coupled"),
    "0.9, Nesterov": (nesterov, "0.01, coupled"),
    "0.8, moving average": (moving_average, "0.01, coupled"),
}


@pytest.mark.parametrize("momentum", BASES)
@pytest.mark.parametrize("climb", [foret, lambda x, g, last, rho, lr: rho * g])
def test_momentum_is_named_and_its_orbit_and_edges_are_known(momentum, climb):
    base, decay = BASES[momentum]
    report = report_on(base=base, climb=climb)
    assert report.conforms, lines(report)
    assert report.conventions["momentum"] == momentum
    assert report.conventions["weight decay"].startswith(decay + ";")
    known = [check for check in report.checks if check.name.startswith(("two-", "fact", "growth"))]
    assert len(known) == 5
    assert {check.status for check in known} == {Status.OK}


@pytest.mark.parametrize(
    ("base", "reason"),
    [
        (lambda x, g, b, lr: heavy_ball(x, g, b, lr, mu=1.01), "steps are needed"),
        (lambda x, g, b, lr: heavy_ball(x, g, b, lr, mu=0.999), "steps are needed"),
        (lambda x, g, b, lr: heavy_ball(x, g, b, lr, mu=0.0, w=2.5 / lr), "never settles"),
    ],
)
def test_a_base_that_takes_too_long_to_settle_has_no_known_orbit(base, reason):
    cycle = named(report_on(base=base), "two-cycle")
    assert cycle.status is Status.NOT_RUN
    assert reason in cycle.meaning


def test_a_run_that_overflows_is_above_every_edge():
    def far_too_far(x, g, b, lr):
        return x - lr * g * (1e30 if np.linalg.norm(g) > 1e6 else 1.0), b

    report = report_on(base=far_too_far)
    below = named(report, "growth a step at 0.99")
    assert below.status is Status.FAILED
    assert below.measured == np.inf


def test_decay_beside_the_buffer_is_decoupled():
    report = report_on(base=decoupled)
    assert report.conforms, lines(report)
    assert report.conventions["momentum"] == "0.9, heavy ball"
    assert report.conventions["weight decay"].startswith("0.01, decoupled;")
    assert named(report, "distance from our own").status is Status.NOT_RUN


def test_another_base_is_checked_as_far_as_its_climb_goes():
    def rms(x, g, b, lr):
        b = 0.9 * b + 0.1 * g * g
        return x - lr * g / (np.sqrt(b) + 1e-8), b

    report = report_on(base=rms)
    assert report.conforms, lines(report)
    assert report.conventions["base"] == "not SGD in a form known here"
    assert named(report, "two-cycle").status is Status.NOT_RUN
    assert named(report, "40 steps on batches").status is Status.OK
    for changes, name, _, meaning in (WRONG["climbs the wrong way"], WRONG["forgets to come back"]):
        wrong = report_on(base=rms, **changes)
        assert not wrong.conforms
        assert meaning in named(wrong, name).meaning


def test_a_gradient_of_zero_ends_a_run_only_without_epsilon():
    """0/0 is in the published formula, so it is a hazard there; elsewhere it is a failure."""
    bare = report_on(climb=lambda x, g, last, rho, lr: rho * g / np.linalg.norm(g))
    zero = named(bare, "zero gradient, largest move")
    assert bare.conforms
    assert bare.conventions["epsilon"] == "none"
    assert zero.status is Status.HAZARD and np.isnan(zero.measured)
    broken = report_on(climb=lambda x, g, last, rho, lr: rho * g + 0 / np.linalg.norm(g))
    assert broken.conventions["climb"].startswith("unnormalised")
    assert not broken.conforms
    assert named(broken, "zero gradient, largest move").status is Status.FAILED


def test_a_first_step_of_its_own_is_outside_the_family():
    def started_at_the_first_gradient(x, g, b, lr):
        b = 0.9 * b + 0.1 * g if b.any() else g
        return x - lr * b, b

    report = report_on(base=started_at_the_first_gradient)
    assert report.conventions["base"] == "not SGD in a form known here"


def test_a_frozen_tensor_is_a_hazard_for_a_norm_of_its_own():
    def bare(x, g, last, rho, lr):
        parts = split(g, SHAPES) if len(g) == 10 else [g]
        return join([rho * part / np.linalg.norm(part) for part in parts])

    frozen = named(report_on(climb=bare), "zero gradient in one tensor")
    assert frozen.status is Status.HAZARD
    assert frozen.measured == 4  # the second tensor's entries


@pytest.mark.parametrize("epsilon", [1e-12, 0.0])
def test_moving_at_a_gradient_of_zero_is_refused(epsilon):
    report = report_on(
        climb=lambda x, g, last, rho, lr: rho * unit(g, epsilon) if g.any() else 0 * x,
        base=lambda x, g, b, lr: (x - lr * g - (0 if g.any() else 1e-3), b),
    )
    zero = named(report, "zero gradient, largest move")
    assert zero.status is Status.FAILED
    assert zero.measured == pytest.approx(3e-3)  # three updates of 1e-3


@pytest.mark.parametrize(
    ("key", "fields", "expected"),
    [
        ("sam", {}, {"momentum": "none", "weight decay": "none"}),
        ("sam", {"momentum": 0.9, "weight_decay": 0.01}, {"momentum": "0.9, heavy ball"}),
        ("usam", {"momentum": 0.5}, {"climb": "unnormalised: rho times the gradient"}),
        (
            "usam",
            {"ascent": "per-sample"},
            {"ascent": "each sample climbs along its own gradient"},
        ),
    ],
)
def test_our_own_optimizers_come_in_by_the_same_door(key, fields, expected):
    report = examine(adapt(lambda lr, rho: build(key, lr=lr, rho=rho, **fields), None))
    assert {check.status for check in report.checks} == {Status.OK}, lines(report)
    assert {name: report.conventions[name] for name in expected} == expected
    assert named(report, f"distance from our own {key}").measured < 1e-12


def test_our_own_sgd_is_no_sam():
    report = examine(adapt(lambda lr, rho: build("sgd", lr=lr), None))
    assert not report.conforms
    assert "does not climb" in named(report, ASKED).meaning


def test_an_optimizer_that_asks_an_oracle_has_no_protocol():
    with pytest.raises(InputError, match="--protocol: got closure"):
        adapt(planted(), "closure")


def test_single_precision_is_bad_input_not_a_wrong_optimizer():
    def rounded(x, g, b, lr):
        return x - (lr * g).astype(np.float32), b

    with pytest.raises(InputError, match="single precision"):
        report_on(base=rounded)

    def single(lr, rho):
        return SimpleNamespace(init=lambda x: None, step=lambda o, x, s: (x.astype(np.float32), s))

    with pytest.raises(InputError, match="float32 after an update"):
        examine(adapt(single, None))


@functools.cache
def expected_of(normalised):
    climb = foret if normalised else (lambda x, g, last, rho, lr: rho * g)
    report = report_on(climb=climb)
    return [check for check in report.checks if check.name.startswith(("two-", "fact", "growth"))]


def test_what_is_expected_of_sam_is_what_theory_says():
    """eta rho l/(2 - eta l), and 1 - eta l_j - (l_j/l_1)^2 (2 - eta l_1), with eta l_1 = 3/2."""
    cycle, *factors = expected_of(True)[:3]
    assert cycle.expected == pytest.approx(1.5 * RHO / (2 - 1.5), rel=1e-12)
    ratios = np.array([0.6, 0.3])
    assert [check.expected for check in factors] == pytest.approx(
        1 - 1.5 * ratios - ratios**2 * (2 - 1.5), rel=1e-9
    )


def test_what_is_expected_of_usam_is_what_theory_says():
    """1 - eta l (1 + rho l) with eta l = 3/2, 9/10, 9/20; the edge is at l (1 + rho l) = 2/eta."""
    *factors, below, above = expected_of(False)
    lam = np.array([1.5, 0.9, 0.45]) / LR
    assert [check.expected for check in factors] == pytest.approx(
        1 - LR * lam * (1 + RHO * lam), rel=1e-12
    )
    for check, side in ((below, 0.99), (above, 1.01)):
        lam = float(check.name.rpartition("= ")[2])
        assert lam * (1 + RHO * lam) == pytest.approx(side * 2 / LR, rel=1e-3)  # 4 digits shown
    assert below.measured == pytest.approx(abs(1 - 2 * 0.99), rel=1e-6)
    assert above.measured == pytest.approx(abs(1 - 2 * 1.01), rel=1e-6)

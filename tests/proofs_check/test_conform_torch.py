"""torch's optimizers through the door: the real ones in `make soak`, a stand-in's order of calls here.

The stand-in is what the door uses of torch and no more: parameters, products, sums, backward.
"""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from proofs_check import reference
from proofs_check.conform.adapters import adapt
from proofs_check.conform.command import examine
from proofs_check.conform.gradients import Minibatch
from proofs_check.conform.outcome import Status
from theory.core import InputError

RECORDED = Path(__file__).parents[1] / "reference"


class Tensor:
    """A parameter, or a constant it is multiplied by."""

    def __init__(self, data):
        self.data, self.grad = np.array(data), None

    def new_tensor(self, data):
        return Tensor(data)

    def detach(self):
        return self

    def numpy(self):
        return self.data

    def __mul__(self, other):
        return Loss([(self, other.data)])


class Loss:
    """A sum of products, whose gradients are the constants."""

    def __init__(self, terms):
        self.terms = terms

    def sum(self):
        return self

    def __add__(self, other):
        return Loss(self.terms + other.terms)

    def __radd__(self, zero):
        return self

    def backward(self):
        for parameter, constant in self.terms:
            before = 0 if parameter.grad is None else parameter.grad
            parameter.grad = before + constant


class StandInSAM:
    """The public class's calls; `log` is what was called, in order."""

    def __init__(self, parameters, lr, rho):
        self.param_groups = [{"params": parameters, "lr": lr, "rho": rho}]
        self.state, self.log = {}, []

    def each(self):
        return [(group, p) for group in self.param_groups for p in group["params"]]

    def zero_grad(self):
        for _, p in self.each():
            p.grad = None

    def first_step(self, zero_grad=False):
        self.log.append("first")
        norm = np.sqrt(sum((p.grad**2).sum() for _, p in self.each()))
        for group, p in self.each():
            self.state[id(p)] = {"old": p.data, "step": len(self.log)}
            p.data = p.data + group["rho"] * p.grad / (norm + 1e-12)
        if zero_grad:
            self.zero_grad()

    def second_step(self, zero_grad=False):
        self.log.append("second")
        for group, p in self.each():
            p.data = self.state[id(p)]["old"] - group["lr"] * p.grad
        if zero_grad:
            self.zero_grad()

    def step(self, closure):
        self.log.append("step")
        self.first_step()
        closure()  # without zero_grad here, as the closure clears gradients itself
        self.second_step()


@pytest.fixture
def stand_in(monkeypatch):
    """`torch` as the door knows it."""
    nn = SimpleNamespace(Parameter=lambda tensor: tensor)
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(tensor=Tensor, nn=nn, Tensor=Tensor))


def lines(report):
    return "\n".join(check.line for check in report.checks)


@pytest.mark.parametrize(
    ("protocol", "used", "calls"),
    [
        (None, "alternating", ["first", "second"]),
        ("alternating", "alternating", ["first", "second"]),
        ("closure", "closure", ["step", "first", "second"]),
    ],
)
def test_either_protocol_leads_to_the_same_sam(stand_in, protocol, used, calls):
    made = []

    def factory(lr, rho):
        def construct(parameters):
            made.append(StandInSAM(parameters, lr, rho))
            return made[-1]

        return construct

    report = examine(adapt(factory, protocol))
    assert {check.status for check in report.checks} == {Status.OK}, lines(report)
    assert (report.library, report.protocol) == ("torch", used)
    assert report.conventions["learning rate"] == "counts one step an update"
    assert made[-1].log[: len(calls)] == calls


def test_an_optimizer_already_constructed_is_bad_input(stand_in):
    with pytest.raises(InputError, match="of type StandInSAM"):
        adapt(lambda lr, rho: StandInSAM([], lr, rho), None)


def test_a_constructor_of_something_else_is_bad_input(stand_in):
    with pytest.raises(InputError, match="of type NoneType; allowed: a torch optimizer"):
        adapt(lambda lr, rho: lambda parameters: None, None)


def real():
    """torch, and a SAM class with the public one's interface, its faults to be switched on."""
    import torch

    class SAM(torch.optim.Optimizer):
        def __init__(self, params, base, *, rho, climb=1.0, back=True, shared=True, **options):
            super().__init__(params, {"rho": rho, **options})
            groups = self.param_groups
            self.base = base(groups if shared else [dict(g) for g in groups], **options)
            if shared:
                self.param_groups = self.base.param_groups
            self.climb, self.back = climb, back

        def each(self):
            return [(group, p) for group in self.param_groups for p in group["params"]]

        @torch.no_grad()
        def first_step(self, zero_grad=False):
            norm = torch.norm(torch.stack([p.grad.norm() for _, p in self.each()]))
            for group, p in self.each():
                self.state[p]["old"] = p.data.clone()
                p.add_(p.grad * (self.climb * group["rho"] / (norm + 1e-12)))
            if zero_grad:
                self.zero_grad()

        @torch.no_grad()
        def second_step(self, zero_grad=False):
            for _, p in self.each():
                if self.back:
                    p.data = self.state[p]["old"]
            self.base.step()
            if zero_grad:
                self.zero_grad()

        @torch.no_grad()
        def step(self, closure):
            self.first_step(zero_grad=True)
            torch.enable_grad()(closure)()
            self.second_step()

    return torch, SAM


def factory(base="SGD", **how):
    torch, SAM = real()
    inside = getattr(torch.optim, base)
    return lambda lr, rho: lambda params: SAM(params, inside, lr=lr, rho=rho, **how)


@pytest.mark.soak
@pytest.mark.parametrize("protocol", ["alternating", "closure"])
@pytest.mark.parametrize(
    ("how", "momentum"),
    [
        ({}, "none"),
        ({"momentum": 0.9, "weight_decay": 5e-4}, "0.9, heavy ball"),
        ({"momentum": 0.9, "weight_decay": 5e-4, "nesterov": True}, "0.9, Nesterov"),
    ],
)
def test_torch_sam_conforms_and_its_base_is_named(protocol, how, momentum):
    report = examine(adapt(factory(**how), protocol))
    assert report.conforms, lines(report)
    assert (report.library, report.protocol) == ("torch", protocol)
    assert report.conventions["climb"] == "normalised, one norm over all tensors"
    assert report.conventions["epsilon"] == "1e-12, added to the norm"
    assert report.conventions["momentum"] == momentum
    assert report.conventions["learning rate"] == "counts one step an update"


@pytest.mark.soak
def test_torch_adamw_inside_counts_one_step_an_update():
    report = examine(adapt(factory("AdamW"), None))
    assert report.conforms, lines(report)
    assert report.conventions["step counter"] == "1 an update"


@pytest.mark.soak
@pytest.mark.parametrize(
    ("how", "name", "meaning"),
    [
        ({"climb": -1.0}, "climb, length over rho", "it climbs the wrong way"),
        ({"climb": 2.0}, "climb, length over rho", "rho doubled"),
        ({"back": False}, "part of the climb kept", "it forgets to come back"),
    ],
)
def test_a_torch_sam_with_a_fault_is_refused(how, name, meaning):
    report = examine(adapt(factory(**how), None))
    assert not report.conforms
    assert meaning in next(c for c in report.checks if c.name.startswith(name)).meaning


@pytest.mark.soak
def test_groups_a_scheduler_cannot_reach_are_a_hazard():
    report = examine(adapt(factory(shared=False), None))
    assert report.conforms, lines(report)
    assert report.conventions["learning rate"] == "a change of lr is never seen"
    assert report.checks[-1].status is Status.HAZARD


@pytest.mark.soak
def test_torch_sgd_is_no_sam():
    torch, _ = real()
    report = examine(adapt(lambda lr, rho: lambda p: torch.optim.SGD(p, lr=lr), None))
    assert not report.conforms
    with pytest.raises(InputError, match="no first_step"):
        examine(adapt(lambda lr, rho: lambda p: torch.optim.SGD(p, lr=lr), "alternating"))


@pytest.mark.soak
@pytest.mark.parametrize("protocol", ["alternating", "closure"])
@pytest.mark.parametrize(
    ("file", "how"),
    [
        ("sam_plain", {}),
        ("sam_momentum_rank1", {"momentum": 0.9, "weight_decay": 0.01}),
        ("sgd_momentum", {"momentum": 0.9, "weight_decay": 0.01}),
    ],
)
def test_the_door_leads_torch_sam_along_recorded_trajectories(protocol, file, how):
    run = reference.read(RECORDED / f"{file}.json")
    assert {key: run.options.get(key) for key in how} == how
    subject = adapt(factory(**how), protocol)
    rho = run.options.get("rho", 0.0)  # rho = 0 reduces it to its base
    session = subject.start(run.options["lr"], rho, run.start, [run.start.shape])
    for batch, recorded in zip(run.batches, run.paths[0][1:], strict=True):
        session.step(
            Minibatch([run.model.oracle(batch[i : i + 1]).grad for i in range(len(batch))])
        )
        assert np.abs(session.x - recorded).max() <= 1e-10 * np.abs(recorded).max()

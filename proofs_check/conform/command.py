"""`flatproof conform`: which SAM a user's optimizer is, and whether it is one."""

from __future__ import annotations

import contextlib
import sys

import numpy as np

from proofs_check import output
from proofs_check.conform import base as bases
from proofs_check.conform import climb as climbs
from proofs_check.conform import descent, known, ours, zero
from proofs_check.conform.adapters import Subject, adapt
from proofs_check.conform.load import factory
from proofs_check.conform.outcome import Report, Status

DIFFERS = 1


def conform(target: str, *, protocol: str | None, json: str | None) -> int:
    """Run the command; 1 if a check failed, else 0. What the user's code prints goes to stderr."""
    with contextlib.redirect_stdout(sys.stderr):
        report = examine(adapt(factory(target), protocol))
    if json is None or json != "-":
        show(target, report)
    if json is not None:
        output.emit({"target": target, **report.as_json()}, json)
    return 0 if report.conforms else DIFFERS


def examine(subject: Subject) -> Report:
    """Every check on an optimizer, in an order in which each may use what those before it found."""
    with np.errstate(all="ignore"):  # runs that end in inf or nan fail their check
        base, checks = bases.identify(subject)
        climb, more = climbs.identify(subject, base)
        checks += more
        above, more = descent.comes_back(subject, base)
        checks += [*more, *zero.zero_gradient(subject, base, climb)]
        ascent = None
        if climb is not None:
            ascent, check = descent.follows(subject, base, climb, above)
            checks.append(check)
        checks += known.answers(subject, base, climb, above)
        checks.append(ours.compare(subject, ours.equal(base, climb, ascent, above)))
        counted, more = zero.schedule(subject)
        steps = zero.counter(subject)
    words = {"climb": "of no known form"} if climb is None else climb.describe()
    words["ascent"] = {
        "shared": "both gradients of an update on the same batch",
        "per-sample": "each sample climbs along its own gradient",
        None: "not known",
    }[ascent]
    words |= {"base": "not SGD in a form known here"} if base is None else base.describe()
    if base is not None and base.decay:
        at = "the climbed point" if above else "x"
        steers = "steers" if climb is not None and climb.decay else "does not steer"
        words["weight decay"] += f"; acts at {at}, {steers} the climb"
    words |= {"learning rate": counted, "step counter": steps}
    return Report(subject.library, subject.protocol, words, [*checks, *more])


def show(target: str, report: Report) -> None:
    """The report as text: conventions, one line a check, the conclusion."""
    print(f"{target}: {report.library}, protocol {report.protocol}")
    for name, words in report.conventions.items():
        print(f"  {name}: {words}")
    for check in report.checks:
        print(f"  {check.line}")
    failed = [check for check in report.checks if check.status is Status.FAILED]
    if failed:
        told = next((check for check in failed if check.meaning), failed[0])
        print(f"does not conform: {told.name}: {told.meaning or told.line}")
        return
    rest = {
        "with a hazard": [c.name for c in report.checks if c.status is Status.HAZARD],
        "not run": [c.name for c in report.checks if c.status is Status.NOT_RUN],
    }
    told = [f"{words}: {', '.join(names)}" for words, names in rest.items() if names]
    print("; ".join(["conforms", *told]))

"""Plain coordinates: a vector is an array (d,), and every problem and optimizer can run here."""

from __future__ import annotations

from typing import Any

from theory.core import Probes, Problem


class Plain:
    """Hands an optimizer the problem's own oracle; nothing is left to commit after a step."""

    run_axis = 0  # of the arrays of a block
    window, late = 1, False  # steps between commits, and whether a commit waits for the next step

    def __init__(self, problem: Problem) -> None:
        self.problem = problem

    def enter(self, start: Any) -> Any:
        """The vector of a start (d,)."""
        return start

    def lift(self, held: Any) -> Any:
        """What is held between steps, as vectors to compute with."""
        return held

    ahead_axes = None

    def ahead(self, held: Any, batches: list[Any]) -> Any:
        """What a step reads beside x and its batch: nothing."""
        return None

    def oracle(
        self, held: Any, start: Any, batch: Any, ahead: Any, probes: Probes | None, now: int = 0
    ) -> Any:
        """The problem's own."""
        return self.problem.oracle(batch, probes)

    def finish(self, found: Any) -> Any:
        """What a run's step returns, as it is."""
        return found

    def commit(self, found: Any, held: Any, batches: list[Any], *, fresh: bool = False) -> Any:
        """A step's results, as they are held between steps."""
        return found

    def leave(self, held: Any, start: Any) -> Any:
        """The coordinates (d,) of a held vector."""
        return held

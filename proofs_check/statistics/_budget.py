r"""Many e-values, one alarm: e-BH keeps the chance of a false one below a budget, however they depend.

Let e_1, ..., e_K be e-values for K nulls, sorted downwards. With k the largest number for which
e_(k) >= K/(k alpha), e-BH rejects the nulls of the k largest (Wang & Ramdas 2022). Its false
discovery rate is at most alpha under any dependence: a rejected null j has e_j >= K/(k alpha), so

    E[ #false/max(k, 1) ] <= E[ sum 1{e_j k alpha >= K}/k ] <= sum alpha E[e_j]/K <= alpha,

sums over the nulls j that are true.

Where all nulls are true every rejection is false, and the rate is the chance of raising any alarm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from theory.core import InputError

FALSE_ALARMS = 1e-6  # of one audit


def e_bh(e_values: Any, alpha: float) -> np.ndarray:
    """Which nulls e-BH rejects at level `alpha`: booleans (K,). Infinite e-values are allowed.

    Raises `InputError` unless e-values are numbers of at least 0, and alpha lies in (0, 1).
    """
    values = np.asarray(e_values, dtype=np.float64)
    if values.ndim != 1 or not (values >= 0).all():
        raise InputError("e_values", repr(e_values)[:100], "numbers of at least 0, in one row")
    if not 0 < alpha < 1:
        raise InputError("alpha", alpha, "a number between 0 and 1")
    count = len(values)
    order = np.argsort(-values, kind="stable")
    enough = values[order] * np.arange(1, count + 1) >= count / alpha
    rejected = np.zeros(count, dtype=bool)
    if enough.any():
        rejected[order[: np.flatnonzero(enough)[-1] + 1]] = True
    return rejected


@dataclass(frozen=True)
class Budget:
    """The chance of a false alarm that a whole run of checks may have, shared by e-BH.

    `level` in (0, 1), `checks` the number of e-values that will be handed in.
    """

    checks: int
    level: float = FALSE_ALARMS

    @property
    def alone(self) -> float:
        """The level at which one e-value raises an alarm by itself: level/checks."""
        return self.level / self.checks

    def alarms(self, log_e_values: Sequence[float]) -> np.ndarray:
        """Which checks raise an alarm (checks,), from logarithms. Raises `InputError`."""
        if len(log_e_values) != self.checks:
            found = f"{len(log_e_values)} e-values"
            raise InputError("log_e_values", found, f"one for each of {self.checks} checks")
        with np.errstate(over="ignore"):  # an e-value beyond 1e308 decides as much as infinity does
            return e_bh(np.exp(np.asarray(log_e_values, dtype=np.float64)), self.level)

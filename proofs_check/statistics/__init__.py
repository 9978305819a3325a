"""Statistics that stay sound for means which rare paths carry: e-values by betting, and their budget.

Means of ||x_t||^2 over runs say nothing near an edge, whatever their standard errors. What is known
exactly is the mean of ||x_{t+1}||^2/||x_t||^2 given where a run stands, and that ratio is bounded:
`ratios` computes both from iterates, `log_capital` bets on them, `e_bh` and `Budget` turn many e-values
into alarms whose false ones have a stated chance. `PATHS` are the simulations that ship; `bet` puts one
to the test and `report` says what an audit of them found.
"""

from proofs_check.statistics._budget import FALSE_ALARMS, Budget, e_bh
from proofs_check.statistics._e_process import Bounded, first_reached, log_capital, stopped
from proofs_check.statistics._linear import LinearLaw, linear_law, ratios, sampler_distance
from proofs_check.statistics._simulators import PATHS, Path, bet, names, report, sentence

__all__ = [
    "FALSE_ALARMS",
    "PATHS",
    "Bounded",
    "Budget",
    "LinearLaw",
    "Path",
    "bet",
    "e_bh",
    "first_reached",
    "linear_law",
    "log_capital",
    "names",
    "ratios",
    "report",
    "sampler_distance",
    "sentence",
    "stopped",
]

"""What the runs of one setting show together: a run that diverged counts as infinite, not as none.

Leaving diverged runs out of a mean makes a setting look the better the more often it fails. Order
statistics need no mean: the median over eight runs is finite until four have diverged.
"""

from __future__ import annotations

import numpy as np


def spread(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lower quartile, median and upper quartile over the first axis of `values` (runs, ...).

    Infinite values count as such. Quartiles that fall between two runs are taken from the outer one,
    so the band always ends on runs that happened.
    """
    ordered = np.sort(values, axis=0)
    last = len(ordered) - 1
    median = ordered[last // 2] / 2 + ordered[-(-last // 2)] / 2  # halved: the sum may overflow
    return ordered[last // 4], median, ordered[-(-3 * last // 4)]


def toll(ends: np.ndarray) -> str:
    """How many of the runs that end at steps `ends` (runs,) diverged, and when; "" if none did.

    `ends` is infinite for runs that stayed finite.
    """
    gone = ends[np.isfinite(ends)]
    if len(gone) == 0:
        return ""
    first, last = int(gone.min()), int(gone.max())
    when = f"at step {first}" if first == last else f"at steps {first} to {last}"
    return f"× {len(gone)} of {len(ends)} diverged\n{when}"

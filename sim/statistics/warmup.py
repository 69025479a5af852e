"""How long a system takes to forget how it began: MSER-5.

White, K. P., Cobb, M. J. and Spratt, S. C. (2000), "A comparison of five steady-state truncation heuristics for
simulation", Winter Simulation Conference; applied to the mean over replications, as Law (9.5.1) does Welch's method.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from sim.runs.record import Record
from sim.runs.time import NEVER

STEPS = 2000
"""At how many moments, equally far apart, a run is looked at."""

BATCH = 5


@dataclass(frozen=True, slots=True)
class Warmup:
    """How long the warm-up is, in nanoseconds. `too_short` says that the runs are too short to choose one."""

    length: int
    too_short: bool = False


def chosen_warmup(records: Sequence[Sequence[Record]], horizon: int) -> Warmup:
    """The warm-up that MSER-5 chooses: the longest that any policy needs.

    Args:
        records: for each policy, those of its replications.
        horizon: when the runs end, in nanoseconds.

    What is looked at is the number of tasks that have arrived and are not final. All policies get the same warm-up,
    as they are compared on the same tasks.
    """
    moments = (np.arange(STEPS) + 1) * (horizon // (STEPS + 1))
    cuts = [mser5(_mean_in_flight(replications, moments)) for replications in records]
    return Warmup(int(moments[max(cuts) - 1]) if max(cuts) else 0, max(cuts) >= most_dropped(STEPS))


def mser5(series: NDArray[np.float64]) -> int:
    """How many of the first observations of *series* to drop.

    The cut minimizes the squared standard error of the mean of what is left, in batches of 5. At most half is dropped
    (`most_dropped`): a cut there says that the series is too short for its beginning to be told from the rest.
    """
    batches = series[: len(series) // BATCH * BATCH].reshape(-1, BATCH).mean(axis=1)
    best, smallest = 0, inf
    # From the end, by Welford's recurrence: sums of squares would leave a rounding error where the rest is constant.
    mean, squares = 0.0, 0.0
    for cut in range(len(batches) - 1, -1, -1):
        left = len(batches) - cut
        apart = float(batches[cut]) - mean
        mean += apart / left
        squares += apart * (float(batches[cut]) - mean)
        if cut * BATCH <= most_dropped(len(series)) and squares / left**2 <= smallest:
            best, smallest = cut, squares / left**2
    return best * BATCH


def most_dropped(observations: int) -> int:
    """How many of so many observations are dropped at most: half, in whole batches."""
    return observations // BATCH // 2 * BATCH


def _mean_in_flight(records: Sequence[Record], moments: NDArray[np.int64]) -> NDArray[np.float64]:
    counts = np.zeros(len(moments))
    for record in records:
        arrived = np.sort(record.tasks["arrived_at"])
        final = np.sort(record.tasks["final_at"][record.tasks["final_at"] != NEVER])
        counts += np.searchsorted(arrived, moments, side="right") - np.searchsorted(final, moments, side="right")
    return counts / len(records)

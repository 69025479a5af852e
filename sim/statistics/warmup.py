"""How long a system takes to forget how it began: MSER-5.

White, K. P., Cobb, M. J. and Spratt, S. C. (2000), "A comparison of five steady-state truncation heuristics for
simulation", Winter Simulation Conference; applied to the mean over replications, as Law (9.5.1) does Welch's method.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sim.runs.record import Record
from sim.runs.time import NEVER

STEPS = 2000
"""At how many moments, equally far apart, a run is looked at."""

BATCH = 5


def chosen_warmup(records: Sequence[Sequence[Record]], horizon: int) -> int:
    """The warm-up in nanoseconds that MSER-5 chooses: the longest that any policy needs.

    Args:
        records: for each policy, those of its replications.
        horizon: when the runs end, in nanoseconds.

    What is looked at is the number of tasks that have arrived and are not final. All policies get the same warm-up,
    as they are compared on the same tasks.
    """
    moments = (np.arange(STEPS) + 1) * (horizon // (STEPS + 1))
    cuts = [mser5(_mean_in_flight(replications, moments)) for replications in records]
    return int(moments[max(cuts) - 1]) if max(cuts) else 0


def mser5(series: NDArray[np.float64]) -> int:
    """How many of the first observations of *series* to drop.

    The cut minimizes the squared standard error of the mean of what is left, in batches of 5, and is looked for in the
    first half: a minimum beyond it would say that the run is too short.
    """
    batches = series[: len(series) // BATCH * BATCH].reshape(-1, BATCH).mean(axis=1)
    count = len(batches)
    left = count - np.arange(count)
    total = np.cumsum(batches[::-1])[::-1]
    squares = np.cumsum((batches**2)[::-1])[::-1]
    errors = (squares - total**2 / left) / left**2
    return int(np.argmin(errors[: max(count // 2, 1)])) * BATCH


def _mean_in_flight(records: Sequence[Record], moments: NDArray[np.int64]) -> NDArray[np.float64]:
    counts = np.zeros(len(moments))
    for record in records:
        arrived = np.sort(record.tasks["arrived_at"])
        final = np.sort(record.tasks["final_at"][record.tasks["final_at"] != NEVER])
        counts += np.searchsorted(arrived, moments, side="right") - np.searchsorted(final, moments, side="right")
    return counts / len(records)

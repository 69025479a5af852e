"""Quantiles of all replications' tasks together, for the far tail: how long the slowest of a thousand waits.

A replication often has too few tasks for a 99.9 % quantile of its own. Tasks of one replication depend on each other,
so the interval comes from drawing whole replications anew (a percentile bootstrap): Efron, B. and Tibshirani, R.
(1993), *An Introduction to the Bootstrap*, chapters 8 and 13.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import numpy as np

from sim.statistics.intervals import Figure
from sim.statistics.mean_interval import ENOUGH
from sim.statistics.task_waits import TaskWaits
from sim.statistics.waits import Floats, Waits

TAILS = {"p99": 0.99, "p99_9": 0.999}

DRAWS = 1000
AT_ONCE = 50
"""So many draws are looked at together, which bounds the memory."""


def pooled_quantile(waits: Sequence[TaskWaits], p: float, confidence: float, second: int) -> Figure:
    """The *p* quantile of the waits of all replications together, in seconds.

    Args:
        waits: those of each replication; only tasks that came to wait.
        p: which quantile.
        confidence: the level of the interval.
        second: nanoseconds of a second.
    """
    values = np.concatenate([each.wait for each in waits]) / second
    censored = np.concatenate([each.censored for each in waits])
    estimate = Waits(values, censored).quantile(p)
    if estimate.value is None:
        return Figure(None)
    of = len(waits)
    if of < ENOUGH:
        return Figure(estimate.value, estimate.lower_bound, replications=of, not_enough=of > 1)
    low, high = np.quantile(_drawn(waits, values, p), [(1 - confidence) / 2, (1 + confidence) / 2], method="nearest")
    # An end of the interval that no task of the tail lies beyond is that of the longest wait.
    beyond = sum(int(np.any(each.wait / second > estimate.value)) for each in waits)
    end = None if estimate.lower_bound else float(high)
    return Figure(estimate.value, estimate.lower_bound, float(low), end, of, not_enough=beyond < ENOUGH)


def _drawn(waits: Sequence[TaskWaits], values: Floats, p: float) -> Floats:
    """The quantile in experiments that are put together from the same replications, drawn anew."""
    random = np.random.Generator(np.random.PCG64(0))
    sizes = np.array([len(each.wait) for each in waits])
    owner = np.repeat(np.arange(len(waits)), sizes)
    # Only the longest waits matter: five times as many as lie beyond the quantile, and those of one replication.
    kept = min(ceil(5 * (1 - p) * len(values)) + int(sizes.max()), len(values))
    top = np.argpartition(values, len(values) - kept)[len(values) - kept :]
    top = top[np.argsort(-values[top], kind="stable")]
    found = []
    for _ in range(DRAWS // AT_ONCE):
        chosen = random.integers(0, len(waits), (AT_ONCE, len(waits)))
        times = np.stack([np.bincount(row, minlength=len(waits)) for row in chosen])
        beyond = (times @ sizes) - np.ceil(p * (times @ sizes) - 1e-9).astype(np.int64)
        seen = np.cumsum(times[:, owner[top]], axis=1)
        place = np.minimum(np.sum(seen <= beyond[:, None], axis=1), kept - 1)
        found.append(values[top[place]])
    return np.concatenate(found)

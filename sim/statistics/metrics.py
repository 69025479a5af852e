"""The figures of one run, computed from its record (model.md, 7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim.runs.codes import FAILED, PENDING
from sim.runs.record import Record
from sim.runs.time import NEVER, SECOND
from sim.statistics.metric_names import CAUSE_METRICS, METRICS, QUANTILES
from sim.statistics.waits import Estimate, Waits

Measured: TypeAlias = Mapping[str, Sequence[Mapping[str, Estimate]]]
"""By a policy's label, for each replication, the metrics by name. The first policy is the reference."""


def measure(record: Record, warmup: int, horizon: int, drain: int = 0) -> dict[str, Estimate]:
    """The metrics of one run. Times are in nanoseconds.

    Tasks count that arrive from *warmup* on. Waits count that began before the *horizon*, and may end in the *drain*
    after it. Pods count from the start, up to the *horizon*.
    """
    wait, censored = apply_waits(record.tasks, horizon + drain)
    counted = record.tasks["arrived_at"] >= warmup
    confirmed = counted & (record.tasks["confirmed_at"] < horizon)
    waits = Waits(wait[confirmed] / SECOND, censored[confirmed])
    exact = {
        "tasks": _count(counted),
        "confirmed": _count(confirmed),
        "censored": _count(confirmed & censored),
        "failed": _count(counted & (record.tasks["state"] == FAILED)),
        "unplanned": _count(counted & (record.tasks["state"] == PENDING)),
        **{cause: float(np.sum(record.tasks[cause][counted])) / SECOND for cause in CAUSE_METRICS},
        **_costs(record, horizon),
    }
    figures = {name: Estimate(float(value)) for name, value in exact.items()}
    figures["apply_wait.mean"] = waits.mean()
    figures["apply_wait.max"] = waits.maximum()
    figures |= {f"apply_wait.{name}": waits.quantile(p) for name, p in QUANTILES.items()}
    return {name: figures[name] for name in METRICS}


def apply_waits(tasks: dict[str, Any], end: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Of each task, how long it waited for its apply in nanoseconds (-1 if not confirmed), and whether the *end*
    cut that off.
    """
    confirmed, started = tasks["confirmed_at"], tasks["apply_started_at"]
    censored = (confirmed != NEVER) & (started == NEVER)
    return np.where(confirmed == NEVER, -1, np.minimum(started, end) - confirmed), censored


def _costs(record: Record, horizon: int) -> dict[str, float]:
    counted = record.pods["created_at"] < horizon
    created, deleted = record.pods["created_at"][counted], record.pods["deleted_at"][counted]
    gone = deleted < horizon
    # A pod that goes in the same instant in which another comes made room for it: faults precede the autoscaler.
    times = np.concatenate([created, deleted[gone]])
    steps = np.concatenate([np.ones(len(created), dtype=int), np.full(_count(gone), -1)])
    order = np.lexsort((steps, times))
    return {
        "pod_seconds": float(np.sum(np.minimum(deleted, horizon) - created)) / SECOND,
        "peak_pods": int(np.max(np.cumsum(steps[order]), initial=0)),
        "pods_created": len(created),
        "pods_deleted": _count(gone),
        "overshoot": _count((created > 0) & (record.pods["used"][counted] == 0)),
    }


def _count(which: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(which))

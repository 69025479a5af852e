"""The figures of one run, computed from its record (model.md, 7)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.experiment.names import CAUSE_METRICS, METRICS, QUANTILES
from sim.experiment.runner import Run
from sim.experiment.survival import Estimate, Waits
from sim.model.clock import NEVER, SECOND
from sim.model.tasks import FAILED, PENDING


def measure(run: Run, warmup: int, horizon: int) -> dict[str, Estimate]:
    """The metrics of one run. Tasks count from *warmup* on, pods from the start. Times are in nanoseconds."""
    wait, censored = apply_waits(run.tasks, horizon)
    counted = run.tasks["arrived_at"] >= warmup
    confirmed = counted & (wait >= 0)
    waits = Waits(wait[confirmed] / SECOND, censored[confirmed])
    exact = {
        "tasks": _count(counted),
        "confirmed": _count(confirmed),
        "censored": _count(confirmed & censored),
        "failed": _count(counted & (run.tasks["state"] == FAILED)),
        "unplanned": _count(counted & (run.tasks["state"] == PENDING)),
        **{cause: float(np.sum(run.tasks[cause][counted])) / SECOND for cause in CAUSE_METRICS},
        **_costs(run, horizon),
    }
    figures = {name: Estimate(float(value)) for name, value in exact.items()}
    figures["apply_wait.mean"] = waits.mean()
    figures["apply_wait.max"] = waits.maximum()
    figures |= {f"apply_wait.{name}": waits.quantile(p) for name, p in QUANTILES.items()}
    return {name: figures[name] for name in METRICS}


def apply_waits(tasks: dict[str, Any], horizon: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Of each task, how long it waited for its apply in nanoseconds (-1 if not confirmed), and whether the *horizon*
    cut that off.
    """
    confirmed, started = tasks["confirmed_at"], tasks["apply_started_at"]
    censored = (confirmed != NEVER) & (started == NEVER)
    return np.where(confirmed == NEVER, -1, np.minimum(started, horizon) - confirmed), censored


def _costs(run: Run, horizon: int) -> dict[str, float]:
    created, deleted = run.pods["created_at"], run.pods["deleted_at"]
    gone = deleted != NEVER
    # A pod that goes in the same instant in which another comes made room for it: faults precede the autoscaler.
    times = np.concatenate([created, deleted[gone]])
    steps = np.concatenate([np.ones(len(created), dtype=int), np.full(_count(gone), -1)])
    order = np.lexsort((steps, times))
    return {
        "pod_seconds": float(np.sum(np.minimum(deleted, horizon) - created)) / SECOND,
        "peak_pods": int(np.max(np.cumsum(steps[order]), initial=0)),
        "pods_created": len(created),
        "pods_deleted": _count(gone),
        "overshoot": _count((created > 0) & (run.pods["used"] == 0)),
    }


def _count(which: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(which))

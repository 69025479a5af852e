"""The figures of one run, computed from its record (model.md, 7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim.runs.codes import (
    APPLIED,
    CANCELED,
    DISCARDED,
    ERRORED,
    FAILED,
    FINAL,
    PENDING,
    PLANNED,
    PLANNED_AND_FINISHED,
)
from sim.runs.record import Columns, Record
from sim.runs.time import NEVER, SECOND
from sim.statistics.metric_names import (
    CAUSE_METRICS,
    CAUSES_OF,
    COUNTS_BY_TYPE,
    METRICS,
    QUANTILES,
    TYPES,
    UNNAMED,
    named,
    of_pool,
)
from sim.statistics.task_waits import TaskWaits, apply_waits, blocked_waits, plan_waits
from sim.statistics.waits import Estimate, Waits

Measured: TypeAlias = Mapping[str, Sequence[Mapping[str, Estimate]]]
"""By a policy's label, for each replication, the metrics by name. The first policy is the reference."""

HOUR = 3600.0


@dataclass(frozen=True)
class MetricSettings:
    """What is measured.

    Tasks count that arrive from `warmup` on. Waits count that began before the `horizon`, and may end in the `drain`
    after it. Pods count from the start, up to the horizon. These three are in nanoseconds.

    Args:
        warmup: what is left out at the beginning.
        horizon: up to when tasks arrive.
        drain: how much longer the run goes on.
        pools: the name of each pool, and how many slots are paid for with a pod of it.
        slo: by kind of wait, the seconds that it is to take at most.
        pod_hour: what an hour of a pod costs; None if that is not known.
        waiting_hour: what an hour costs for which a confirmed task waits.
    """

    warmup: int
    horizon: int
    drain: int = 0
    pools: tuple[tuple[str, int], ...] = ((UNNAMED[0], 1),)
    slo: Mapping[str, float] = field(default_factory=dict)
    pod_hour: float | None = None
    waiting_hour: float | None = None


def measure(record: Record, settings: MetricSettings) -> dict[str, Estimate]:
    """The metrics of one run: of all pools together and, if they have names, of each pool."""
    figures = _measure(record, settings)
    if named([name for name, _ in settings.pools]):
        for number, (name, _) in enumerate(settings.pools):
            mine = _measure(_only(record, number), settings)
            figures |= {of_pool(name, metric): estimate for metric, estimate in mine.items()}
    return figures


def _only(record: Record, pool: int) -> Record:
    """The part of the record that is about the pool with that number."""

    def rows(part: Columns) -> Columns:
        mine = part["pool"] == pool
        return {name: column[mine] for name, column in part.items()}

    return Record(*(rows(part) for part in (
        record.tasks, record.pods, record.decisions, record.reservations, record.incidents)))  # fmt: skip


def _measure(record: Record, settings: MetricSettings) -> dict[str, Estimate]:
    """The metrics of a record. What runs elsewhere waits for no slot, and is in no figure but its own count."""
    elsewhere = record.tasks["execution_mode"] != 0
    tasks = {name: column[~elsewhere] for name, column in record.tasks.items()} if elsewhere.any() else record.tasks
    end = settings.horizon + settings.drain
    counted = tasks["arrived_at"] >= settings.warmup
    waits = {
        "apply_wait": apply_waits(tasks, end),
        "plan_wait": plan_waits(tasks),
        "blocked_wait": blocked_waits(tasks, end),
    }
    figures = {name: Estimate(float(value)) for name, value in _counts(tasks, counted).items()}
    for kind, found in waits.items():
        own = found.only(counted, settings.horizon)
        which, is_bound = counted & (found.began_at < settings.horizon), bool(np.any(own.censored))
        for name in CAUSES_OF.get(kind, ()):
            figures[name] = Estimate(float(np.sum(tasks[name][which])) / SECOND, is_bound)
        figures |= {f"{kind}.{name}": each for name, each in _wait_figures(own, settings.slo.get(kind))}
    confirmed = counted & (tasks["confirmed_at"] < settings.horizon)
    figures["confirmed"] = Estimate(float(_count(confirmed)))
    censored = confirmed & waits["apply_wait"].censored
    figures["censored"] = Estimate(float(_count(censored)))
    figures["canceled_waiting"] = Estimate(float(_count(censored & (tasks["state"] == CANCELED))))
    figures["elsewhere"] = Estimate(float(_count(elsewhere & (record.tasks["arrived_at"] >= settings.warmup))))
    figures |= {name: Estimate(float(value)) for name, value in _costs(record, settings.horizon).items()}
    figures |= {name: Estimate(value) for name, value in _uses(record, tasks, settings).items()}
    figures |= _money(figures, settings)
    return {name: figures[name] for name in METRICS if name in figures}


def _counts(tasks: Mapping[str, Any], counted: NDArray[np.bool_]) -> dict[str, int]:
    state = tasks["state"]
    has_planned = (state != PENDING) | (tasks["confirmed_at"] != NEVER)
    kinds = {
        "tasks": counted,
        "completed": counted & np.isin(state, (PLANNED, APPLIED, PLANNED_AND_FINISHED)),
        "planned_and_finished": counted & (state == PLANNED_AND_FINISHED),
        "failed": counted & (state == FAILED),
        "errored": counted & (state == ERRORED),
        "discarded": counted & (state == DISCARDED),
        "canceled": counted & (state == CANCELED),
        "unplanned": counted & (state == PENDING),
        "in_progress": counted & has_planned & ~np.isin(state, FINAL),
    }
    found = {name: _count(which) for name, which in kinds.items()}
    for number, kind in enumerate(TYPES):
        mine = tasks["applies"] == number
        found |= {f"{kind}.{name}": _count(kinds[name] & mine) for name in COUNTS_BY_TYPE}
    return found


def _wait_figures(found: TaskWaits, limit: float | None) -> Iterator[tuple[str, Estimate]]:
    waits = Waits(found.wait / SECOND, found.censored)
    yield "mean", waits.mean()
    yield "max", waits.maximum()
    for name, p in QUANTILES.items():
        yield name, waits.quantile(p)
    if limit is not None:
        yield "within_slo", waits.share_within(limit)


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


def _uses(record: Record, tasks: Columns, settings: MetricSettings) -> dict[str, float | None]:
    """What became of the slots that were paid for: the share of their time in which they ran, were reserved, or idled.

    A plan that was made again counts once only, as a record has each task's last plan.
    """
    horizon = settings.horizon
    lives = np.minimum(record.pods["deleted_at"], horizon) - np.minimum(record.pods["created_at"], horizon)
    slots = np.array([slots for _, slots in settings.pools])
    paid = float(np.sum(lives * slots[record.pods["pool"]]))
    if not paid:
        return {"busy_share": None, "reserved_share": None, "idle_share": None}
    busy = 0.0
    for phase in ("plan", "apply"):
        began = tasks[f"{phase}_started_at"]
        ended = np.minimum(tasks[f"{phase}_ended_at"], np.minimum(tasks["final_at"], horizon))
        busy += float(np.sum((ended - began)[began < horizon]))
    held = record.reservations
    reserved = float(np.sum(np.minimum(held["released_at"], horizon) - np.minimum(held["reserved_at"], horizon)))
    busy, reserved = busy / paid, reserved / paid
    return {"busy_share": busy, "reserved_share": reserved, "idle_share": max(1 - busy - reserved, 0.0)}


def _money(figures: Mapping[str, Estimate], settings: MetricSettings) -> dict[str, Estimate]:
    if settings.pod_hour is None and settings.waiting_hour is None:
        return {}
    pods = (figures["pod_seconds"].value or 0.0) / HOUR * (settings.pod_hour or 0.0)
    waited = sum(figures[name].value or 0.0 for name in CAUSE_METRICS if name.startswith("wait_"))
    waiting = waited / HOUR * (settings.waiting_hour or 0.0)
    is_bound = bool(settings.waiting_hour) and (figures["censored"].value or 0.0) > 0
    return {
        "cost.pods": Estimate(pods),
        "cost.waiting": Estimate(waiting, is_bound),
        "cost.total": Estimate(pods + waiting, is_bound),
    }


def _count(which: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(which))

"""Writes down what happens in a run. `sim.statistics.metrics` computes the waits from it (model.md, 7)."""

from __future__ import annotations

from collections.abc import Sequence

from sim.model.pod import Pod, Slot
from sim.model.task import Task
from sim.runs.codes import DELETED_BY, INCIDENTS
from sim.runs.record import (
    DECISION_FIELDS,
    INCIDENT_FIELDS,
    POD_FIELDS,
    RESERVATION_FIELDS,
    TASK_FIELDS,
    Record,
    columns_of,
    packed,
)
from sim.runs.time import NEVER


class RunRecorder:
    """Collects the rows of a record as things happen."""

    def __init__(self) -> None:
        self._pods: list[tuple[int, ...]] = []
        self._decisions: list[tuple[int, ...]] = []
        self._reservations: list[tuple[int, ...]] = []
        self._incidents: list[tuple[int, ...]] = []

    def pod(self, pod: Pod, deleted_at: int = NEVER, deleted_by: str = "") -> None:
        """Note a pod that is gone, or that was there at the horizon."""
        by = DELETED_BY.index(deleted_by)
        row = (pod.number, pod.created_at, pod.ready_at, pod.draining_at, deleted_at, by, pod.is_used)
        self._pods.append((pod.pool.number, *row))

    def decision(self, pool: int, time: int, before: int, desired: int, after: int) -> None:
        """Note that the autoscaler has changed the number of pods of a *pool*."""
        self._decisions.append((pool, time, before, min(desired, NEVER), after))

    def reservation(self, slot: Slot, until: int) -> None:
        """Note that *slot* was reserved for its task *until* then."""
        assert slot.task is not None
        pod = slot.pod
        self._reservations.append((slot.task.index, pod.pool.number, pod.number, slot.number, slot.held_since, until))

    def incident(self, time: int, until: int, kind: str, pod: Pod | None = None) -> None:
        """Note that a fault has struck, and until when it lasts. Without a *pod* it concerns all of them."""
        where = (-1, -1) if pod is None else (pod.pool.number, pod.number)
        self._incidents.append((time, until, INCIDENTS.index(kind), *where))

    def record(self, tasks: Sequence[Task]) -> Record:
        """The record of the run, with the *tasks* that have arrived."""

        def columns(fields: Sequence[str], rows: Sequence[tuple[int, ...]], *order_by: str) -> dict[str, object]:
            return columns_of(fields, packed(fields, rows), order_by)

        return Record(
            tasks=columns(TASK_FIELDS, [_row(task) for task in tasks], "index"),
            pods=columns(POD_FIELDS, self._pods, "pool", "pod"),
            decisions=columns(DECISION_FIELDS, self._decisions, "time", "pool"),
            reservations=columns(RESERVATION_FIELDS, self._reservations, "reserved_at", "pool", "pod", "slot"),
            incidents=columns(INCIDENT_FIELDS, self._incidents, "time"),
        )


def _row(task: Task) -> tuple[int, ...]:
    return (
        task.index,
        task.pool,
        task.execution_mode,
        task.applies,
        task.workspace,
        task.state,
        task.arrived_at,
        task.eligible_at,
        task.plan_started_at,
        task.plan_ended_at,
        task.confirmed_at,
        task.apply_started_at,
        task.apply_ended_at,
        task.final_at,
        *task.waits,
        *task.plan_waits,
        *(task.planned_on or (-1, -1)),
        *(task.applied_on or (-1, -1)),
    )

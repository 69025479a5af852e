"""Notes what happens in a run, row by row."""

from __future__ import annotations

from sim.engine.entities import EnginePod, EngineSlot
from sim.engine.task_columns import TaskColumns
from sim.runs.codes import DELETED_BY, INCIDENTS
from sim.runs.inputs import TaskInputs, Times
from sim.runs.record import (
    DECISION_FIELDS,
    INCIDENT_FIELDS,
    POD_FIELDS,
    RESERVATION_FIELDS,
    Record,
    columns_of,
    packed,
)
from sim.runs.time import NEVER

_BLOCK = 4096


class Rows:
    """Rows of integers, packed block by block, so that a row costs eight bytes a field and not an object each."""

    def __init__(self, fields: tuple[str, ...]) -> None:
        self._fields = fields
        self._open: list[tuple[int, ...]] = []
        self._packed: list[Times] = []

    def append(self, row: tuple[int, ...]) -> None:
        self._open.append(row)
        if len(self._open) >= _BLOCK:
            self._pack()

    def _pack(self) -> None:
        self._packed.append(packed(self._fields, self._open))
        self._open = []

    def columns(self, *order_by: str) -> dict[str, Times]:
        """The columns by name, the rows in ascending order of the fields *order_by* and else as they came."""
        import numpy as np

        self._pack()
        return columns_of(self._fields, np.concatenate(self._packed), order_by)


class Recorder:
    """Notes what happens in one run."""

    def __init__(self, tasks: TaskInputs, slots_per_pod: tuple[int, ...]) -> None:
        self._inputs = tasks
        self._slots_per_pod = slots_per_pod
        self.tasks = TaskColumns(len(tasks))
        self._pods = Rows(POD_FIELDS)
        self._decisions = Rows(DECISION_FIELDS)
        self._reservations = Rows(RESERVATION_FIELDS)
        self._incidents = Rows(INCIDENT_FIELDS)

    def pod(self, pod: EnginePod, deleted_at: int = NEVER, deleted_by: str = "") -> None:
        """Note a pod that is gone, or that was there at the horizon."""
        by = DELETED_BY.index(deleted_by)
        row = (pod.pool.number, pod.number, pod.created_at, pod.ready_at, NEVER, deleted_at, by, pod.used)
        self._pods.append(row)

    def decision(self, pool: int, time: int, before: int, desired: int, after: int) -> None:
        """Note that the autoscaler changed the number of pods of a *pool*."""
        self._decisions.append((pool, time, before, min(desired, NEVER), after))

    def reservation(self, slot: EngineSlot, until: int) -> None:
        """Note that *slot* was reserved up to now, or that it still was at the horizon."""
        assert slot.task is not None
        pod = slot.pod
        self._reservations.append((slot.task.index, pod.pool.number, pod.number, slot.number, slot.held_since, until))

    def incident(self, time: int, until: int, kind: str, pod: EnginePod | None = None) -> None:
        """Note that a fault has struck, and till when it lasts. Without a *pod* it concerns all of them."""
        pool, number = (-1, -1) if pod is None else (pod.pool.number, pod.number)
        self._incidents.append((time, until, INCIDENTS.index(kind), pool, number))

    def record(self) -> Record:
        """All of it."""
        return Record(
            self.tasks.columns(self._inputs, self._slots_per_pod),
            self._pods.columns("pool", "pod"),
            self._decisions.columns("time", "pool"),
            self._reservations.columns("reserved_at", "pool", "pod", "slot"),
            self._incidents.columns("time"),
        )

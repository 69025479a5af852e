"""What happened in one run, noted once. Everything that is reported is computed from this afterwards."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.model.clock import NEVER
from sim.model.history import History
from sim.model.pool import Pod, Slot
from sim.model.workload import Times, Workload

POD_FIELDS = ("pod", "created_at", "ready_at", "deleted_at", "deleted_by", "used")
DECISION_FIELDS = ("time", "pods_before", "desired", "pods_after")
RESERVATION_FIELDS = ("index", "pod", "slot", "reserved_at", "released_at")
INCIDENT_FIELDS = ("time", "until", "kind", "pod")

INCIDENTS = ("pod_deletion", "pod_offline", "server_restart", "config_change")
"""What can happen, by number."""

DELETED_BY = ("", "autoscaler", "pod_deletion", "connect_timeout", "config_change")
"""Who deletes pods, by number; the first stands for nobody."""

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
        self._packed.append(np.array(self._open, dtype=np.int64).reshape(-1, len(self._fields)))
        self._open = []

    def columns(self, order_by: str) -> dict[str, Times]:
        """The columns by name, the rows in ascending order of *order_by* and else as they came."""
        self._pack()
        rows = np.concatenate(self._packed)
        rows = rows[np.argsort(rows[:, self._fields.index(order_by)], kind="stable")]
        return {field: np.ascontiguousarray(rows[:, n]) for n, field in enumerate(self._fields)}


class Record:
    """What happened in one run. Times are nanoseconds, and `NEVER` where something did not happen."""

    def __init__(self, workload: Workload, slots_per_pod: int) -> None:
        self._workload = workload
        self._slots_per_pod = slots_per_pod
        self.tasks = History(len(workload))
        self._pods = Rows(POD_FIELDS)
        self._decisions = Rows(DECISION_FIELDS)
        self._reservations = Rows(RESERVATION_FIELDS)
        self._incidents = Rows(INCIDENT_FIELDS)

    def pod(self, pod: Pod, deleted_at: int = NEVER, deleted_by: str = "") -> None:
        """Note a pod that is gone, or that was there at the horizon."""
        self._pods.append(
            (pod.number, pod.created_at, pod.ready_at, deleted_at, DELETED_BY.index(deleted_by), pod.used)
        )

    def decision(self, time: int, before: int, desired: int, after: int) -> None:
        """Note that the autoscaler changed the number of pods."""
        self._decisions.append((time, before, min(desired, NEVER), after))

    def reservation(self, slot: Slot, until: int) -> None:
        """Note that *slot* was reserved up to now, or that it still was at the horizon."""
        assert slot.task is not None
        self._reservations.append((slot.task.index, slot.pod.number, slot.number, slot.held_since, until))

    def incident(self, time: int, until: int, kind: str, pod: int = -1) -> None:
        """Note that a fault has struck, and till when it lasts."""
        self._incidents.append((time, until, INCIDENTS.index(kind), pod))

    def columns(self) -> dict[str, dict[str, Any]]:
        """All of it, each part as columns by name: `tasks` in order of index, `pods` of number, the others of time."""
        return {
            "tasks": self.tasks.columns(self._workload, self._slots_per_pod),
            "pods": self._pods.columns("pod"),
            "decisions": self._decisions.columns("time"),
            "reservations": self._reservations.columns("reserved_at"),
            "incidents": self._incidents.columns("time"),
        }

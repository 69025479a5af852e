"""What has happened to each task, noted as it happens."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.runs.codes import APPLY_PENDING, APPLYING, CAUSES, PENDING, PLANNING
from sim.runs.inputs import TaskInputs, Times
from sim.runs.time import NEVER


class TaskColumns:
    """Columns by field, in which a task's row is its index.

    Views of memory, because NumPy's own arrays take longer to write one number.
    """

    def __init__(self, tasks: int) -> None:
        def column(value: int) -> memoryview:
            return np.full(tasks, value, dtype=np.int64).data

        self.arrived_at = column(NEVER)
        self.eligible_at = column(NEVER)
        self.plan_started_at = column(NEVER)
        self.plan_ended_at = column(NEVER)
        self.confirmed_at = column(NEVER)
        """When its human first confirmed a plan of it."""
        self.apply_started_at = column(NEVER)
        self.apply_ended_at = column(NEVER)
        self.final_at = column(NEVER)
        self.final_state = column(-1)
        """The final state that it has come to; -1 if it has not."""
        self.plan_slot = column(-1)
        self.apply_slot = column(-1)
        """The `Slot.index` of where it planned last, and of where it applies."""
        self.waits = tuple(np.zeros(tasks, dtype=np.int64).data for _ in CAUSES)
        """How long it waited for its apply, by cause (see `sim.engine.causes`)."""
        self.plan_waits = tuple(np.zeros(tasks, dtype=np.int64).data for _ in CAUSES)
        """How long it waited for its first plan while it was eligible, by cause."""

    def columns(self, workload: TaskInputs, slots_per_pod: tuple[int, ...]) -> dict[str, Times]:
        """The columns of the tasks that have arrived, in order of index, and which they are of *workload*.

        *slots_per_pod* is that of each pool.
        """
        applies = workload.applies
        columns = {
            "index": np.arange(len(workload)),
            "pool": workload.pool,
            "execution_mode": workload.execution_mode,
            "applies": applies.astype(np.int64),
            "workspace": workload.workspace,
            "state": self._states(applies),
            "arrived_at": np.asarray(self.arrived_at),
            "eligible_at": np.asarray(self.eligible_at),
            "plan_started_at": np.asarray(self.plan_started_at),
            "plan_ended_at": np.asarray(self.plan_ended_at),
            "confirmed_at": np.asarray(self.confirmed_at),
            "apply_started_at": np.asarray(self.apply_started_at),
            "apply_ended_at": np.asarray(self.apply_ended_at),
            "final_at": np.asarray(self.final_at),
        }
        for cause, wait in zip(CAUSES, self.waits, strict=True):
            columns[f"wait_{cause}"] = np.asarray(wait)
        for cause, wait in zip(CAUSES, self.plan_waits, strict=True):
            columns[f"plan_wait_{cause}"] = np.asarray(wait)
        for what, view in (("plan", self.plan_slot), ("apply", self.apply_slot)):
            slot, slots = np.asarray(view), np.array(slots_per_pod)[workload.pool]
            columns[f"{what}_pod"] = slot // slots  # -1 stays -1
            columns[f"{what}_slot"] = np.where(slot < 0, -1, slot % slots)
        arrived = columns["arrived_at"] < NEVER
        return columns if arrived.all() else {name: column[arrived] for name, column in columns.items()}

    def _states(self, applies: NDArray[np.bool_]) -> Times:
        """The states that tasks have come to, which follow from what has happened to them."""
        applying, planned, planning = (
            np.asarray(when) < NEVER for when in (self.apply_started_at, self.plan_ended_at, self.plan_started_at)
        )
        final = np.asarray(self.final_state)
        conditions = [final >= 0, applying, planned & applies, planning]
        return np.select(conditions, [final, APPLYING, APPLY_PENDING, PLANNING], PENDING)
